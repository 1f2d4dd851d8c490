//! A submitted document and what has become of it.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

use crate::error::ErrorCode;
use crate::finding::Finding;
use crate::ids::{ContentDigest, DocumentId, OwnerId};
use crate::profile::Profile;
use crate::time::Timestamp;

mod notes;
mod versions;

pub use notes::Notes;
pub use versions::DocumentVersion;

/// Which side of a match a document stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentKind {
    /// What a person says of their own work.
    Resume,
    /// What an employer asks for.
    Job,
}

impl DocumentKind {
    /// `resume` or `job`: for labels and rows.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Resume => "resume",
            Self::Job => "job",
        }
    }

    /// The folder of originals in the object store: `resumes` or `jobs`.
    #[must_use]
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Resume => "resumes",
            Self::Job => "jobs",
        }
    }
}

impl fmt::Display for DocumentKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The formats that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaKind {
    /// Portable Document Format.
    Pdf,
    /// Office Open XML text.
    Docx,
    /// A web page.
    Html,
    /// Markdown.
    Markdown,
    /// Plain text in any of the usual encodings.
    Text,
}

impl MediaKind {
    /// The extension of the kept original, without a dot.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Docx => "docx",
            Self::Html => "html",
            Self::Markdown => "md",
            Self::Text => "txt",
        }
    }

    /// The media type (RFC 6838).
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            Self::Html => "text/html",
            Self::Markdown => "text/markdown",
            Self::Text => "text/plain",
        }
    }
}

/// A résumé's or job's version, from 1. A new upload of the same document is a new version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(pub u32);

impl Version {
    /// The version that every document starts with.
    pub const FIRST: Self = Self(1);

    /// Reads a version at the end of a value that was written without one when every document had one version.
    ///
    /// # Errors
    /// None.
    pub(crate) fn or_first<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::deserialize(deserializer).unwrap_or(Self::FIRST))
    }
}

impl Default for Version {
    fn default() -> Self {
        Self::FIRST
    }
}

/// How far a document has come. It only moves forward: see [`DocumentState::may_become`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentState {
    /// Original kept, parse task filed.
    Queued,
    /// Text read and structured.
    Parsed,
    /// Vectors written and put into the change log.
    Embedded,
    /// Searchable.
    Indexed,
    /// It cannot be used; the original is kept.
    Failed(Failure),
    /// Its owner removed it. Stores may keep such a row as a mark; nobody else sees it.
    Removed,
}

/// A reason that a person understands and a code that a program understands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{reason}")]
pub struct Failure {
    /// The code.
    pub code: ErrorCode,
    /// For people; holds no text of the document.
    pub reason: String,
}

impl DocumentState {
    /// `queued`, `parsed`, `embedded`, `indexed`, `failed` or `removed`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Parsed => "parsed",
            Self::Embedded => "embedded",
            Self::Indexed => "indexed",
            Self::Failed(_) => "failed",
            Self::Removed => "removed",
        }
    }

    /// True where nothing further will happen to this version by itself.
    #[must_use]
    pub const fn is_settled(&self) -> bool {
        matches!(self, Self::Indexed | Self::Failed(_) | Self::Removed)
    }

    const fn order(&self) -> u8 {
        match self {
            Self::Queued => 0,
            Self::Parsed => 1,
            Self::Embedded => 2,
            Self::Indexed => 3,
            Self::Failed(_) => 4,
            Self::Removed => 5,
        }
    }

    /// Whether the step from this state to `next` goes forward. A settled document does not move.
    #[must_use]
    pub const fn may_become(&self, next: &Self) -> bool {
        !self.is_settled() && self.order() < next.order()
    }
}

/// A document's row: everything but its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// Whose it is.
    pub owner: OwnerId,
    /// Its id, for all versions.
    pub id: DocumentId,
    /// Résumé or job.
    pub kind: DocumentKind,
    /// The version that is searched; the first one as long as none is.
    pub version: Version,
    /// The file's name as submitted, at most 255 characters, without folders.
    pub file_name: String,
    /// A title given by the submitter, used when the text shows none.
    pub title: Option<String>,
    /// What the bytes are, by their own testimony.
    pub media: MediaKind,
    /// SHA-256 of the original.
    pub digest: ContentDigest,
    /// Size of the original in bytes.
    pub size: u64,
    /// Where the original lies in the object store.
    pub object_key: String,
    /// How far it has come.
    pub state: DocumentState,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// What its submitter said beside it.
    #[serde(default, deserialize_with = "notes::or_none")]
    pub notes: Notes,
    /// Its other versions, in order.
    #[serde(default, deserialize_with = "versions::or_none")]
    pub others: Vec<DocumentVersion>,
}

impl Document {
    /// The key of an original: `resumes/<uuid>.<ext>` or `jobs/<uuid>.<ext>`. The UUID of the first version's is the
    /// document's, each later one has its own.
    #[must_use]
    pub fn object_key(kind: DocumentKind, id: Uuid, media: MediaKind) -> String {
        format!("{}/{id}.{}", kind.folder(), media.extension())
    }

    /// What is left of it when it is removed: its key, and nothing that came from its submitter or their file.
    #[must_use]
    pub fn removed(&self) -> Self {
        Self {
            owner: self.owner.clone(),
            id: self.id,
            kind: self.kind,
            version: self.version,
            file_name: String::new(),
            title: None,
            media: self.media,
            digest: ContentDigest::of(self.id.as_uuid().as_bytes()),
            size: 0,
            object_key: String::new(),
            state: DocumentState::Removed,
            created_at: self.created_at,
            notes: Notes::default(),
            others: Vec::new(),
        }
    }
}

/// What parsing made of one version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParsedVersion {
    /// The visible text; the Profile's spans point into it.
    pub text: String,
    /// The text without protected facts: the only text that is embedded, indexed and ranked (invariant 8).
    pub ranked_text: String,
    /// The structured form.
    pub profile: Profile,
    /// What is odd about the document.
    pub findings: Vec<Finding>,
    /// The parser's version: results of different parsers are not the same fact.
    pub parser: String,
}
