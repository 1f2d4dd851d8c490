//! The rows of tasks: the truth about work, whatever a queue delivers.

use async_trait::async_trait;
use tandem_domain::task::{Task, TaskRef};

use crate::error::{StoreError, Write};

/// Keeps tasks. What may happen to a task is decided by [`Task`]'s own methods; a store only compares revisions.
#[async_trait]
pub trait TaskStore: Send + Sync + 'static {
    /// Keeps a new task. Conflict: the task of the same id as it stands; filing twice is harmless.
    async fn file(&self, task: &Task) -> Result<Write<Task>, StoreError>;

    /// The task of this key.
    async fn task(&self, key: &TaskRef) -> Result<Option<Task>, StoreError>;

    /// Replaces the task's row, if the row's revision is `task.rev - 1`. Conflict: the row as it stands, or `None` if
    /// there is none. Unknown: read it back; it was applied if the row equals `task`.
    async fn replace(&self, task: &Task) -> Result<Write<Option<Task>>, StoreError>;

    /// Tasks that are neither done nor dead, in order of their keys, behind `after`, at most `limit`. For the relay,
    /// which publishes again what a crash left unpublished. Tasks are the system's rows and hold no user's data.
    async fn unsettled(&self, after: Option<&TaskRef>, limit: u32) -> Result<Vec<Task>, StoreError>;
}
