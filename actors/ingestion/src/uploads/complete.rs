//! Files that were sent, taken in.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tandem_domain::document::{DocumentKind, Failure, Version};
use tandem_domain::error::ErrorCode;
use tandem_domain::ids::{DocumentId, OperationId, derived};
use tandem_domain::task::Urgency;
use tandem_messages::documents::{SubmitDocument, SubmittedDocument};
use tandem_messages::uploads::CompleteUpload;

use super::ticket::Ticket;
use super::{Uploads, place};
use crate::ingestor::failure;
use crate::metrics;

/// What became of an upload that was completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Done {
    document: DocumentId,
    version: Version,
    duplicate: bool,
}

impl Uploads {
    /// Hands a file that was sent to `submit`, as any other, and removes it from where it waited. Asked again within the
    /// upload's time, it answers alike.
    ///
    /// # Errors
    /// `NOT_FOUND` for what is nobody's, another owner's or has ended; `NOT_READY` until the file was sent;
    /// `PAYLOAD_TOO_LARGE` or `VALIDATION_ERROR` when it is not what was announced, and then it is removed; else those
    /// of `submit`: a file that it refuses for what it is, is removed.
    pub async fn complete<W: Future<Output = Result<SubmittedDocument, Failure>>>(
        &self,
        request: CompleteUpload,
        submit: impl FnOnce(SubmitDocument) -> W,
    ) -> Result<SubmittedDocument, Failure> {
        let completed = self.completed(request, submit).await;
        metrics::upload("completed", &completed);
        completed
    }

    async fn completed<W: Future<Output = Result<SubmittedDocument, Failure>>>(
        &self,
        request: CompleteUpload,
        submit: impl FnOnce(SubmitDocument) -> W,
    ) -> Result<SubmittedDocument, Failure> {
        let ticket = self.options.key.ticket_of(&request.id);
        let ticket = ticket.filter(|ticket| ticket.owner == request.owner).ok_or_else(none)?;
        if self.has_ended(&ticket) {
            return Err(none());
        }
        if let Some(submitted) = self.done(&ticket).await? {
            return Ok(submitted);
        }
        let content = match self.waiting(&ticket).await {
            Err(refused) if is_final(refused.code) => {
                self.forget(&ticket).await;
                return Err(refused);
            }
            waiting => waiting?,
        };
        let of_upload = || OperationId::from_uuid(derived("upload", &[ticket.upload.as_bytes()]));
        let submission = SubmitDocument {
            owner: request.owner,
            operation: request.operation.unwrap_or_else(of_upload),
            // Whoever lost the answer asks again, and is answered as before.
            named: true,
            kind: DocumentKind::Resume,
            file_name: ticket.file_name.clone(),
            title: request.title,
            content,
            notes: request.notes,
            urgency: Urgency::Interactive,
        };
        let submitted = submit(submission).await;
        match &submitted {
            Ok(submitted) => {
                self.note(&ticket, submitted).await;
                self.forget(&ticket).await;
            }
            Err(refused) if is_final(refused.code) => self.forget(&ticket).await,
            Err(_) => {}
        }
        submitted
    }

    /// The answer to whoever asks again.
    async fn done(&self, ticket: &Ticket) -> Result<Option<SubmittedDocument>, Failure> {
        let key = place::done(&ticket.owner, ticket.upload);
        let Some(bytes) = self.ports.objects.get(&key).await? else { return Ok(None) };
        let Done { document, version, duplicate } = postcard::from_bytes(&bytes)
            .map_err(|_| failure(ErrorCode::Internal, "what became of an upload cannot be read"))?;
        // It may have been removed meanwhile.
        let document = self.ports.documents.document(&ticket.owner, document).await?.ok_or_else(none)?;
        Ok(Some(SubmittedDocument { document, version, duplicate }))
    }

    /// The file of an upload, if it is the one that was announced. It is measured before it is read: a bucket takes any
    /// size.
    async fn waiting(&self, ticket: &Ticket) -> Result<Bytes, Failure> {
        let not_sent = || failure(ErrorCode::NotReady, "the file has not been sent yet");
        let (objects, key) = (&self.ports.objects, place::waiting(&ticket.owner, ticket.upload));
        ticket.expect_size(objects.size(&key).await?.ok_or_else(not_sent)?)?;
        let content = objects.get(&key).await?.ok_or_else(not_sent)?;
        ticket.expect(&content)?;
        Ok(content)
    }

    async fn note(&self, ticket: &Ticket, submitted: &SubmittedDocument) {
        let SubmittedDocument { document, version, duplicate } = submitted;
        let done = Done { document: document.id, version: *version, duplicate: *duplicate };
        let key = place::done(&ticket.owner, ticket.upload);
        let noted = match postcard::to_stdvec(&done) {
            Ok(bytes) => self.ports.objects.put(&key, bytes.into()).await.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        // The document is there: who asks again is told so by its content.
        if let Err(error) = noted {
            tracing::warn!(error, "what became of an upload could not be noted");
        }
    }

    async fn forget(&self, ticket: &Ticket) {
        let key = place::waiting(&ticket.owner, ticket.upload);
        if let Err(error) = self.ports.objects.delete(&key).await {
            tracing::warn!(%error, "the file of an upload could not be removed; it will be swept");
        }
    }
}

/// Whether a file was refused for what it is, so that asking again cannot help.
const fn is_final(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::Validation
            | ErrorCode::TooLarge
            | ErrorCode::UnsupportedType
            | ErrorCode::EmptyDocument
            | ErrorCode::CorruptDocument
            | ErrorCode::EncryptedDocument
            | ErrorCode::NoText
            | ErrorCode::LimitExceeded
    )
}

fn none() -> Failure {
    failure(ErrorCode::NotFound, "there is no such upload, or it has ended")
}
