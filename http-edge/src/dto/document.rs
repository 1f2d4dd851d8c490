//! Résumés and jobs on the wire.

use serde::{Deserialize, Serialize};
use tandem_domain::document as domain;
use tandem_messages::documents::{DocumentDetail, SubmittedDocument};
use utoipa::ToSchema;

use super::all;
use super::common::{Failure, Status};
use super::finding::Finding;
use super::profile::{Profile, Skill};

/// A document as text.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"title": "Rust engineer", "text": "Rust engineer\n\nRequirements\n- 3 years of Rust"}))]
pub(crate) struct TextDocument {
    /// A title for when the text shows none; at most 300 characters.
    #[schema(max_length = 300)]
    pub(crate) title: Option<String>,
    /// The text; with ATX headings (`# Skills`) it is read as Markdown.
    pub(crate) text: String,
}

/// A document as a file.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the form; the form itself is read field by field")]
pub(crate) struct FileForm {
    /// PDF, DOCX, HTML, Markdown or plain text.
    #[schema(value_type = String, format = Binary)]
    pub(crate) file: Vec<u8>,
    /// A title for when the text shows none; at most 300 characters.
    #[schema(max_length = 300)]
    pub(crate) title: Option<String>,
}

super::mirror! {
    /// Which side of a match a document stands on.
    domain::DocumentKind { Resume, Job }
}

/// A document's row.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Document {
    /// Its id.
    #[schema(format = "uuid")]
    pub(crate) id: String,
    /// Résumé or job.
    pub(crate) kind: DocumentKind,
    /// How far it has come.
    pub(crate) status: Status,
    /// The same in finer steps: `queued`, `parsed`, `embedded`, `indexed` or `failed`.
    #[schema(examples("indexed"))]
    pub(crate) stage: String,
    /// Why it failed.
    pub(crate) failure: Option<Failure>,
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
    /// The version, from 1.
    pub(crate) version: u32,
    /// When it was accepted (RFC 3339).
    #[schema(format = DateTime)]
    pub(crate) created_at: String,
}

impl From<domain::Document> for Document {
    fn from(document: domain::Document) -> Self {
        let stage = document.state.name().to_owned();
        let (status, failure) = match document.state {
            domain::DocumentState::Queued => (Status::Queued, None),
            domain::DocumentState::Parsed | domain::DocumentState::Embedded => (Status::Processing, None),
            domain::DocumentState::Indexed => (Status::Complete, None),
            domain::DocumentState::Failed(failure) => (Status::Failed, Some(failure.into())),
            // Nobody is shown one.
            domain::DocumentState::Removed => (Status::Failed, None),
        };
        Self {
            id: document.id.to_string(),
            kind: document.kind.into(),
            status,
            stage,
            failure,
            title: document.title,
            file_name: document.file_name,
            media_type: document.media.media_type().to_owned(),
            size: document.size,
            sha256: document.digest.to_string(),
            version: document.version.0,
            created_at: document.created_at.to_string(),
        }
    }
}

/// A document that was handed in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Submitted {
    /// The document: a new one, or the earlier one with the same content.
    #[serde(flatten)]
    pub(crate) document: Document,
    /// Whether it was there already.
    pub(crate) duplicate: bool,
}

impl From<SubmittedDocument> for Submitted {
    fn from(submitted: SubmittedDocument) -> Self {
        Self { document: submitted.document.into(), duplicate: submitted.duplicate }
    }
}

/// A document with what was read in it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DocumentView {
    /// The row.
    #[serde(flatten)]
    pub(crate) document: Document,
    /// What was read; null until it is parsed.
    pub(crate) parsed: Option<Parsed>,
}

/// What was read in a document.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Parsed {
    /// The version of the parser's rules.
    pub(crate) parser: String,
    /// The structured form.
    pub(crate) profile: Profile,
    /// The skills it names.
    pub(crate) skills: Vec<Skill>,
    /// What is odd about it.
    pub(crate) findings: Vec<Finding>,
    /// The visible text that the spans point into; only with `include=text`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<String>,
}

impl DocumentView {
    /// The view of a document, with its text or without.
    pub(crate) fn new(detail: DocumentDetail, with_text: bool) -> Self {
        let parsed = detail.parsed.map(|mut parsed| Parsed {
            parser: parsed.parser,
            skills: all(std::mem::take(&mut parsed.profile.skills)),
            profile: parsed.profile.into(),
            findings: all(parsed.findings),
            text: with_text.then_some(parsed.text),
        });
        Self { document: detail.document.into(), parsed }
    }
}
