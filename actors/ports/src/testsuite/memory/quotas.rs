//! Quotas of the model.

use async_trait::async_trait;
use tandem_domain::ids::{OperationId, OwnerId};
use tandem_domain::quota::{Charge, OwnerQuota};

use super::{MemoryStore, locked};
use crate::error::{StoreError, Write};
use crate::quotas::{ChargeChange, QuotaStore};

#[async_trait]
impl QuotaStore for MemoryStore {
    async fn quota(&self, owner: &OwnerId) -> Result<Option<OwnerQuota>, StoreError> {
        Ok(locked(&self.0).quotas.get(owner).cloned())
    }

    async fn charge(&self, owner: &OwnerId, operation: OperationId) -> Result<Option<Charge>, StoreError> {
        Ok(locked(&self.0).charges.get(&(owner.clone(), operation)).cloned())
    }

    async fn put_quota(
        &self,
        row: &OwnerQuota,
        change: &ChargeChange,
    ) -> Result<Write<Option<OwnerQuota>>, StoreError> {
        let state = &mut *locked(&self.0);
        let there = state.quotas.get(&row.owner);
        let (rev, epoch) = there.map_or((0, 0), |there| (there.rev, there.epoch));
        if rev.checked_add(1) != Some(row.rev) || epoch > row.epoch {
            return Ok(Write::Conflict(there.cloned()));
        }
        state.quotas.insert(row.owner.clone(), row.clone());
        match change {
            ChargeChange::None => {}
            ChargeChange::Remember(charge) => {
                state.charges.insert((row.owner.clone(), charge.operation), charge.clone());
            }
            ChargeChange::Forget(operation) => {
                state.charges.remove(&(row.owner.clone(), *operation));
            }
        }
        Ok(Write::Applied)
    }
}
