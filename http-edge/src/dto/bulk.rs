//! Lines of a bulk upload on the wire.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use tandem_domain::document::DocumentKind;
use tandem_messages::documents::SubmittedDocument;
use utoipa::ToSchema;

use super::common::Status;
use super::document::Document;
use super::problem::ProblemBody;
use crate::problem::Problem;
use crate::upload::{self, Said, Upload};

/// A document in a line: as text, or as a file in base64.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"title": "Rust engineer", "text": "Rust engineer\n\nRequirements\n- 3 years of Rust"}))]
pub(crate) struct BulkDocument {
    /// The text; with ATX headings (`# Skills`) it is read as Markdown.
    pub(crate) text: Option<String>,
    /// The file in base64 (RFC 4648, section 4): PDF, DOCX, HTML, Markdown or plain text.
    #[schema(format = "byte")]
    pub(crate) content: Option<String>,
    /// The file's name.
    #[schema(examples("resume.pdf"))]
    pub(crate) filename: Option<String>,
    /// A title for when the text shows none; at most 300 characters.
    #[schema(max_length = 300)]
    pub(crate) title: Option<String>,
}

impl BulkDocument {
    /// The document as a request of its own would hand it in.
    pub(crate) fn into_upload(self, kind: DocumentKind) -> Result<Upload, Problem> {
        let Self { text, content, filename, title } = self;
        let said = Said { title, ..Said::default() };
        let mut upload = match (text, content) {
            (Some(text), None) => upload::of_text(kind, said, text)?,
            (None, Some(content)) => {
                let content = STANDARD
                    .decode(content)
                    .map_err(|_| Problem::validation("field `content`: expected base64"))?;
                upload::of_file(kind, None, said, content.into())?
            }
            _ => return Err(Problem::validation("expected either `text` or `content`")),
        };
        if let Some(name) = filename {
            upload.file_name = name;
        }
        Ok(upload)
    }
}

/// The answer to a line.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "line": 1, "error": null,
    "data": {"id": "0190b6a2-9a51-7c3e-8f6d-0d2f6c1a7b10", "status": "queued", "duplicate": false}
}))]
pub(crate) struct BulkResult {
    /// The line's number, from 1.
    pub(crate) line: u64,
    /// The document; null where it could not be taken.
    pub(crate) data: Option<Kept>,
    /// Why it could not be taken.
    pub(crate) error: Option<ProblemBody>,
}

/// A document that was taken.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Kept {
    /// Its id: a new one, or that of the earlier document with the same content.
    #[schema(format = "uuid")]
    pub(crate) id: String,
    /// How far it has come.
    pub(crate) status: Status,
    /// Whether it was there already.
    pub(crate) duplicate: bool,
}

impl From<SubmittedDocument> for Kept {
    fn from(submitted: SubmittedDocument) -> Self {
        let Document { id, status, .. } = submitted.document.into();
        Self { id, status, duplicate: submitted.duplicate }
    }
}
