use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use rayon::{ThreadPool, ThreadPoolBuilder};
use sha2::{Digest, Sha256};
use tandem_domain::chunk::ModelIdentity;

use crate::chunker::Chunk;
use crate::files::Shape;
use crate::model::{Bert, Buffers};
use crate::vectors::{normalize, weighted_mean};
use crate::weights::WeightsFile;
use crate::{EmbeddingError, ModelFiles, Pooling, WordPieces};

/// [CLS] and [SEP].
pub(crate) const FRAME_TOKENS: usize = 2;

/// What to load, and how to read texts with it.
#[derive(Debug, Clone)]
pub struct EncoderOptions {
    /// The folder of a sentence-transformers BERT model.
    pub dir: PathBuf,
    /// Tokens of a text that are read, [CLS] and [SEP] included; the rest is left out. From 3 to the model's positions.
    pub max_tokens: usize,
    /// Whether vectors are scaled to length 1.
    pub normalize: bool,
}

impl EncoderOptions {
    /// The model in `dir` with 256 tokens a text, as all-MiniLM-L6-v2 was trained for, and vectors of length 1.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), max_tokens: 256, normalize: true }
    }
}

/// A loaded sentence model. It is shared between threads as it is; each thread brings its own [`Scratch`].
///
/// A text's vector depends on the text, the model and the processor's instruction set alone: the same bits whatever else
/// is encoded, in whatever order and on however many threads.
pub struct Encoder {
    identity: ModelIdentity,
    tokenizer: WordPieces,
    bert: Bert,
    pooling: Pooling,
    normalize: bool,
    max_tokens: usize,
}

/// One worker's thread and memory: about 4 MB after the first long text.
pub struct Scratch {
    buffers: Buffers,
    /// One thread of its own: the matrix products split their work over the pool that they run in, which would cost
    /// more than it gains while every processor has a text of its own.
    pool: ThreadPool,
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
    /// Starts the worker's thread.
    ///
    /// # Errors
    /// [`EmbeddingError::Thread`] when the system has no thread to give.
    pub fn new() -> Result<Self, EmbeddingError> {
        let pool = ThreadPoolBuilder::new().num_threads(1).thread_name(|_| "encode".to_owned()).build()?;
        Ok(Self { buffers: Buffers::default(), pool })
    }

    /// As many workers as asked for.
    ///
    /// # Errors
    /// As [`Scratch::new`].
    pub fn many(count: NonZeroUsize) -> Result<Vec<Self>, EmbeddingError> {
        (0..count.get()).map(|_| Self::new()).collect()
    }
}

impl Encoder {
    /// Loads the model: 90 MB and about 0.2 s for all-MiniLM-L6-v2.
    ///
    /// # Errors
    /// Every variant of [`EmbeddingError`] about files; [`EmbeddingError::Options`] when `max_tokens` is below 3 or
    /// above the positions that the model knows.
    pub fn load(options: &EncoderOptions) -> Result<Self, EmbeddingError> {
        let files = ModelFiles::locate(&options.dir)?;
        let shape = files.shape()?;
        let pooling = files.pooling()?;
        if !(FRAME_TOKENS + 1..=shape.positions).contains(&options.max_tokens) {
            let reason = format!(
                "max_tokens is {}; this model takes {} to {}",
                options.max_tokens,
                FRAME_TOKENS + 1,
                shape.positions
            );
            return Err(EmbeddingError::Options { reason });
        }
        let (tokenizer, tokenizer_digest) = WordPieces::load(&files.tokenizer, shape.vocabulary)?;
        let mut weights = WeightsFile::open(&files.weights)?;
        let bert = Bert::load(&mut weights, shape.clone(), options.max_tokens)?;
        let weights_digest = weights.digest()?;
        let id = identify(&shape, &weights_digest, &tokenizer_digest, pooling, options);
        let identity =
            ModelIdentity { id, dimensions: shape.hidden as u32, weights_digest, tokenizer_digest };
        Ok(Self {
            identity,
            tokenizer,
            bert,
            pooling,
            normalize: options.normalize,
            max_tokens: options.max_tokens,
        })
    }

    /// Which model this is.
    pub fn identity(&self) -> &ModelIdentity {
        &self.identity
    }

    /// The model's tokenizer, which [`crate::Chunker`] needs.
    pub fn tokenizer(&self) -> &WordPieces {
        &self.tokenizer
    }

    /// Tokens of a text that are read, [CLS] and [SEP] included.
    pub fn max_tokens(&self) -> usize {
        self.max_tokens
    }

    /// The vector of `text`, or of its beginning when it has more than `max_tokens` tokens. The empty text has one too.
    ///
    /// # Errors
    /// [`EmbeddingError::Tokenize`]; [`EmbeddingError::Compute`] only by a defect of the encoder.
    pub fn encode(&self, text: &str, scratch: &mut Scratch) -> Result<Vec<f32>, EmbeddingError> {
        self.encode_pieces(&self.tokenizer.ids(text)?, scratch)
    }

    /// The vector of a text that is already cut into word pieces, without special tokens; those that are too many are
    /// left out.
    ///
    /// # Errors
    /// [`EmbeddingError::UnknownPiece`] when a piece is not of this model's tokenizer.
    pub fn encode_pieces(&self, pieces: &[u32], scratch: &mut Scratch) -> Result<Vec<f32>, EmbeddingError> {
        let (first, last) = self.tokenizer.frame();
        let read = &pieces[..pieces.len().min(self.max_tokens - FRAME_TOKENS)];
        let tokens: Vec<u32> = [first].into_iter().chain(read.iter().copied()).chain([last]).collect();
        let Scratch { buffers, pool } = scratch;
        let mut vector = pool.install(|| {
            let states = self.bert.run(&tokens, buffers)?;
            Ok::<_, EmbeddingError>(self.pool(states))
        })?;
        if self.normalize {
            normalize(&mut vector);
        }
        Ok(vector)
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
        each(texts, workers, |text, scratch| self.encode(text, scratch))
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
        let vectors = each(&windows, workers, |window, scratch| self.encode_pieces(&window.pieces, scratch))?;
        let mut vectors = vectors.iter().map(Vec::as_slice);
        let dimensions = self.identity.dimensions as usize;
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

    fn pool(&self, states: &[f32]) -> Vec<f32> {
        let mut rows = states.chunks_exact(self.identity.dimensions as usize);
        let mut vector = rows.next().unwrap_or_default().to_vec();
        if self.pooling == Pooling::Mean {
            let count = rows.len() + 1;
            for row in rows {
                for (total, value) in vector.iter_mut().zip(row) {
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

/// Runs `work` on every item, on one thread per worker, and gives the results in the items' order.
fn each<T: Sync>(
    items: &[T],
    workers: &mut [Scratch],
    work: impl Fn(&T, &mut Scratch) -> Result<Vec<f32>, EmbeddingError> + Sync,
) -> Result<Vec<Vec<f32>>, EmbeddingError> {
    let Some((own, others)) = workers.split_first_mut() else {
        return Err(EmbeddingError::Options { reason: "encoding needs at least one worker".to_owned() });
    };
    let next = AtomicUsize::new(0);
    let drain = |scratch: &mut Scratch| -> Result<Vec<(usize, Vec<f32>)>, EmbeddingError> {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(at) else { return Ok(done) };
            done.push((at, work(item, scratch)?));
        }
    };
    let mut done = thread::scope(|scope| {
        // More threads than items would only start to find nothing to do.
        let helpers = others.iter_mut().take(items.len().saturating_sub(1));
        let helpers: Vec<_> = helpers.map(|scratch| scope.spawn(|| drain(scratch))).collect();
        let mut done = drain(own)?;
        for helper in helpers {
            done.extend(helper.join().unwrap_or_else(|panic| resume_unwind(panic))?);
        }
        Ok::<_, EmbeddingError>(done)
    })?;
    done.sort_unstable_by_key(|&(at, _)| at);
    Ok(done.into_iter().map(|(_, vector)| vector).collect())
}

fn identify(
    shape: &Shape,
    weights_digest: &str,
    tokenizer_digest: &str,
    pooling: Pooling,
    options: &EncoderOptions,
) -> String {
    let settings = format!("{shape:?} {pooling:?} {} {}", options.normalize, options.max_tokens);
    let digest = Sha256::digest(format!("{weights_digest} {tokenizer_digest} {settings}"));
    let mut hash = hex::encode(digest);
    hash.truncate(16);
    format!("bert-{}x{}-{hash}", shape.layers, shape.hidden)
}

#[cfg(test)]
mod tests;
