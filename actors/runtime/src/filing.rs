//! How a task comes into the world: row first, message second. What crashes in between is the relay's to repair.

use std::time::Duration;

use tandem_domain::document::Failure;
use tandem_domain::error::ErrorCode;
use tandem_domain::task::{Task, TaskState};
use tandem_ports::{StoreError, TaskStore, WorkQueue, Write};

#[cfg(test)]
mod tests;

/// How often a filing whose end the store did not tell is tried again; it is harmless.
const FILE_TRIES: u32 = 3;

/// What became of a filed task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filed {
    /// Its row is durable and its key is in the queue.
    Published,
    /// Its row is durable; the queue could not be reached and the relay will publish it.
    LeftToRelay,
    /// The same work was done or given up earlier: there is nothing to do.
    Settled,
}

/// Why a task was not filed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// It certainly was not.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store never told; filing again is safe.
    #[error("the store did not say whether the task was filed")]
    Unknown,
}

impl FileError {
    /// The code for programs.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Store(error) => error.code(),
            Self::Unknown => ErrorCode::Timeout,
        }
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        Self { code: error.code(), reason: error.to_string() }
    }
}

/// Files a task and publishes its key. Filing the same work again is harmless: it is published again unless it is
/// settled. An unreachable queue is no error, because the row is durable and the relay publishes it.
///
/// # Errors
/// See [`FileError`].
pub async fn file_task(
    tasks: &dyn TaskStore,
    queue: &dyn WorkQueue,
    task: &Task,
) -> Result<Filed, FileError> {
    let mut standing = None;
    for _ in 0..FILE_TRIES {
        standing = match tasks.file(task).await? {
            Write::Applied => Some(task.clone()),
            Write::Conflict(there) => Some(there),
            Write::Unknown => tasks.task(&task.key()).await?,
        };
        if standing.is_some() {
            break;
        }
    }
    let standing = standing.ok_or(FileError::Unknown)?;
    if matches!(standing.state, TaskState::Done | TaskState::Dead) {
        return Ok(Filed::Settled);
    }
    match queue.publish(task.kind, &task.key(), Duration::ZERO).await {
        Ok(()) => Ok(Filed::Published),
        Err(error) => {
            tracing::warn!(%error, kind = task.kind.name(), "task filed but not published");
            Ok(Filed::LeftToRelay)
        }
    }
}
