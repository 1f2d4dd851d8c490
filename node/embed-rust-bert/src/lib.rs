//! The second embedding engine: rust-bert on libtorch, for processors and CUDA.
//!
//! It reads the same files with the same tokenizer, pools and scales as the native engine does, and computes in f32. A
//! text's vector is the same in every batch up to rounding (below 1e-5 for each coordinate), not to the bit.
//!
//! Without the feature `rust-bert` there is only the answer that it is not there: libtorch is 0.5 GB, and nothing else
//! needs it.

use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use tandem_embedding::{BatchedEmbedder, EmbeddingError};
#[cfg(feature = "rust-bert")]
use tandem_embedding::{Compute, EngineName, SentenceModel};

#[cfg(feature = "rust-bert")]
mod bert;
#[cfg(feature = "rust-bert")]
mod threads;

#[cfg(test)]
mod tests;

/// Raised whenever the same text and weights give other vectors than before.
#[cfg(feature = "rust-bert")]
const ARITHMETIC: u32 = 1;

/// What to load, and where to compute.
#[derive(Debug, Clone)]
pub struct RustBertOptions {
    /// The folder of a sentence-transformers BERT model.
    pub dir: PathBuf,
    /// Tokens of a text that are read, [CLS] and [SEP] included; the rest is left out. From 3 to the model's positions.
    pub max_tokens: usize,
    /// Where to compute.
    pub device: Device,
    /// Threads, each with one thread of torch. The weights are in memory once.
    pub threads: NonZeroUsize,
}

/// Where vectors are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Device {
    /// The processor.
    Cpu,
    /// A graphics card of NVIDIA, by its number.
    Cuda(u16),
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(number) => write!(f, "cuda:{number}"),
        }
    }
}

/// Why the engine cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum RustBertError {
    /// The program holds no libtorch.
    #[error(
        "this program was built without the engine rust-bert; build it with deploy/libtorch.sh and \
         `cargo build --release -p tandem-server --features rust-bert`, or set embedding.engine = \"native\""
    )]
    NotBuilt,
    /// A device that this machine, or this libtorch, does not have.
    #[error(
        "{device} is not there: libtorch sees {found} CUDA devices; deploy/libtorch.sh brings one for processors alone, \
         LIBTORCH names another"
    )]
    NoDevice {
        /// What was asked for.
        device: Device,
        /// CUDA devices that there are.
        found: i64,
    },
    /// The model's files, or the options.
    #[error(transparent)]
    Model(#[from] EmbeddingError),
    /// A model that rust-bert would compute otherwise than it was trained.
    #[error("rust-bert cannot compute this model: {0}")]
    Unsupported(String),
    /// What libtorch says.
    #[error("libtorch failed: {0}")]
    Torch(String),
    /// A thread could not be started.
    #[error("a thread of the engine could not be started: {0}")]
    Thread(std::io::Error),
}

/// Loads the model on every thread, in about a second.
///
/// # Errors
/// [`RustBertError::NotBuilt`] without the feature `rust-bert`; otherwise every other variant.
#[cfg(feature = "rust-bert")]
pub fn open(options: &RustBertOptions) -> Result<BatchedEmbedder, RustBertError> {
    let (model, compute) = load(options)?;
    Ok(BatchedEmbedder::with(model.into(), compute, options.threads))
}

/// Loads the model on every thread; with it, what has vectors made of tokens by whichever thread is free.
///
/// # Errors
/// Every variant of [`RustBertError`] but `NotBuilt`.
#[cfg(feature = "rust-bert")]
pub fn load(options: &RustBertOptions) -> Result<(SentenceModel, Box<Compute>), RustBertError> {
    let engine = EngineName { name: "rust-bert-f32".to_owned(), arithmetic: ARITHMETIC };
    let model = SentenceModel::open(&options.dir, options.max_tokens, true, &engine)?;
    let berts = bert::load(&model, options.device, options.threads)?;
    Ok((model, threads::start(berts)?))
}

/// Says that the engine is not built in.
///
/// # Errors
/// [`RustBertError::NotBuilt`], always.
#[cfg(not(feature = "rust-bert"))]
pub fn open(_: &RustBertOptions) -> Result<BatchedEmbedder, RustBertError> {
    Err(RustBertError::NotBuilt)
}
