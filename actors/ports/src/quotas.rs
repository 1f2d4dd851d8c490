//! What owners have used of their plans.

use async_trait::async_trait;
use tandem_domain::ids::{OperationId, OwnerId};
use tandem_domain::quota::{Charge, OwnerQuota};

use crate::error::{StoreError, Write};

/// What becomes of the charges that stand beside a row, in the same write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChargeChange {
    /// They stay.
    None,
    /// This one is remembered, in the place of an earlier one of the same operation.
    Remember(Charge),
    /// The one of this operation, if there is one, is forgotten.
    Forget(OperationId),
}

/// Keeps a row for each owner and, beside it, charges by their operations.
///
/// A charge is kept for [`tandem_domain::quota::CHARGE_KEPT`] at least and may be forgotten after it; who reads one
/// looks whether it has expired.
#[async_trait]
pub trait QuotaStore: Send + Sync + 'static {
    /// The owner's row; `None` = nothing was ever written. Every write that was answered before is in it.
    async fn quota(&self, owner: &OwnerId) -> Result<Option<OwnerQuota>, StoreError>;

    /// The owner's charge of an operation, with the same promise.
    async fn charge(&self, owner: &OwnerId, operation: OperationId) -> Result<Option<Charge>, StoreError>;

    /// Writes `row` over the one of the revision before it (1 = there is none yet) and changes a charge, both or
    /// neither. Conflict: there is another revision, or its epoch is later than `row.epoch`; the row as it stands.
    async fn put_quota(
        &self,
        row: &OwnerQuota,
        change: &ChargeChange,
    ) -> Result<Write<Option<OwnerQuota>>, StoreError>;
}
