#!/usr/bin/env bash
# Brings libtorch, which the feature `rust-bert` is built on, into the cache folder, once, and says how to build with it.
set -euo pipefail

readonly VERSION="2.4.0"
# Package, wheel, its SHA-256. The wheels of one Python are as good as those of another: nothing in them is run.
readonly WHEELS=(
  "torch==2.4.0 torch-2.4.0-cp311-cp311-manylinux1_x86_64.whl e743adadd8c8152bb8373543964551a7cb7cc20ba898dc8f9c0cdbe47c283de0"
  "nvidia-cuda-cupti-cu12==12.1.105 nvidia_cuda_cupti_cu12-12.1.105-py3-none-manylinux1_x86_64.whl e54fde3983165c624cb79254ae9818a456eb6e87a7fd4d56a2352c24ee542d7e"
  "nvidia-cuda-runtime-cu12==12.1.105 nvidia_cuda_runtime_cu12-12.1.105-py3-none-manylinux1_x86_64.whl 6e258468ddf5796e25f1dc591a31029fa317d97a0a94ed93468fc86301d61e40"
)
# Written last: the folder is complete when it is there and names the version.
readonly STAMP=".complete"
# Another engine may be had: whoever calls can go on without this one.
readonly UNAVAILABLE=69

usage() {
  cat <<TEXT
usage: deploy/libtorch.sh [DIR]

Fetches libtorch ${VERSION} for processors (x86-64, the pip package torch and the two
libraries of NVIDIA that it is linked with, 810 MB; nothing is installed), checks the
SHA-256 of each, unpacks 0.5 GB of it into DIR, and prints what to set to build with it:

  eval "\$(deploy/libtorch.sh)"
  cargo build --release -p tandem-server --features rust-bert

DIR is by default \${XDG_CACHE_HOME:-\$HOME/.cache}/tandem/libtorch-${VERSION}. A folder that
is already complete is left as it is. A run that was cut short goes on with what it has.
With LIBTORCH set, nothing is fetched: that libtorch is used, such as one with CUDA.
TANDEM_PYTHON names another python3. Exits with ${UNAVAILABLE} where it cannot be had.
TEXT
}

say() { printf 'libtorch.sh: %s\n' "$1" >&2; }

# fail CODE REASON ADVICE...
fail() {
  local code="$1"
  say "$2"
  shift 2
  for line in "$@"; do printf '  try: %s\n' "$line" >&2; done
  exit "$code"
}

# settings DIR ABI: what to set, for a shell to evaluate.
settings() {
  printf 'export LIBTORCH=%q\n' "$1"
  printf 'export LIBTORCH_CXX11_ABI=%q\n' "$2"
  # shellcheck disable=SC2016 # The shell that evaluates it knows its own path.
  printf 'export LD_LIBRARY_PATH=%q"${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"\n' "$1/lib"
}

complete() { [ "$(cat "$1/$STAMP" 2>/dev/null)" = "$VERSION" ]; }

# fetch PACKAGE WHEEL SHA256: the wheel, in the current folder.
fetch() {
  local package="$1" wheel="$2" sha256="$3"
  if [ -f "$wheel" ] && printf '%s  %s\n' "$sha256" "$wheel" | sha256sum --check --status; then
    return
  fi
  say "fetching $package"
  # Into a folder of its own: what lies beside it under the wheel's name is whole.
  rm -rf fetching
  "$python" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --no-cache-dir \
    --implementation cp --python-version 311 --abi cp311 --abi none --platform manylinux1_x86_64 \
    -d fetching "$package" >pip.log 2>&1 || {
    tail -n 3 pip.log >&2
    fail "$UNAVAILABLE" "the package $package could not be fetched" \
      "check the network, or PIP_INDEX_URL and PIP_PROXY, then run deploy/libtorch.sh again" \
      "a libtorch $VERSION that you have: LIBTORCH=<its folder>"
  }
  printf '%s  %s\n' "$sha256" "fetching/$wheel" | sha256sum --check --status ||
    fail 1 "the SHA-256 of $wheel is another: the download is damaged or was replaced" "deploy/libtorch.sh again"
  mv "fetching/$wheel" "$wheel"
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

if [ -n "${LIBTORCH:-}" ]; then
  for file in lib/libtorch_cpu.so include/torch; do
    [ -e "$LIBTORCH/$file" ] || fail 1 "LIBTORCH is $LIBTORCH, but there is no $file in it" "unset LIBTORCH"
  done
  # What torch-sys takes where nothing is set.
  settings "$LIBTORCH" "${LIBTORCH_CXX11_ABI:-1}"
  exit 0
fi

if [ "$#" -eq 1 ] && [ -n "$1" ]; then
  target="$1"
elif [ -n "${XDG_CACHE_HOME:-}${HOME:-}" ]; then
  target="${XDG_CACHE_HOME:-${HOME:-}/.cache}/tandem/libtorch-$VERSION"
else
  fail 1 "HOME is not set, so there is no folder to put libtorch into" "deploy/libtorch.sh DIR"
fi
mkdir -p "$(dirname "$target")" || fail 1 "cannot create $(dirname "$target")" "deploy/libtorch.sh DIR with a folder you may write"
target="$(cd "$(dirname "$target")" && pwd)/$(basename "$target")"

if complete "$target"; then
  settings "$target" 0
  exit 0
fi

[ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] ||
  fail "$UNAVAILABLE" "only for Linux on x86-64 is it known where to get it" "a libtorch $VERSION that you have: LIBTORCH=<its folder>"
python="${TANDEM_PYTHON:-python3}"
"$python" -m pip --version >/dev/null 2>&1 ||
  fail "$UNAVAILABLE" "$python with pip is not installed; it is needed to fetch libtorch" "apt-get install python3-pip"
command -v cc >/dev/null 2>&1 || fail 1 "there is no C compiler" "apt-get install g++"

# Beside the target, so that the last step is a rename within one file system; kept when a run is cut short.
work="$target.part"
mkdir -p "$work"
exec 9>"$work/lock"
if ! flock -n 9; then
  say "another run is bringing it: waiting"
  flock 9
fi
# The other one may have brought it.
if complete "$target"; then
  settings "$target" 0
  exit 0
fi
cd "$work"
for wheel in "${WHEELS[@]}"; do
  read -r -a parts <<<"$wheel"
  fetch "${parts[@]}"
done

say "unpacking"
rm -rf libtorch
"$python" - <<'PYTHON' || fail 1 "the packages do not hold what is expected of them" "deploy/libtorch.sh again, with 1.5 GB of free disk"
import glob
import os
import re
import shutil
import zipfile

wanted = [
    ("torch", r"torch/(lib/(?:libtorch_cpu\.so|libc10\.so|libgomp[^/]*)|include/.*[^/])"),
    ("nvidia_cuda_cupti", r"nvidia/cuda_cupti/(lib/libcupti\.so\.12)"),
    ("nvidia_cuda_runtime", r"nvidia/cuda_runtime/(lib/libcudart\.so\.12)"),
]
for package, pattern in wanted:
    (wheel,) = glob.glob(package + "*.whl")
    with zipfile.ZipFile(wheel) as archive:
        matches = [match for match in (re.fullmatch(pattern, name) for name in archive.namelist()) if match]
        if not matches:
            raise SystemExit(f"{wheel} has no {pattern}")
        for match in matches:
            target = os.path.join("libtorch", match[1])
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with archive.open(match[0]) as source, open(target, "wb") as sink:
                shutil.copyfileobj(source, sink, 1 << 20)
PYTHON
# The wheel's own libtorch.so, which holds no code, wants the libraries of CUDA as well.
# shellcheck disable=SC2016 # It is the loader that knows $ORIGIN.
cc -shared -o libtorch/lib/libtorch.so -Wl,-soname,libtorch.so -Wl,--no-as-needed -Wl,--allow-shlib-undefined \
  -Llibtorch/lib -Wl,-rpath,'$ORIGIN' -ltorch_cpu -lc10 ||
  fail 1 "libtorch.so could not be linked" "apt-get install g++"
printf '%s\n' "$VERSION" >"libtorch/$STAMP"
# An incomplete folder from elsewhere steps aside: rename cannot replace a folder that has files.
if [ -e "$target" ]; then
  mv -T "$target" old || fail 1 "cannot move the incomplete folder $target aside"
fi
mv -T libtorch "$target" || fail 1 "cannot put libtorch into $target"
cd /
rm -rf "$work"
say "brought into $target"
settings "$target" 0
