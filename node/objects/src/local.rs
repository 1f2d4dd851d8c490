//! Objects as files in a folder.

use std::fs;
use std::path::Path;

use async_trait::async_trait;
use bytes::Bytes;
use object_store::local::LocalFileSystem;
use object_store::{Error, ObjectStoreExt as _};
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

    async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        let path = key::path(key)?;
        let read = async { self.files.get(&path).await?.bytes().await };
        match read.await {
            Ok(bytes) => Ok(Some(bytes)),
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
}
