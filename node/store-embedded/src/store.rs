//! Opening, closing, and the way of every read and write.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use tandem_domain::time::Timestamp;
use tandem_ports::documents::MAX_PAGE;
use tandem_ports::{Clock, StoreError, Write};

use crate::error::{EmbeddedError, Fault};
use crate::lock::FolderLock;
use crate::options::OpenOptions;
use crate::queue::Board;
use crate::readers::Readers;
use crate::writer::{End, Writer};
use crate::{connection, intents, migrations, queue, tasks};

#[cfg(test)]
mod tests;

/// Store and queue in one file: it is a `DocumentStore`, a `VectorCache`, a `TaskStore`, a `RunStore`, a `QuotaStore`, an
/// `AccountStore` and a `WorkQueue`. Cloning gives another handle; the file is closed by [`EmbeddedStore::close`] or
/// when the last handle goes.
#[derive(Clone)]
pub struct EmbeddedStore(Arc<Inner>);

struct Inner {
    writer: Writer,
    readers: Arc<Readers>,
    clock: Arc<dyn Clock>,
    visibility: Duration,
    board: Arc<Board>,
}

impl EmbeddedStore {
    /// Opens the database, making and migrating it where needed. What the last process had in hand when it ended is
    /// deliverable and free at once: the folder's lock says that nobody works on it any more. Blocks for some
    /// milliseconds of disk work.
    ///
    /// # Errors
    /// See [`EmbeddedError`].
    pub fn open(options: OpenOptions) -> Result<Self, EmbeddedError> {
        let lock = FolderLock::take(&options.folder)?;
        let file = options.file();
        let mut connection = connection::writer(&options.folder, &file)?;
        let report = migrations::apply(&mut connection, &file, &*options.clock)?;
        let OpenOptions { clock, visibility, readers, .. } = options;
        let (returned, ended) = take_back(&mut connection, clock.now())
            .map_err(|Fault(error)| EmbeddedError::of_store(&file, error))?;
        let readers = Arc::new(Readers::open(&file, readers)?);
        let writer = Writer::start(connection, lock)
            .map_err(|error| EmbeddedError::Open { file, reason: error.to_string() })?;
        tracing::info!(file = %report.file.display(), schema = report.to, returned, ended, "opened the store");
        let board = Arc::new(Board::default());
        Ok(Self(Arc::new(Inner { writer, readers, clock, visibility, board })))
    }

    /// Ends subscriptions, refuses further reads and writes, and waits until everything accepted is durable and the
    /// file is closed. A second time does nothing.
    pub async fn close(&self) {
        self.0.board.close();
        self.0.readers.close();
        let inner = self.0.clone();
        if tokio::task::spawn_blocking(move || inner.writer.close()).await.is_err() {
            tracing::error!("closing the store was broken off");
        }
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.clock
    }

    pub(crate) fn visibility(&self) -> Duration {
        self.0.visibility
    }

    pub(crate) fn board(&self) -> &Arc<Board> {
        &self.0.board
    }

    pub(crate) fn writer(&self) -> &Writer {
        &self.0.writer
    }

    pub(crate) async fn read<T, W>(&self, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    {
        self.0.readers.read(work).await
    }

    pub(crate) async fn write<C, W>(&self, work: W) -> Result<Write<C>, StoreError>
    where
        C: Send + 'static,
        W: FnOnce(&Connection) -> Result<Write<C>, Fault> + Send + 'static,
    {
        match self.0.writer.write(work).await {
            End::Done(write) => Ok(write),
            End::Failed(error) => Err(error),
            End::Unknown => Ok(Write::Unknown),
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.board.close();
        self.readers.close();
        self.writer.close();
    }
}

impl fmt::Debug for EmbeddedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedStore").finish_non_exhaustive()
    }
}

/// Takes messages and leases from a process that is gone, and ends what it was asked for by name, in one transaction;
/// gives the numbers of messages and leases.
fn take_back(connection: &mut Connection, now: Timestamp) -> Result<(usize, usize), Fault> {
    let transaction = connection.transaction()?;
    let taken = (queue::return_all(&transaction, now)?, tasks::end_leases(&transaction)?);
    intents::end_all(&transaction)?;
    transaction.commit()?;
    Ok(taken)
}

/// A list's limit within its bounds.
pub(crate) fn limited(limit: u32) -> u32 {
    limit.min(MAX_PAGE)
}
