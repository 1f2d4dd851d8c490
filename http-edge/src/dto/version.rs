//! Versions of résumés and jobs on the wire.

use serde::{Deserialize, Serialize};
use tandem_domain::document::{self as domain, DocumentKind, Notes};
use tandem_messages::documents::DocumentDetail;
use utoipa::ToSchema;

use super::common::{Failure, Status};
use super::document::{EmbeddingStatus, Language, Parsed, embedding_status, status_of};
use crate::problem::Problem;
use crate::upload::Said;

/// A version of a document.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DocumentVersion {
    /// The document's id.
    #[schema(format = "uuid")]
    pub(crate) document_id: String,
    /// Its number, from 1.
    pub(crate) version: u32,
    /// Whether it is the one that is searched and matched.
    pub(crate) active: bool,
    /// How far it has come.
    pub(crate) status: Status,
    /// The same in finer steps: `queued`, `parsed`, `embedded`, `indexed` or `failed`.
    #[schema(examples("indexed"))]
    pub(crate) stage: String,
    /// Why it failed.
    pub(crate) failure: Option<Failure>,
    /// Whether it is or was searchable.
    pub(crate) embedding_status: EmbeddingStatus,
    /// The title it was submitted with.
    pub(crate) title: Option<String>,
    /// The file's name.
    #[schema(examples("resume.pdf"))]
    pub(crate) file_name: String,
    /// What the bytes are.
    #[schema(examples("application/pdf"))]
    pub(crate) media_type: String,
    /// Size of the original in bytes.
    pub(crate) size: u64,
    /// SHA-256 of the original.
    pub(crate) sha256: String,
    /// What its submitter wants to be heeded.
    pub(crate) custom_instructions: Option<String>,
    /// When it was accepted (RFC 3339).
    #[schema(format = DateTime)]
    pub(crate) created_at: String,
}

impl DocumentVersion {
    /// A version, as [`domain::Document::at`] shows it, of a document of which `searched` is searched.
    pub(crate) fn new(version: domain::Document, searched: domain::Version) -> Self {
        let (stage, embedding_status) = (version.state.name().to_owned(), embedding_status(&version.state));
        let active = version.version == searched && version.state == domain::DocumentState::Indexed;
        let (status, failure) = status_of(version.state);
        Self {
            document_id: version.id.to_string(),
            version: version.version.0,
            active,
            status,
            stage,
            failure,
            embedding_status,
            title: version.title.or(version.notes.headline),
            file_name: version.file_name,
            media_type: version.media.media_type().to_owned(),
            size: version.size,
            sha256: version.digest.to_string(),
            custom_instructions: version.notes.custom_instructions,
            created_at: version.created_at.to_string(),
        }
    }
}

/// A version with what was read in it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VersionView {
    /// The version.
    #[serde(flatten)]
    pub(crate) version: DocumentVersion,
    /// What was read; null until it is parsed.
    pub(crate) parsed: Option<Parsed>,
}

impl VersionView {
    /// The view of a version, with its text or without.
    pub(crate) fn new(detail: DocumentDetail, searched: domain::Version, with_text: bool) -> Self {
        let DocumentDetail { document, parsed } = detail;
        let parsed = parsed.map(|parsed| Parsed::new(parsed, with_text));
        Self { version: DocumentVersion::new(document, searched), parsed }
    }
}

/// Other words for a job. What is left out stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"custom_instructions": "Mind the leadership experience.", "desired_output_lang": "ar"}))]
pub(crate) struct Refinement {
    /// What is to be heeded, at most 4000 characters; `customInstructions` and `instructions` are the same.
    #[serde(alias = "customInstructions", alias = "instructions")]
    #[schema(max_length = 4000)]
    pub(crate) custom_instructions: Option<String>,
    /// The language of the résumé; `resumeLang` is the same.
    #[serde(alias = "resumeLang")]
    pub(crate) resume_lang: Option<Language>,
    /// The language of the job description; `jdLang` is the same.
    #[serde(alias = "jdLang")]
    pub(crate) jd_lang: Option<Language>,
    /// The language that results are wanted in; `desiredOutputLang` is the same.
    #[serde(alias = "desiredOutputLang")]
    pub(crate) desired_output_lang: Option<Language>,
}

impl Refinement {
    /// The words as they are kept.
    pub(crate) fn into_notes(self) -> Result<Notes, Problem> {
        let Self { custom_instructions, resume_lang, jd_lang, desired_output_lang } = self;
        let said = Said { custom_instructions, resume_lang, jd_lang, desired_output_lang, ..Said::default() };
        Ok(said.checked(DocumentKind::Job)?.1)
    }
}
