//! Vectors of the model, which has no clock: they stay until their version is forgotten.

use std::time::Duration;

use async_trait::async_trait;
use tandem_domain::document::Version;
use tandem_domain::ids::{DocumentId, OwnerId};

use super::{CachedVector, MemoryStore, locked};
use crate::error::StoreError;
use crate::vectors::{KeyedVector, VectorCache, VectorKey};

#[async_trait]
impl VectorCache for MemoryStore {
    async fn cached(&self, owner: &OwnerId, keys: &[VectorKey]) -> Result<Vec<Option<Vec<f32>>>, StoreError> {
        let vectors = &locked(&self.0).vectors;
        let find = |key: &VectorKey| vectors.get(&(owner.clone(), *key)).map(|cached| cached.vector.clone());
        Ok(keys.iter().map(find).collect())
    }

    async fn cache(
        &self,
        owner: &OwnerId,
        id: DocumentId,
        version: Version,
        vectors: &[KeyedVector],
        kept_for: Duration,
    ) -> Result<(), StoreError> {
        if kept_for.as_secs() > 0 {
            let kept = &mut locked(&self.0).vectors;
            for (key, vector) in vectors {
                kept.entry((owner.clone(), *key))
                    .or_insert_with(|| CachedVector { of: (id, version), vector: vector.clone() });
            }
        }
        Ok(())
    }
}
