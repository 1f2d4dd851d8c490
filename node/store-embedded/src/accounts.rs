//! Accounts.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, params};
use tandem_domain::account::Account;
use tandem_domain::ids::{KeyDigest, OwnerId, TenantId};
use tandem_ports::{AccountStore, StoreError, Write};

use crate::codec::{encode, find};
use crate::error::Fault;
use crate::store::{EmbeddedStore, limited};

const ACCOUNTS: &str = "accounts";

fn row(connection: &Connection, owner: &OwnerId) -> Result<Option<Account>, Fault> {
    find(connection, ACCOUNTS, "SELECT body FROM accounts WHERE owner = ?", [owner.as_str()])
}

/// An owner that a column holds.
fn owner(text: String) -> Result<OwnerId, StoreError> {
    text.try_into()
        .map_err(|_| StoreError::Corrupt { table: ACCOUNTS, reason: "an owner's id is none".to_owned() })
}

#[async_trait]
impl AccountStore for EmbeddedStore {
    async fn account(&self, owner: &OwnerId) -> Result<Option<Account>, StoreError> {
        let owner = owner.clone();
        self.read(move |connection| row(connection, &owner)).await
    }

    async fn owner_of_key(&self, digest: KeyDigest) -> Result<Option<OwnerId>, StoreError> {
        self.read(move |connection| {
            let mut select = connection.prepare_cached("SELECT owner FROM api_keys WHERE digest = ?")?;
            let found =
                select.query_row([&digest.as_bytes()[..]], |row| row.get::<_, String>(0)).optional()?;
            Ok(found.map(owner).transpose()?)
        })
        .await
    }

    async fn put_account(&self, account: &Account) -> Result<Write<Option<Account>>, StoreError> {
        let account = account.clone();
        self.write(move |connection| {
            let there = row(connection, &account.user.owner)?;
            if there.as_ref().map_or(0, |there| there.rev).checked_add(1) != Some(account.rev) {
                return Ok(Write::Conflict(there));
            }
            let (owner, tenant) = (account.user.owner.as_str(), account.user.tenant.as_str());
            let insert = "INSERT INTO accounts (owner, tenant, rev, body) VALUES (?, ?, ?, ?)
                ON CONFLICT DO UPDATE SET tenant = excluded.tenant, rev = excluded.rev, body = excluded.body";
            let body = encode(ACCOUNTS, &account)?;
            connection.prepare_cached(insert)?.execute(params![
                owner,
                tenant,
                account.rev.cast_signed(),
                body
            ])?;
            let mut lead =
                connection.prepare_cached("INSERT OR IGNORE INTO api_keys (digest, owner) VALUES (?, ?)")?;
            for key in &account.keys {
                lead.execute(params![&key.digest.as_bytes()[..], owner])?;
            }
            Ok(Write::Applied)
        })
        .await
    }

    async fn members(
        &self,
        tenant: &TenantId,
        after: Option<&OwnerId>,
        limit: u32,
    ) -> Result<Vec<OwnerId>, StoreError> {
        let (tenant, after) = (tenant.clone(), after.map_or(String::new(), ToString::to_string));
        self.read(move |connection| {
            let select = "SELECT owner FROM accounts WHERE tenant = ? AND owner > ? ORDER BY owner LIMIT ?";
            let mut select = connection.prepare_cached(select)?;
            let owners = select
                .query_map(params![tenant.as_str(), after, limited(limit)], |row| row.get::<_, String>(0))?;
            owners.map(|text| Ok(owner(text?)?)).collect()
        })
        .await
    }
}
