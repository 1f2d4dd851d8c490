//! What a shard consists of. One small file; replacing it commits a batch or a merge.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde::{Deserialize, Serialize};
use tandem_domain::chunk::ModelIdentity;
use tandem_ports::documents::LogPosition;
use tandem_ports::index::IndexError;

use crate::files::{damaged, io_error, replace};
use crate::segment::Identity;

/// The file's name in the shard.
const FILE: &str = "manifest";
const MAGIC: &[u8; 8] = b"tandmani";
/// Changes with anything that an older build would misread: form of the files, rules for words.
const FORMAT: u32 = 1;

/// What a shard consists of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) model: ModelIdentity,
    pub(crate) checkpoint: LogPosition,
    pub(crate) segments: Vec<Entry>,
}

/// A segment and which of its rows are dead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) segment: Identity,
    /// One bit per row; empty when none is dead.
    pub(crate) dead: Vec<u64>,
}

/// A file as it was when it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileSum {
    pub(crate) name: String,
    pub(crate) length: u64,
    /// CRC-32 (IEEE).
    pub(crate) crc: u32,
}

impl Manifest {
    /// Reads a shard's manifest; `None` when it has none.
    ///
    /// # Errors
    /// Io; Damaged, when it is not whole or of another format.
    pub(crate) fn read(shard: &Path) -> Result<Option<Self>, IndexError> {
        let bytes = match fs::read(shard.join(FILE)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io_error(error)),
        };
        decode(&bytes).map(Some).ok_or_else(|| damaged("the manifest does not have its checksum or format"))
    }

    /// Commits: from now on the shard is this one, whatever happens.
    ///
    /// # Errors
    /// Io. The shard on disk is the old or the new one.
    pub(crate) fn write(&self, shard: &Path) -> Result<(), IndexError> {
        let body = postcard::to_stdvec(self).map_err(|error| IndexError::Io(error.to_string()))?;
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&FORMAT.to_le_bytes());
        bytes.extend_from_slice(&crc32fast::hash(&body).to_le_bytes());
        bytes.extend_from_slice(&body);
        replace(shard, FILE, &bytes)
    }
}

fn decode(bytes: &[u8]) -> Option<Manifest> {
    let (format, rest) = bytes.strip_prefix(MAGIC)?.split_first_chunk()?;
    let (crc, body) = rest.split_first_chunk()?;
    let whole = u32::from_le_bytes(*format) == FORMAT && u32::from_le_bytes(*crc) == crc32fast::hash(body);
    whole.then(|| postcard::from_bytes(body).ok())?
}
