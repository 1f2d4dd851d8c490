//! A BERT model small enough to be written anew by each test, and the same model computed by plain loops.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;

use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) mod journey;

pub(crate) const HIDDEN: usize = 48;
pub(crate) const HEADS: usize = 3;
pub(crate) const LAYERS: usize = 2;
pub(crate) const INTERMEDIATE: usize = 80;
pub(crate) const POSITIONS: usize = 48;
const EPSILON: f64 = 1e-12;

/// Beside these the vocabulary has each letter and digit, also as a continuation.
const WORDS: [&str; 8] = ["the", "engineer", "nurse", "rust", "data", ".", ",", "lead"];

/// A tensor's shape and numbers.
pub(crate) type Tensors = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

pub(crate) struct TinyModel {
    pub(crate) config: Value,
    pub(crate) tokenizer: Value,
    pub(crate) tensors: Tensors,
    pub(crate) dtype: Dtype,
}

impl TinyModel {
    pub(crate) fn new() -> Self {
        let vocabulary = vocabulary();
        let config = json!({
            "model_type": "bert", "hidden_size": HIDDEN, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS,
            "intermediate_size": INTERMEDIATE, "vocab_size": vocabulary.len(), "type_vocab_size": 2,
            "max_position_embeddings": POSITIONS, "layer_norm_eps": EPSILON, "hidden_act": "gelu",
        });
        let special = |id: usize, content: &str| {
            json!({"id": id, "content": content, "special": true, "single_word": false, "lstrip": false,
                   "rstrip": false, "normalized": false})
        };
        let template = json!([
            {"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
            {"SpecialToken": {"id": "[SEP]", "type_id": 0}},
        ]);
        let tokenizer = json!({
            "version": "1.0",
            "truncation": {"max_length": 5, "strategy": "LongestFirst", "stride": 0},
            "padding": {"strategy": {"Fixed": 9}, "direction": "Right", "pad_to_multiple_of": null, "pad_id": 0,
                        "pad_type_id": 0, "pad_token": "[PAD]"},
            "added_tokens": [special(0, "[PAD]"), special(1, "[UNK]"), special(2, "[CLS]"), special(3, "[SEP]")],
            "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
                           "strip_accents": null, "lowercase": true},
            "pre_tokenizer": {"type": "BertPreTokenizer"},
            "post_processor": {"type": "TemplateProcessing", "single": template, "pair": template, "special_tokens": {
                "[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]},
                "[SEP]": {"id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]}}},
            "decoder": null,
            "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                      "max_input_chars_per_word": 100, "vocab": vocabulary},
        });
        Self { config, tokenizer, tensors: tensors(vocabulary_size()), dtype: Dtype::F32 }
    }

    /// Writes the model into a new folder.
    pub(crate) fn write(&self) -> TempDir {
        let dir = tempfile::tempdir().unwrap();
        self.write_to(dir.path());
        dir
    }

    fn write_to(&self, dir: &Path) {
        fs::write(dir.join("config.json"), self.config.to_string()).unwrap();
        fs::write(dir.join("tokenizer.json"), self.tokenizer.to_string()).unwrap();
        let bytes: HashMap<&str, Vec<u8>> =
            self.tensors.iter().map(|(name, (_, values))| (name.as_str(), self.bytes(values))).collect();
        let views = self.tensors.iter().map(|(name, (shape, _))| {
            (name.as_str(), TensorView::new(self.dtype, shape.clone(), &bytes[name.as_str()]).unwrap())
        });
        fs::write(dir.join("model.safetensors"), safetensors::serialize(views, None).unwrap()).unwrap();
    }

    fn bytes(&self, values: &[f32]) -> Vec<u8> {
        if self.dtype == Dtype::F16 {
            values.iter().flat_map(|&value| rten_simd::f16::from_f32(value).to_bits().to_le_bytes()).collect()
        } else if self.dtype == Dtype::BF16 {
            values.iter().flat_map(|value| ((value.to_bits() >> 16) as u16).to_le_bytes()).collect()
        } else if self.dtype == Dtype::F64 {
            values.iter().flat_map(|&value| f64::from(value).to_le_bytes()).collect()
        } else {
            values.iter().flat_map(|value| value.to_le_bytes()).collect()
        }
    }
}

fn vocabulary() -> BTreeMap<String, usize> {
    let letters = ('a'..='z').chain('0'..='9');
    let letters = letters.flat_map(|letter| [letter.to_string(), format!("##{letter}")]);
    let words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"].into_iter().chain(WORDS).map(str::to_owned);
    words.chain(letters).enumerate().map(|(id, word)| (word, id)).collect()
}

pub(crate) fn vocabulary_size() -> usize {
    vocabulary().len()
}

fn tensors(words: usize) -> Tensors {
    let mut shapes = vec![
        ("embeddings.word_embeddings.weight".to_owned(), vec![words, HIDDEN]),
        ("embeddings.position_embeddings.weight".to_owned(), vec![POSITIONS, HIDDEN]),
        ("embeddings.token_type_embeddings.weight".to_owned(), vec![2, HIDDEN]),
        ("embeddings.LayerNorm.weight".to_owned(), vec![HIDDEN]),
        ("embeddings.LayerNorm.bias".to_owned(), vec![HIDDEN]),
    ];
    for layer in 0..LAYERS {
        let linear = [
            ("attention.self.query", HIDDEN, HIDDEN),
            ("attention.self.key", HIDDEN, HIDDEN),
            ("attention.self.value", HIDDEN, HIDDEN),
            ("attention.output.dense", HIDDEN, HIDDEN),
            ("intermediate.dense", INTERMEDIATE, HIDDEN),
            ("output.dense", HIDDEN, INTERMEDIATE),
        ];
        for (part, outputs, inputs) in linear {
            shapes.push((format!("encoder.layer.{layer}.{part}.weight"), vec![outputs, inputs]));
            shapes.push((format!("encoder.layer.{layer}.{part}.bias"), vec![outputs]));
        }
        for part in ["attention.output.LayerNorm", "output.LayerNorm"] {
            shapes.push((format!("encoder.layer.{layer}.{part}.weight"), vec![HIDDEN]));
            shapes.push((format!("encoder.layer.{layer}.{part}.bias"), vec![HIDDEN]));
        }
    }
    let mut state = 1_u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1_u64 << 24) as f32 - 0.5
    };
    shapes
        .into_iter()
        .map(|(name, shape)| {
            let count = shape.iter().product::<usize>();
            let values = (0..count).map(|_| random()).collect();
            (name, (shape, values))
        })
        .collect()
}

type Rows = Vec<Vec<f64>>;

/// The hidden states of the last layer, computed in f64 by the definition, one loop per sum.
pub(crate) fn reference(tensors: &Tensors, tokens: &[u32]) -> Rows {
    let get = |name: &str| -> Rows {
        let (shape, values) = &tensors[name];
        let width = *shape.last().unwrap();
        values.chunks_exact(width).map(|row| row.iter().map(|&value| f64::from(value)).collect()).collect()
    };
    let norm = |rows: Rows, name: String| -> Rows {
        let (scale, bias) = (get(&format!("{name}.weight")), get(&format!("{name}.bias")));
        let one = |row: Vec<f64>| {
            let mean = row.iter().sum::<f64>() / row.len() as f64;
            let variance = row.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / row.len() as f64;
            let unit = row.iter().map(|value| (value - mean) / (variance + EPSILON).sqrt());
            unit.zip(scale[0].iter().zip(&bias[0]))
                .map(|(value, (scale, bias))| value * scale + bias)
                .collect()
        };
        rows.into_iter().map(one).collect()
    };
    let linear = |rows: &Rows, name: String| -> Rows {
        let (weight, bias) = (get(&format!("{name}.weight")), get(&format!("{name}.bias")));
        let one = |row: &Vec<f64>| weight.iter().zip(&bias[0]).map(|(w, b)| dot(row, w) + b).collect();
        rows.iter().map(one).collect()
    };
    let (words, places) =
        (get("embeddings.word_embeddings.weight"), get("embeddings.position_embeddings.weight"));
    let types = get("embeddings.token_type_embeddings.weight");
    let summed =
        tokens.iter().zip(&places).map(|(&id, place)| sum(&sum(&words[id as usize], place), &types[0]));
    let mut states = norm(summed.collect(), "embeddings.LayerNorm".to_owned());
    for layer in 0..LAYERS {
        let name = |part: &str| format!("encoder.layer.{layer}.{part}");
        let [query, key, value] =
            ["query", "key", "value"].map(|part| linear(&states, name(&format!("attention.self.{part}"))));
        let attended = linear(&attention(&query, &key, &value), name("attention.output.dense"));
        states = norm(add(&states, &attended), name("attention.output.LayerNorm"));
        let mut wide = linear(&states, name("intermediate.dense"));
        wide.iter_mut().flatten().for_each(|value| *value = gelu(*value));
        states = norm(add(&states, &linear(&wide, name("output.dense"))), name("output.LayerNorm"));
    }
    states
}

fn attention(query: &Rows, key: &Rows, value: &Rows) -> Rows {
    let size = HIDDEN / HEADS;
    let mut context = vec![vec![0.0; HIDDEN]; query.len()];
    for (row, out) in query.iter().zip(&mut context) {
        for head in (0..HIDDEN).step_by(size) {
            let scores = key.iter().map(|k| dot(&row[head..head + size], &k[head..head + size]));
            let exps: Vec<f64> = scores.map(|score| (score / (size as f64).sqrt()).exp()).collect();
            let total: f64 = exps.iter().sum();
            for at in head..head + size {
                out[at] = exps.iter().zip(value).map(|(e, v)| e / total * v[at]).sum();
            }
        }
    }
    context
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn sum(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a + b).collect()
}

fn add(a: &Rows, b: &Rows) -> Rows {
    a.iter().zip(b).map(|(a, b)| sum(a, b)).collect()
}

/// x·Φ(x), with Φ from the series of the error function, which converges everywhere.
pub(crate) fn gelu(x: f64) -> f64 {
    let z = x / std::f64::consts::SQRT_2;
    let (mut term, mut erf) = (z, z);
    for n in 1..200 {
        let n = f64::from(n);
        term *= -z * z / n;
        erf += term / (2.0 * n + 1.0);
    }
    x * 0.5 * (1.0 + erf * std::f64::consts::FRAC_2_SQRT_PI)
}
