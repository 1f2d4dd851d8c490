//! Cached vectors: a row for each, and before it a row that leads from its version to it, so that what is broken off in
//! between is never a vector that no version leads to.

use std::time::Duration;

use async_trait::async_trait;
use futures::future::try_join_all;
use tandem_domain::document::Version;
use tandem_domain::ids::{DocumentId, OwnerId};
use tandem_ports::vectors::{KeyedVector, VectorKey};
use tandem_ports::{StoreError, VectorCache};

use crate::codec::{decode, encode};
use crate::store::ScyllaStore;

const VECTORS: &str = "cached_vectors";
const BY_VERSION: &str = "cached_by_version";

/// How much longer the way to a vector stays than the vector, in seconds: it must not end first.
const WAY_STAYS: i32 = 3_600;
/// The longest time that the servers accept, in seconds: 20 years.
const MAX_TTL: i32 = 630_720_000;

#[cfg(test)]
mod tests;

impl ScyllaStore {
    /// Forgets the vectors of a version: the way to them last, so that a second call finds what is left.
    pub(crate) async fn forget_vectors(
        &self,
        owner: &OwnerId,
        id: DocumentId,
        version: Version,
    ) -> Result<(), StoreError> {
        let statements = &self.statements().vectors;
        let document = id.as_uuid().into_bytes();
        let of = (owner.as_str(), &document[..], i64::from(version.0));
        let keys: Vec<(Vec<u8>,)> = self.rows_of(BY_VERSION, &statements.of_version, of).await?;
        if keys.is_empty() {
            return Ok(());
        }
        let drops = keys.iter().map(|(key,)| self.run(&statements.drop, (owner.as_str(), &key[..])));
        try_join_all(drops).await?;
        self.run(&statements.drop_way, of).await
    }
}

#[async_trait]
impl VectorCache for ScyllaStore {
    async fn cached(&self, owner: &OwnerId, keys: &[VectorKey]) -> Result<Vec<Option<Vec<f32>>>, StoreError> {
        let find = &self.statements().vectors.find;
        let reads = keys.iter().map(|key| async move {
            let rows: Vec<(Vec<u8>,)> =
                self.rows_of(VECTORS, find, (owner.as_str(), &key.as_bytes()[..])).await?;
            rows.first().map(|(body,)| decode(VECTORS, body)).transpose()
        });
        try_join_all(reads).await
    }

    async fn cache(
        &self,
        owner: &OwnerId,
        id: DocumentId,
        version: Version,
        vectors: &[KeyedVector],
        kept_for: Duration,
    ) -> Result<(), StoreError> {
        let ttl = i32::try_from(kept_for.as_secs()).unwrap_or(MAX_TTL).min(MAX_TTL - WAY_STAYS);
        // To the servers a time of 0 is for ever.
        if ttl == 0 {
            return Ok(());
        }
        let (statements, document) = (&self.statements().vectors, id.as_uuid().into_bytes());
        let (owner, document, version) = (owner.as_str(), &document[..], i64::from(version.0));
        let writes = vectors.iter().map(|(key, vector)| async move {
            let (key, body) = (&key.as_bytes()[..], encode(VECTORS, vector)?);
            self.run(&statements.put_way, (owner, document, version, key, ttl + WAY_STAYS)).await?;
            self.run(&statements.put, (owner, key, body, ttl)).await
        });
        try_join_all(writes).await.map(drop)
    }
}
