//! What is needed to file tasks.

use std::sync::Arc;

use tandem_domain::document::Failure;
use tandem_domain::ids::OwnerId;
use tandem_domain::task::{Task, TaskKind, TaskSubject};
use tandem_ports::{Clock, TaskStore, WorkQueue};
use tandem_runtime::file_task;

/// Files tasks. Cheap to clone.
#[derive(Clone)]
pub struct Filing {
    /// Where tasks are kept.
    pub tasks: Arc<dyn TaskStore>,
    /// Where their keys go.
    pub queue: Arc<dyn WorkQueue>,
    /// When they are filed.
    pub clock: Arc<dyn Clock>,
}

impl Filing {
    /// Files a task unless it is filed already.
    pub(crate) async fn file(
        &self,
        owner: &OwnerId,
        kind: TaskKind,
        subject: TaskSubject,
    ) -> Result<(), Failure> {
        let task = Task::new(owner.clone(), kind, subject, self.clock.now());
        file_task(self.tasks.as_ref(), self.queue.as_ref(), &task).await.map(|_| ())?;
        Ok(())
    }
}
