#!/bin/sh
# Makes target/bench/peers, a Python virtual environment with ONNX Runtime, for the bench `encode` to compare with.
# Without it the bench says that it compares with nobody. TANDEM_BENCH_TORCH=1 adds sentence-transformers, whose torch
# comes from PyPI with CUDA: 5 GB.
set -eu

root=$(cd "$(dirname "$0")/../../../.." && pwd)
place=$root/target/bench/peers
has() { "$place/bin/python" -c "import $1" 2>/dev/null; }
if ! has 'onnxruntime, onnx, tokenizers, safetensors'; then
	mkdir -p "$root/target/bench"
	python3 -m venv "$place"
	"$place/bin/pip" install --quiet --disable-pip-version-check \
		numpy==2.4.6 onnx==1.23.2 onnxruntime==1.31.1 tokenizers==0.23.3 safetensors==0.8.0
fi
if [ "${TANDEM_BENCH_TORCH:-0}" = 1 ] && ! has sentence_transformers; then
	"$place/bin/pip" install --quiet --disable-pip-version-check sentence-transformers ||
		echo "SKIPPED: sentence-transformers could not be installed"
fi
