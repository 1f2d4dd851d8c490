#!/bin/sh
# Makes target/bench/peers, a Python virtual environment with ONNX Runtime, for the bench `encode` to compare with.
# Without it the bench says that it compares with nobody.
set -eu

root=$(cd "$(dirname "$0")/../../.." && pwd)
place=$root/target/bench/peers
[ -x "$place/bin/python" ] && "$place/bin/python" -c 'import onnxruntime, onnx, tokenizers, safetensors' 2>/dev/null && exit 0
mkdir -p "$root/target/bench"
python3 -m venv "$place"
"$place/bin/pip" install --quiet --disable-pip-version-check \
	numpy==2.4.6 onnx==1.23.2 onnxruntime==1.31.1 tokenizers==0.23.3 safetensors==0.8.0
