//! Accounts of the model.

use async_trait::async_trait;
use tandem_domain::account::Account;
use tandem_domain::ids::{KeyDigest, OwnerId, TenantId};

use super::{MemoryStore, locked, page_limit};
use crate::accounts::AccountStore;
use crate::error::{StoreError, Write};

#[async_trait]
impl AccountStore for MemoryStore {
    async fn account(&self, owner: &OwnerId) -> Result<Option<Account>, StoreError> {
        Ok(locked(&self.0).accounts.get(owner).cloned())
    }

    async fn owner_of_key(&self, digest: KeyDigest) -> Result<Option<OwnerId>, StoreError> {
        Ok(locked(&self.0).keys.get(&digest).cloned())
    }

    async fn put_account(&self, account: &Account) -> Result<Write<Option<Account>>, StoreError> {
        let state = &mut *locked(&self.0);
        let owner = &account.user.owner;
        let there = state.accounts.get(owner);
        if there.map_or(0, |there| there.rev).checked_add(1) != Some(account.rev) {
            return Ok(Write::Conflict(there.cloned()));
        }
        state.accounts.insert(owner.clone(), account.clone());
        state.keys.extend(account.keys.iter().map(|key| (key.digest, owner.clone())));
        Ok(Write::Applied)
    }

    async fn members(
        &self,
        tenant: &TenantId,
        after: Option<&OwnerId>,
        limit: u32,
    ) -> Result<Vec<OwnerId>, StoreError> {
        let state = locked(&self.0);
        let users = state.accounts.values().map(|account| &account.user);
        let users =
            users.filter(|user| user.tenant == *tenant && after.is_none_or(|after| user.owner > *after));
        Ok(users.take(page_limit(limit)).map(|user| user.owner.clone()).collect())
    }
}
