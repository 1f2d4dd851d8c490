#!/usr/bin/env bash
# Makes sure that what the build needs is there: a C compiler (SQLite is compiled in), Rust, Python's pip (the model).
# On Debian it installs what is missing; elsewhere it says what to install.
set -euo pipefail

if [[ "${1:-}" == "--help" ]]; then
    echo "usage: deploy/deps.sh    install what the build of Tandem needs"
    exit 0
fi

say() { printf 'deps: %s\n' "$*" >&2; }

missing=()
command -v cc >/dev/null || missing+=(build-essential)
command -v python3 >/dev/null || missing+=(python3)
python3 -m pip --version >/dev/null 2>&1 || missing+=(python3-pip)
command -v git >/dev/null || missing+=(git)

if ((${#missing[@]} > 0)); then
    if ! command -v apt-get >/dev/null; then
        say "missing: ${missing[*]}; install them with this system's package manager"
        exit 1
    fi
    as_root=()
    if ((EUID != 0)); then
        command -v sudo >/dev/null || { say "missing: ${missing[*]}; install them as root"; exit 1; }
        as_root=(sudo)
    fi
    say "installing ${missing[*]}"
    "${as_root[@]}" apt-get update -qq
    DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi

if ! command -v cargo >/dev/null; then
    say "there is no Rust: install it from https://rustup.rs and run this again"
    exit 1
fi
needed=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$(dirname "$0")/../Cargo.toml")
have=$(rustc --version | cut -d' ' -f2)
if [[ "$(printf '%s\n%s\n' "$needed" "$have" | sort -V | head -n1)" != "$needed" ]]; then
    say "Rust $have is too old: $needed or later is needed (rustup update)"
    exit 1
fi
