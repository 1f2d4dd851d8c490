//! What the caller decides.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tandem_ports::Clock;

/// How a database is opened.
#[derive(Clone)]
pub struct OpenOptions {
    /// The data folder; made if it is missing.
    pub folder: PathBuf,
    /// The database's name in it.
    pub file_name: String,
    /// The time of queue and migrations.
    pub clock: Arc<dyn Clock>,
    /// An unsettled delivery is delivered again after this long.
    pub visibility: Duration,
    /// Connections for reads, at least 1: as many reads run at once.
    pub readers: u8,
}

impl OpenOptions {
    /// The database's usual name.
    pub const FILE_NAME: &str = "tandem.db";
    /// The usual time after which an unsettled delivery is delivered again: longer than any step of work.
    pub const VISIBILITY: Duration = Duration::from_secs(300);
    /// The usual number of connections for reads.
    pub const READERS: u8 = 4;

    /// The usual options for a folder.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>, clock: Arc<dyn Clock>) -> Self {
        Self {
            folder: folder.into(),
            file_name: Self::FILE_NAME.to_owned(),
            clock,
            visibility: Self::VISIBILITY,
            readers: Self::READERS,
        }
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.join(&self.file_name)
    }
}

impl fmt::Debug for OpenOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenOptions")
            .field("file", &self.file())
            .field("visibility", &self.visibility)
            .field("readers", &self.readers)
            .finish_non_exhaustive()
    }
}
