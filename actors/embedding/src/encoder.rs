use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tandem_domain::chunk::ModelIdentity;

use crate::chunker::Chunk;
use crate::model::{Bert, Buffers, Part, Precision};
use crate::sentence::{EngineName, SentenceModel};
use crate::simd::{Cpu, Floats, Kernels, LANES};
use crate::vectors::{normalize, weighted_mean};
use crate::{EmbeddingError, Pooling, WordPieces};

/// Texts that a worker takes at once.
const PACK_TEXTS: usize = 16;
/// Tokens of several texts that run together: enough that reading the weights costs little, few enough that what lies
/// between two layers stays in the cache.
const PACK_TOKENS: usize = 256;
/// Raised whenever the same text and weights give other bits than before: such vectors are another model's.
const ARITHMETIC: u32 = 1;

/// What to load, and how to read texts with it.
#[derive(Debug, Clone)]
pub struct EncoderOptions {
    /// The folder of a sentence-transformers BERT model.
    pub dir: PathBuf,
    /// Tokens of a text that are read, [CLS] and [SEP] included; the rest is left out. From 3 to the model's positions.
    pub max_tokens: usize,
    /// Whether vectors are scaled to length 1.
    pub normalize: bool,
    /// In what numbers to compute.
    pub precision: Precision,
    /// The instruction set to use. None: what `TANDEM_CPU` says, or else the fastest of this processor.
    pub cpu: Option<Cpu>,
}

impl EncoderOptions {
    /// The model in `dir` in int8 with 256 tokens a text, as all-MiniLM-L6-v2 was trained for, and vectors of length 1.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), max_tokens: 256, normalize: true, precision: Precision::Int8, cpu: None }
    }
}

/// A loaded sentence model. It is shared between threads as it is; each thread brings its own [`Scratch`].
///
/// A text's vector depends on the text, the model and the precision alone: the same bits on every processor, whatever
/// else is encoded, in whatever order and on however many threads. Only [`Precision::Bf16`] rounds a little differently on
/// different processors; its vectors are nevertheless one model's, for they are farther from f32 than from each other.
pub struct Encoder {
    kernels: Kernels,
    model: Arc<SentenceModel>,
    bert: Bert,
}

/// One worker's memory: about 5 MB after the first texts.
#[derive(Default)]
pub struct Scratch {
    buffers: Buffers,
}

/// The vectors of one document, of as many coordinates as the model has dimensions, each of length 1.
#[derive(Debug, Clone, PartialEq)]
pub struct DocumentVectors {
    /// One vector per chunk, in their order: the mean of its windows' vectors, weighted by their tokens.
    pub chunks: Vec<Vec<f32>>,
    /// The mean of the chunks' vectors, weighted by their tokens. None for a document without chunks.
    pub document: Option<Vec<f32>>,
}

impl Scratch {
    /// Empty memory.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// As many workers as asked for.
    #[must_use]
    pub fn many(count: NonZeroUsize) -> Vec<Self> {
        (0..count.get()).map(|_| Self::new()).collect()
    }
}

impl Encoder {
    /// Loads the model: for all-MiniLM-L6-v2 35 MB in int8, 45 MB in bf16, 90 MB in f32, and about 0.2 s.
    ///
    /// # Errors
    /// Every variant of [`EmbeddingError`] about files; [`EmbeddingError::Cpu`] when the instruction set that is asked
    /// for is unknown or not this processor's; [`EmbeddingError::Options`] when `max_tokens` is below 3 or
    /// above the positions that the model knows.
    pub fn load(options: &EncoderOptions) -> Result<Self, EmbeddingError> {
        let cpu = options.cpu.map_or_else(Cpu::forced, |cpu| Ok(Some(cpu)))?;
        let kernels = Kernels::new(cpu)?;
        let engine = EngineName { name: format!("native-{}", options.precision), arithmetic: ARITHMETIC };
        let model = SentenceModel::open(&options.dir, options.max_tokens, options.normalize, &engine)?;
        let shape = model.shape().clone();
        let bert = Bert::load(&mut model.weights()?, shape, options.max_tokens, options.precision)?;
        Ok(Self { kernels, model: Arc::new(model), bert })
    }

    /// The model that it computes with.
    pub fn model(&self) -> &Arc<SentenceModel> {
        &self.model
    }

    /// Which model this is.
    pub fn identity(&self) -> &ModelIdentity {
        self.model.identity()
    }

    /// The instruction set that computes.
    pub fn cpu(&self) -> Cpu {
        self.kernels.cpu()
    }

    /// The model's tokenizer, which [`crate::Chunker`] needs.
    pub fn tokenizer(&self) -> &Arc<WordPieces> {
        self.model.tokenizer()
    }

    /// Tokens of a text that are read, [CLS] and [SEP] included.
    pub fn max_tokens(&self) -> usize {
        self.model.max_tokens()
    }

    /// The vector of `text`, or of its beginning when it has more than `max_tokens` tokens. The empty text has one too.
    ///
    /// # Errors
    /// [`EmbeddingError::Tokenize`].
    pub fn encode(&self, text: &str, scratch: &mut Scratch) -> Result<Vec<f32>, EmbeddingError> {
        self.encode_pieces(&self.model.tokenizer().ids(text)?, scratch)
    }

    /// The vector of a text that is already cut into word pieces, without special tokens; those that are too many are
    /// left out.
    ///
    /// # Errors
    /// [`EmbeddingError::UnknownPiece`] when a piece is not of this model's tokenizer.
    pub fn encode_pieces(&self, pieces: &[u32], scratch: &mut Scratch) -> Result<Vec<f32>, EmbeddingError> {
        Ok(self.run(&[self.model.frame(pieces)], scratch)?.pop().unwrap_or_default())
    }

    /// The vectors of a few texts, in their order, computed together on this thread.
    ///
    /// # Errors
    /// As [`Encoder::encode`].
    pub fn encode_pack<T: AsRef<str>>(
        &self,
        texts: &[T],
        scratch: &mut Scratch,
    ) -> Result<Vec<Vec<f32>>, EmbeddingError> {
        let framed = texts.iter().map(|text| self.model.framed(text.as_ref()));
        self.run(&framed.collect::<Result<Vec<_>, EmbeddingError>>()?, scratch)
    }

    /// As [`Encoder::encode_pack`], telling `ended` of each part of the work when it ends: for who wants to know where
    /// the time goes.
    ///
    /// # Errors
    /// As [`Encoder::encode`].
    pub fn watch<T: AsRef<str>>(
        &self,
        texts: &[T],
        scratch: &mut Scratch,
        mut ended: impl FnMut(Part),
    ) -> Result<Vec<Vec<f32>>, EmbeddingError> {
        let framed = texts.iter().map(|text| self.model.framed(text.as_ref()));
        self.run_watched(&framed.collect::<Result<Vec<_>, EmbeddingError>>()?, scratch, &mut ended)
    }

    /// The vectors of texts given as their tokens, in packs of [`PACK_TOKENS`] as far as they are not longer alone.
    pub(crate) fn run(
        &self,
        texts: &[Vec<u32>],
        scratch: &mut Scratch,
    ) -> Result<Vec<Vec<f32>>, EmbeddingError> {
        self.run_watched(texts, scratch, &mut |_| ())
    }

    fn run_watched(
        &self,
        mut texts: &[Vec<u32>],
        scratch: &mut Scratch,
        ended: &mut impl FnMut(Part),
    ) -> Result<Vec<Vec<f32>>, EmbeddingError> {
        let mut vectors = Vec::with_capacity(texts.len());
        while !texts.is_empty() {
            let mut tokens = 0;
            let more = |text: &&Vec<u32>| {
                tokens += text.len();
                tokens <= PACK_TOKENS
            };
            let (pack, rest) = texts.split_at(texts.iter().take_while(more).count().max(1));
            let mut states = self.bert.run(self.kernels, pack, &mut scratch.buffers, ended)?;
            for text in pack {
                let (own, others) = states.split_at(text.len() * self.identity().dimensions as usize / LANES);
                let mut vector = self.pool(own);
                if self.model.normalize() {
                    normalize(&mut vector);
                }
                vectors.push(vector);
                states = others;
            }
            texts = rest;
        }
        Ok(vectors)
    }

    /// The vectors of `texts`, in their order, made by as many threads as there are `workers`.
    ///
    /// # Errors
    /// As [`Encoder::encode`]; [`EmbeddingError::Options`] without workers.
    pub fn encode_batch(
        &self,
        texts: &[&str],
        workers: &mut [Scratch],
    ) -> Result<Vec<Vec<f32>>, EmbeddingError> {
        each(texts, workers, |texts, scratch| self.encode_pack(texts, scratch))
    }

    /// The vectors of several documents, given as their chunks; windows of all of them are shared out among `workers`.
    ///
    /// # Errors
    /// As [`Encoder::encode_pieces`]; [`EmbeddingError::Options`] without workers.
    pub fn encode_documents(
        &self,
        documents: &[Vec<Chunk>],
        workers: &mut [Scratch],
    ) -> Result<Vec<DocumentVectors>, EmbeddingError> {
        let windows: Vec<_> = documents.iter().flatten().flat_map(|chunk| &chunk.windows).collect();
        let vectors = each(&windows, workers, |windows, scratch| {
            let framed: Vec<_> = windows.iter().map(|window| self.model.frame(&window.pieces)).collect();
            self.run(&framed, scratch)
        })?;
        let mut vectors = vectors.iter().map(Vec::as_slice);
        let dimensions = self.identity().dimensions as usize;
        let document = |chunks: &Vec<Chunk>| {
            let mean = |chunk: &Chunk| {
                let tokens = chunk.windows.iter().map(|window| window.tokens());
                let parts = vectors.by_ref().zip(tokens).take(chunk.windows.len());
                weighted_mean(parts, dimensions).unwrap_or_else(|| vec![0.0; dimensions])
            };
            let means: Vec<_> = chunks.iter().map(mean).collect();
            let weighted = means.iter().map(Vec::as_slice).zip(chunks.iter().map(Chunk::tokens));
            DocumentVectors { document: weighted_mean(weighted, dimensions), chunks: means }
        };
        Ok(documents.iter().map(document).collect())
    }

    fn pool(&self, states: &[Floats]) -> Vec<f32> {
        let lines = self.identity().dimensions as usize / LANES;
        let mut rows = states.chunks_exact(lines);
        let values = |row: &[Floats]| row.iter().flat_map(|line| line.0).collect::<Vec<f32>>();
        let mut vector = rows.next().map(values).unwrap_or_default();
        if self.model.pooling() == Pooling::Mean {
            let count = rows.len() + 1;
            for row in rows {
                for (total, value) in vector.iter_mut().zip(row.iter().flat_map(|line| line.0)) {
                    *total += value;
                }
            }
            for total in &mut vector {
                *total /= count as f32;
            }
        }
        vector
    }
}

/// Runs `work` on packs of items, on one thread per worker, and gives the results in the items' order.
fn each<T: Sync>(
    items: &[T],
    workers: &mut [Scratch],
    work: impl Fn(&[T], &mut Scratch) -> Result<Vec<Vec<f32>>, EmbeddingError> + Sync,
) -> Result<Vec<Vec<f32>>, EmbeddingError> {
    let pack = items.len().div_ceil(workers.len().max(1)).clamp(1, PACK_TEXTS);
    let packs: Vec<&[T]> = items.chunks(pack).collect();
    let Some((own, others)) = workers.split_first_mut() else {
        return Err(EmbeddingError::Options { reason: "encoding needs at least one worker".to_owned() });
    };
    let next = AtomicUsize::new(0);
    let drain = |scratch: &mut Scratch| {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(pack) = packs.get(at) else { return Ok::<_, EmbeddingError>(done) };
            done.push((at, work(pack, scratch)?));
        }
    };
    let mut done = thread::scope(|scope| {
        // More threads than packs would only start to find nothing to do.
        let helpers = others.iter_mut().take(packs.len().saturating_sub(1));
        let helpers: Vec<_> = helpers.map(|scratch| scope.spawn(|| drain(scratch))).collect();
        let mut done = drain(own)?;
        for helper in helpers {
            done.extend(helper.join().unwrap_or_else(|panic| resume_unwind(panic))?);
        }
        Ok::<_, EmbeddingError>(done)
    })?;
    done.sort_unstable_by_key(|&(at, _)| at);
    Ok(done.into_iter().flat_map(|(_, vectors)| vectors).collect())
}

#[cfg(test)]
mod tests;
