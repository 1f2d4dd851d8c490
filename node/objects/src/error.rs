//! How opening and using a place of originals fail. No message holds a secret.

use std::error::Error as StdError;
use std::io::{self, ErrorKind};
use std::path::PathBuf;

use tandem_ports::StoreError;

/// Why a place of originals cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ObjectsError {
    /// A folder cannot be made or is none.
    #[error("the folder of originals {} cannot be used: {source}; check that it exists and may be written", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The object store refused a folder.
    #[error("the folder of originals {} cannot be opened: {reason}", folder.display())]
    Open {
        /// The folder.
        folder: PathBuf,
        /// What it said.
        reason: String,
    },
    /// The options of a bucket cannot be used; says which and why.
    #[error("{0}")]
    Options(String),
    /// A bucket does not answer, or refuses; names endpoint, bucket and what to check.
    #[error("the bucket of originals cannot be used: {0}")]
    Bucket(String),
}

/// An error of a folder in the port's words; keys are ids and may be named.
pub(crate) fn store_error(error: &object_store::Error) -> StoreError {
    match io_kind(error) {
        Some(ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge) => {
            StoreError::Full(error.to_string())
        }
        Some(_) | None => StoreError::Unavailable(error.to_string()),
    }
}

/// The system's error at the bottom of a chain of sources.
fn io_kind(error: &(dyn StdError + 'static)) -> Option<ErrorKind> {
    causes::<io::Error>(error).last().map(io::Error::kind)
}

/// The errors of one type in a chain of sources, from the top.
pub(crate) fn causes<'a, E: StdError + 'static>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a E> {
    std::iter::successors(Some(error), |error| (*error).source())
        .filter_map(|error| error.downcast_ref::<E>())
}
