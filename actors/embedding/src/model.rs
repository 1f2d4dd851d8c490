use std::fmt;
use std::str::FromStr;

use crate::EmbeddingError;
use crate::files::{Activation, Shape};
use crate::simd::{
    Attention, AttentionScratch, BLOCK, FloatInput, FloatProduct, FloatWeights, Floats, IntProduct,
    IntWeights, Kernels, LANES, Norm, NormRows, PairInput, PairProduct, PairRows, PairWeights, QuantizeRows,
    Quantized, Then,
};
use crate::weights::WeightsFile;

/// Rows that go through the feed-forward layers together: what lies between the two stays in the cache.
const WIDE_ROWS: usize = 8 * BLOCK;

/// In what numbers products are computed. Attention, softmax, normalization and activations are in f32 always.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// Weights in int8 with a scale per output, activations in bytes with a scale per token, sums in int32.
    Int8,
    /// Weights and, at each product, activations rounded to bfloat16, sums in f32. The order of the sums is the
    /// processor's: vectors of different ones are the same to a cosine of .9999, not to the bit.
    Bf16,
    /// Everything in f32.
    F32,
}

impl Precision {
    /// All of them, the fastest first.
    pub const ALL: [Self; 3] = [Self::Int8, Self::Bf16, Self::F32];
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Int8 => "int8",
            Self::Bf16 => "bf16",
            Self::F32 => "f32",
        })
    }
}

impl FromStr for Precision {
    type Err = EmbeddingError;

    fn from_str(name: &str) -> Result<Self, EmbeddingError> {
        Self::ALL.into_iter().find(|precision| precision.to_string() == name).ok_or_else(|| {
            EmbeddingError::Options { reason: format!("precision is {name:?}; it must be int8, bf16 or f32") }
        })
    }
}

/// The parts of a run, as far as their time is told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// Looking up word pieces and positions.
    Embed,
    /// Layer normalization, with the rounding of its result for the product behind it.
    Norm,
    /// The product that gives query, key and value.
    Query,
    /// Scores, softmax and the sum of the values.
    Attention,
    /// The product behind attention.
    Attended,
    /// The product that widens, with its activation.
    Widen,
    /// The product that narrows.
    Narrow,
    /// Rounding, or rearranging, of what is not normalized, for the product behind it.
    Round,
}

/// A BERT encoder, after Devlin et al., "BERT: Pre-training of Deep Bidirectional Transformers" (2019), section 3, with
/// the weights' names and order of operations of the Hugging Face implementation. Int8 after Dettmers et al.,
/// "LLM.int8()" (2022), section 2.1: each row of either side of a product has a scale of its own.
///
/// The weights of every product are kept only in the layout that the product reads.
pub(crate) struct Bert {
    shape: Shape,
    words: Words,
    /// One row per position that is read, with the vector of token type 0 added.
    positions: Vec<f32>,
    norm: Norm,
    layers: Vec<Layer>,
}

/// One row per word piece.
enum Words {
    F32(Vec<f32>),
    /// Half the memory: each number is the nearest multiple of 1/32767 of its row's largest.
    I16(Vec<i16>, Vec<f32>),
}

struct Layer {
    /// Query, key and value side by side: one product instead of three.
    qkv: Linear,
    attended: Linear,
    attended_norm: Norm,
    widen: Linear,
    narrow: Linear,
    norm: Norm,
}

enum Linear {
    Int8(IntWeights),
    Bf16(PairWeights),
    F32(FloatWeights),
}

/// The left side of products.
#[derive(Default)]
struct Input {
    bytes: Quantized,
    pairs: PairInput,
    floats: FloatInput,
}

/// The memory of one run, kept from run to run.
#[derive(Default)]
pub(crate) struct Buffers {
    states: Vec<Floats>,
    qkv: Vec<Floats>,
    context: Vec<Floats>,
    wide: Vec<Floats>,
    input: Input,
    wide_input: Input,
    attention: AttentionScratch,
}

impl Bert {
    /// Reads the model from `weights`, with position vectors for at most `max_tokens` tokens.
    pub(crate) fn load(
        weights: &mut WeightsFile,
        shape: Shape,
        max_tokens: usize,
        precision: Precision,
    ) -> Result<Self, EmbeddingError> {
        let hidden = shape.hidden;
        // Largest first: what is freed after it can be used again by the smaller ones.
        let words = weights.read("embeddings.word_embeddings.weight", &[shape.vocabulary, hidden])?;
        let words = match precision {
            Precision::Int8 | Precision::Bf16 => Words::round(&words, hidden),
            Precision::F32 => Words::F32(words),
        };
        let mut positions =
            weights.read("embeddings.position_embeddings.weight", &[shape.positions, hidden])?;
        positions.truncate(max_tokens * hidden);
        positions.shrink_to_fit();
        let types = weights.read("embeddings.token_type_embeddings.weight", &[shape.token_types, hidden])?;
        for row in positions.chunks_exact_mut(hidden) {
            for (value, kind) in row.iter_mut().zip(&types) {
                *value += kind;
            }
        }
        let norm = load_norm(weights, "embeddings.LayerNorm", &shape)?;
        let layers = (0..shape.layers).map(|at| Layer::load(weights, at, &shape, precision));
        let layers = layers.collect::<Result<_, _>>()?;
        Ok(Self { shape, words, positions, norm, layers })
    }

    /// The hidden states of the last layer, one row of `hidden` numbers per token, of all texts one behind the other.
    /// A text's states do not depend on the other texts. `ended` is told of each part of the work when it ends.
    ///
    /// # Errors
    /// A token outside the vocabulary. A text of more tokens than positions were loaded is refused by the caller.
    pub(crate) fn run<'b>(
        &self,
        kernels: Kernels,
        texts: &[Vec<u32>],
        buffers: &'b mut Buffers,
        ended: &mut impl FnMut(Part),
    ) -> Result<&'b [Floats], EmbeddingError> {
        let width = self.shape.hidden / LANES;
        let count: usize = texts.iter().map(Vec::len).sum();
        let Buffers { states, qkv, context, wide, input, wide_input, attention } = buffers;
        let states = take(states, count * width);
        let qkv = take(qkv, count * 3 * width);
        let context = take(context, count * width);
        let activation = match self.shape.activation {
            Activation::Gelu => Then::Gelu,
            Activation::GeluTanh => Then::GeluTanh,
        };

        self.embed(texts, states)?;
        ended(Part::Embed);
        let mut norm = &self.norm;
        for layer in &self.layers {
            layer.qkv.normalize(kernels, norm, states, input);
            ended(Part::Norm);
            layer.qkv.apply(kernels, input, 0, qkv, Then::Store);
            ended(Part::Query);
            let (mut qkv, mut context_left) = (&*qkv, &mut *context);
            for text in texts {
                let (own, rest) = qkv.split_at(text.len() * 3 * width);
                let (out, out_rest) = context_left.split_at_mut(text.len() * width);
                let heads = self.shape.heads;
                kernels.run(Attention { heads, qkv: own, context: out, width, scratch: attention });
                (qkv, context_left) = (rest, out_rest);
            }
            ended(Part::Attention);
            layer.attended.feed(kernels, context, width, input);
            ended(Part::Round);
            layer.attended.apply(kernels, input, 0, states, Then::Add);
            ended(Part::Attended);
            layer.widen.normalize(kernels, &layer.attended_norm, states, input);
            ended(Part::Norm);
            for (at, states) in states.chunks_mut(WIDE_ROWS * width).enumerate() {
                let wide_width = self.shape.intermediate / LANES;
                let wide = take(wide, states.len() / width * wide_width);
                layer.widen.apply(kernels, input, at * WIDE_ROWS, wide, activation);
                ended(Part::Widen);
                layer.narrow.feed(kernels, wide, wide_width, wide_input);
                ended(Part::Round);
                layer.narrow.apply(kernels, wide_input, 0, states, Then::Add);
                ended(Part::Narrow);
            }
            norm = &layer.norm;
        }
        kernels.run(NormRows { norm, rows: states, quantized: None });
        ended(Part::Norm);
        Ok(states)
    }

    fn embed(&self, texts: &[Vec<u32>], states: &mut [Floats]) -> Result<(), EmbeddingError> {
        let hidden = self.shape.hidden;
        let tokens = texts.iter().flat_map(|text| text.iter().zip(self.positions.chunks_exact(hidden)));
        for ((&id, place), row) in tokens.zip(states.chunks_exact_mut(hidden / LANES)) {
            let out = row.iter_mut().flat_map(|line| &mut line.0).zip(place);
            let at = id as usize * hidden;
            let missing = || EmbeddingError::UnknownPiece { id, vocabulary: self.shape.vocabulary };
            match &self.words {
                Words::F32(words) => {
                    let word = words.get(at..at + hidden).ok_or_else(missing)?;
                    out.zip(word).for_each(|((out, place), word)| *out = word + place);
                }
                Words::I16(words, scales) => {
                    let word = words.get(at..at + hidden).ok_or_else(missing)?;
                    let scale = scales[id as usize];
                    out.zip(word).for_each(|((out, place), &word)| *out = f32::from(word) * scale + place);
                }
            }
        }
        Ok(())
    }
}

impl Words {
    fn round(words: &[f32], hidden: usize) -> Self {
        let most = f32::from(i16::MAX);
        let mut rounded = Vec::with_capacity(words.len());
        let mut scales = Vec::with_capacity(words.len() / hidden);
        for row in words.chunks_exact(hidden) {
            let largest = row.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
            let (scale, steps) = if largest > 0.0 { (largest / most, most / largest) } else { (0.0, 0.0) };
            scales.push(scale);
            rounded.extend(row.iter().map(|value| (value * steps).round_ties_even() as i16));
        }
        Self::I16(rounded, scales)
    }
}

impl Layer {
    fn load(
        weights: &mut WeightsFile,
        at: usize,
        shape: &Shape,
        precision: Precision,
    ) -> Result<Self, EmbeddingError> {
        let (hidden, wide) = (shape.hidden, shape.intermediate);
        let name = |part: &str| format!("encoder.layer.{at}.{part}");
        let qkv = ["query", "key", "value"].map(|part| name(&format!("attention.self.{part}")));
        let mut linear = |names: &[String], outputs: usize, inputs: usize| {
            Linear::load(weights, names, outputs, inputs, precision)
        };
        Ok(Self {
            qkv: linear(&qkv, hidden, hidden)?,
            attended: linear(&[name("attention.output.dense")], hidden, hidden)?,
            widen: linear(&[name("intermediate.dense")], wide, hidden)?,
            narrow: linear(&[name("output.dense")], hidden, wide)?,
            attended_norm: load_norm(weights, &name("attention.output.LayerNorm"), shape)?,
            norm: load_norm(weights, &name("output.LayerNorm"), shape)?,
        })
    }
}

impl Linear {
    /// Reads the weights `names`, each `outputs` × `inputs`, as one matrix of so many times more outputs.
    fn load(
        weights: &mut WeightsFile,
        names: &[String],
        outputs: usize,
        inputs: usize,
        precision: Precision,
    ) -> Result<Self, EmbeddingError> {
        let (mut rows, mut bias) = (Vec::new(), Vec::new());
        for name in names {
            weights.append(&format!("{name}.weight"), &[outputs, inputs], &mut rows)?;
            weights.append(&format!("{name}.bias"), &[outputs], &mut bias)?;
        }
        Ok(match precision {
            Precision::Int8 => Self::Int8(IntWeights::new(&rows, &bias)),
            Precision::Bf16 => Self::Bf16(PairWeights::new(&rows, &bias)),
            Precision::F32 => Self::F32(FloatWeights::new(&rows, &bias)),
        })
    }

    /// Makes `rows` of `width` lines the input.
    fn feed(&self, kernels: Kernels, rows: &[Floats], width: usize, input: &mut Input) {
        match self {
            Self::Int8(_) => {
                input.bytes.shape(rows.len() / width, width, kernels);
                kernels.run(QuantizeRows { rows, width, out: &mut input.bytes });
            }
            Self::Bf16(_) => {
                kernels.run(PairRows { rows, width, by_row: kernels.by_row(), out: &mut input.pairs });
            }
            Self::F32(_) => input.floats.fill(rows, width),
        }
    }

    /// Normalizes `rows` and makes them the input.
    fn normalize(&self, kernels: Kernels, norm: &Norm, rows: &mut [Floats], input: &mut Input) {
        let width = norm.width();
        if let Self::Int8(_) = self {
            input.bytes.shape(rows.len() / width, width, kernels);
            kernels.run(NormRows { norm, rows, quantized: Some(&mut input.bytes) });
        } else {
            kernels.run(NormRows { norm, rows, quantized: None });
            self.feed(kernels, rows, width, input);
        }
    }

    /// `out` becomes what is to follow of input × weights + bias, for the input's rows from `first`.
    fn apply(&self, kernels: Kernels, input: &Input, first: usize, out: &mut [Floats], then: Then) {
        match self {
            Self::Int8(weights) => {
                kernels.int_product(IntProduct { weights, input: &input.bytes, first, out, then });
            }
            Self::Bf16(weights) => {
                kernels.pair_product(PairProduct { weights, input: &input.pairs, first, out, then });
            }
            Self::F32(weights) => {
                kernels.run(FloatProduct { weights, input: &input.floats, first, out, then });
            }
        }
    }
}

fn load_norm(weights: &mut WeightsFile, name: &str, shape: &Shape) -> Result<Norm, EmbeddingError> {
    let scale = weights.read(&format!("{name}.weight"), &[shape.hidden])?;
    let bias = weights.read(&format!("{name}.bias"), &[shape.hidden])?;
    Ok(Norm::new(&scale, &bias, shape.epsilon))
}

/// The first `length` lines of `buffer`, which grows as needed; what they hold is left from the last run.
fn take(buffer: &mut Vec<Floats>, length: usize) -> &mut [Floats] {
    if buffer.len() < length {
        buffer.resize(length, Floats::ZERO);
    }
    &mut buffer[..length]
}
