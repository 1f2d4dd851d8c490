//! Why a document could not be read, in words a person understands.

use serde::{Deserialize, Serialize};

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
    /// A stable code for APIs and metric labels: lower case with underscores.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            ExtractError::Empty => "empty",
            ExtractError::TooLarge { .. } => "too_large",
            ExtractError::UnsupportedType { .. } => "unsupported_type",
            ExtractError::Encrypted => "encrypted",
            ExtractError::Corrupt { .. } => "corrupt",
            ExtractError::LimitExceeded { .. } => "limit_exceeded",
            ExtractError::NoText { .. } => "no_text",
            ExtractError::Timeout => "timeout",
            ExtractError::OutOfMemory => "out_of_memory",
            ExtractError::Killed => "killed",
            ExtractError::Unavailable { .. } => "unavailable",
        }
    }

    /// Whether the same bytes may succeed on another try: only when the document was not at fault.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, ExtractError::Unavailable { .. })
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
