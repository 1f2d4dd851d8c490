//! Originals, kept as they came.

use async_trait::async_trait;
use bytes::Bytes;

use crate::error::StoreError;

/// Keeps whole objects under keys such as `resumes/<uuid>.pdf`.
#[async_trait]
pub trait ObjectStore: Send + Sync + 'static {
    /// Keeps `bytes` under `key`; durable when it returns. Putting the same key again replaces the object whole: a
    /// reader sees the old or the new one, never a part.
    async fn put(&self, key: &str, bytes: Bytes) -> Result<(), StoreError>;

    /// The object under `key`.
    async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError>;

    /// Forgets the object under `key`, if there is one.
    async fn delete(&self, key: &str) -> Result<(), StoreError>;
}
