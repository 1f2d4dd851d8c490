#!/usr/bin/env bash
# Starts and stops a real RabbitMQ for tests: one broker in a folder of its own.
set -euo pipefail

readonly BIN="/usr/lib/rabbitmq/bin"
readonly START_SECONDS=180 STOP_SECONDS=120
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"

usage() {
  cat <<TEXT
usage: deploy/local/rabbitmq.sh start|stop|status|url|ctl [--dir DIR] [--port N] [-- ARG...]

  start   installs Debian's rabbitmq-server if it is missing, starts the broker
          of DIR if it does not run, waits until it answers and prints its URL
  stop    ends it by its pid and waits for it; messages stay in DIR
  status  says whether it runs; exit code 3 if it does not
  url     prints its URL: export TANDEM_TEST_AMQP_URL="\$(... url)"
  ctl     runs rabbitmqctl on it: ctl -- list_queues name messages

  --dir   folder for data, logs and pid; by default
          \${TANDEM_SERVICES_DIR:-target/services}/rabbitmq
  --port  port of AMQP, 35672 by default, remembered in DIR; port + 1 and
          port + 2 are used between nodes
TEXT
}

fail() {
  printf 'rabbitmq.sh: %s\n' "$1" >&2
  shift
  for line in "$@"; do printf '  try: %s\n' "$line" >&2; done
  exit 1
}

misuse() {
  printf 'rabbitmq.sh: %s\n' "$1" >&2
  usage >&2
  exit 64
}

# The package starts a broker of its own on the usual ports, which nobody asked for.
install_server() {
  command -v apt-get >/dev/null 2>&1 ||
    fail "rabbitmq-server is needed and there is no apt-get" "install RabbitMQ 3.10 or later by hand into $BIN"
  local as=() policy=/usr/sbin/policy-rc.d ours=""
  [ "$(id -u)" -eq 0 ] || as=(sudo)
  if [ ! -e "$policy" ]; then
    ours=1
    printf '#!/bin/sh\nexit 101\n' | "${as[@]}" tee "$policy" >/dev/null
    "${as[@]}" chmod +x "$policy"
  fi
  local end=0
  "${as[@]}" apt-get install -y --no-install-recommends rabbitmq-server >&2 ||
    { "${as[@]}" apt-get update >&2 && "${as[@]}" apt-get install -y --no-install-recommends rabbitmq-server >&2; } ||
    end=1
  [ -z "$ours" ] || "${as[@]}" rm -f "$policy"
  [ "$end" -eq 0 ] || fail "rabbitmq-server could not be installed" "apt-get install rabbitmq-server"
}

settings() {
  export HOME="$dir" ERL_EPMD_ADDRESS=127.0.0.1 ERL_EPMD_PORT=$((port + 2)) RABBITMQ_DIST_PORT=$((port + 1))
  export RABBITMQ_NODENAME="tandem-$port@localhost" RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 RABBITMQ_NODE_PORT="$port"
  export RABBITMQ_MNESIA_BASE="$dir/data" RABBITMQ_LOG_BASE="$dir/logs" RABBITMQ_PID_FILE="$dir/broker.pid"
  export RABBITMQ_ENABLED_PLUGINS_FILE="$dir/plugins" RABBITMQ_CONFIG_FILE="$dir/rabbitmq"
  export RABBITMQ_CONF_ENV_FILE="$dir/none"
  export ERL_CRASH_DUMP="$dir/logs/erl_crash.dump"
  export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="+S 2:2"
}

# Whether the pid is alive and is ours: pids are given again. A process that is just becoming the broker shows no
# environment for a moment, so a living stranger is looked at again.
alive() {
  local pid state
  pid="$(cat "$dir/pid" 2>/dev/null)" || return 1
  for _ in 1 2 3 4 5; do
    { tr '\0' '\n' <"/proc/$pid/environ"; } 2>/dev/null | grep -qxF -- "RABBITMQ_MNESIA_BASE=$dir/data" && return
    state="$({ cut -d ' ' -f 3 <"/proc/$pid/stat"; } 2>/dev/null)" || return 1
    [[ -n "$state" && "$state" != Z ]] || return 1
    sleep 0.02
  done
  return 1
}

# An open port is not enough: a broker that boots or stops accepts and says nothing.
answers() {
  local greeting=""
  { exec 3<>"/dev/tcp/127.0.0.1/$port"; } 2>/dev/null || return 1
  # Anything that is no AMQP 0-9-1 header makes the broker say the version that it speaks.
  printf 'AMQP\0\0\0\0' >&3 2>/dev/null || true
  read -r -t 2 -N 4 greeting <&3 || true
  exec 3<&- 3>&-
  [ "$greeting" = AMQP ]
}

url() {
  printf 'amqp://guest:guest@127.0.0.1:%s/%%2f\n' "$port"
}

# The socket of a broker that was just killed outlives its process for a moment.
is_free() {
  local tries=50
  while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
    ((tries-- > 0)) || return 1
    sleep 0.2
  done
}

start() {
  if ! alive; then
    [ -x "$BIN/rabbitmq-server" ] || install_server
    is_free || fail "something else listens on 127.0.0.1:$port" "--port N"
    mkdir -p "$dir/data" "$dir/logs"
    printf '[].\n' >"$dir/plugins"
    # RUNNING_UNDER_SYSTEMD makes the broker this very process, so that a signal reaches it and not a shell before it.
    # 9>&-: the broker must not keep this script's lock.
    (settings && RUNNING_UNDER_SYSTEMD=1 exec setsid "$BIN/rabbitmq-server") \
      >"$dir/logs/out.log" 2>&1 </dev/null 9>&- &
    printf '%s\n' "$!" >"$dir/pid"
    # Let the child reach its own environment.
    local begun=$((SECONDS + 5))
    until alive || [ "$SECONDS" -ge "$begun" ]; do sleep 0.05; done
  fi
  local until=$((SECONDS + START_SECONDS))
  until answers; do
    alive || { tail -n 5 "$dir/logs/out.log" >&2 || true; fail "the broker ended while it started" "look into $dir/logs"; }
    [ "$SECONDS" -lt "$until" ] ||
      fail "the broker did not answer on 127.0.0.1:$port within $START_SECONDS s" "look into $dir/logs"
    sleep 0.1
  done
  url
}

stop() {
  local until=$((SECONDS + STOP_SECONDS)) pid
  if alive; then
    pid="$(cat "$dir/pid")"
    kill "$pid" 2>/dev/null || true
    while alive; do
      if [ "$SECONDS" -ge "$until" ]; then
        printf 'rabbitmq.sh: the broker did not stop within %s s and is killed\n' "$STOP_SECONDS" >&2
        kill -KILL "$pid" 2>/dev/null || true
        until=$((SECONDS + STOP_SECONDS))
      fi
      sleep 0.1
    done
  fi
  # The name server of this broker alone, on a port of its own.
  if command -v epmd >/dev/null 2>&1; then
    (settings && epmd -port "$((port + 2))" -kill) >/dev/null 2>&1 || true
  fi
  rm -f "$dir/pid"
}

status() {
  if alive && answers; then
    printf 'rabbitmq runs on 127.0.0.1:%s, pid %s\n' "$port" "$(cat "$dir/pid")"
  else
    printf 'rabbitmq does not run\n'
    return 3
  fi
}

ctl() {
  alive || fail "the broker of $dir does not run" "deploy/local/rabbitmq.sh start --dir $dir"
  settings
  exec "$BIN/rabbitmqctl" -n "$RABBITMQ_NODENAME" "${arguments[@]}"
}

command="${1:-}"
case "$command" in
  -h | --help) usage; exit 0 ;;
  start | stop | status | url | ctl) shift ;;
  *) misuse "what is to be done?" ;;
esac
port="" dir="${TANDEM_SERVICES_DIR:-$root/target/services}/rabbitmq" arguments=()
while [ "$#" -gt 0 ]; do
  case "$1" in
    -h | --help) usage; exit 0 ;;
    --) shift; arguments=("$@"); break ;;
    --dir | --port) [ "$#" -ge 2 ] || misuse "$1 needs a value" ;;&
    --dir) dir="$2" ;;
    --port) port="$2" ;;
    *) misuse "$1 is not known" ;;
  esac
  shift 2
done
mkdir -p "$dir"
dir="$(cd "$dir" && pwd)"
[ -n "$port" ] || port="$(cat "$dir/port" 2>/dev/null || echo 35672)"
[[ "$port" =~ ^[0-9]+$ && "$port" -gt 1024 && "$port" -lt 65533 ]] || misuse "--port takes a number of 1025..=65532"
case "$command" in
  start | stop)
    exec 9>"$dir/lock"
    flock -w "$((START_SECONDS + STOP_SECONDS))" 9 || fail "another rabbitmq.sh works on $dir"
    [ "$command" = stop ] || printf '%s\n' "$port" >"$dir/port"
    ;;
esac
"$command"
