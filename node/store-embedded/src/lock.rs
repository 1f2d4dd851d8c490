//! One process owns the folder.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;

use crate::error::EmbeddedError;

const LOCK_FILE: &str = "tandem.lock";

/// Held as long as the writer lives; the system lets go of it when the process dies, however it dies.
#[derive(Debug)]
pub(crate) struct FolderLock(#[expect(dead_code, reason = "held, not read")] File);

impl FolderLock {
    /// Makes the folder if it is missing, and takes it.
    pub(crate) fn take(folder: &Path) -> Result<Self, EmbeddedError> {
        let unusable = |source: io::Error| EmbeddedError::Folder { folder: folder.to_owned(), source };
        fs::create_dir_all(folder).map_err(unusable)?;
        let path = folder.join(LOCK_FILE);
        let file = File::options().create(true).truncate(false).write(true).open(path).map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(EmbeddedError::Locked { folder: folder.to_owned() }),
            Err(TryLockError::Error(source)) => Err(unusable(source)),
        }
    }
}
