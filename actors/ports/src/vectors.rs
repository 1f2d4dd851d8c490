//! Vectors of texts that were computed before.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use tandem_domain::chunk::ModelIdentity;
use tandem_domain::document::Version;
use tandem_domain::ids::{ContentDigest, DocumentId, OwnerId};

use crate::error::StoreError;

/// What the vector of a text is found by: SHA-256 of the model's identity and the text. Another model, precision or
/// text has another key, so that a vector never stands in for one that would be different.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VectorKey([u8; 32]);

impl VectorKey {
    /// The key of the vector that `model` makes of `text`.
    #[must_use]
    pub fn of(model: &ModelIdentity, text: &str) -> Self {
        let ModelIdentity { id, weights_digest, tokenizer_digest, dimensions } = model;
        let mut bytes = Vec::with_capacity(256 + text.len());
        for part in [id, weights_digest, tokenizer_digest] {
            // With its length, so that no two lists of parts are the same bytes.
            bytes.extend((part.len() as u64).to_be_bytes());
            bytes.extend(part.as_bytes());
        }
        bytes.extend(dimensions.to_be_bytes());
        bytes.extend(text.as_bytes());
        Self(*ContentDigest::of(&bytes).as_bytes())
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Nothing of it: it is made of somebody's text.
impl fmt::Debug for VectorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VectorKey(..)")
    }
}

/// A vector and what it is found by.
pub type KeyedVector = (VectorKey, Vec<f32>);

/// Keeps vectors of texts for a while, each owner's apart: nobody learns from a hit that somebody else has the same
/// text.
///
/// A vector belongs to the version of a document whose text it was computed of, and goes with it:
/// [`crate::DocumentStore::forget_version`] of the same store forgets it. So of a document that is removed nothing stays
/// here, and another document that has the same text only has it computed again.
#[async_trait]
pub trait VectorCache: Send + Sync + 'static {
    /// What is kept of the owner's under each of `keys`, in their order; bit by bit what was kept.
    async fn cached(&self, owner: &OwnerId, keys: &[VectorKey]) -> Result<Vec<Option<Vec<f32>>>, StoreError>;

    /// Keeps vectors that were computed of a version's text, for `kept_for` at most, in whole seconds; nothing for less
    /// than one. A vector that is there already may stay, with the version it belongs to, or belong to both: then it
    /// goes with the first of them that is forgotten. An error may leave some of them kept.
    async fn cache(
        &self,
        owner: &OwnerId,
        id: DocumentId,
        version: Version,
        vectors: &[KeyedVector],
        kept_for: Duration,
    ) -> Result<(), StoreError>;
}
