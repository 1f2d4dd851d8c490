//! How opening and using the folder fail.

use std::io::{self, ErrorKind};
use std::path::PathBuf;

use tandem_ports::StoreError;

/// Why a folder of objects cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum ObjectsError {
    /// It cannot be made or is no folder.
    #[error("the folder of originals {} cannot be used: {source}; check that it exists and may be written", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The object store refused it.
    #[error("the folder of originals {} cannot be opened: {reason}", folder.display())]
    Open {
        /// The folder.
        folder: PathBuf,
        /// What it said.
        reason: String,
    },
}

/// An error of the object store in the port's words; keys are ids and may be named.
pub(crate) fn store_error(error: &object_store::Error) -> StoreError {
    match io_kind(error) {
        Some(ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge) => {
            StoreError::Full(error.to_string())
        }
        Some(_) | None => StoreError::Unavailable(error.to_string()),
    }
}

/// The system's error at the bottom of a chain of sources.
fn io_kind(error: &(dyn std::error::Error + 'static)) -> Option<ErrorKind> {
    let chain = std::iter::successors(Some(error), |error| error.source());
    chain.filter_map(|error| error.downcast_ref::<io::Error>()).map(io::Error::kind).last()
}
