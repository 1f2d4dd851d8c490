//! Who may ask, and with which keys.

use async_trait::async_trait;
use tandem_domain::account::Account;
use tandem_domain::ids::{KeyDigest, OwnerId, TenantId};

use crate::error::{StoreError, Write};

/// Keeps one row for each account, with its keys in it, and finds it by the digest of a key.
#[async_trait]
pub trait AccountStore: Send + Sync + 'static {
    /// The owner's account. Every write that was answered before is in it.
    async fn account(&self, owner: &OwnerId) -> Result<Option<Account>, StoreError>;

    /// Whose account has a key of this digest, if any has: the account says what the key opens, and whether it is there
    /// at all. Every write that was answered before is in it. The one question without an owner: its answer is one.
    async fn owner_of_key(&self, digest: KeyDigest) -> Result<Option<OwnerId>, StoreError>;

    /// Writes `account` over the one of the revision before it (1 = there is none yet); its tenant never changes. Conflict: there is another
    /// revision; the account as it stands.
    async fn put_account(&self, account: &Account) -> Result<Write<Option<Account>>, StoreError>;

    /// The owners of the tenant behind `after`, in the order of their ids, at most [`crate::documents::MAX_PAGE`].
    async fn members(
        &self,
        tenant: &TenantId,
        after: Option<&OwnerId>,
        limit: u32,
    ) -> Result<Vec<OwnerId>, StoreError>;
}
