//! Originals, kept as they came.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tandem_domain::time::Timestamp;

use crate::error::StoreError;

/// An object as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectEntry {
    /// Its key.
    pub key: String,
    /// In bytes.
    pub size: u64,
    /// When it was put, by the clock of the store.
    pub put_at: Timestamp,
}

/// What a signed request may do: put one object where none is. Its size is not bound: who takes it out measures it first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PutGrant<'a> {
    /// Its key.
    pub key: &'a str,
    /// The media type it is sent with: printable ASCII.
    pub media_type: &'a str,
    /// For how long; whole seconds count, at least one.
    pub valid: Duration,
}

/// A request that puts an object straight into the store, made by whoever has it and without any other credential.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedPut {
    /// Where to, with the signature; the method is PUT.
    pub url: String,
    /// What must be sent with it, beside the length.
    pub headers: Vec<(String, String)>,
}

impl fmt::Debug for SignedPut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedPut").finish_non_exhaustive()
    }
}

/// Keeps whole objects under keys such as `resumes/<uuid>.pdf`.
#[async_trait]
pub trait ObjectStore: Send + Sync + 'static {
    /// Keeps `bytes` under `key`; durable when it returns. Putting the same key again replaces the object whole: a
    /// reader sees the old or the new one, never a part.
    async fn put(&self, key: &str, bytes: Bytes) -> Result<(), StoreError>;

    /// Keeps `bytes` under `key` if there is no object; durable when it returns. `false` = there is one, which stays.
    async fn put_new(&self, key: &str, bytes: Bytes) -> Result<bool, StoreError>;

    /// The object under `key`.
    async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError>;

    /// How many bytes the object under `key` has.
    async fn size(&self, key: &str) -> Result<Option<u64>, StoreError>;

    /// Forgets the object under `key`, if there is one.
    async fn delete(&self, key: &str) -> Result<(), StoreError>;

    /// The objects whose keys begin with `folder` and a slash, in no order; at most `most` of them.
    async fn list(&self, folder: &str, most: usize) -> Result<Vec<ObjectEntry>, StoreError>;

    /// Signs a request for somebody else. `None` = this store is reached through nodes alone.
    async fn sign_put(&self, grant: PutGrant<'_>) -> Result<Option<SignedPut>, StoreError>;
}
