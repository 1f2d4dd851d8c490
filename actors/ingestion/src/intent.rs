//! Which document an intent that has a name belongs to.

use tandem_domain::document::{Document, Failure};
use tandem_domain::error::ErrorCode;
use tandem_domain::ids::{ContentDigest, derived};
use tandem_domain::profile::LanguageCode;
use tandem_domain::task::{Task, TaskKind, TaskSubject};
use tandem_domain::time::Timestamp;
use tandem_messages::documents::SubmitDocument;
use tandem_ports::{TaskStore, Write};

/// An intent that was told before.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Intent {
    /// When it was told for the first time.
    since: Timestamp,
}

impl Intent {
    /// Remembers the intent of a submission that names one, in a row that nothing forgets. `None` = it is new.
    ///
    /// # Errors
    /// `IDEMPOTENCY_KEY_REUSED` where the same intent came with another document; or the store is not available.
    pub(crate) async fn remember(
        tasks: &dyn TaskStore,
        submission: &SubmitDocument,
        digest: ContentDigest,
        now: Timestamp,
    ) -> Result<Option<Self>, Failure> {
        if !submission.named {
            return Ok(None);
        }
        let (operation, body) = (submission.operation, body_of(submission, digest));
        let subject = TaskSubject::Upload { operation, body };
        let mark = Task::mark(submission.owner.clone(), TaskKind::Parse, subject, now);
        let standing = match tasks.file(&mark).await? {
            Write::Applied => return Ok(None),
            Write::Conflict(there) => there,
            Write::Unknown => tasks.task(&mark.key()).await?.ok_or_else(unknown)?,
        };
        if standing.subject != mark.subject {
            let reason = "this key was used for another document".to_owned();
            return Err(Failure { code: ErrorCode::KeyReused, reason });
        }
        Ok(Some(Self { since: standing.created_at }))
    }

    /// Whether a document was there before the intent. One that came after it is what the intent made.
    pub(crate) fn came_after(self, document: &Document) -> bool {
        document.created_at < self.since
    }
}

/// Everything that was handed in, in one number.
fn body_of(submission: &SubmitDocument, digest: ContentDigest) -> ContentDigest {
    let notes = &submission.notes;
    let language = |code: &Option<LanguageCode>| code.map(|code| code.as_str().to_owned());
    let texts = [
        submission.title.clone(),
        notes.company.clone(),
        language(&notes.resume_lang),
        language(&notes.jd_lang),
        language(&notes.desired_output_lang),
        notes.custom_instructions.clone(),
    ];
    // A text that is missing is another one than a text that is empty.
    let marked: Vec<String> =
        texts.into_iter().map(|text| text.map_or(String::new(), |text| format!("={text}"))).collect();
    let mut parts =
        vec![submission.kind.name().as_bytes(), submission.file_name.as_bytes(), digest.as_bytes()];
    parts.extend(marked.iter().map(String::as_bytes));
    ContentDigest::of(derived("upload", &parts).as_bytes())
}

fn unknown() -> Failure {
    let reason = "the store did not say whether the intent was kept; submit the file again".to_owned();
    Failure { code: ErrorCode::Unavailable, reason }
}
