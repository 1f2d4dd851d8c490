//! Removing a document with everything that was made of it.

use std::sync::Arc;

use async_trait::async_trait;
use tandem_domain::document::{Document, Failure, Version};
use tandem_domain::error::ErrorCode;
use tandem_domain::ids::{DocumentId, OwnerId};
use tandem_domain::task::{Task, TaskKind, TaskSubject};
use tandem_domain::time::Timestamp;
use tandem_messages::documents::{RemoveDocument, RemovedDocument};
use tandem_ports::documents::{Change, ChangeAction};
use tandem_ports::{
    AccountStore, Clock, DocumentStore, ObjectStore, RunStore, StoreError, TaskStore, WorkQueue, Write,
};
use tandem_runtime::{StageWork, file_task};
use tokio::sync::watch;

mod person;

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
    /// Matches and runs of a person who is erased.
    pub runs: Arc<dyn RunStore>,
    /// The account of a person who is erased.
    pub accounts: Arc<dyn AccountStore>,
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
        let removed_at = self.ports.clock.now();
        let seen = self.file(document, removed_at).await?;
        let erased = self.erase_all(seen.clone(), removed_at).await;
        if let Err(error) = &erased {
            tracing::warn!(document_id = %id, %error, "a removal is not complete yet; it is tried again");
        }
        let log_position = self.ports.documents.log_head().await.ok().filter(|_| erased.is_ok());
        Ok(RemovedDocument {
            kind,
            id,
            versions: erased.unwrap_or(seen).latest().0,
            removed_at,
            log_position: log_position.map(|p| p.0),
        })
    }

    /// Files a task for each version: each names the original that nothing else finds when the row is gone.
    async fn file(&self, document: Document, now: Timestamp) -> Result<Document, Failure> {
        for Document { owner, id, version, object_key, .. } in document.versions() {
            let subject = TaskSubject::Erasure { document: id, version, object_key };
            let task = Task::new(owner, TaskKind::Erase, subject, now);
            file_task(self.ports.tasks.as_ref(), self.ports.queue.as_ref(), &task).await?;
        }
        Ok(document)
    }

    /// Takes the row of a document away whose versions have their tasks, so that nothing new is made of it. A version
    /// that came meanwhile gets its task first. The row as it was in the end.
    async fn take_away(&self, mut document: Document, now: Timestamp) -> Result<Document, Failure> {
        for _ in 0..=Document::MAX_VERSIONS {
            let (owner, id, latest) = (&document.owner, document.id, document.latest());
            match self.ports.documents.remove(owner, id, latest).await? {
                Write::Applied | Write::Conflict(None) => return Ok(document),
                Write::Conflict(Some(newer)) => document = self.file(newer, now).await?,
                Write::Unknown => return Err(StoreError::Timeout.into()),
            }
        }
        Err(Failure { code: ErrorCode::Overloaded, reason: "versions come all the time".to_owned() })
    }

    async fn erase_all(&self, document: Document, now: Timestamp) -> Result<Document, Failure> {
        let document = self.take_away(document, now).await?;
        for Document { owner, id, version, object_key, .. } in document.versions() {
            self.erase(&owner, id, version, &object_key).await?;
        }
        Ok(document)
    }

    /// What was made of a version whose row is gone; the original last, because it alone is found by nothing else.
    async fn erase(
        &self,
        owner: &OwnerId,
        id: DocumentId,
        version: Version,
        object_key: &str,
    ) -> Result<(), Failure> {
        let documents = &self.ports.documents;
        let change = Change { owner: owner.clone(), document: id, version, action: ChangeAction::Remove };
        documents.log_change(&change).await?.certain()?;
        self.ports.changed.send_modify(|count| *count += 1);
        documents.forget_version(owner, id, version).await?;
        Ok(self.ports.objects.delete(object_key).await?)
    }
}

#[async_trait]
impl StageWork for Eraser {
    fn kind(&self) -> TaskKind {
        TaskKind::Erase
    }

    async fn perform(&self, task: &Task) -> Result<(), Failure> {
        if let TaskSubject::Person { tenant, .. } = &task.subject {
            return self.complete_person(&task.owner, tenant).await;
        }
        let TaskSubject::Erasure { document, version, object_key } = &task.subject else {
            let reason =
                "an erase task must name a person, or a document with its version and original".to_owned();
            return Err(Failure { code: ErrorCode::Internal, reason });
        };
        if let Some(found) = self.ports.documents.document(&task.owner, *document).await? {
            let now = self.ports.clock.now();
            let found = self.file(found, now).await?;
            self.take_away(found, now).await?;
        }
        self.erase(&task.owner, *document, *version, object_key).await
    }

    /// The task itself stays as a dead letter: an operator must hear that something could not be removed.
    async fn give_up(&self, task: &Task, failure: &Failure) -> Result<(), Failure> {
        tracing::error!(task_id = %task.id, error = %failure, "a document or a person could not be removed");
        Ok(())
    }
}
