#!/usr/bin/env bash
# Starts and stops a real S3 server for tests: s3s-fs, on a folder of its own.
set -euo pipefail

# Later versions want a newer rustc.
readonly VERSION="0.14.1"
readonly CACHE="${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/tandem/s3s-fs"
readonly KEY="tandem" SECRET="tandem-secret" BUCKET="originals"
readonly START_SECONDS=30 STOP_SECONDS=30
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"

usage() {
  cat <<TEXT
usage: deploy/local/s3.sh start|stop|status|url [--dir DIR] [--port N]

  start   builds s3s-fs $VERSION if it is missing (once, 2 minutes), starts the server
          of DIR if it does not run, waits until it answers and prints its URL
  stop    ends it by its pid and waits for it; objects stay in DIR
  status  says whether it runs; exit code 3 if it does not
  url     prints its URL: export TANDEM_TEST_S3_URL="\$(... url)"

  --dir   folder for objects, log and pid; by default
          \${TANDEM_SERVICES_DIR:-target/services}/s3
  --port  port of HTTP, 39000 by default, remembered in DIR
TEXT
}

fail() {
  printf 's3.sh: %s\n' "$1" >&2
  shift
  for line in "$@"; do printf '  try: %s\n' "$line" >&2; done
  exit 1
}

misuse() {
  printf 's3.sh: %s\n' "$1" >&2
  usage >&2
  exit 64
}

install_server() {
  command -v cargo >/dev/null 2>&1 || fail "s3s-fs is needed and there is no cargo" "install Rust"
  # Away from the workspace, whose settings are not meant for it.
  (cd / && cargo install s3s-fs --version "$VERSION" --features binary --locked --root "$CACHE") >&2 ||
    fail "s3s-fs could not be built" "cargo install s3s-fs --version $VERSION --features binary --root $CACHE"
}

# Whether the pid is alive and is ours: pids are given again. A process that is just becoming the server shows no
# environment for a moment, so a living stranger is looked at again.
alive() {
  local pid state
  pid="$(cat "$dir/pid" 2>/dev/null)" || return 1
  for _ in 1 2 3 4 5; do
    { tr '\0' '\n' <"/proc/$pid/environ"; } 2>/dev/null | grep -qxF -- "TANDEM_S3_DIR=$dir" && return
    state="$({ cut -d ' ' -f 3 <"/proc/$pid/stat"; } 2>/dev/null)" || return 1
    [[ -n "$state" && "$state" != Z ]] || return 1
    sleep 0.02
  done
  return 1
}

# An open port is not enough: it must speak HTTP.
answers() {
  local greeting=""
  { exec 3<>"/dev/tcp/127.0.0.1/$port"; } 2>/dev/null || return 1
  printf 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3 2>/dev/null || true
  read -r -t 2 -N 5 greeting <&3 || true
  exec 3<&- 3>&-
  [ "$greeting" = HTTP/ ]
}

url() {
  printf 'http://%s:%s@127.0.0.1:%s/%s\n' "$KEY" "$SECRET" "$port" "$BUCKET"
}

start() {
  if ! alive; then
    [ -x "$CACHE/bin/s3s-fs" ] || install_server
    ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null ||
      fail "something else listens on 127.0.0.1:$port" "--port N"
    # A bucket is a folder.
    mkdir -p "$dir/data/$BUCKET"
    # 9>&-: the server must not keep this script's lock.
    TANDEM_S3_DIR="$dir" RUST_LOG=warn setsid "$CACHE/bin/s3s-fs" --host 127.0.0.1 --port "$port" \
      --access-key "$KEY" --secret-key "$SECRET" "$dir/data" >"$dir/out.log" 2>&1 </dev/null 9>&- &
    printf '%s\n' "$!" >"$dir/pid"
    # Let the child reach its own environment.
    local begun=$((SECONDS + 5))
    until alive || [ "$SECONDS" -ge "$begun" ]; do sleep 0.05; done
  fi
  local until=$((SECONDS + START_SECONDS))
  until answers; do
    alive || { tail -n 5 "$dir/out.log" >&2 || true; fail "the server ended while it started" "look into $dir/out.log"; }
    [ "$SECONDS" -lt "$until" ] ||
      fail "the server did not answer on 127.0.0.1:$port within $START_SECONDS s" "look into $dir/out.log"
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
        printf 's3.sh: the server did not stop within %s s and is killed\n' "$STOP_SECONDS" >&2
        kill -KILL "$pid" 2>/dev/null || true
        until=$((SECONDS + STOP_SECONDS))
      fi
      sleep 0.1
    done
  fi
  rm -f "$dir/pid"
}

status() {
  if alive && answers; then
    printf 's3 runs on 127.0.0.1:%s, pid %s\n' "$port" "$(cat "$dir/pid")"
  else
    printf 's3 does not run\n'
    return 3
  fi
}

command="${1:-}"
case "$command" in
  -h | --help) usage; exit 0 ;;
  start | stop | status | url) shift ;;
  *) misuse "what is to be done?" ;;
esac
port="" dir="${TANDEM_SERVICES_DIR:-$root/target/services}/s3"
while [ "$#" -gt 0 ]; do
  case "$1" in
    -h | --help) usage; exit 0 ;;
    --dir | --port) [ "$#" -ge 2 ] || misuse "$1 needs a value" ;;&
    --dir) dir="$2" ;;
    --port) port="$2" ;;
    *) misuse "$1 is not known" ;;
  esac
  shift 2
done
mkdir -p "$dir"
dir="$(cd "$dir" && pwd)"
[ -n "$port" ] || port="$(cat "$dir/port" 2>/dev/null || echo 39000)"
[[ "$port" =~ ^[0-9]+$ && "$port" -gt 1024 && "$port" -lt 65536 ]] || misuse "--port takes a number of 1025..=65535"
case "$command" in
  start | stop)
    exec 9>"$dir/lock"
    flock -w "$((START_SECONDS + STOP_SECONDS + 600))" 9 || fail "another s3.sh works on $dir"
    [ "$command" = stop ] || printf '%s\n' "$port" >"$dir/port"
    ;;
esac
"$command"
