//! Talk about files that are sent by a signed URL: asked for, sent, completed.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tandem_domain::document::Notes;
use tandem_domain::ids::{ContentDigest, OperationId, OwnerId};
use tandem_domain::time::Timestamp;

/// Say where this résumé can be sent. Nothing is kept of it until it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenUpload {
    /// Whose it will be.
    pub owner: OwnerId,
    /// The intent.
    pub operation: OperationId,
    /// Whether the submitter may name the same intent again: then it has the same answer.
    pub named: bool,
    /// The file's name; folders are dropped.
    pub file_name: String,
    /// What the submitter takes the file for; its bytes decide.
    pub media_type: Option<String>,
    /// How many bytes it has, exactly.
    pub size: u64,
    /// Its SHA-256: another content is refused.
    pub digest: Option<ContentDigest>,
}

/// Where it can be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenedUpload {
    /// What it is completed with, by its owner alone.
    pub id: String,
    /// Where to.
    pub target: UploadTarget,
    /// What must be sent with it, beside the length.
    pub headers: Vec<(String, String)>,
    /// Until when it can be sent and completed; whole seconds.
    pub until: Timestamp,
}

/// Who takes the file, by PUT and without any other credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum UploadTarget {
    /// The object store itself, at this URL.
    Store(String),
    /// The edge of any node, under the upload's id, with this signature of id and end.
    Edge(String),
}

/// The signed part of a URL of the edge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedUpload {
    /// See [`OpenedUpload::id`].
    pub id: String,
    /// The end of the upload, in seconds since the epoch.
    pub until_s: i64,
    /// See [`UploadTarget::Edge`].
    pub signature: String,
}

/// Say whether a file may be sent to this URL now, before a byte of it is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdmitUpload {
    /// The URL.
    pub upload: SignedUpload,
}

/// It may.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdmittedUpload {
    /// How many bytes it has, exactly.
    pub size: u64,
}

/// Keep this file until it is completed or its time has passed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendUpload {
    /// The URL it came to.
    pub upload: SignedUpload,
    /// The file.
    pub content: Bytes,
}

/// It is durable and waits to be completed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentUpload {
    /// In bytes.
    pub size: u64,
    /// Until when it waits.
    pub until: Timestamp,
}

/// Take in what was sent, as [`crate::documents::SubmitDocument`] does. Asked again, it answers alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompleteUpload {
    /// Whose.
    pub owner: OwnerId,
    /// The intent, where the submitter has named it; else completing this upload is one.
    pub operation: Option<OperationId>,
    /// See [`OpenedUpload::id`].
    pub id: String,
    /// A title for when the text shows none.
    pub title: Option<String>,
    /// What the submitter says beside it.
    pub notes: Notes,
}
