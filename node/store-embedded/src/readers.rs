//! A few read-only connections, each lent to one read at a time.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::Connection;
use tandem_ports::StoreError;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::connection;
use crate::error::{EmbeddedError, Fault, closed};

/// A read that has not ended by then is given up, the waiting for a connection included.
const DEADLINE: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(crate) struct Readers {
    idle: Mutex<Vec<Connection>>,
    permits: Arc<Semaphore>,
}

impl Readers {
    pub(crate) fn open(file: &Path, count: u8) -> Result<Self, EmbeddedError> {
        let count = count.max(1);
        let idle = (0..count).map(|_| connection::reader(file)).collect::<Result<_, _>>()?;
        Ok(Self { idle: Mutex::new(idle), permits: Arc::new(Semaphore::new(usize::from(count))) })
    }

    /// Runs `work` on a blocking thread.
    pub(crate) async fn read<T, W>(self: &Arc<Self>, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    {
        let read = async {
            let permit = self.permits.clone().acquire_owned().await.map_err(|_| closed())?;
            let readers = self.clone();
            let run = move || {
                let lent = Lent::take(readers).ok_or_else(closed)?;
                let made = lent.connection.as_ref().ok_or_else(closed).and_then(|c| work(c).map_err(|f| f.0));
                drop(lent);
                drop(permit);
                made
            };
            tokio::task::spawn_blocking(run)
                .await
                .map_err(|_| StoreError::Unavailable("a read was broken off".to_owned()))?
        };
        timeout(DEADLINE, read).await.map_err(|_| StoreError::Timeout)?
    }

    /// Refuses further reads and closes the connections that are idle; a lent one closes when its read ends.
    pub(crate) fn close(&self) {
        self.permits.close();
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// A lent connection; it goes back also when the read panics.
struct Lent {
    connection: Option<Connection>,
    readers: Arc<Readers>,
}

impl Lent {
    fn take(readers: Arc<Readers>) -> Option<Self> {
        let connection = readers.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()?;
        Some(Self { connection: Some(connection), readers })
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if !self.readers.permits.is_closed()
            && let Some(connection) = self.connection.take()
        {
            self.readers.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
    }
}
