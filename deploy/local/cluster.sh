#!/usr/bin/env bash
# Starts and stops a cluster of Tandem on this machine: the real services, and nodes of the release build.
set -euo pipefail

readonly EDGE=8080 MESH=7080 MOST=9 START_SECONDS=120 STOP_SECONDS=35
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
readonly TANDEM="${TANDEM:-${CARGO_TARGET_DIR:-$root/target}/release/tandem}"

usage() {
  cat <<TEXT
usage: deploy/local/cluster.sh start|stop|status [--nodes N] [--dir DIR]

  start   starts Cassandra and RabbitMQ if they do not run, makes certificates,
          brings the store to the newest schema, starts the nodes that do not
          run yet, waits until each is ready and says how to talk to them
  stop    ends the nodes by their pids and waits for them; data and services stay
          (make services-stop ends the services)
  status  says of each node whether it runs and is ready; exit code 3 if one is not

  --nodes  how many, 1..=$MOST, 3 by default; remembered in DIR
  --dir    folder of the cluster, by default target/cluster. Node N has its
           configuration, its log, its pid and its data in DIR/node-N; originals
           lie in DIR/objects, which all nodes share

Node N answers on 127.0.0.1:$EDGE + N and meets the others on 127.0.0.1:$MESH + N.
The keyspace is tandem_local, names on the broker begin with local. TANDEM names
another program than target/release/tandem.
TEXT
}

fail() {
  printf 'cluster.sh: %s\n' "$1" >&2
  shift
  for line in "$@"; do printf '  try: %s\n' "$line" >&2; done
  exit 1
}

misuse() {
  printf 'cluster.sh: %s\n' "$1" >&2
  usage >&2
  exit 64
}

# Whether the pid of node $1 is alive and is ours: pids are given again.
alive() {
  local pid
  pid="$(cat "$dir/node-$1/pid" 2>/dev/null)" || return 1
  { tr '\0' '\n' <"/proc/$pid/cmdline"; } 2>/dev/null | grep -qxF -- "$dir/node-$1/tandem.toml"
}

ready() {
  TANDEM_EDGE__LISTEN="127.0.0.1:$((EDGE + $1))" "$root/deploy/compose/probe.sh" /readyz >/dev/null 2>&1
}

# "a","b" of the words.
listed() {
  local word list=()
  for word in "$@"; do list+=("\"$word\""); done
  (IFS=, && printf '%s' "${list[*]}")
}

certificates() {
  local n
  [ -e "$dir/mesh/ca.pem" ] || "$TANDEM" certs ca --dir "$dir/mesh" >/dev/null
  for n in $(seq "$count"); do
    [ -e "$dir/mesh/node-$n.pem" ] || "$TANDEM" certs node --dir "$dir/mesh" --host 127.0.0.1 "node-$n" >/dev/null
  done
}

write_config() {
  local n="$1" other seeds=() each=$(($(nproc) / count))
  [ "$each" -ge 1 ] || each=1
  for other in $(seq "$count"); do
    [ "$other" -eq "$n" ] || seeds+=("127.0.0.1:$((MESH + other))")
  done
  mkdir -p "$dir/node-$n"
  cat >"$dir/node-$n/tandem.toml" <<TOML
# Written by deploy/local/cluster.sh at each start.
[node]
name = "node-$n"
data_dir = "$dir/node-$n/data"

[edge]
listen = "127.0.0.1:$((EDGE + n))"

[store]
engine = "scylla"

[store.scylla]
nodes = [$(listed "${databases[@]}")]
keyspace = "tandem_local"
replication = ${#databases[@]}

[objects]
engine = "folder"
folder = "$dir/objects"
shared = true

[queue]
engine = "rabbitmq"

[queue.rabbitmq]
urls = ["$broker"]
prefix = "local."

[index]
shards = 16

[mesh]
listen = "127.0.0.1:$((MESH + n))"
advertise = "127.0.0.1:$((MESH + n))"
seeds = [$(listed "${seeds[@]}")]
ca = "$dir/mesh/ca.pem"
cert = "$dir/mesh/node-$n.pem"
key = "$dir/mesh/node-$n.key"
cookie_file = "$dir/mesh/cookie"

# The nodes share this machine's processors.
[parsing]
workers = $each

[embedding]
threads = $each

[matching]
bulk_workers = $each
TOML
}

launch() {
  local folder="$dir/node-$1"
  ! (exec 3<>"/dev/tcp/127.0.0.1/$((EDGE + $1))") 2>/dev/null ||
    fail "something else listens on 127.0.0.1:$((EDGE + $1))" "end it"
  # 9>&-: the node must not keep this script's lock.
  setsid "$TANDEM" --config "$folder/tandem.toml" serve >>"$folder/log" 2>&1 </dev/null 9>&- &
  printf '%s\n' "$!" >"$folder/pid"
  # Let the child become the program.
  local begun=$((SECONDS + 5))
  until alive "$1" || [ "$SECONDS" -ge "$begun" ]; do sleep 0.05; done
}

start() {
  local n until hint
  [ -x "$TANDEM" ] || fail "there is no $TANDEM" "make build"
  "$root/deploy/model.sh" >/dev/null || exit 1
  "$root/deploy/local/cassandra.sh" start >/dev/null || exit 1
  broker="$("$root/deploy/local/rabbitmq.sh" start)" || exit 1
  IFS=, read -ra databases <<<"$("$root/deploy/local/cassandra.sh" nodes)"
  mkdir -p "$dir/objects" "$dir/mesh"
  printf '%s\n' "$count" >"$dir/count"
  certificates
  for n in $(seq "$count"); do write_config "$n"; done
  "$TANDEM" --config "$dir/node-1/tandem.toml" migrate
  for n in $(seq "$count"); do alive "$n" || launch "$n"; done
  until=$((SECONDS + START_SECONDS))
  for n in $(seq "$count"); do
    hint="look into $dir/node-$n/log"
    until ready "$n"; do
      alive "$n" || { tail -n 5 "$dir/node-$n/log" >&2 || true; fail "node-$n ended while it started" "$hint"; }
      [ "$SECONDS" -lt "$until" ] || fail "node-$n was not ready within $START_SECONDS s" "$hint"
      sleep 0.2
    done
  done
  explain
}

explain() {
  cat <<TEXT
$count nodes are ready. Ask any of them:
  curl http://127.0.0.1:$((EDGE + 1))/readyz
  curl -F file=@tests/data/sample/jobs/sous-chef.md http://127.0.0.1:$((EDGE + 1))/api/v1/jobs
  curl -F file=@tests/data/sample/resumes/fergus-mackellar.pdf http://127.0.0.1:$((EDGE + count))/api/v1/resumes
  $TANDEM --config $dir/node-1/tandem.toml status
Each node's log: $dir/node-N/log
TEXT
}

stop() {
  local n until pid
  for n in $(seq "$MOST"); do
    ! alive "$n" || kill "$(cat "$dir/node-$n/pid")" 2>/dev/null || true
  done
  until=$((SECONDS + STOP_SECONDS))
  for n in $(seq "$MOST"); do
    while alive "$n"; do
      if [ "$SECONDS" -ge "$until" ]; then
        pid="$(cat "$dir/node-$n/pid")"
        printf 'cluster.sh: node-%s did not stop within %s s and is killed\n' "$n" "$STOP_SECONDS" >&2
        kill -KILL "$pid" 2>/dev/null || true
      fi
      sleep 0.1
    done
    rm -f "$dir/node-$n/pid"
  done
}

status() {
  local n end=0
  for n in $(seq "$count"); do
    if ! alive "$n"; then
      printf 'node-%s does not run\n' "$n"
      end=3
    elif ready "$n"; then
      printf 'node-%s is ready on http://127.0.0.1:%s, pid %s\n' "$n" "$((EDGE + n))" "$(cat "$dir/node-$n/pid")"
    else
      printf 'node-%s runs, pid %s, and is not ready\n' "$n" "$(cat "$dir/node-$n/pid")"
      end=3
    fi
  done
  return "$end"
}

command="${1:-}"
case "$command" in
  -h | --help) usage; exit 0 ;;
  start | stop | status) shift ;;
  *) misuse "what is to be done?" ;;
esac
count="" dir="$root/target/cluster" databases=() broker=""
while [ "$#" -gt 0 ]; do
  case "$1" in
    -h | --help) usage; exit 0 ;;
    --nodes | --dir) [ "$#" -ge 2 ] || misuse "$1 needs a value" ;;&
    --nodes) count="$2" ;;
    --dir) dir="$2" ;;
    *) misuse "$1 is not known" ;;
  esac
  shift 2
done
mkdir -p "$dir"
dir="$(cd "$dir" && pwd)"
[ -n "$count" ] || count="$(cat "$dir/count" 2>/dev/null || echo 3)"
[[ "$count" =~ ^[1-9]$ ]] || misuse "--nodes takes a number of 1..=$MOST"
case "$command" in
  start | stop)
    exec 9>"$dir/lock"
    flock -w "$((START_SECONDS + STOP_SECONDS))" 9 || fail "another cluster.sh works on $dir"
    ;;
esac
"$command"
