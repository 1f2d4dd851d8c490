"""Makes unigram.json: a tokenizer of the kind of paraphrase-multilingual-MiniLM, with the pieces and the character map
of a small model that SentencePiece trains here, and what the Python package `tokenizers` makes of some texts.

    pip install sentencepiece protobuf tokenizers && python make_unigram.py unigram.json
"""
import io
import json
import sys
import tempfile

import sentencepiece
import tokenizers
from sentencepiece import sentencepiece_model_pb2
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

CORPUS = """the nurse kept the ward
engineers and engineering managers kept the engines running
Die Pflegekraft kam über die Brücke in das Krankenhaus
Der Ingenieur prüft die Maschinen und die Anlagen
ممرضة في المستشفى
مهندس في المصنع
护士在医院工作
工程师在工厂工作
une infirmière au café de l'hôpital
l'ingénieur vérifie les machines
medical records, patient care and medication
software engineer with ten years of experience"""
# From and to, in code points.
RULES = ["FB01\t66 69", "BD\t31 2044 32", "2163\t49 56", "FF21\t41", "65 301\tE9", "200B\t20", "A0\t20", "9\t20", "A\t20",
         "D\t20", "7\t"]
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]
TEXTS = ["", " ", "the nurse kept the ward.", "Die Pflegekraft  kam\tüber die Brücke", "ممرضة في المستشفى",
         "护士在工厂看医院", "café cafe\u0301 ﬁne ½ Ⅳ Ａ", "🙂🙂 engineers 👩‍⚕️ engineering",
         "a\u0000b\u0007c\r\nd\u00a0e\u200bf", "software engineers " * 30, "x" * 300, "ᄀ각 \u2581the▁ward"]


def train():
    with tempfile.NamedTemporaryFile("w", suffix=".tsv") as rules:
        rules.write("".join(f"{rule}\n" for rule in RULES))
        rules.flush()
        trained = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(CORPUS.splitlines()), model_writer=trained, vocab_size=120, model_type="unigram",
            normalization_rule_tsv=rules.name, character_coverage=1.0, hard_vocab_limit=False, minloglevel=2)
    model = sentencepiece_model_pb2.ModelProto()
    model.ParseFromString(trained.getvalue())
    return model


def build(model):
    vocabulary = [(token, 0.0) for token in SPECIAL] + [(p.piece, round(p.score, 6)) for p in model.pieces[3:]]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=3))
    tokenizer.normalizer = normalizers.Precompiled(model.normalizer_spec.precompiled_charsmap)
    metaspace = {"replacement": "▁", "prepend_scheme": "always"}
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(**metaspace)])
    tokenizer.decoder = decoders.Metaspace(**metaspace)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    tokenizer.add_special_tokens([tokenizers.AddedToken(token, normalized=False) for token in SPECIAL])
    return tokenizer


def case(tokenizer, text):
    pieces = tokenizer.encode(text, add_special_tokens=False)
    assert tokenizer.encode(text).ids == [0, *pieces.ids, 2]
    spans = [[len(text[:start].encode()), len(text[:end].encode())] for start, end in pieces.offsets]
    return json.dumps({"text": text, "ids": pieces.ids, "spans": spans}, ensure_ascii=False)


tokenizer = build(train())
cases = ",\n".join(case(tokenizer, text) for text in TEXTS)
whole = json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=False)
with open(sys.argv[1], "w") as file:
    file.write(f'{{"made_with": "tokenizers {tokenizers.__version__}",\n"tokenizer": {whole},\n"cases": [\n{cases}]}}\n')
