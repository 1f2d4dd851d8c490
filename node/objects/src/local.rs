//! Objects as files in a folder.

use std::fs;
use std::path::Path;

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::{Error, ObjectStore as _, ObjectStoreExt as _, PutMode};
use tandem_ports::objects::{ObjectEntry, PutGrant, SignedPut};
use tandem_ports::{ObjectStore, StoreError};

use crate::error::{ObjectsError, store_error};
use crate::key;

#[cfg(test)]
mod tests;

/// Objects in a folder of this machine. A put writes a file beside the object, syncs it, renames it over the object
/// and syncs the folder: what is there is whole, and durable when the put returns.
#[derive(Debug)]
pub struct LocalObjects {
    files: LocalFileSystem,
}

impl LocalObjects {
    /// Opens a folder and makes it if it is missing. Only its user may look into a folder that is made.
    ///
    /// # Errors
    /// When it cannot be made or is no folder.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self, ObjectsError> {
        let folder = folder.as_ref();
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder
            .create(folder)
            .map_err(|source| ObjectsError::Folder { folder: folder.to_owned(), source })?;
        let files = LocalFileSystem::new_with_prefix(folder)
            .map_err(|error| ObjectsError::Open { folder: folder.to_owned(), reason: error.to_string() })?;
        Ok(Self { files: files.with_fsync(true) })
    }
}

#[async_trait]
impl ObjectStore for LocalObjects {
    async fn put(&self, key: &str, bytes: Bytes) -> Result<(), StoreError> {
        let path = key::path(key)?;
        self.files.put(&path, bytes.into()).await.map(|_| ()).map_err(|error| store_error(&error))
    }

    async fn put_new(&self, key: &str, bytes: Bytes) -> Result<bool, StoreError> {
        let path = key::path(key)?;
        match self.files.put_opts(&path, bytes.into(), PutMode::Create.into()).await {
            Ok(_) => Ok(true),
            Err(Error::AlreadyExists { .. }) => Ok(false),
            Err(error) => Err(store_error(&error)),
        }
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        let path = key::path(key)?;
        let read = async { self.files.get(&path).await?.bytes().await };
        match read.await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(store_error(&error)),
        }
    }

    async fn size(&self, key: &str) -> Result<Option<u64>, StoreError> {
        let path = key::path(key)?;
        match self.files.head(&path).await {
            Ok(found) => Ok(Some(found.size)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(store_error(&error)),
        }
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        let path = key::path(key)?;
        match self.files.delete(&path).await {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(store_error(&error)),
        }
    }

    async fn list(&self, folder: &str, most: usize) -> Result<Vec<ObjectEntry>, StoreError> {
        let path = key::folder(folder)?;
        let found = self.files.list(Some(&path)).take(most).try_collect::<Vec<_>>().await;
        let found = found.map_err(|error| store_error(&error))?;
        Ok(found.iter().filter_map(|found| key::entry(folder, &path, found)).collect())
    }

    /// Nobody but nodes sees the folder.
    async fn sign_put(&self, _grant: PutGrant<'_>) -> Result<Option<SignedPut>, StoreError> {
        Ok(None)
    }
}
