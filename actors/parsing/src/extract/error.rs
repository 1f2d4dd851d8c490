//! Why a document could not be read, in words a person understands.

use serde::{Deserialize, Serialize};
use tandem_domain::document::Failure;
use tandem_domain::error::ErrorCode;

/// Why no text came out. No variant carries text of the document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum ExtractError {
    /// No bytes, or only white space.
    #[error("the file is empty")]
    Empty,
    /// More bytes than allowed.
    #[error("the file has {bytes} bytes; at most {limit} are read")]
    TooLarge {
        /// Size of the file in bytes.
        bytes: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// Not a format that is read here.
    #[error("this is {found}; PDF, DOCX, HTML, Markdown and plain text can be read")]
    UnsupportedType {
        /// What the bytes are, with its article: "a PNG image".
        found: String,
    },
    /// Opens only with a password.
    #[error("the document is protected by a password; save it without one and submit it again")]
    Encrypted,
    /// The container or its syntax is broken.
    #[error("the {format} file is damaged: {reason}")]
    Corrupt {
        /// The format's name: "PDF", "DOCX".
        format: String,
        /// A fixed phrase.
        reason: String,
    },
    /// A bound of [`super::Limits`] was passed.
    #[error("the document has too many or too large {what}")]
    LimitExceeded {
        /// What there was too much of: "pages", "nested elements".
        what: String,
    },
    /// Nothing visible: a scan, or an empty page.
    #[error("the document shows no text on its {pages} page(s); it may be a scan or an image")]
    NoText {
        /// Pages looked at.
        pages: u32,
    },
    /// The wall or processor time for one document ran out.
    #[error("reading the document took too long")]
    Timeout,
    /// The memory for one document ran out.
    #[error("reading the document needs too much memory")]
    OutOfMemory,
    /// The reading process ended in the middle of this document.
    #[error("reading the document failed and was stopped")]
    Killed,
    /// The reading process could not be started or spoken to; the document is not at fault.
    #[error("the document reader is unavailable: {reason}")]
    Unavailable {
        /// A fixed phrase.
        reason: String,
    },
}

impl ExtractError {
    /// The code for programs. What a document needs too much of is not worth another try; only a reader that could
    /// not be started is.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            ExtractError::Empty => ErrorCode::EmptyDocument,
            ExtractError::TooLarge { .. } => ErrorCode::TooLarge,
            ExtractError::UnsupportedType { .. } => ErrorCode::UnsupportedType,
            ExtractError::Encrypted => ErrorCode::EncryptedDocument,
            ExtractError::Corrupt { .. } => ErrorCode::CorruptDocument,
            ExtractError::NoText { .. } => ErrorCode::NoText,
            ExtractError::LimitExceeded { .. }
            | ExtractError::Timeout
            | ExtractError::OutOfMemory
            | ExtractError::Killed => ErrorCode::LimitExceeded,
            ExtractError::Unavailable { .. } => ErrorCode::Unavailable,
        }
    }

    pub(super) fn corrupt(format: &str, reason: &str) -> Self {
        ExtractError::Corrupt { format: format.to_owned(), reason: reason.to_owned() }
    }

    pub(super) fn limit(what: &str) -> Self {
        ExtractError::LimitExceeded { what: what.to_owned() }
    }

    pub(super) fn unsupported(found: &str) -> Self {
        ExtractError::UnsupportedType { found: found.to_owned() }
    }
}

impl From<ExtractError> for Failure {
    fn from(error: ExtractError) -> Self {
        Self { code: error.code(), reason: error.to_string() }
    }
}
