"""Measures ONNX Runtime, f32 and int8, and sentence-transformers where it is installed, on the texts that the bench
hands over.

    python peers.py <model folder> <texts.json> <result.json>

The graph is made here from model.safetensors with the operators that ONNX Runtime fuses a BERT to (Attention,
SkipLayerNormalization, BiasGelu), so no fusing pass can miss any; int8 is its dynamic quantization, per channel. Texts
are sorted by length and padded to batches of sixteen, as sentence-transformers does, or one by one where that is
faster. One thread; CPU time; the best of several rounds.
"""

import json
import os
import pathlib
import sys
import tempfile
import time

import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from safetensors.numpy import load_file
from tokenizers import Tokenizer

ROUNDS = 2
MOST_TOKENS = 256


def build(folder, path):
    config = json.loads((folder / "config.json").read_text())
    weights = load_file(folder / "model.safetensors")
    heads, epsilon = config["num_attention_heads"], config["layer_norm_eps"]
    nodes, constants = [], []

    def constant(name, value):
        constants.append(numpy_helper.from_array(numpy.ascontiguousarray(value), name))
        return name

    def node(kind, inputs, output, vendor=True, **attributes):
        domain = "com.microsoft" if vendor else ""
        nodes.append(helper.make_node(kind, inputs, [output], domain=domain, **attributes))
        return output

    def linear(at, name, states):
        weight = constant(f"{at}.{name}.w", weights[f"{at}.{name}.weight"].T)
        return node("MatMul", [states, weight], f"{at}.{name}.out", vendor=False)

    def norm(at, name, states, skip, bias):
        scale = constant(f"{at}.{name}.scale", weights[f"{at}.{name}.weight"])
        shift = constant(f"{at}.{name}.shift", weights[f"{at}.{name}.bias"])
        bias = constant(f"{at}.{name}.add", bias)
        return node("SkipLayerNormalization", [states, skip, scale, shift, bias], f"{at}.{name}.out", epsilon=epsilon)

    words = constant("words", weights["embeddings.word_embeddings.weight"])
    places = constant("places", weights["embeddings.position_embeddings.weight"])
    word = node("Gather", [words, "ids"], "word", vendor=False)
    place = node("Gather", [places, "positions"], "place", vendor=False)
    states = norm("embeddings", "LayerNorm", word, place, weights["embeddings.token_type_embeddings.weight"][0])
    for layer in range(config["num_hidden_layers"]):
        at = f"encoder.layer.{layer}"
        parts = [f"{at}.attention.self.{part}" for part in ("query", "key", "value")]
        weight = constant(f"{at}.qkv.w", numpy.concatenate([weights[f"{part}.weight"].T for part in parts], axis=1))
        bias = constant(f"{at}.qkv.b", numpy.concatenate([weights[f"{part}.bias"] for part in parts]))
        context = node("Attention", [states, weight, bias, "lengths"], f"{at}.context", num_heads=heads)
        out = linear(at, "attention.output.dense", context)
        states = norm(at, "attention.output.LayerNorm", out, states, weights[f"{at}.attention.output.dense.bias"])
        wide = linear(at, "intermediate.dense", states)
        wide_bias = constant(f"{at}.wide.b", weights[f"{at}.intermediate.dense.bias"])
        wide = node("BiasGelu", [wide, wide_bias], f"{at}.gelu")
        out = linear(at, "output.dense", wide)
        states = norm(at, "output.LayerNorm", out, states, weights[f"{at}.output.dense.bias"])
    inputs = [
        helper.make_tensor_value_info("ids", TensorProto.INT32, ["batch", "tokens"]),
        helper.make_tensor_value_info("positions", TensorProto.INT32, ["batch", "tokens"]),
        helper.make_tensor_value_info("lengths", TensorProto.INT32, ["batch"]),
    ]
    output = helper.make_tensor_value_info(states, TensorProto.FLOAT, ["batch", "tokens", config["hidden_size"]])
    graph = helper.make_graph(nodes, "bert", inputs, [output], constants)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def encode(run, tokenizer, texts, size):
    tokens = [encoding.ids for encoding in tokenizer.encode_batch(texts)]
    order = sorted(range(len(texts)), key=lambda at: len(tokens[at]))
    vectors = [None] * len(texts)
    for start in range(0, len(order), size):
        batch = order[start : start + size]
        lengths = numpy.array([len(tokens[at]) for at in batch], dtype=numpy.int32)
        ids = numpy.zeros((len(batch), int(lengths.max())), dtype=numpy.int32)
        for row, at in enumerate(batch):
            ids[row, : lengths[row]] = tokens[at]
        places = numpy.broadcast_to(numpy.arange(ids.shape[1], dtype=numpy.int32), ids.shape)
        states = run.run(None, {"ids": ids, "positions": numpy.ascontiguousarray(places), "lengths": lengths})[0]
        for row, at in enumerate(batch):
            vector = states[row, : lengths[row]].mean(axis=0)
            vectors[at] = vector / numpy.linalg.norm(vector)
    return numpy.stack(vectors)


def sentence_transformers(folder, sets):
    """Seconds per text of each set; None where it is not installed."""
    # Else it looks for its model on the network, and waits.
    os.environ["HF_HUB_OFFLINE"] = "1"
    try:
        import torch
        from sentence_transformers import SentenceTransformer
    except ImportError:
        return None
    torch.set_num_threads(1)
    model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    rows = []
    for texts in sets:
        model.encode(texts[:32], batch_size=16)
        best = float("inf")
        for _ in range(ROUNDS):
            start = time.process_time()
            model.encode(texts, batch_size=16)
            best = min(best, (time.process_time() - start) / len(texts))
        rows.append({"seconds": best})
    return rows


def main():
    folder, texts, result = map(pathlib.Path, sys.argv[1:4])
    sets = json.loads(texts.read_text())
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MOST_TOKENS)
    answer = {"version": onnxruntime.__version__, "engines": {}}
    with tempfile.TemporaryDirectory() as place:
        full, small = f"{place}/full.onnx", f"{place}/int8.onnx"
        build(folder, full)
        options = {"DefaultTensorType": TensorProto.FLOAT}
        quantize_dynamic(full, small, weight_type=QuantType.QInt8, per_channel=True, extra_options=options)
        for engine, path in (("f32", full), ("int8", small)):
            run = session(path)
            rows = []
            for texts in sets:
                best = float("inf")
                encode(run, tokenizer, texts[:32], 16)
                trial = {}
                for size in (1, 16):
                    start = time.process_time()
                    encode(run, tokenizer, texts[:64], size)
                    trial[size] = time.process_time() - start
                for _ in range(ROUNDS):
                    start = time.process_time()
                    vectors = encode(run, tokenizer, texts, min(trial, key=trial.get))
                    best = min(best, (time.process_time() - start) / len(texts))
                rows.append({"seconds": best, "first": vectors[0].tolist()})
            answer["engines"][engine] = rows
    rows = sentence_transformers(folder, sets)
    if rows:
        answer["engines"]["sentence-transformers"] = rows
    result.write_text(json.dumps(answer))


main()
