//! The audit log.

use async_trait::async_trait;
use rusqlite::{Connection, params};
use tandem_domain::audit::{AuditEntry, AuditHead};
use tandem_domain::ids::TenantId;
use tandem_ports::{AuditStore, StoreError, Write};

use crate::codec::{decode, encode, find};
use crate::error::Fault;
use crate::store::{EmbeddedStore, limited};

#[cfg(test)]
mod tests;

const ENTRIES: &str = "audit_entries";
const HEADS: &str = "audit_heads";

fn head(connection: &Connection, tenant: &TenantId) -> Result<AuditHead, Fault> {
    let found = find(connection, HEADS, "SELECT body FROM audit_heads WHERE tenant = ?", [tenant.as_str()])?;
    Ok(found.unwrap_or(AuditHead::START))
}

#[async_trait]
impl AuditStore for EmbeddedStore {
    async fn audit_head(&self, tenant: &TenantId) -> Result<AuditHead, StoreError> {
        let tenant = tenant.clone();
        self.read(move |connection| head(connection, &tenant)).await
    }

    async fn append_audit(&self, entry: &AuditEntry) -> Result<Write<AuditHead>, StoreError> {
        let entry = entry.clone();
        self.write(move |connection| {
            let there = head(connection, &entry.tenant)?;
            if !entry.follows(there) {
                return Ok(Write::Conflict(there));
            }
            let (tenant, sequence) = (entry.tenant.as_str(), entry.sequence.cast_signed());
            // Whatever stands in this place was put there by hand; the end decides what belongs to the chain.
            let insert = "INSERT OR REPLACE INTO audit_entries (tenant, sequence, body) VALUES (?, ?, ?)";
            let body = encode(ENTRIES, &entry)?;
            connection.prepare_cached(insert)?.execute(params![tenant, sequence, body])?;
            let update = "INSERT OR REPLACE INTO audit_heads (tenant, body) VALUES (?, ?)";
            let body = encode(HEADS, &entry.head())?;
            connection.prepare_cached(update)?.execute(params![tenant, body])?;
            Ok(Write::Applied)
        })
        .await
    }

    async fn audit_entries(
        &self,
        tenant: &TenantId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        let (tenant, after) = (tenant.clone(), i64::try_from(after).unwrap_or(i64::MAX));
        self.read(move |connection| {
            let select =
                "SELECT body FROM audit_entries WHERE tenant = ? AND sequence > ? ORDER BY sequence LIMIT ?";
            let mut select = connection.prepare_cached(select)?;
            let rows = select.query_and_then(params![tenant.as_str(), after, limited(limit)], |row| {
                // A value of another kind was put there by hand.
                let reason = || "it is no blob".to_owned();
                let blob = row.get_ref(0)?.as_blob();
                let blob = blob.map_err(|_| StoreError::Corrupt { table: ENTRIES, reason: reason() })?;
                Ok(decode(ENTRIES, blob)?)
            })?;
            rows.collect()
        })
        .await
    }
}
