//! Talk about documents.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tandem_domain::document::{Document, DocumentKind, DocumentState, Notes, ParsedVersion, Version};
use tandem_domain::ids::{DocumentId, OperationId, OwnerId};
use tandem_domain::profile::Profile;
use tandem_domain::task::Urgency;
use tandem_domain::time::Timestamp;

/// Keep this file and have it read. Answered as soon as it is durable, before it is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubmitDocument {
    /// Whose it will be.
    pub owner: OwnerId,
    /// The intent. Submitting again is recognized by the content, which is kept once per owner and kind.
    pub operation: OperationId,
    /// Whether the submitter may name the same intent again: then it is remembered, and belongs to this document alone.
    pub named: bool,
    /// Résumé or job.
    pub kind: DocumentKind,
    /// The file's name; folders are dropped.
    pub file_name: String,
    /// A title for when the text shows none.
    pub title: Option<String>,
    /// The file.
    pub content: Bytes,
    /// What the submitter says beside it.
    pub notes: Notes,
    /// How soon it is to be read.
    pub urgency: Urgency,
}

/// Keep this file as the next version of a document and have it read. The version before stays what is searched until
/// this one can be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubmitVersion {
    /// Which document.
    pub id: DocumentId,
    /// The version, handed in as a document is.
    pub submission: SubmitDocument,
}

/// Read a job again with other words of its submitter: its next version has the same content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefineJob {
    /// Whose.
    pub owner: OwnerId,
    /// The intent.
    pub operation: OperationId,
    /// See [`SubmitDocument::named`].
    pub named: bool,
    /// Which.
    pub id: DocumentId,
    /// What replaces the words of before; what is not given here stays.
    pub notes: Notes,
}

/// The document is durable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubmittedDocument {
    /// The document: a new one, or the owner's earlier one with the same content.
    pub document: Document,
    /// The version that has the content.
    pub version: Version,
    /// Whether it was there already, from another intent.
    pub duplicate: bool,
}

/// Show a document with what was read in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetDocument {
    /// Whose.
    pub owner: OwnerId,
    /// Résumé or job: the other kind is not found.
    pub kind: DocumentKind,
    /// Which.
    pub id: DocumentId,
    /// One of its versions, shown as if it were the only one; `None` = the document as it stands.
    pub version: Option<Version>,
}

/// A document with what was read in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentDetail {
    /// The row.
    pub document: Document,
    /// What was read; `None` until it is parsed.
    pub parsed: Option<ParsedVersion>,
}

/// Show a résumé without whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetRedacted {
    /// Whose.
    pub owner: OwnerId,
    /// Which; a job is not found.
    pub id: DocumentId,
}

/// A résumé without whose it is: its file's name and its title may say that, and are not here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedactedDocument {
    /// Which.
    pub id: DocumentId,
    /// The version that is searched, or the first one.
    pub version: Version,
    /// How far it has come.
    pub state: DocumentState,
    /// What was read; `None` until it is parsed.
    pub redacted: Option<RedactedVersion>,
}

/// What was read in a résumé, without whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedactedVersion {
    /// The structured form. Its spans point into the visible text, which is not here.
    pub profile: Profile,
    /// The ranked text.
    pub text: String,
    /// The parser's version.
    pub parser: String,
}

/// List an owner's documents, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListDocuments {
    /// Whose.
    pub owner: OwnerId,
    /// Résumés or jobs.
    pub kind: DocumentKind,
    /// Begin behind this one.
    pub after: Option<DocumentId>,
    /// At most this many, 1..=1000.
    pub limit: u32,
}

/// A page of documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentPage {
    /// Newest first.
    pub documents: Vec<Document>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<DocumentId>,
}

/// Remove a document with everything that was made of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoveDocument {
    /// Whose.
    pub owner: OwnerId,
    /// Résumé or job: the other kind is not found.
    pub kind: DocumentKind,
    /// Which.
    pub id: DocumentId,
}

/// The removal is durable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemovedDocument {
    /// Résumé or job.
    pub kind: DocumentKind,
    /// Which.
    pub id: DocumentId,
    /// Versions that it had.
    pub versions: u32,
    /// When the removal was accepted.
    pub removed_at: Timestamp,
    /// Row, texts, vectors and original are gone, and a shard that has seen the change log up to here has forgotten it.
    /// `None` while a part of the system is away: then the rest follows.
    pub log_position: Option<u64>,
}

/// Say how far the latest versions of these documents have come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetDocumentStates {
    /// Whose.
    pub owner: OwnerId,
    /// Which; at most 1000.
    pub ids: Vec<DocumentId>,
}

/// The states of those that exist, in the order asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentStates {
    /// Document and state of its latest version.
    pub states: Vec<(DocumentId, DocumentState)>,
}
