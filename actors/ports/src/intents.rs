//! What submitters meant to do, under names of their own, so that the same is not done twice.

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tandem_domain::ids::{ContentDigest, OperationId, OwnerId};
use tandem_domain::time::Timestamp;

use crate::error::{StoreError, Write};

/// How long an intent is remembered.
pub const KEPT: Duration = Duration::from_secs(48 * 60 * 60);

/// An intent that has a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// Whose.
    pub owner: OwnerId,
    /// Its name.
    pub operation: OperationId,
    /// Of everything that was handed in: the same intent with another one is refused.
    pub body: ContentDigest,
    /// When it was told for the first time.
    pub since: Timestamp,
    /// Whether whoever carried it out is done with it, well or badly.
    pub ended: bool,
}

/// Keeps intents for [`KEPT`] and forgets them then.
#[async_trait]
pub trait IntentStore: Send + Sync + 'static {
    /// Remembers an intent that has not ended. Conflict: the one of this name that is remembered, which stays. Unknown:
    /// ask again, and find it.
    async fn remember(&self, intent: &Intent) -> Result<Write<Intent>, StoreError>;

    /// Notes that an intent has ended, if it is remembered; durable when it returns.
    async fn end(&self, owner: &OwnerId, operation: OperationId) -> Result<(), StoreError>;
}
