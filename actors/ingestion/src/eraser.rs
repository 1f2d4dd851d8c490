//! Removing a document with everything that was made of it.

use std::sync::Arc;

use async_trait::async_trait;
use tandem_domain::document::{Document, Failure, Version};
use tandem_domain::error::ErrorCode;
use tandem_domain::ids::{DocumentId, OwnerId};
use tandem_domain::task::{Task, TaskKind, TaskSubject};
use tandem_messages::documents::{RemoveDocument, RemovedDocument};
use tandem_ports::documents::{Change, ChangeAction};
use tandem_ports::{Clock, DocumentStore, ObjectStore, TaskStore, WorkQueue};
use tandem_runtime::{StageWork, file_task};
use tokio::sync::watch;

#[cfg(test)]
mod tests;

/// The ports that removing works with.
#[derive(Clone)]
pub struct EraserPorts {
    /// Rows, versions and the change log.
    pub documents: Arc<dyn DocumentStore>,
    /// Where what is to be removed is written down first.
    pub tasks: Arc<dyn TaskStore>,
    /// Their queue.
    pub queue: Arc<dyn WorkQueue>,
    /// Originals.
    pub objects: Arc<dyn ObjectStore>,
    /// When it was.
    pub clock: Arc<dyn Clock>,
    /// Raised after a line in the change log, so that shards need not wait for their next look.
    pub changed: watch::Sender<u64>,
}

/// Removes documents. Cheap to clone; holds no state of its own.
///
/// A removal is a task before it is anything else, so that it ends whatever is killed in between. Each of its steps may
/// be done again: by whoever asked, and by the stage `erase` once more.
#[derive(Clone)]
pub struct Eraser {
    ports: EraserPorts,
}

impl Eraser {
    /// An eraser on these ports.
    #[must_use]
    pub const fn new(ports: EraserPorts) -> Self {
        Self { ports }
    }

    /// Removes a document. When it returns, the removal is durable; it is complete unless a part of the system was away,
    /// in which case the stage completes it.
    ///
    /// # Errors
    /// `NOT_FOUND`, also for another owner's document and for one that is gone already; or a store is not available, in
    /// which case nothing was begun.
    pub async fn remove(&self, request: RemoveDocument) -> Result<RemovedDocument, Failure> {
        let RemoveDocument { owner, kind, id } = request;
        let found = self.ports.documents.document(&owner, id).await?.filter(|document| document.kind == kind);
        let document = found.ok_or_else(|| Failure {
            code: ErrorCode::NotFound,
            reason: format!("there is no such {kind}"),
        })?;
        let Document { version, object_key, .. } = document;
        let subject = TaskSubject::Erasure { document: id, version, object_key: object_key.clone() };
        let removed_at = self.ports.clock.now();
        let task = Task::new(owner.clone(), TaskKind::Erase, subject, removed_at);
        file_task(self.ports.tasks.as_ref(), self.ports.queue.as_ref(), &task).await?;
        let erased = self.erase(&owner, id, version, &object_key).await;
        if let Err(error) = &erased {
            tracing::warn!(document_id = %id, %error, "a removal is not complete yet; it is tried again");
        }
        let log_position = self.ports.documents.log_head().await.ok().filter(|_| erased.is_ok());
        Ok(RemovedDocument {
            kind,
            id,
            versions: version.0,
            removed_at,
            log_position: log_position.map(|p| p.0),
        })
    }

    /// The row first, so that nothing new is made of it; the original last, because it alone is found by nothing else.
    async fn erase(
        &self,
        owner: &OwnerId,
        id: DocumentId,
        version: Version,
        object_key: &str,
    ) -> Result<(), Failure> {
        let documents = &self.ports.documents;
        documents.remove(owner, id).await?.certain()?;
        let change = Change { owner: owner.clone(), document: id, version, action: ChangeAction::Remove };
        documents.log_change(&change).await?.certain()?;
        self.ports.changed.send_modify(|count| *count += 1);
        for version in Version::FIRST.0..=version.0 {
            documents.forget_version(owner, id, Version(version)).await?;
        }
        Ok(self.ports.objects.delete(object_key).await?)
    }
}

#[async_trait]
impl StageWork for Eraser {
    fn kind(&self) -> TaskKind {
        TaskKind::Erase
    }

    async fn perform(&self, task: &Task) -> Result<(), Failure> {
        let TaskSubject::Erasure { document, version, object_key } = &task.subject else {
            let reason = "an erase task must name a document, its version and its original".to_owned();
            return Err(Failure { code: ErrorCode::Internal, reason });
        };
        self.erase(&task.owner, *document, *version, object_key).await
    }

    /// The task itself stays as a dead letter: an operator must hear that something could not be removed.
    async fn give_up(&self, task: &Task, failure: &Failure) -> Result<(), Failure> {
        tracing::error!(task_id = %task.id, error = %failure, "a document could not be removed");
        Ok(())
    }
}
