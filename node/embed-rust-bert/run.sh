#!/usr/bin/env bash
# Builds the engine rust-bert, tests it on the real model and measures it beside the native engine.
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly CARGO="${CARGO:-cargo}"
# What deploy/libtorch.sh exits with where there is no libtorch to be had.
readonly UNAVAILABLE=69

usage() {
  cat <<TEXT
usage: node/embed-rust-bert/run.sh

Brings libtorch (deploy/libtorch.sh), lints the program with the feature rust-bert, builds the
crate tandem-embed-rust-bert with it, runs its tests and its bench; the model of deploy/model.sh must be there. The bench
writes target/bench/rust-bert.json for \`make bench-embed\` where that has run before.
Exit code 1 if anything fails, 77 if libtorch or a crate cannot be had here.
TEXT
}

skip() {
  printf 'rust-bert: SKIPPED (%s)\n' "$1"
  exit 77
}

case "${1:-}" in
  "") ;;
  -h | --help) usage && exit 0 ;;
  *) usage >&2 && exit 64 ;;
esac

code=0
settings="$(deploy/libtorch.sh)" || code=$?
[ "$code" -ne "$UNAVAILABLE" ] || skip "libtorch cannot be had here"
[ "$code" -eq 0 ] || exit "$code"
eval "$settings"
host="$(rustc --version --verbose | sed -n 's/^host: //p')"
"$CARGO" fetch --quiet --locked --target "$host" || skip "its crates cannot be fetched here"

# Everything that the feature changes, the program included.
"$CARGO" clippy --release --workspace --all-targets --features tandem-server/rust-bert --locked -- -D warnings
# Of the whole workspace, so that what all tests are built with is not built once more for this crate alone.
build=(--workspace --features tandem-embed-rust-bert/rust-bert --locked)
"$CARGO" test --release "${build[@]}" --test rust_bert
"$CARGO" bench --profile release "${build[@]}" --bench rust_bert
