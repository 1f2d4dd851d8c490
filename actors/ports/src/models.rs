//! Which models a corpus has vectors of.

use async_trait::async_trait;
use tandem_domain::models::Models;

use crate::error::{StoreError, Write};

/// Keeps the one row of a corpus that says which models it has. What may become of it is decided by [`Models`]' own
/// methods; a store only compares revisions.
#[async_trait]
pub trait ModelStore: Send + Sync + 'static {
    /// The models of this corpus; None before its first.
    async fn models(&self) -> Result<Option<Models>, StoreError>;

    /// Writes the row, if the revision of the one that is there is `models.rev - 1`; where there is none, that counts as
    /// 0. Conflict: the row as it stands. Unknown: read it back; it was applied if it equals `models`.
    async fn put_models(&self, models: &Models) -> Result<Write<Option<Models>>, StoreError>;
}
