//! Writes of a task's row by the holder of its lease. No write is counted as done unless the row says so (invariant 6).

use std::time::Duration;

use tandem_domain::ids::OperationId;
use tandem_domain::task::{Task, TaskState};
use tandem_ports::{StoreError, TaskStore, Write};

#[cfg(test)]
mod tests;

/// How often a write is tried before the row is left as it is.
const WRITE_TRIES: usize = 5;
/// The wait before the second try; doubles.
const WRITE_BACK_OFF: Duration = Duration::from_millis(100);

/// How a write of the row ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RowWrite {
    /// The row is as wanted.
    Written(Task),
    /// The row is another's now, or gone; this is how it stands.
    Lost(Option<Task>),
    /// The store was not there for all tries: the row is not known.
    Failed(StoreError),
}

/// Whether `operation` holds the row.
pub(super) fn holds(row: &Task, operation: OperationId) -> bool {
    matches!(&row.state, TaskState::Leased(lease) if lease.operation == operation)
}

/// Writes the row once; an unknown end is read back.
pub(super) async fn write(tasks: &dyn TaskStore, wanted: &Task) -> Result<RowWrite, StoreError> {
    let there = match tasks.replace(wanted).await? {
        Write::Applied => return Ok(RowWrite::Written(wanted.clone())),
        Write::Conflict(there) => there,
        Write::Unknown => tasks.task(&wanted.key()).await?,
    };
    // A conflict with the very row that was wanted is an earlier, unknown write of it.
    Ok(match there {
        Some(row) if row == *wanted => RowWrite::Written(row),
        other => RowWrite::Lost(other),
    })
}

/// Writes what `next` makes of the row, as long as `operation` holds it: what is in the way is read and built upon,
/// such as a renewal of the lease whose end was not known.
pub(super) async fn write_held(
    tasks: &dyn TaskStore,
    operation: OperationId,
    held: &Task,
    next: impl Fn(&Task) -> Task + Send,
) -> RowWrite {
    let mut row = held.clone();
    let mut failure = StoreError::Timeout;
    for attempt in 0..WRITE_TRIES {
        if attempt > 0 {
            tokio::time::sleep(crate::kind::doubled(WRITE_BACK_OFF, attempt - 1)).await;
        }
        match write(tasks, &next(&row)).await {
            Ok(RowWrite::Lost(Some(there))) if holds(&there, operation) => row = there,
            Ok(ended) => return ended,
            Err(error) => failure = error,
        }
    }
    RowWrite::Failed(failure)
}
