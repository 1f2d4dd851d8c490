//! Uploads by a signed URL on the wire.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tandem_domain::document::{DocumentKind, Notes};
use tandem_domain::ids::{ContentDigest, OperationId, OwnerId};
use tandem_messages::uploads as messages;
use utoipa::ToSchema;

use super::document::Language;
use super::envelope::constant;
use crate::problem::Problem;
use crate::upload::Said;

/// The longest name of a file, in characters.
const MAX_FILE_NAME: usize = 255;
/// The longest media type, in bytes.
const MAX_MEDIA_TYPE: usize = 128;

/// A file that is to be sent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"file_name": "resume.pdf", "content_type": "application/pdf", "size": 182_044}))]
pub(crate) struct UploadRequest {
    /// Its name, 1 to 255 characters; `fileName` is the same.
    #[serde(alias = "fileName")]
    #[schema(min_length = 1, max_length = 255)]
    pub(crate) file_name: String,
    /// What it is taken for; what it is, its bytes say. `contentType` is the same.
    #[serde(alias = "contentType")]
    #[schema(max_length = 128, pattern = "^[ -~]*$", examples("application/pdf"))]
    pub(crate) content_type: Option<String>,
    /// How many bytes it has, exactly.
    #[schema(minimum = 1)]
    pub(crate) size: u64,
    /// Its SHA-256 in hexadecimal digits: another content is refused.
    #[schema(pattern = "^[0-9A-Fa-f]{64}$")]
    pub(crate) sha256: Option<String>,
}

impl UploadRequest {
    /// The question it is.
    pub(crate) fn asked(
        self,
        owner: OwnerId,
        operation: OperationId,
        named: bool,
    ) -> Result<messages::OpenUpload, Problem> {
        let Self { file_name, content_type: media_type, size, sha256 } = self;
        let length = file_name.chars().count();
        if !(1..=MAX_FILE_NAME).contains(&length) {
            let rule = format!("1 to {MAX_FILE_NAME} characters");
            return Err(Problem::validation(format!("field `file_name`: expected {rule}")));
        }
        let is_type =
            |text: &str| text.len() <= MAX_MEDIA_TYPE && text.bytes().all(|b| matches!(b, 32..=126));
        if media_type.as_deref().is_some_and(|text| !is_type(text)) {
            return Err(Problem::validation("field `content_type`: expected a media type"));
        }
        let digest = sha256.map(ContentDigest::try_from).transpose();
        let digest = digest.map_err(|error| Problem::validation(format!("field `sha256`: {error}")))?;
        Ok(messages::OpenUpload { owner, operation, named, file_name, media_type, size, digest })
    }
}

/// Where a file can be sent.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OpenedUpload {
    /// What the upload is completed with. To whoever it does not belong it is of no use.
    pub(crate) id: String,
    /// `PUT`.
    #[schema(schema_with = put)]
    pub(crate) method: &'static str,
    /// Where to: this node, or the object store itself. Whoever has it can send the file, once and without any other
    /// credential, so it is to be kept like a password.
    pub(crate) url: String,
    /// What must be sent with the file, beside its length.
    pub(crate) headers: BTreeMap<String, String>,
    /// Until when the file can be sent and the upload completed (RFC 3339).
    #[schema(format = DateTime)]
    pub(crate) expires_at: String,
    /// Where the upload is completed, with POST.
    pub(crate) complete: String,
}

impl OpenedUpload {
    /// The answer; `base` is where this node is reached.
    pub(crate) fn new(opened: messages::OpenedUpload, base: &str) -> Self {
        let messages::OpenedUpload { id, target, headers, until } = opened;
        let url = match target {
            messages::UploadTarget::Store(url) => url,
            messages::UploadTarget::Edge(signature) => {
                let expires = until.millis().div_euclid(1000);
                format!("{base}/api/v1/uploads/{id}?expires={expires}&signature={signature}")
            }
        };
        Self {
            method: "PUT",
            url,
            headers: headers.into_iter().collect(),
            expires_at: until.to_string(),
            complete: format!("/api/v1/resumes/upload/{id}/complete"),
            id,
        }
    }
}

/// A file that waits to be completed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SentUpload {
    /// In bytes.
    pub(crate) size: u64,
    /// Until when (RFC 3339).
    #[schema(format = DateTime)]
    pub(crate) expires_at: String,
}

impl From<messages::SentUpload> for SentUpload {
    fn from(sent: messages::SentUpload) -> Self {
        Self { size: sent.size, expires_at: sent.until.to_string() }
    }
}

/// What is said beside a file that was sent.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"title": "Rust engineer", "language": "en"}))]
pub(crate) struct UploadWords {
    /// A title for when the text shows none; at most 300 characters.
    #[schema(max_length = 300)]
    pub(crate) title: Option<String>,
    /// The language of the résumé.
    pub(crate) language: Option<Language>,
    /// The same; `resumeLang` is the same.
    #[serde(alias = "resumeLang")]
    pub(crate) resume_lang: Option<Language>,
    /// The language of the job description it is meant for; `jdLang` is the same.
    #[serde(alias = "jdLang")]
    pub(crate) jd_lang: Option<Language>,
    /// The language that results are wanted in; `desiredOutputLang` is the same.
    #[serde(alias = "desiredOutputLang")]
    pub(crate) desired_output_lang: Option<Language>,
    /// What else is to be heeded, at most 4000 characters; `customInstructions` is the same.
    #[serde(alias = "customInstructions")]
    #[schema(max_length = 4000)]
    pub(crate) custom_instructions: Option<String>,
}

impl UploadWords {
    /// The title, and the rest as it is kept.
    pub(crate) fn checked(self) -> Result<(Option<String>, Notes), Problem> {
        let Self { title, language, resume_lang, jd_lang, desired_output_lang, custom_instructions } = self;
        let said = Said {
            title,
            company: None,
            language,
            resume_lang,
            jd_lang,
            desired_output_lang,
            custom_instructions,
        };
        said.checked(DocumentKind::Resume)
    }
}

fn put() -> utoipa::openapi::schema::Object {
    constant("PUT")
}
