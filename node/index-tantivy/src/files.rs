//! Durable files, and errors in the words of the port.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use tandem_ports::index::IndexError;
use tantivy::TantivyError;
use tantivy::directory::error::OpenReadError;

/// How much of a file is read at once when its checksum is taken.
const BLOCK: usize = 256 * 1024;

pub(crate) fn io_error(error: io::Error) -> IndexError {
    IndexError::Io(error.to_string())
}

pub(crate) fn open_error(error: OpenReadError) -> IndexError {
    IndexError::Io(error.to_string())
}

pub(crate) fn damaged(what: impl Into<String>) -> IndexError {
    IndexError::Damaged(what.into())
}

pub(crate) fn tantivy_error(error: TantivyError) -> IndexError {
    if let TantivyError::DataCorruption(_) | TantivyError::IncompatibleIndex(_) = error {
        return damaged(error.to_string());
    }
    IndexError::Io(error.to_string())
}

/// The names in a folder become durable.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), IndexError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(io_error)
}

/// Puts `bytes` in the place of the file `name` of `folder`: after a crash there is the old one or the new one, whole.
pub(crate) fn replace(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), IndexError> {
    let (fresh, place) = (folder.join(format!("{name}.new")), folder.join(name));
    let written = fs::write(&fresh, bytes).and_then(|()| File::open(&fresh)?.sync_all());
    written.and_then(|()| fs::rename(&fresh, place)).map_err(io_error)?;
    sync_folder(folder)
}

/// The length and CRC-32 of a file. It is read through a small buffer, never mapped, so that it takes no memory.
pub(crate) fn checksum(mut file: File) -> Result<(u64, u32), IndexError> {
    let mut buffer = vec![0; BLOCK];
    let (mut length, mut crc) = (0u64, crc32fast::Hasher::new());
    loop {
        let count = file.read(&mut buffer).map_err(io_error)?;
        let Some(read) = buffer.get(..count).filter(|read| !read.is_empty()) else {
            return Ok((length, crc.finalize()));
        };
        crc.update(read);
        length += read.len() as u64;
    }
}
