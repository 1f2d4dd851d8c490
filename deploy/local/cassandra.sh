#!/usr/bin/env bash
# Starts and stops a real Cassandra for tests: one node, or three on 127.0.0.1-3.
set -euo pipefail

readonly VERSION="5.0.8"
readonly CACHE="${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/tandem/cassandra-$VERSION"
readonly START_SECONDS=240 STOP_SECONDS=120
readonly TOKENS=(-9223372036854775808 -3074457345618258603 3074457345618258602)
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd "$here/../.." && pwd)"

usage() {
  cat <<TEXT
usage: deploy/local/cassandra.sh start|stop|status|nodes [--nodes 1|3] [--dir DIR] [--port N]

  start   brings Cassandra $VERSION through Maven (once, 67 MB), starts what does not
          run yet, waits until it answers and prints CQL_NODES=<addresses>
  stop    ends the nodes of DIR by their pids and waits for them; data stay
  status  says of each node whether it runs; exit code 3 if one does not
  nodes   prints the addresses of the running nodes: export CQL_NODES="\$(... nodes)"

  --nodes  how many, 1 by default; remembered in DIR
  --dir    folder for data, logs and pids; by default
           \${TANDEM_SERVICES_DIR:-target/services}/cassandra
  --port   port of CQL, 39042 by default; port - 1000 is used between
           nodes, and port - 2000, - 1900, - 1800 for management
TEXT
}

fail() {
  printf 'cassandra.sh: %s\n' "$1" >&2
  shift
  for line in "$@"; do printf '  try: %s\n' "$line" >&2; done
  exit 1
}

misuse() {
  printf 'cassandra.sh: %s\n' "$1" >&2
  usage >&2
  exit 64
}

install_package() {
  command -v apt-get >/dev/null 2>&1 || fail "$1 is needed and there is no apt-get" "install $1 by hand"
  local as=()
  [ "$(id -u)" -eq 0 ] || as=(sudo)
  "${as[@]}" apt-get install -y --no-install-recommends "$1" >&2 ||
    { "${as[@]}" apt-get update >&2 && "${as[@]}" apt-get install -y --no-install-recommends "$1" >&2; } ||
    fail "$1 could not be installed" "apt-get install $1"
}

# Prints a Java 17: later ones refuse flags that Cassandra needs.
find_java() {
  local candidate
  for candidate in "${JAVA_HOME:-/nowhere}/bin/java" java /usr/lib/jvm/java-17-openjdk-*/bin/java; do
    if "$candidate" -version 2>&1 | head -n 1 | grep -q '"17\.'; then
      printf '%s\n' "$candidate"
      return
    fi
  done
  return 1
}

prepare() {
  java="$(find_java)" || { install_package openjdk-17-jre-headless; java="$(find_java)"; } ||
    fail "no Java 17 was found" "apt-get install openjdk-17-jre-headless" "JAVA_HOME=<a Java 17>"
  [ -e "$CACHE/.complete" ] && return
  command -v mvn >/dev/null 2>&1 || install_package maven
  mkdir -p "$CACHE"
  mvn -q -B -f "$here/cassandra/pom.xml" dependency:copy-dependencies -DincludeScope=runtime \
    -DoutputDirectory="$CACHE/jars" >&2 || fail "the jars could not be fetched" "check the network and Maven's settings"
  touch "$CACHE/.complete"
}

# Whether the pid of node $1 is alive and is ours: pids are given again.
alive() {
  local pid
  pid="$(cat "$dir/node$1/pid" 2>/dev/null)" || return 1
  tr '\0' '\n' <"/proc/$pid/cmdline" 2>/dev/null | grep -qxF -- "-Dcassandra.storagedir=$dir/node$1"
}

answers() {
  (exec 3<>"/dev/tcp/127.0.0.$1/$port") 2>/dev/null
}

write_config() {
  local folder="$dir/node$1"
  mkdir -p "$folder/conf" "$folder/logs"
  cp "$here/cassandra/logback.xml" "$folder/conf/logback.xml"
  sed -e "s|@FOLDER@|$folder|g" -e "s|@ADDRESS@|127.0.0.$1|g" -e "s|@NATIVE_PORT@|$port|g" \
    -e "s|@STORAGE_PORT@|$((port - 1000))|g" -e "s|@TOKEN@|${TOKENS[$1 - 1]}|g" \
    "$here/cassandra/cassandra.yaml" >"$folder/conf/cassandra.yaml"
}

module_flags() {
  local module
  for module in java.base/jdk.internal.misc java.management.rmi/com.sun.jmx.remote.internal.rmi \
    java.management/com.sun.jmx.remote.security java.rmi/sun.rmi.registry java.rmi/sun.rmi.server java.sql/java.sql \
    java.base/java.lang.ref jdk.unsupported/sun.misc jdk.compiler/com.sun.tools.javac.file jdk.attach/sun.tools.attach; do
    flags+=("--add-exports" "$module=ALL-UNNAMED")
  done
  for module in java.lang.module jdk.internal.loader jdk.internal.ref jdk.internal.reflect jdk.internal.math \
    jdk.internal.module jdk.internal.util.jar sun.nio.ch java.io java.lang.reflect java.lang java.util java.nio; do
    flags+=("--add-opens" "java.base/$module=ALL-UNNAMED")
  done
  flags+=("--add-opens" "jdk.management/com.sun.management.internal=ALL-UNNAMED")
  flags+=("--add-opens" "jdk.compiler/com.sun.tools.javac=ALL-UNNAMED")
}

launch() {
  local folder="$dir/node$1" heap=768M
  [ "$count" -eq 1 ] || heap=512M
  flags=(-Xms256M "-Xmx$heap" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto -Xss256k
    -XX:+PerfDisableSharedMem -XX:+ExitOnOutOfMemoryError
    "-Dcassandra.config=file://$folder/conf/cassandra.yaml" "-Dcassandra.storagedir=$folder"
    "-Dcassandra.logdir=$folder/logs" "-Dlogback.configurationFile=file://$folder/conf/logback.xml"
    -Dcassandra-foreground=yes -Dcassandra.skip_wait_for_gossip_to_settle=0 -Dcassandra.ring_delay_ms=2000
    -Dcassandra.superuser_setup_delay_ms=0 -Dcassandra.libjemalloc=-
    "-Dcassandra.jmx.local.port=$((port - 2000 + 100 * ($1 - 1)))"
    -Djdk.attach.allowAttachSelf=true -Dio.netty.tryReflectionSetAccessible=true
    -Dio.netty.allocator.useCacheForAllThreads=true -Dio.netty.allocator.maxOrder=11
    -Djava.net.preferIPv4Stack=true "-da:net.openhft..." "-javaagent:$CACHE/jars/jamm-0.4.0.jar")
  # A node alone is thrown away when it breaks: tables are made ten times faster so.
  [ "$count" -ne 1 ] || flags+=(-Dcassandra.unsafesystem=true)
  module_flags
  # 9>&-: the node must not keep this script's lock.
  setsid "$java" "${flags[@]}" -cp "$folder/conf:$CACHE/jars/*" org.apache.cassandra.service.CassandraDaemon \
    >"$folder/logs/out.log" 2>&1 </dev/null 9>&- &
  printf '%s\n' "$!" >"$folder/pid"
  # Let the child become the node: until then it looks like a stranger.
  local begun=$((SECONDS + 5))
  until alive "$1" || [ "$SECONDS" -ge "$begun" ]; do sleep 0.05; done
}

await_start() {
  local until=$((SECONDS + START_SECONDS))
  until answers "$1"; do
    alive "$1" || { tail -n 5 "$dir/node$1/logs/out.log" "$dir/node$1/logs/system.log" >&2 || true; fail "node $1 ended while it started" "look into $dir/node$1/logs"; }
    [ "$SECONDS" -lt "$until" ] || fail "node $1 did not answer on 127.0.0.$1:$port within $START_SECONDS s" "look into $dir/node$1/logs"
    sleep 0.1
  done
}

start() {
  local n
  prepare
  printf '%s\n' "$count" >"$dir/count"
  for n in $(seq "$count"); do
    if ! alive "$n"; then
      ! answers "$n" || fail "something else listens on 127.0.0.$n:$port" "--port N"
      write_config "$n"
      launch "$n"
    fi
    await_start "$n"
  done
  printf 'CQL_NODES=%s\n' "$(nodes)"
}

stop() {
  local n pid until
  for n in 1 2 3; do
    alive "$n" && kill "$(cat "$dir/node$n/pid")"
  done
  until=$((SECONDS + STOP_SECONDS))
  for n in 1 2 3; do
    while alive "$n"; do
      if [ "$SECONDS" -ge "$until" ]; then
        pid="$(cat "$dir/node$n/pid")"
        printf 'cassandra.sh: node %s did not stop within %s s and is killed\n' "$n" "$STOP_SECONDS" >&2
        kill -KILL "$pid"
      fi
      sleep 0.1
    done
    rm -f "$dir/node$n/pid"
  done
}

status() {
  local n end=0
  for n in $(seq "$count"); do
    if alive "$n" && answers "$n"; then
      printf 'node %s runs on 127.0.0.%s:%s, pid %s\n' "$n" "$n" "$port" "$(cat "$dir/node$n/pid")"
    else
      printf 'node %s does not run\n' "$n"
      end=3
    fi
  done
  return "$end"
}

nodes() {
  local n list=()
  for n in 1 2 3; do
    ! alive "$n" || list+=("127.0.0.$n:$port")
  done
  (IFS=, && printf '%s\n' "${list[*]}")
}

command="${1:-}"
case "$command" in
  -h | --help) usage; exit 0 ;;
  start | stop | status | nodes) shift ;;
  *) misuse "what is to be done?" ;;
esac
count="" port="" dir="${TANDEM_SERVICES_DIR:-$root/target/services}/cassandra"
while [ "$#" -gt 0 ]; do
  case "$1" in
    -h | --help) usage; exit 0 ;;
    --nodes | --dir | --port) [ "$#" -ge 2 ] || misuse "$1 needs a value" ;;&
    --nodes) count="$2" ;;
    --dir) dir="$2" ;;
    --port) port="$2" ;;
    *) misuse "$1 is not known" ;;
  esac
  shift 2
done
mkdir -p "$dir"
dir="$(cd "$dir" && pwd)"
[ -n "$count" ] || count="$(cat "$dir/count" 2>/dev/null || echo 1)"
[ -n "$port" ] || port="$(cat "$dir/port" 2>/dev/null || echo 39042)"
[[ "$count" = 1 || "$count" = 3 ]] || misuse "--nodes takes 1 or 3"
[[ "$port" =~ ^[0-9]+$ && "$port" -gt 4000 && "$port" -lt 65536 ]] || misuse "--port takes a number of 4001..=65535"
case "$command" in
  start | stop)
    exec 9>"$dir/lock"
    flock -w "$((START_SECONDS + STOP_SECONDS))" 9 || fail "another cassandra.sh works on $dir"
    [ "$command" = stop ] || printf '%s\n' "$port" >"$dir/port"
    ;;
esac
"$command"
