//! New versions of documents.

use tandem_domain::document::{Document, DocumentVersion};
use tandem_domain::ids::{DocumentId, OwnerId};
use tandem_ports::{DocumentStore as _, StoreError, Write};

use crate::cells::{At, Next, Written};
use crate::codec::{decode, encode};
use crate::store::ScyllaStore;
use crate::unique::Unique as _;

const TABLE: &str = "documents";

/// How often a version is added to a row that others change at the same time.
const ATTEMPTS: u32 = 8;

impl ScyllaStore {
    /// The row first, then the claim of its content: a claim always leads to a row that has the content. Without its claim
    /// the content is only not recognized when it comes again as a document of its own.
    pub(crate) async fn add_a_version(
        &self,
        owner: &OwnerId,
        id: DocumentId,
        version: &DocumentVersion,
    ) -> Result<Write<Option<Document>>, StoreError> {
        let (key, op) = (id.as_uuid().into_bytes(), self.operation());
        let at = At { table: &self.statements().documents, owner, key: &key };
        let mut cell = self.cell(at).await?;
        for _ in 0..ATTEMPTS {
            let Some(there) = cell else { return Ok(Write::Conflict(None)) };
            let document: Document = decode(TABLE, &there.body)?;
            if document.is_removed() {
                return Ok(Write::Conflict(None));
            }
            let known = self.find_by_digest(owner, document.kind, version.digest).await?;
            if known.as_ref().is_some_and(|known| known.id != id) {
                return Ok(Write::Conflict(known));
            }
            let Some(next) = document.with_version(version.clone()) else {
                return Ok(Write::Conflict(Some(document)));
            };
            let body = encode(TABLE, &next)?;
            let write = Next { op: &op, rev: there.rev + 1, body: &body };
            match self.replace_cell(at, there.rev, write).await? {
                Written::Done => {
                    match self.claim_unique(&next, version.digest.as_bytes()).await {
                        Ok(true) => {}
                        Ok(false) => tracing::warn!("the content of a new version is not claimed for it"),
                        Err(error) => tracing::warn!(%error, "the content of a new version is not claimed"),
                    }
                    return Ok(Write::Applied);
                }
                Written::Other(now) => cell = now,
                Written::Unknown => return Ok(Write::Unknown),
            }
        }
        Err(StoreError::Timeout)
    }
}
