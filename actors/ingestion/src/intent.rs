//! What a submitter means to do, where it has a name.

use std::time::Duration;

use tandem_domain::document::{Failure, Notes};
use tandem_domain::error::ErrorCode;
use tandem_domain::ids::{ContentDigest, DocumentId, OperationId, OwnerId, derived};
use tandem_domain::profile::LanguageCode;
use tandem_domain::time::Timestamp;
use tandem_messages::documents::{RefineJob, SubmitDocument};
use tandem_messages::uploads::OpenUpload;
use tandem_ports::intents::Intent;
use tandem_ports::{IntentStore, Write};

/// How long the first request may be at work. One that says nothing for longer has died.
const AT_WORK: Duration = Duration::from_secs(60);

/// A named intent that is told.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    owner: OwnerId,
    operation: OperationId,
    body: ContentDigest,
}

impl Told {
    /// The intent of a document, or of a version of one; `None` = it has no name.
    pub(crate) fn of(
        submission: &SubmitDocument,
        digest: ContentDigest,
        version_of: Option<DocumentId>,
    ) -> Option<Self> {
        let SubmitDocument { owner, operation, kind, file_name, title, notes, .. } = submission;
        let mut parts = vec![kind.name().as_bytes().to_vec(), file_name.as_bytes().to_vec()];
        parts.push(digest.as_bytes().to_vec());
        parts.push(marked(title.as_deref()));
        parts.extend(words(notes));
        parts.extend(version_of.map(|id| id.as_uuid().into_bytes().to_vec()));
        let told = Self { owner: owner.clone(), operation: *operation, body: one_of("upload", &parts) };
        submission.named.then_some(told)
    }

    /// The intent of other words for a job.
    pub(crate) fn of_words(request: &RefineJob) -> Option<Self> {
        let RefineJob { owner, operation, named, id, notes } = request;
        let mut parts = vec![id.as_uuid().into_bytes().to_vec()];
        parts.extend(words(notes));
        let told = Self { owner: owner.clone(), operation: *operation, body: one_of("refine", &parts) };
        named.then_some(told)
    }

    /// The intent of a file that is to be sent.
    pub(crate) fn of_upload(request: &OpenUpload) -> Option<Self> {
        let OpenUpload { owner, operation, named, file_name, media_type, size, digest } = request;
        let digest = digest.map(|digest| digest.to_string());
        let parts = [
            file_name.as_bytes().to_vec(),
            marked(media_type.as_deref()),
            size.to_be_bytes().to_vec(),
            marked(digest.as_deref()),
        ];
        let told =
            Self { owner: owner.clone(), operation: *operation, body: one_of("signed upload", &parts) };
        named.then_some(told)
    }

    /// Remembers the intent. `None` = it is new; else when it was told for the first time.
    ///
    /// # Errors
    /// `IDEMPOTENCY_KEY_REUSED` where the same intent came with another body, `NOT_READY` while the first request is
    /// still at work; or the store is not available.
    pub(crate) async fn remember(
        &self,
        intents: &dyn IntentStore,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, Failure> {
        let Self { owner, operation, body } = self.clone();
        let new = Intent { owner, operation, body, since: now, ended: false };
        let there = match intents.remember(&new).await? {
            Write::Applied => return Ok(None),
            Write::Conflict(there) => there,
            Write::Unknown => {
                let reason = "the store did not say whether the intent was kept; submit it again";
                return Err(refused(ErrorCode::Unavailable, reason));
            }
        };
        if there.body != new.body {
            return Err(refused(ErrorCode::KeyReused, "this key was used for another document"));
        }
        if !there.ended && there.since.plus(AT_WORK) > now {
            return Err(refused(ErrorCode::NotReady, "the first request with this key is still at work"));
        }
        Ok(Some(there.since))
    }

    /// Notes that the request is done. Should that fail, it counts as at work for a while.
    pub(crate) async fn end(&self, intents: &dyn IntentStore) {
        if let Err(error) = intents.end(&self.owner, self.operation).await {
            tracing::warn!(%error, "the end of a request with a key could not be noted");
        }
    }
}

/// A text that is missing is another one than a text that is empty.
fn marked(text: Option<&str>) -> Vec<u8> {
    text.map_or_else(Vec::new, |text| format!("={text}").into_bytes())
}

fn words(notes: &Notes) -> [Vec<u8>; 5] {
    let language = |code: &Option<LanguageCode>| marked(code.as_ref().map(LanguageCode::as_str));
    [
        marked(notes.company.as_deref()),
        language(&notes.resume_lang),
        language(&notes.jd_lang),
        language(&notes.desired_output_lang),
        marked(notes.custom_instructions.as_deref()),
    ]
}

/// Everything that was handed in, in one number.
fn one_of(namespace: &str, parts: &[Vec<u8>]) -> ContentDigest {
    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    ContentDigest::of(derived(namespace, &parts).as_bytes())
}

fn refused(code: ErrorCode, reason: &str) -> Failure {
    Failure { code, reason: reason.to_owned() }
}
