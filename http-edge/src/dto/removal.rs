//! Removals on the wire.

use serde::Serialize;
use tandem_messages::documents::RemovedDocument;
use utoipa::ToSchema;

use super::document::DocumentKind;

/// The receipt of a removal.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Removed {
    /// The document that was removed.
    #[schema(format = "uuid")]
    pub(crate) id: String,
    /// Résumé or job.
    pub(crate) kind: DocumentKind,
    /// When the removal was accepted, which is when nobody could find the document any more.
    #[schema(format = "date-time")]
    pub(crate) removed_at: String,
    /// Whether all that is named in `removed` is gone already. If not, a part of the system was away, and the rest is
    /// removed as soon as it is back.
    pub(crate) complete: bool,
    /// What is removed.
    pub(crate) removed: RemovedParts,
    /// Each node's part of the index has forgotten the document once it has seen the change log up to here: `/status`
    /// shows how far each is behind. `null` while the removal is not complete.
    pub(crate) log_position: Option<u64>,
}

/// The parts of a document.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RemovedParts {
    /// Originals in the object store.
    pub(crate) originals: u32,
    /// Versions with their text, Profile and vectors in the store.
    pub(crate) versions: u32,
}

impl From<RemovedDocument> for Removed {
    fn from(removed: RemovedDocument) -> Self {
        let RemovedDocument { kind, id, versions, removed_at, log_position } = removed;
        Self {
            id: id.to_string(),
            kind: kind.into(),
            removed_at: removed_at.to_string(),
            complete: log_position.is_some(),
            removed: RemovedParts { originals: versions, versions },
            log_position,
        }
    }
}
