//! Vectors of texts: each distinct one is computed once, and not at all while it is still known.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tandem_domain::document::{Failure, Version};
use tandem_domain::error::ErrorCode;
use tandem_domain::ids::{DocumentId, OwnerId};
use tandem_domain::task::Urgency;
use tandem_ports::vectors::{KeyedVector, VectorKey};
use tandem_ports::{Embedder, VectorCache};

use crate::metrics::{self, Source};

#[cfg(test)]
mod tests;

/// Texts of one document that are computed before what is not urgent; with more of them the document can wait.
const URGENT_TEXTS: usize = 64;

/// Whose text it is.
#[derive(Clone, Copy)]
pub(crate) struct Origin<'a> {
    pub(crate) owner: &'a OwnerId,
    pub(crate) document: DocumentId,
    pub(crate) version: Version,
}

/// The vectors that are known, before those that are computed.
#[derive(Default)]
pub(crate) struct CachedVectors {
    /// None: everything is computed.
    cache: Option<(Arc<dyn VectorCache>, Duration)>,
}

impl CachedVectors {
    /// Vectors are kept in `cache` for `kept_for`.
    pub(crate) fn kept(cache: Arc<dyn VectorCache>, kept_for: Duration) -> Self {
        Self { cache: Some((cache, kept_for)) }
    }

    /// One vector for each text, in order: the same whether it was known or not.
    pub(crate) async fn embed(
        &self,
        embedder: &dyn Embedder,
        origin: Origin<'_>,
        texts: Vec<String>,
        urgency: Urgency,
    ) -> Result<Vec<Vec<f32>>, Failure> {
        let identity = embedder.identity();
        let keys: Vec<VectorKey> = texts.iter().map(|text| VectorKey::of(identity, text)).collect();
        let mut distinct: HashMap<VectorKey, String> = keys.iter().copied().zip(texts).collect();
        metrics::texts(Source::Repeated, keys.len() - distinct.len());
        let mut known = self.known(origin.owner, distinct.keys().copied().collect()).await;
        distinct.retain(|key, _| !known.contains_key(key));
        metrics::texts(Source::Cache, known.len());
        metrics::texts(Source::Engine, distinct.len());
        if !distinct.is_empty() {
            let (unknown, texts): (Vec<_>, Vec<_>) = distinct.into_iter().unzip();
            // What is longer than any résumé or job does not hold up those who wait for theirs.
            let urgency = if texts.len() > URGENT_TEXTS { Urgency::Bulk } else { urgency };
            let vectors = embedder.embed(texts, urgency).await?;
            if vectors.len() != unknown.len() {
                return Err(internal("the embedding engine answered with another number of vectors"));
            }
            let computed: Vec<KeyedVector> = unknown.into_iter().zip(vectors).collect();
            self.keep(origin, &computed).await;
            known.extend(computed);
        }
        let vector = |key| known.get(key).cloned().ok_or_else(|| internal("a text has no vector"));
        keys.iter().map(vector).collect()
    }

    /// A cache that does not answer is only slower.
    async fn known(&self, owner: &OwnerId, keys: Vec<VectorKey>) -> HashMap<VectorKey, Vec<f32>> {
        let Some((cache, _)) = self.cache.as_ref().filter(|_| !keys.is_empty()) else {
            return HashMap::new();
        };
        let found = cache.cached(owner, &keys).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "the vectors of earlier texts cannot be read; they are computed again");
            Vec::new()
        });
        keys.into_iter().zip(found).filter_map(|(key, vector)| Some((key, vector?))).collect()
    }

    async fn keep(&self, origin: Origin<'_>, computed: &[KeyedVector]) {
        let Some((cache, kept_for)) = &self.cache else { return };
        let Origin { owner, document, version } = origin;
        if let Err(error) = cache.cache(owner, document, version, computed, *kept_for).await {
            tracing::warn!(%error, "vectors could not be kept for later texts");
        }
    }
}

fn internal(reason: &str) -> Failure {
    Failure { code: ErrorCode::Internal, reason: reason.to_owned() }
}
