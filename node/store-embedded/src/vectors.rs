//! Cached vectors.

use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{Connection, params};
use tandem_domain::document::Version;
use tandem_domain::ids::{DocumentId, OwnerId};
use tandem_ports::vectors::{KeyedVector, VectorKey};
use tandem_ports::{StoreError, VectorCache, Write};

use crate::codec::{encode, find};
use crate::error::Fault;
use crate::store::EmbeddedStore;

const TABLE: &str = "cached_vectors";

/// Vectors whose time is over that a write takes away, at most, for each one that it keeps: more than come in.
const SWEPT: i64 = 2;

/// Forgets what is kept of a version.
pub(crate) fn forget(
    connection: &Connection,
    owner: &OwnerId,
    id: DocumentId,
    version: Version,
) -> Result<(), Fault> {
    let delete = "DELETE FROM cached_vectors WHERE owner = ? AND document = ? AND version = ?";
    let key = params![owner.as_str(), id.as_uuid().into_bytes(), version.0];
    connection.prepare_cached(delete)?.execute(key)?;
    Ok(())
}

#[async_trait]
impl VectorCache for EmbeddedStore {
    async fn cached(&self, owner: &OwnerId, keys: &[VectorKey]) -> Result<Vec<Option<Vec<f32>>>, StoreError> {
        let (owner, keys, now) = (owner.clone(), keys.to_vec(), self.clock().now().millis());
        let select = "SELECT body FROM cached_vectors WHERE owner = ? AND key = ? AND ends_at > ?";
        self.read(move |connection| {
            let found = |key: &VectorKey| {
                find(connection, TABLE, select, params![owner.as_str(), &key.as_bytes()[..], now])
            };
            keys.iter().map(found).collect()
        })
        .await
    }

    async fn cache(
        &self,
        owner: &OwnerId,
        id: DocumentId,
        version: Version,
        vectors: &[KeyedVector],
        kept_for: Duration,
    ) -> Result<(), StoreError> {
        let seconds = i64::try_from(kept_for.as_secs()).unwrap_or(i64::MAX);
        if seconds == 0 || vectors.is_empty() {
            return Ok(());
        }
        let (owner, now) = (owner.clone(), self.clock().now().millis());
        let ends_at = now.saturating_add(seconds.saturating_mul(1_000));
        let bodies = vectors.iter().map(|(key, vector)| Ok((*key, encode(TABLE, vector)?)));
        let rows = bodies.collect::<Result<Vec<_>, StoreError>>()?;
        let swept = SWEPT * i64::try_from(rows.len()).unwrap_or(i64::MAX / SWEPT);
        let sweep = "DELETE FROM cached_vectors WHERE rowid IN
            (SELECT rowid FROM cached_vectors WHERE ends_at <= ? ORDER BY ends_at LIMIT ?)";
        let insert = "INSERT INTO cached_vectors (owner, key, document, version, ends_at, body)
            VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET document = excluded.document,
            version = excluded.version, ends_at = excluded.ends_at, body = excluded.body
            WHERE cached_vectors.ends_at <= ?";
        let kept = self.write(move |connection| {
            connection.prepare_cached(sweep)?.execute(params![now, swept])?;
            let mut insert = connection.prepare_cached(insert)?;
            let document = id.as_uuid().into_bytes();
            for (key, body) in rows {
                let key = &key.as_bytes()[..];
                insert.execute(params![owner.as_str(), key, document, version.0, ends_at, body, now])?;
            }
            Ok(Write::<()>::Applied)
        });
        if kept.await? == Write::Unknown { Err(StoreError::Timeout) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests;
