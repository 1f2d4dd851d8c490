//! Pieces of a text that get a vector of their own.

use serde::{Deserialize, Serialize};

use crate::embedding::Embedding;
use crate::profile::Span;

/// A piece of a ranked text with its vector. Chunks are about 3,500 characters with 400 of overlap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    /// Its place among the chunks of the version, from 0.
    pub number: u32,
    /// Bytes of the ranked text.
    pub span: Span,
    /// Word pieces in it, over all its windows.
    pub tokens: u32,
    /// Its vector.
    pub embedding: Embedding,
}

/// All vectors of one version of a document, by one model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmbeddedVersion {
    /// The model that made them: vectors of different models never meet.
    pub model: ModelIdentity,
    /// The whole document's vector.
    pub document: Embedding,
    /// The chunks in order; empty only when the ranked text is empty.
    pub chunks: Vec<Chunk>,
}

/// Which model made a vector.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ModelIdentity {
    /// A name for people, such as `all-MiniLM-L6-v2`.
    pub id: String,
    /// SHA-256 of the weights file, in hexadecimal.
    pub weights_digest: String,
    /// SHA-256 of the tokenizer file, in hexadecimal.
    pub tokenizer_digest: String,
    /// Coordinates of each vector.
    pub dimensions: u32,
}
