//! How opening, migrating and using the file fail.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;
use tandem_ports::StoreError;

/// Why a database cannot be opened or migrated. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// The folder cannot be made or written.
    #[error("the data folder {} cannot be used: {source}; check that it exists and may be written", folder.display())]
    Folder {
        /// The data folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process has it.
    #[error("the data folder {} is in use by another Tandem process; stop it or choose another folder", folder.display())]
    Locked {
        /// The data folder.
        folder: PathBuf,
    },
    /// The file is something else.
    #[error("{} is not a Tandem database; move it away or restore it from a backup", file.display())]
    NotADatabase {
        /// The database file.
        file: PathBuf,
    },
    /// The file is broken.
    #[error("{} is damaged ({reason}); restore it from a backup", file.display())]
    Damaged {
        /// The database file.
        file: PathBuf,
        /// What SQLite found.
        reason: String,
    },
    /// A migration that was applied reads differently now.
    #[error(
        "migration {version} ({name}) of {} differs from the one that was applied; use the Tandem that applied it, \
         or restore a backup made by this one",
        file.display()
    )]
    ChangedMigration {
        /// The database file.
        file: PathBuf,
        /// The migration's number.
        version: u32,
        /// The migration's name when it was applied.
        name: String,
    },
    /// The file was written by a newer program.
    #[error("{} has schema {found}, this Tandem knows schemas up to {known}; install a newer Tandem", file.display())]
    NewerSchema {
        /// The database file.
        file: PathBuf,
        /// The newest migration in the file.
        found: u32,
        /// The newest migration of this program.
        known: u32,
    },
    /// The disk is full.
    #[error("there is no room left for {}; make room and start again", file.display())]
    Full {
        /// The database file.
        file: PathBuf,
    },
    /// Anything else.
    #[error("{} cannot be opened: {reason}", file.display())]
    Open {
        /// The database file.
        file: PathBuf,
        /// What SQLite or the system said.
        reason: String,
    },
}

impl EmbeddedError {
    pub(crate) fn of(file: &Path, error: &rusqlite::Error) -> Self {
        let file = file.to_owned();
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::NotADatabase { file },
            Some(ErrorCode::DatabaseCorrupt) => Self::Damaged { file, reason: error.to_string() },
            Some(ErrorCode::DiskFull) => Self::Full { file },
            Some(_) | None => Self::Open { file, reason: error.to_string() },
        }
    }

    /// The same for work that is done while opening.
    pub(crate) fn of_store(file: &Path, error: StoreError) -> Self {
        let file = file.to_owned();
        match error {
            StoreError::Corrupt { reason, .. } => Self::Damaged { file, reason },
            StoreError::Full(_) => Self::Full { file },
            StoreError::Unavailable(_) | StoreError::Timeout | StoreError::Newer { .. } => {
                Self::Open { file, reason: error.to_string() }
            }
        }
    }
}

/// What ends a piece of work on a connection: an error of SQLite or of a row's form, already in the port's words.
#[derive(Debug)]
pub(crate) struct Fault(pub(crate) StoreError);

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self(error)
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self(store_error(&error))
    }
}

/// SQLite's messages name tables and columns, never values.
pub(crate) fn store_error(error: &rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full(error.to_string()),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Timeout,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            StoreError::Corrupt { table: "the database", reason: error.to_string() }
        }
        Some(_) | None => StoreError::Unavailable(error.to_string()),
    }
}

pub(crate) fn closed() -> StoreError {
    StoreError::Unavailable("it is closed".to_owned())
}
