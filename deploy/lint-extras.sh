#!/usr/bin/env bash
# Lints beside clippy: shell scripts, spelling, licenses and sources of dependencies. A tool that is not installed is
# named and skipped.
set -euo pipefail
cd "$(dirname "$0")/.."

have() {
    command -v "$1" >/dev/null && return 0
    printf 'lint: SKIPPED %s (to have it: %s)\n' "$2" "$3"
    return 1
}

if have shellcheck "shell scripts" "apt-get install shellcheck"; then
    git ls-files '*.sh' .ci/run | xargs shellcheck
fi
if have typos spelling "pip install typos"; then
    typos
fi
if have cargo-deny "licenses and sources" "cargo install cargo-deny"; then
    cargo deny --offline --all-features check bans licenses sources
fi
