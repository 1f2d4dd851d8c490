//! Text to chunks to vectors; the native BERT encoder.
//!
//! A text is cut into overlapping chunks ([`Chunker`]), a chunk into windows that the model can read at once, and each
//! window becomes a vector ([`Encoder`]). The vectors of windows are averaged to one per chunk and one per document.
//! The vector of a window is the same bits whatever else is being encoded and, except in bfloat16, on whatever processor.

mod chunker;
mod encoder;
mod error;
mod files;
mod model;
mod sentence;
mod simd;
mod tokenizer;
mod vectors;
mod weights;

mod batched;
mod batches;
mod cached;
mod metrics;
mod stage;

#[cfg(test)]
mod testing;

pub use batched::BatchedEmbedder;
pub use batches::Compute;
pub use chunker::{Chunk, ChunkOptions, Chunker, Window};
pub use encoder::{DocumentVectors, Encoder, EncoderOptions, Scratch};
pub use error::EmbeddingError;
pub use files::{Activation, ModelFiles, Pooling, Shape};
pub use model::{Part, Precision};
pub use sentence::{EngineName, SentenceModel};
pub use simd::Cpu;
pub use stage::{EmbedWork, Engine, Engines};
pub use tokenizer::{Piece, WordPieces};
pub use vectors::normalize;
pub use weights::WeightsFile;
