"""Writes vectors.f32: what sentence-transformers says of texts.json.

Run it in a virtual environment outside the repository, after deploy/model.sh:

    pip install torch==2.4.1 transformers==4.46.3 sentence-transformers==3.2.1 'numpy<2'
    python make_golden.py <model folder>

vectors.f32 holds one row per text, little-endian f32, in the order of texts.json.
"""

import json
import pathlib
import sys

import numpy
import torch
from sentence_transformers import SentenceTransformer

here = pathlib.Path(__file__).parent
texts = json.loads((here / "texts.json").read_text(encoding="utf-8"))
torch.set_num_threads(1)
model = SentenceTransformer(sys.argv[1], device="cpu")
# One text at a time: no padding takes part in the reference.
rows = [model.encode(text, convert_to_numpy=True) for text in texts]
vectors = numpy.stack(rows).astype("<f4")
vectors.tofile(here / "vectors.f32")
print(f"{vectors.shape[0]} texts, {vectors.shape[1]} dimensions, at most {model.max_seq_length} word pieces")
