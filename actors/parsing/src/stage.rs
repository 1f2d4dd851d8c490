//! The parse stage: an original becomes a parsed version.

use std::sync::Arc;

use async_trait::async_trait;
use tandem_domain::document::{Document, DocumentState, Failure, ParsedVersion};
use tandem_domain::error::ErrorCode;
use tandem_domain::task::{Task, TaskKind, TaskSubject, Urgency};
use tandem_domain::time::Month;
use tandem_ports::{Clock, DocumentStore, ObjectStore, TaskStore, WorkQueue, Write};
use tandem_runtime::{StageWork, file_task};

use crate::child::ExtractPool;
use crate::metrics;
use crate::structure::structure;

/// The ports that the parse stage works with.
#[derive(Clone)]
pub struct ParsePorts {
    /// Rows and versions.
    pub documents: Arc<dyn DocumentStore>,
    /// Follow-up tasks.
    pub tasks: Arc<dyn TaskStore>,
    /// Their queue.
    pub queue: Arc<dyn WorkQueue>,
    /// Originals.
    pub objects: Arc<dyn ObjectStore>,
    /// When follow-up tasks are filed.
    pub clock: Arc<dyn Clock>,
}

/// Reads originals in child processes and structures what they show.
pub struct ParseWork {
    ports: ParsePorts,
    extractor: Arc<ExtractPool>,
    as_of: Option<Month>,
    urgency: Urgency,
}

impl ParseWork {
    /// Work on these ports, for documents that are wanted so soon. `as_of` is the month that "present" means; `None` = the
    /// month a document was submitted in, so that a second delivery reads the same.
    #[must_use]
    pub const fn new(
        ports: ParsePorts,
        extractor: Arc<ExtractPool>,
        as_of: Option<Month>,
        urgency: Urgency,
    ) -> Self {
        Self { ports, extractor, as_of, urgency }
    }

    async fn parse(&self, document: &Document) -> Result<ParsedVersion, Failure> {
        let bytes = self.ports.objects.get(&document.object_key).await?.ok_or_else(|| Failure {
            code: ErrorCode::Internal,
            reason: "the original is missing from the object store".to_owned(),
        })?;
        let extracted = self.extractor.extract(&document.file_name, bytes).await?;
        let (kind, title) = (document.kind, document.title.clone());
        let as_of = self.as_of.unwrap_or_else(|| document.created_at.month());
        let parsed =
            tokio::task::spawn_blocking(move || structure(&extracted, kind, title.as_deref(), as_of))
                .await
                .map_err(|_| Failure {
                code: ErrorCode::Internal,
                reason: "structuring the text panicked".to_owned(),
            })?;
        metrics::parsed(document.media, parsed.text.len());
        Ok(parsed)
    }

    /// The task's version of its document, unless that is settled: then the delivery is an echo. A document that is not there
    /// may be on its way, because its task is filed first.
    async fn current(&self, task: &Task) -> Result<Option<Document>, Failure> {
        let TaskSubject::Version { document, version } = task.subject else {
            let reason = "a parse task must name a document version".to_owned();
            return Err(Failure { code: ErrorCode::Internal, reason });
        };
        let found = self.ports.documents.document(&task.owner, document).await?;
        let found = found.ok_or_else(|| Failure {
            code: ErrorCode::NotReady,
            reason: "the document is not there yet".to_owned(),
        })?;
        Ok(found.at(version).filter(|d| !d.state.is_settled()))
    }

    async fn forget(&self, task: &Task) -> Result<(), Failure> {
        if let TaskSubject::Version { document, version } = task.subject {
            self.ports.documents.forget_version(&task.owner, document, version).await?;
        }
        Ok(())
    }

    async fn advance(&self, document: &Document, next: &DocumentState) -> Result<(), Failure> {
        let (documents, version) = (&self.ports.documents, document.version);
        let end = documents.advance(&document.owner, document.id, version, next).await?;
        if end == Write::Conflict(None) {
            // It was removed while it was read: what was kept since goes as well.
            documents.forget_version(&document.owner, document.id, version).await?;
        }
        end.certain()
    }
}

#[async_trait]
impl StageWork for ParseWork {
    fn kind(&self) -> TaskKind {
        TaskKind::parse(self.urgency)
    }

    async fn perform(&self, task: &Task) -> Result<(), Failure> {
        let Some(document) = self.current(task).await? else { return Ok(()) };
        let (owner, id, version) = (&document.owner, document.id, document.version);
        let documents = &self.ports.documents;
        if documents.parsed(owner, id, version).await?.is_none() {
            let parsed = self.parse(&document).await?;
            documents.put_parsed(owner, id, version, &parsed).await?.certain()?;
        }
        let now = self.ports.clock.now();
        let next = Task::new(owner.clone(), TaskKind::embed(self.urgency), task.subject.clone(), now);
        file_task(self.ports.tasks.as_ref(), self.ports.queue.as_ref(), &next).await?;
        self.advance(&document, &DocumentState::Parsed).await
    }

    async fn give_up(&self, task: &Task, failure: &Failure) -> Result<(), Failure> {
        let document = match self.current(task).await {
            Ok(Some(document)) => document,
            Ok(None) => return Ok(()),
            // A document that never came or was removed has nobody to tell.
            Err(Failure { code: ErrorCode::NotReady, .. }) => return self.forget(task).await,
            Err(failure) => return Err(failure),
        };
        metrics::failed(failure.code);
        self.advance(&document, &DocumentState::Failed(failure.clone())).await
    }
}
