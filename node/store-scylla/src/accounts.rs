//! Accounts: a cell for each, and two tables that lead to it, written first: what they name counts once the cell has it.

use async_trait::async_trait;
use futures::future::{try_join, try_join_all};
use tandem_domain::account::Account;
use tandem_domain::ids::{KeyDigest, OwnerId, TenantId};
use tandem_ports::{AccountStore, StoreError, Write};

use crate::cells::{At, Next, Written};
use crate::codec::{decode, encode};
use crate::error::corrupt;
use crate::store::{ScyllaStore, limited};

const ACCOUNTS: &str = "accounts";
const MEMBERS: &str = "members";
const API_KEYS: &str = "api_keys";

/// The key of every cell: there is one for each owner.
const ONLY: &[u8] = b"account";

impl ScyllaStore {
    fn account_at<'a>(&'a self, owner: &'a OwnerId) -> At<'a> {
        At { table: &self.statements().accounts, owner, key: ONLY }
    }

    /// Makes the account findable. A second time changes nothing.
    async fn lead_to(&self, account: &Account) -> Result<(), StoreError> {
        let (owner, tenant) = (account.user.owner.as_str(), account.user.tenant.as_str());
        let leads = &self.statements().leads;
        let keys = account
            .keys
            .iter()
            .map(|key| async move { self.run(&leads.put_key, (&key.digest.as_bytes()[..], owner)).await });
        try_join(try_join_all(keys), self.run(&leads.put_member, (tenant, owner))).await.map(drop)
    }
}

/// An owner that a column holds.
fn owner_of(table: &'static str, text: String) -> Result<OwnerId, StoreError> {
    text.try_into().map_err(|error| corrupt(table, error))
}

#[async_trait]
impl AccountStore for ScyllaStore {
    async fn account(&self, owner: &OwnerId) -> Result<Option<Account>, StoreError> {
        let cell = self.cell(self.account_at(owner)).await?;
        cell.map(|cell| decode(ACCOUNTS, &cell.body)).transpose()
    }

    async fn owner_of_key(&self, digest: KeyDigest) -> Result<Option<OwnerId>, StoreError> {
        let rows: Vec<(String,)> =
            self.rows_of(API_KEYS, &self.statements().leads.owner_of_key, (&digest.as_bytes()[..],)).await?;
        rows.into_iter().next().map(|(owner,)| owner_of(API_KEYS, owner)).transpose()
    }

    async fn put_account(&self, account: &Account) -> Result<Write<Option<Account>>, StoreError> {
        self.lead_to(account).await?;
        let (op, body) = (self.operation(), encode(ACCOUNTS, account)?);
        let (at, rev) = (self.account_at(&account.user.owner), account.rev.cast_signed());
        let next = Next { op: &op, rev, body: &body };
        let written = match rev {
            1 => self.insert_cell(at, next).await?,
            _ => self.replace_cell(at, rev.wrapping_sub(1), next).await?,
        };
        match written {
            Written::Done => Ok(Write::Applied),
            Written::Other(cell) => {
                Ok(Write::Conflict(cell.map(|cell| decode(ACCOUNTS, &cell.body)).transpose()?))
            }
            Written::Unknown => Ok(Write::Unknown),
        }
    }

    async fn members(
        &self,
        tenant: &TenantId,
        after: Option<&OwnerId>,
        limit: u32,
    ) -> Result<Vec<OwnerId>, StoreError> {
        let (after, limit) = (after.map_or("", OwnerId::as_str), limited(limit));
        let values = (tenant.as_str(), after, i32::try_from(limit).unwrap_or(i32::MAX));
        let rows: Vec<(String,)> = self.rows_of(MEMBERS, &self.statements().leads.members, values).await?;
        rows.into_iter().map(|(owner,)| owner_of(MEMBERS, owner)).collect()
    }
}
