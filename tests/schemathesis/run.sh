#!/usr/bin/env bash
# Holds a real node to its own /openapi.json: schemathesis asks every operation what fits the description and what does
# not, and each answer must be one that is described.
set -euo pipefail

readonly PACKAGE="schemathesis==4.32.5"
readonly SEED=20261101 EXAMPLES="${EXAMPLES:-50}" MOST_SECONDS=300 READY_SECONDS=60
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
readonly BUILD="${CARGO_TARGET_DIR:-$root/target}"

usage() {
  cat <<TEXT
usage: tests/schemathesis/run.sh [TANDEM]

Starts the program TANDEM (target/release/tandem by default) on a folder of its own and on a
free port of 127.0.0.1, holds it to its OpenAPI with $PACKAGE, and stops it.
Exit code 1 if an answer is not as described, 77 if schemathesis cannot be had here.

EXAMPLES=N asks each operation about N times (50); TANDEM_PYTHON names another python3; the
model of deploy/model.sh must be there. Reports lie in $BUILD/schemathesis.
TEXT
}

fail() {
  printf 'schemathesis/run.sh: %s\n' "$1" >&2
  exit 1
}

case "${1:-}" in
  -h | --help) usage && exit 0 ;;
  -*) usage >&2 && exit 64 ;;
esac
readonly TANDEM="${1:-$BUILD/release/tandem}"
[ -x "$TANDEM" ] || fail "$TANDEM is not there; try: make build"

# The program of PACKAGE, in an environment of its own that is kept between runs.
install() {
  local home="$BUILD/schemathesis/${PACKAGE//==/-}"
  program="$home/bin/schemathesis"
  [ -e "$home/.complete" ] && return 0
  rm -rf "$home"
  mkdir -p "$(dirname "$home")"
  "${TANDEM_PYTHON:-python3}" -m venv "$home" >"$home.log" 2>&1 &&
    "$home/bin/python" -m pip install --quiet --disable-pip-version-check "$PACKAGE" >>"$home.log" 2>&1 &&
    touch "$home/.complete" && return 0
  tail -n 3 "$home.log" >&2
  printf 'schemathesis: SKIPPED (%s cannot be installed here)\n' "$PACKAGE"
  exit 77
}

# shellcheck disable=SC2317 # It is called by a trap.
stop() {
  [ -z "${node:-}" ] || { kill "$node" 2>/dev/null && wait "$node"; } || true
  rm -rf "$work"
}

# Where the node listens: it says so itself, as the system chose the port.
address() {
  grep -m 1 -o 'listening on http://[0-9.:]*' "$log" 2>/dev/null | cut -d ' ' -f 3
}

answers() {
  "${TANDEM_PYTHON:-python3}" -c 'import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=5)' "$1" 2>/dev/null
}

install
work="$(mktemp -d)"
log="$BUILD/schemathesis/node.log"
trap stop EXIT
trap 'exit 130' INT TERM

# Every request comes from one caller and as fast as it can.
TANDEM_LIMITS__READ__PER_MINUTE=0 TANDEM_LIMITS__WRITE__PER_MINUTE=0 TANDEM_LIMITS__BULK__PER_MINUTE=0 \
  TANDEM_LIMITS__STREAM__PER_MINUTE=0 "$TANDEM" serve --listen 127.0.0.1:0 --data "$work/data" 2>"$log" >/dev/null &
node=$!
url=""
until url="$(address)" && answers "$url/readyz"; do
  kill -0 "$node" 2>/dev/null || { tail -n 20 "$log" >&2 && fail "the node ended at its start"; }
  [ "$SECONDS" -lt "$READY_SECONDS" ] || fail "the node is not ready after $READY_SECONDS s; its log: $log"
  sleep 0.2
done

cd "$work"
found=0
SCHEMATHESIS_HOOKS=hooks PYTHONPATH="$root/tests/schemathesis" PYTHONDONTWRITEBYTECODE=1 TANDEM_URL="$url" \
  timeout "$MOST_SECONDS" "$program" --config-file "$root/tests/schemathesis/schemathesis.toml" run "$url/openapi.json" \
  --max-examples "$EXAMPLES" --seed "$SEED" --generation-database none --request-timeout 40 --continue-on-failure \
  --no-color --report junit --report-junit-path "$BUILD/schemathesis/junit.xml" || found=$?
kill -0 "$node" 2>/dev/null || { tail -n 20 "$log" >&2 && fail "the node ended meanwhile"; }
[ "$found" -ne 124 ] || fail "it was not through after $MOST_SECONDS s"
if grep -q 'panicked' "$log"; then fail "a part of the node panicked; its log: $log"; fi
exit "$found"
