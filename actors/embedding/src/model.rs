use rten_gemm::{BiasVector, GemmError, GemmExecutor, GemmInputA, GemmInputB, GemmOptions, PackedBMatrix};
use rten_simd::{SimdOp, SimdUnaryOp};
use rten_tensor::Matrix;
use rten_vecmath::{ApproxGelu, Gelu, Normalize, NormalizeOptions, Softmax, Sum, SumSquareSub};

use crate::EmbeddingError;
use crate::files::{Activation, Shape};
use crate::weights::WeightsFile;

/// A BERT encoder in f32, after Devlin et al., "BERT: Pre-training of Deep Bidirectional Transformers" (2019), section 3,
/// with the weights' names and order of operations of the Hugging Face implementation.
///
/// The weights of every product are kept only in the layout that the product reads.
pub(crate) struct Bert {
    shape: Shape,
    /// One row per word piece.
    words: Vec<f32>,
    /// One row per position that is read, with the vector of token type 0 added.
    positions: Vec<f32>,
    norm: LayerNorm,
    layers: Vec<Layer>,
}

struct Layer {
    /// Query, key and value side by side: one product instead of three.
    qkv: Linear,
    attended: Linear,
    attended_norm: LayerNorm,
    widen: Linear,
    narrow: Linear,
    norm: LayerNorm,
}

struct Linear {
    weight: PackedBMatrix<f32>,
    bias: Vec<f32>,
}

struct LayerNorm {
    scale: Vec<f32>,
    bias: Vec<f32>,
    epsilon: f32,
}

/// The memory of one text's run, kept from text to text.
#[derive(Default)]
pub(crate) struct Buffers {
    states: Vec<f32>,
    qkv: Vec<f32>,
    scores: Vec<f32>,
    head: Vec<f32>,
    context: Vec<f32>,
    wide: Vec<f32>,
}

impl Bert {
    /// Reads the model from `weights`, with position vectors for at most `max_tokens` tokens.
    pub(crate) fn load(
        weights: &mut WeightsFile,
        shape: Shape,
        max_tokens: usize,
    ) -> Result<Self, EmbeddingError> {
        let hidden = shape.hidden;
        // Largest first: what is freed after it can be used again by the smaller ones.
        let words = weights.read("embeddings.word_embeddings.weight", &[shape.vocabulary, hidden])?;
        let mut positions =
            weights.read("embeddings.position_embeddings.weight", &[shape.positions, hidden])?;
        positions.truncate(max_tokens * hidden);
        positions.shrink_to_fit();
        let types = weights.read("embeddings.token_type_embeddings.weight", &[shape.token_types, hidden])?;
        for row in positions.chunks_exact_mut(hidden) {
            add(row, &types);
        }
        let norm = LayerNorm::load(weights, "embeddings.LayerNorm", &shape)?;
        let layers =
            (0..shape.layers).map(|at| Layer::load(weights, at, &shape)).collect::<Result<_, _>>()?;
        Ok(Self { shape, words, positions, norm, layers })
    }

    /// The hidden states of the last layer, one row of `hidden` numbers per token.
    ///
    /// # Errors
    /// A token outside the vocabulary. More tokens than positions were loaded, or fewer than two, are refused by the
    /// caller.
    pub(crate) fn run<'b>(
        &self,
        tokens: &[u32],
        buffers: &'b mut Buffers,
    ) -> Result<&'b [f32], EmbeddingError> {
        let Shape { hidden, intermediate, heads, .. } = self.shape;
        let count = tokens.len();
        // Not kept between runs: the executor cannot be sent between threads, and making one costs nothing.
        let gemm = GemmExecutor::<f32>::new();
        let Buffers { states, qkv, scores, head, context, wide } = buffers;
        let states = take(states, count * hidden);
        let qkv = take(qkv, count * 3 * hidden);
        let scores = take(scores, count * count);
        let head = take(head, count * hidden / heads);
        let context = take(context, count * hidden);
        let wide = take(wide, count * intermediate);

        self.embed(tokens, states)?;
        for layer in &self.layers {
            layer.qkv.apply(&gemm, states, qkv, Write::Replace)?;
            self.attend(&gemm, qkv, scores, head, context)?;
            layer.attended.apply(&gemm, context, states, Write::Add)?;
            layer.attended_norm.apply(states);
            layer.widen.apply(&gemm, states, wide, Write::Replace)?;
            match self.shape.activation {
                Activation::Gelu => Gelu {}.map_mut(wide),
                Activation::GeluTanh => ApproxGelu {}.map_mut(wide),
            }
            layer.narrow.apply(&gemm, wide, states, Write::Add)?;
            layer.norm.apply(states);
        }
        Ok(states)
    }

    fn embed(&self, tokens: &[u32], states: &mut [f32]) -> Result<(), EmbeddingError> {
        let hidden = self.shape.hidden;
        let places = self.positions.chunks_exact(hidden);
        for ((&id, row), place) in tokens.iter().zip(states.chunks_exact_mut(hidden)).zip(places) {
            let start = id as usize * hidden;
            let word = self.words.get(start..start + hidden);
            row.copy_from_slice(
                word.ok_or(EmbeddingError::UnknownPiece { id, vocabulary: self.shape.vocabulary })?,
            );
            add(row, place);
        }
        self.norm.apply(states);
        Ok(())
    }

    /// Scaled dot-product attention of every head; `qkv` holds query, key and value of a token in one row.
    fn attend(
        &self,
        gemm: &GemmExecutor,
        qkv: &[f32],
        scores: &mut [f32],
        head: &mut [f32],
        context: &mut [f32],
    ) -> Result<(), GemmError> {
        let hidden = self.shape.hidden;
        let size = hidden / self.shape.heads;
        let (stride, count) = (3 * hidden, qkv.len() / (3 * hidden));
        let part = |offset: usize| {
            Matrix::from_slice_with_strides([count, size], &qkv[offset..], [stride, 1]).expect(
                "a row of qkv holds three times `hidden` numbers, and a head lies within one of the three",
            )
        };
        for offset in (0..hidden).step_by(size) {
            let (query, key, value) = (part(offset), part(hidden + offset), part(2 * hidden + offset));
            let scaled = GemmOptions { alpha: (size as f32).sqrt().recip(), ..GemmOptions::default() };
            gemm.gemm(scores, GemmInputA::Unpacked(query), GemmInputB::Unpacked(key.transposed()), scaled)?;
            for row in scores.chunks_exact_mut(count) {
                Softmax::new_mut(row).dispatch();
            }
            let weights = Matrix::from_data([count, count], &*scores);
            let options = GemmOptions::default();
            gemm.gemm(head, GemmInputA::Unpacked(weights), GemmInputB::Unpacked(value), options)?;
            for (row, out) in head.chunks_exact(size).zip(context.chunks_exact_mut(hidden)) {
                out[offset..offset + size].copy_from_slice(row);
            }
        }
        Ok(())
    }
}

impl Layer {
    fn load(weights: &mut WeightsFile, at: usize, shape: &Shape) -> Result<Self, EmbeddingError> {
        let (hidden, wide) = (shape.hidden, shape.intermediate);
        let name = |part: &str| format!("encoder.layer.{at}.{part}");
        let qkv = ["query", "key", "value"].map(|part| name(&format!("attention.self.{part}")));
        Ok(Self {
            qkv: Linear::load(weights, &qkv, hidden, hidden)?,
            attended: Linear::load(weights, &[name("attention.output.dense")], hidden, hidden)?,
            attended_norm: LayerNorm::load(weights, &name("attention.output.LayerNorm"), shape)?,
            widen: Linear::load(weights, &[name("intermediate.dense")], wide, hidden)?,
            narrow: Linear::load(weights, &[name("output.dense")], hidden, wide)?,
            norm: LayerNorm::load(weights, &name("output.LayerNorm"), shape)?,
        })
    }
}

/// What a product does with the numbers already in its output.
#[derive(Clone, Copy)]
enum Write {
    Replace,
    Add,
}

impl Linear {
    /// Reads the weights `names`, each `outputs` × `inputs`, as one matrix of so many times more outputs.
    fn load(
        weights: &mut WeightsFile,
        names: &[String],
        outputs: usize,
        inputs: usize,
    ) -> Result<Self, EmbeddingError> {
        let (mut rows, mut bias) = (Vec::new(), Vec::new());
        for name in names {
            weights.append(&format!("{name}.weight"), &[outputs, inputs], &mut rows)?;
            weights.append(&format!("{name}.bias"), &[outputs], &mut bias)?;
        }
        let matrix = Matrix::from_data([names.len() * outputs, inputs], rows.as_slice());
        Ok(Self { weight: GemmExecutor::<f32>::new().prepack_b(matrix.transposed()), bias })
    }

    /// `out` = `input` × weights + bias, or that added to `out`; row by row.
    fn apply(
        &self,
        gemm: &GemmExecutor,
        input: &[f32],
        out: &mut [f32],
        write: Write,
    ) -> Result<(), GemmError> {
        let inputs = self.weight.rows();
        let input = Matrix::from_data([input.len() / inputs, inputs], input);
        let beta = match write {
            Write::Replace => 0.0,
            Write::Add => 1.0,
        };
        let options = GemmOptions { beta, bias: Some(BiasVector::Row(&self.bias)), ..GemmOptions::default() };
        gemm.gemm(out, GemmInputA::Unpacked(input), GemmInputB::Packed(&self.weight), options)
    }
}

impl LayerNorm {
    fn load(weights: &mut WeightsFile, name: &str, shape: &Shape) -> Result<Self, EmbeddingError> {
        Ok(Self {
            scale: weights.read(&format!("{name}.weight"), &[shape.hidden])?,
            bias: weights.read(&format!("{name}.bias"), &[shape.hidden])?,
            epsilon: shape.epsilon,
        })
    }

    /// Normalizes each row, after Ba et al., "Layer Normalization" (2016), equation 4.
    fn apply(&self, states: &mut [f32]) {
        let size = self.scale.len() as f32;
        for row in states.chunks_exact_mut(self.scale.len()) {
            let mean = Sum::new(row).dispatch() / size;
            let variance = SumSquareSub::new(row, mean).dispatch() / size;
            let options = NormalizeOptions {
                pre_scale_bias: mean,
                scale: (variance + self.epsilon).sqrt().recip(),
                element_scale: Some(&self.scale),
                element_bias: Some(&self.bias),
                ..NormalizeOptions::default()
            };
            Normalize::new_mut(row, options).dispatch();
        }
    }
}

fn add(to: &mut [f32], other: &[f32]) {
    for (value, other) in to.iter_mut().zip(other) {
        *value += other;
    }
}

/// The first `length` numbers of `buffer`, which grows as needed; what they hold is left from the last run.
fn take(buffer: &mut Vec<f32>, length: usize) -> &mut [f32] {
    if buffer.len() < length {
        buffer.resize(length, 0.0);
    }
    &mut buffer[..length]
}
