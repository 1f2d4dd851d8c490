//! Connections and their settings.

use std::fs::File;
use std::io;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::error::EmbeddedError;

/// How long a connection waits for a lock of somebody else's, such as a backup's.
const BUSY: Duration = Duration::from_secs(5);

/// Prepared statements kept per connection: more than there are different ones.
const STATEMENTS: usize = 64;

/// Page cache of the writer in KiB.
const WRITER_CACHE: i64 = 16 * 1024;

/// Size to which the write-ahead log is cut back after a checkpoint, in bytes.
const LOG_LIMIT: i64 = 64 << 20;

/// Opens or makes the file for writing.
pub(crate) fn writer(folder: &Path, file: &Path) -> Result<Connection, EmbeddedError> {
    if !file.exists() {
        create(folder, file).map_err(|source| EmbeddedError::Folder { folder: folder.to_owned(), source })?;
    }
    let open = || {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(file, flags)?;
        connection.busy_timeout(BUSY)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        // What is removed is overwritten, not only unlinked.
        connection.pragma_update(None, "secure_delete", true)?;
        connection.pragma_update(None, "cache_size", -WRITER_CACHE)?;
        connection.pragma_update(None, "journal_size_limit", LOG_LIMIT)?;
        Ok(connection)
    };
    open().map_err(|error| EmbeddedError::of(file, &error))
}

/// Opens the file for reading only.
pub(crate) fn reader(file: &Path) -> Result<Connection, EmbeddedError> {
    let open = || {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(file, flags)?;
        connection.busy_timeout(BUSY)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        connection.pragma_update(None, "query_only", true)?;
        Ok(connection)
    };
    open().map_err(|error| EmbeddedError::of(file, &error))
}

/// An empty file that only its user may read, as it will hold personal data; its entry in the folder is durable.
/// SQLite gives its log files the same permissions.
fn create(folder: &Path, file: &Path) -> io::Result<()> {
    let mut options = File::options();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)?.sync_all()?;
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    Ok(())
}
