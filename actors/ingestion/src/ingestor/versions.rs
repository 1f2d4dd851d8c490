//! New versions of documents that are there.

use bytes::Bytes;
use tandem_domain::document::{
    Document, DocumentKind, DocumentState, DocumentVersion, Failure, Notes, Version,
};
use tandem_domain::error::ErrorCode;
use tandem_domain::ids::{DocumentId, OwnerId};
use tandem_domain::task::Urgency;
use tandem_messages::documents::{RefineJob, SubmitDocument, SubmitVersion, SubmittedDocument};
use tandem_ports::Write;

use super::{Ingestor, base_name, failure, title};
use crate::intent::Told;

/// How often a version is offered to a document that gets others at the same time.
const ATTEMPTS: u32 = 8;

/// A version without its number and its place.
struct Draft {
    owner: OwnerId,
    id: DocumentId,
    kind: DocumentKind,
    version: DocumentVersion,
    content: Bytes,
    urgency: Urgency,
}

/// What became of a version that was offered.
enum Offered {
    /// The document with it.
    Kept(Document),
    /// Another document has its content.
    Known(Document),
    /// It cannot be kept.
    Refused(Failure),
}

impl Ingestor {
    /// Keeps a file as the next version of a document and files its parse task. When it returns, all of it is durable.
    /// Content that one of the owner's documents of this kind has already makes no version.
    ///
    /// # Errors
    /// `NOT_FOUND` when there is no such document, `LIMIT_EXCEEDED` when it has enough versions; else as
    /// [`Ingestor::submit`].
    pub async fn submit_version(&self, request: SubmitVersion) -> Result<SubmittedDocument, Failure> {
        let SubmitVersion { id, submission } = request;
        let (media, digest) = self.check(&submission).await?;
        let documents = &self.ports.documents;
        let found = documents.document(&submission.owner, id).await?;
        let before = found.filter(|found| found.kind == submission.kind).ok_or_else(not_found)?;
        let told = Told::of(&submission, digest, Some(id));
        self.under(told, |since| async move {
            if let Some(known) = documents.find_by_digest(&submission.owner, submission.kind, digest).await? {
                return self.known(known, digest, since, submission.urgency).await;
            }
            let SubmitDocument { owner, kind, file_name, content, urgency, .. } = submission.clone();
            let version = DocumentVersion {
                version: Version::FIRST,
                file_name: base_name(&file_name),
                title: title(&submission).or_else(|| before.title.clone()),
                media,
                digest,
                size: content.len() as u64,
                object_key: String::new(),
                state: DocumentState::Queued,
                created_at: self.ports.clock.now(),
                notes: over(&before.notes, &submission.notes),
            };
            self.add(Draft { owner, id, kind, version, content, urgency }).await
        })
        .await
    }

    /// Makes a version of the same content with other words of its submitter.
    ///
    /// # Errors
    /// As [`Ingestor::submit_version`].
    pub async fn refine(&self, request: RefineJob) -> Result<SubmittedDocument, Failure> {
        let told = Told::of_words(&request);
        let RefineJob { owner, id, notes, .. } = request;
        let found = self.ports.documents.document(&owner, id).await?;
        let found = found.filter(|found| found.kind == DocumentKind::Job);
        let document = found.ok_or_else(not_found)?;
        let before = document.at(document.latest()).ok_or_else(not_found)?;
        self.under(told, |since| async move {
            let notes = over(&before.notes, &notes);
            let is_mine = |made: &Document| since.is_some_and(|since| made.created_at >= since);
            let made = document.versions().find(|made| is_mine(made) && made.notes == notes);
            if let Some(made) = made {
                self.go_on(&made, Urgency::Interactive).await?;
                return Ok(SubmittedDocument { document, version: made.version, duplicate: false });
            }
            let content = self.ports.objects.get(&before.object_key).await?.ok_or_else(|| {
                failure(ErrorCode::Internal, "the original is missing from the object store")
            })?;
            let Document { file_name, title, media, digest, size, .. } = before;
            let version = DocumentVersion {
                version: Version::FIRST,
                file_name,
                title,
                media,
                digest,
                size,
                object_key: String::new(),
                state: DocumentState::Queued,
                created_at: self.ports.clock.now(),
                notes,
            };
            let (kind, urgency) = (DocumentKind::Job, Urgency::Interactive);
            self.add(Draft { owner, id, kind, version, content, urgency }).await
        })
        .await
    }

    /// Keeps the original, then the row, then the task. A crash in between leaves a version that was not acknowledged and
    /// is sent on its way when its content comes again.
    async fn add(&self, draft: Draft) -> Result<SubmittedDocument, Failure> {
        let Draft { owner, id, kind, version, content, urgency } = draft;
        let (objects, digest) = (&self.ports.objects, version.digest);
        let object_key = Document::object_key(kind, self.ports.clock.new_id(), version.media);
        objects.put(&object_key, content).await?;
        let version = DocumentVersion { object_key: object_key.clone(), ..version };
        match self.offer(&owner, id, version).await? {
            Offered::Kept(document) => {
                let version = document.latest();
                let made = document.at(version).ok_or_else(not_found)?;
                self.go_on(&made, urgency).await?;
                Ok(SubmittedDocument { document, version, duplicate: false })
            }
            Offered::Known(other) => {
                objects.delete(&object_key).await?;
                self.known(other, digest, None, urgency).await
            }
            Offered::Refused(failure) => {
                objects.delete(&object_key).await?;
                Err(failure)
            }
        }
    }

    /// Offers a version until it has a number of its own.
    async fn offer(
        &self,
        owner: &OwnerId,
        id: DocumentId,
        draft: DocumentVersion,
    ) -> Result<Offered, Failure> {
        let documents = &self.ports.documents;
        for _ in 0..ATTEMPTS {
            let found = self.or_forget(&draft.object_key, documents.document(owner, id).await).await?;
            let Some(document) = found else { return Ok(Offered::Refused(not_found())) };
            let number = Version(document.latest().0.saturating_add(1));
            let version = DocumentVersion { version: number, ..draft.clone() };
            let Some(next) = document.with_version(version.clone()) else {
                let reason = format!("a document has at most {} versions", Document::MAX_VERSIONS);
                return Ok(Offered::Refused(failure(ErrorCode::LimitExceeded, &reason)));
            };
            let added = documents.add_version(owner, id, &version).await;
            match self.or_forget(&draft.object_key, added).await? {
                Write::Applied => return Ok(Offered::Kept(next)),
                Write::Conflict(None) => return Ok(Offered::Refused(not_found())),
                // Another version has got this number.
                Write::Conflict(Some(there)) if there.id == id => {}
                Write::Conflict(Some(other)) => return Ok(Offered::Known(other)),
                Write::Unknown => {
                    self.read_back(&next.at(number).ok_or_else(not_found)?).await?;
                    return Ok(Offered::Kept(next));
                }
            }
        }
        let reason = "the document gets other versions all the time";
        Ok(Offered::Refused(failure(ErrorCode::Overloaded, reason)))
    }
}

/// What is said now, over what was said before. What a text is called by belongs to the text.
fn over(before: &Notes, now: &Notes) -> Notes {
    Notes {
        headline: now.headline.clone().or_else(|| before.headline.clone()),
        company: now.company.clone().or_else(|| before.company.clone()),
        resume_lang: now.resume_lang.or(before.resume_lang),
        jd_lang: now.jd_lang.or(before.jd_lang),
        desired_output_lang: now.desired_output_lang.or(before.desired_output_lang),
        custom_instructions: now.custom_instructions.clone().or_else(|| before.custom_instructions.clone()),
    }
}

fn not_found() -> Failure {
    failure(ErrorCode::NotFound, "there is no such document")
}
