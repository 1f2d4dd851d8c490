//! What happens to one submitted file.

use std::sync::Arc;

use tandem_domain::document::{Document, DocumentState, Failure, MediaKind, Version};
use tandem_domain::error::ErrorCode;
use tandem_domain::ids::{ContentDigest, DocumentId};
use tandem_domain::task::{Task, TaskKind, TaskSubject, Urgency};
use tandem_domain::time::Timestamp;
use tandem_messages::documents::{SubmitDocument, SubmittedDocument};
use tandem_ports::{Clock, DocumentStore, IntentStore, ObjectStore, StoreError, TaskStore, WorkQueue, Write};
use tandem_runtime::file_task;
use tokio::task::spawn_blocking;

use crate::intent::Told;

mod versions;

#[cfg(test)]
mod tests;

/// Names the format of a file by its bytes, with the name deciding between text formats only.
pub type Sniff = fn(&[u8], &str) -> Result<MediaKind, Failure>;

/// Limits of what is taken in.
#[derive(Debug, Clone, Copy)]
pub struct IngestorOptions {
    /// The largest file, in bytes.
    pub max_bytes: u64,
    /// Names the format of a file.
    pub sniff: Sniff,
}

/// The ports that taking in works with.
#[derive(Clone)]
pub struct IngestorPorts {
    /// Rows.
    pub documents: Arc<dyn DocumentStore>,
    /// What submitters meant to do.
    pub intents: Arc<dyn IntentStore>,
    /// Follow-up tasks.
    pub tasks: Arc<dyn TaskStore>,
    /// Their queue.
    pub queue: Arc<dyn WorkQueue>,
    /// Originals.
    pub objects: Arc<dyn ObjectStore>,
    /// When it was.
    pub clock: Arc<dyn Clock>,
}

/// Takes files in. Cheap to clone; holds no state of its own.
#[derive(Clone)]
pub struct Ingestor {
    options: IngestorOptions,
    ports: IngestorPorts,
}

/// The longest file name that is kept, in characters.
const MAX_FILE_NAME: usize = 255;
/// The longest title that is kept, in characters.
const MAX_TITLE: usize = 300;

impl Ingestor {
    /// An ingestor on these ports.
    #[must_use]
    pub const fn new(options: IngestorOptions, ports: IngestorPorts) -> Self {
        Self { options, ports }
    }

    /// Keeps a file and files its parse task. When it returns, original, row and task are durable.
    ///
    /// The task is filed before the row exists and published after it: whatever a crash leaves, the relay either
    /// finds a task of a document, or a task of nothing, which ends by itself.
    ///
    /// # Errors
    /// The file is refused with a code of its own (`EMPTY_DOCUMENT`, `PAYLOAD_TOO_LARGE`, `UNSUPPORTED_TYPE`, …), its
    /// intent belongs to another file (`IDEMPOTENCY_KEY_REUSED`) or is still being carried out (`NOT_READY`), or a store
    /// is not available, in which case nothing was acknowledged and submitting again is safe.
    pub async fn submit(&self, submission: SubmitDocument) -> Result<SubmittedDocument, Failure> {
        let (media, digest) = self.check(&submission).await?;
        let told = Told::of(&submission, digest, None);
        self.under(told, |since| self.keep(submission, media, digest, since)).await
    }

    /// Carries an intent out, and notes when it has ended.
    async fn under<W: Future<Output = Result<SubmittedDocument, Failure>>>(
        &self,
        told: Option<Told>,
        work: impl FnOnce(Option<Timestamp>) -> W,
    ) -> Result<SubmittedDocument, Failure> {
        let Some(told) = told else { return work(None).await };
        let intents = self.ports.intents.as_ref();
        let since = told.remember(intents, self.ports.clock.now()).await?;
        let done = work(since).await;
        told.end(intents).await;
        done
    }

    /// `since` = when the same intent was told before.
    async fn keep(
        &self,
        submission: SubmitDocument,
        media: MediaKind,
        digest: ContentDigest,
        since: Option<Timestamp>,
    ) -> Result<SubmittedDocument, Failure> {
        let IngestorPorts { documents, objects, tasks, .. } = &self.ports;
        let urgency = submission.urgency;
        let found = documents.find_by_digest(&submission.owner, submission.kind, digest).await;
        if let Some(document) = found? {
            return self.known(document, digest, since, urgency).await;
        }
        let document = self.new_document(&submission, media, digest);
        let key = &document.object_key;
        objects.put(key, submission.content).await?;
        let task = parse_task(&document, urgency);
        match self.or_forget(key, tasks.file(&task).await).await? {
            Write::Applied | Write::Conflict(_) => {}
            Write::Unknown => return Err(unknown()),
        }
        match self.or_forget(key, documents.create(&document).await).await? {
            Write::Applied => {}
            Write::Conflict(existing) if existing.id != document.id => {
                objects.delete(key).await?;
                return self.known(existing, digest, since, urgency).await;
            }
            Write::Conflict(_) => {}
            Write::Unknown => self.read_back(&document).await?,
        }
        self.publish(&task).await;
        Ok(SubmittedDocument { version: document.version, document, duplicate: false })
    }

    async fn check(&self, submission: &SubmitDocument) -> Result<(MediaKind, ContentDigest), Failure> {
        let size = submission.content.len() as u64;
        if size == 0 {
            return Err(failure(ErrorCode::EmptyDocument, "the file is empty"));
        }
        if size > self.options.max_bytes {
            let reason = format!("the file has {size} bytes; the limit is {}", self.options.max_bytes);
            return Err(failure(ErrorCode::TooLarge, &reason));
        }
        let (sniff, content) = (self.options.sniff, submission.content.clone());
        let name = submission.file_name.clone();
        let looked = spawn_blocking(move || Ok((sniff(&content, &name)?, ContentDigest::of(&content))));
        looked.await.map_err(|_| failure(ErrorCode::Internal, "looking at the file panicked"))?
    }

    fn new_document(&self, from: &SubmitDocument, media: MediaKind, digest: ContentDigest) -> Document {
        let id = DocumentId::from_uuid(self.ports.clock.new_id());
        Document {
            owner: from.owner.clone(),
            id,
            kind: from.kind,
            version: Version::FIRST,
            file_name: base_name(&from.file_name),
            title: title(from),
            media,
            digest,
            size: from.content.len() as u64,
            object_key: Document::object_key(from.kind, id.as_uuid(), media),
            state: DocumentState::Queued,
            created_at: self.ports.clock.now(),
            notes: from.notes.clone(),
            others: Vec::new(),
        }
    }

    /// A file that is there already is answered with the document it became. If its way was cut off early, or somebody
    /// waits for it now, it is sent on it again: filing and publishing twice is harmless. To whoever repeats an intent it
    /// is what the intent made.
    async fn known(
        &self,
        document: Document,
        digest: ContentDigest,
        since: Option<Timestamp>,
        urgency: Urgency,
    ) -> Result<SubmittedDocument, Failure> {
        let found = document.with_digest(digest);
        let found = found.ok_or_else(|| failure(ErrorCode::Internal, "a document without its content"))?;
        self.go_on(&found, urgency).await?;
        // What came after the intent was told is what the intent made.
        let duplicate = since.is_none_or(|since| found.created_at < since);
        Ok(SubmittedDocument { document, version: found.version, duplicate })
    }

    /// Sends a version on its way again, if it has not left, or if somebody waits for it now who did not before: its
    /// vectors may be far back among bulk work.
    async fn go_on(&self, version: &Document, urgency: Urgency) -> Result<(), Failure> {
        let hurried = version.state == DocumentState::Parsed && urgency == Urgency::Interactive;
        if version.state == DocumentState::Queued || hurried {
            let task = parse_task(version, urgency);
            file_task(self.ports.tasks.as_ref(), self.ports.queue.as_ref(), &task).await?;
        }
        Ok(())
    }

    /// A write that has certainly not happened takes the original with it: nobody would ever find it.
    async fn or_forget<T>(&self, object_key: &str, write: Result<T, StoreError>) -> Result<T, Failure> {
        if write.is_err()
            && let Err(error) = self.ports.objects.delete(object_key).await
        {
            tracing::warn!(%error, "the original of a refused file could not be removed");
        }
        Ok(write?)
    }

    async fn read_back(&self, document: &Document) -> Result<(), Failure> {
        let found = self.ports.documents.document(&document.owner, document.id).await?;
        let found = found.and_then(|found| found.at(document.version));
        if found.is_some_and(|found| found.object_key == document.object_key) {
            Ok(())
        } else {
            Err(unknown())
        }
    }

    async fn publish(&self, task: &Task) {
        let published = self.ports.queue.publish(task.kind, &task.key(), std::time::Duration::ZERO).await;
        // The row and its task are durable and the relay publishes what is not: the file is taken in all the same.
        if let Err(error) = published {
            tracing::warn!(%error, "a filed task could not be published, the relay will");
        }
    }
}

fn parse_task(document: &Document, urgency: Urgency) -> Task {
    let subject = TaskSubject::Version { document: document.id, version: document.version };
    Task::new(document.owner.clone(), TaskKind::parse(urgency), subject, document.created_at)
}

fn title(from: &SubmitDocument) -> Option<String> {
    from.title.as_deref().map(|title| title.trim().chars().take(MAX_TITLE).collect())
}

/// The name without folders of either kind of slash and without control characters.
pub(crate) fn base_name(name: &str) -> String {
    let base = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: String = base.chars().filter(|c| !c.is_control()).take(MAX_FILE_NAME).collect();
    if clean.trim().is_empty() { "document".to_owned() } else { clean }
}

pub(crate) fn failure(code: ErrorCode, reason: &str) -> Failure {
    Failure { code, reason: reason.to_owned() }
}

fn unknown() -> Failure {
    failure(ErrorCode::Unavailable, "the store did not say whether the file was kept; submit it again")
}
