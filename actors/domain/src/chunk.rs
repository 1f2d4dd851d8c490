//! Pieces of a text that get a vector of their own.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::embedding::Embedding;
use crate::ids::derived;
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

/// A [`ModelIdentity`] in 16 bytes, for keys and the names of folders: models that differ in anything have different
/// keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ModelKey(Uuid);

impl ModelIdentity {
    /// Its key.
    #[must_use]
    pub fn key(&self) -> ModelKey {
        let Self { id, weights_digest, tokenizer_digest, dimensions } = self;
        let texts = [id, weights_digest, tokenizer_digest].map(|text| text.as_bytes());
        ModelKey(derived("model", &[texts[0], texts[1], texts[2], &dimensions.to_be_bytes()]))
    }
}

impl ModelKey {
    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

/// 32 hexadecimal digits.
impl fmt::Display for ModelKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.simple().fmt(f)
    }
}
