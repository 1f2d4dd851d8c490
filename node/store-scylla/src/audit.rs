//! The audit log: the end of a chain is a cell with the last entry in it, moved on by one conditional write. The entry's
//! own row is written after it, and once more by whoever appends the next one, before that.

use async_trait::async_trait;
use tandem_domain::audit::{AuditEntry, AuditHead};
use tandem_domain::ids::{OwnerId, TenantId};
use tandem_ports::{AuditStore, StoreError, Write};

use crate::cells::{At, Cell, Next, Written};
use crate::codec::{decode, encode};
use crate::error::corrupt;
use crate::store::{ScyllaStore, limited};

#[cfg(test)]
mod tests;

const HEADS: &str = "audit_heads";
const ENTRIES: &str = "audit_entries";

/// The key of every cell: there is one for each tenant.
const ONLY: &[u8] = b"audit";
/// Entries of one partition: about 4 MB.
const SEGMENT: u64 = 16_384;

/// The partition of an entry; numbers begin at 1.
const fn segment_of(sequence: u64) -> u64 {
    sequence.saturating_sub(1) / SEGMENT
}

/// The tenant as the owner of its cell: both are made of the same characters.
fn cell_owner(tenant: &TenantId) -> Result<OwnerId, StoreError> {
    tenant.as_str().parse().map_err(|error| corrupt(HEADS, error))
}

fn entry_of(cell: Option<&Cell>) -> Result<Option<AuditEntry>, StoreError> {
    cell.map(|cell| decode(HEADS, &cell.body)).transpose()
}

fn head_of(entry: Option<&AuditEntry>) -> AuditHead {
    entry.map_or(AuditHead::START, AuditEntry::head)
}

impl ScyllaStore {
    async fn last_entry(&self, tenant: &TenantId) -> Result<Option<AuditEntry>, StoreError> {
        let owner = cell_owner(tenant)?;
        let at = At { table: &self.statements().audit.heads, owner: &owner, key: ONLY };
        entry_of(self.cell_serial(at).await?.as_ref())
    }

    /// A second time changes nothing.
    async fn put_entry(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        let (segment, body) = (segment_of(entry.sequence).cast_signed(), encode(ENTRIES, entry)?);
        let row = (entry.tenant.as_str(), segment, entry.sequence.cast_signed(), body);
        self.run(&self.statements().audit.put_entry, row).await
    }
}

#[async_trait]
impl AuditStore for ScyllaStore {
    async fn audit_head(&self, tenant: &TenantId) -> Result<AuditHead, StoreError> {
        Ok(head_of(self.last_entry(tenant).await?.as_ref()))
    }

    async fn append_audit(&self, entry: &AuditEntry) -> Result<Write<AuditHead>, StoreError> {
        let last = self.last_entry(&entry.tenant).await?;
        let head = head_of(last.as_ref());
        if !entry.follows(head) {
            return Ok(Write::Conflict(head));
        }
        if let Some(last) = &last {
            self.put_entry(last).await?;
        }
        let owner = cell_owner(&entry.tenant)?;
        let at = At { table: &self.statements().audit.heads, owner: &owner, key: ONLY };
        let (op, body) = (self.operation(), encode(HEADS, entry)?);
        let next = Next { op: &op, rev: entry.sequence.cast_signed(), body: &body };
        let written = match &last {
            None => self.insert_cell(at, next).await?,
            Some(last) => self.replace_cell(at, last.sequence.cast_signed(), next).await?,
        };
        match written {
            Written::Done => {
                if let Err(error) = self.put_entry(entry).await {
                    tracing::warn!(%error, "an entry of the audit log has its row when the next one is written");
                }
                Ok(Write::Applied)
            }
            Written::Other(cell) => Ok(Write::Conflict(head_of(entry_of(cell.as_ref())?.as_ref()))),
            Written::Unknown => Ok(Write::Unknown),
        }
    }

    async fn audit_entries(
        &self,
        tenant: &TenantId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        let (limit, last) = (limited(limit), self.last_entry(tenant).await?);
        let end = last.as_ref().map_or(0, |last| last.sequence);
        let (mut entries, mut from) = (Vec::new(), after.saturating_add(1));
        while entries.len() < limit {
            let segment = segment_of(from);
            let (lowest, room) = (i64::try_from(from).unwrap_or(i64::MAX), limit - entries.len());
            let key =
                (tenant.as_str(), segment.cast_signed(), lowest, i32::try_from(room).unwrap_or(i32::MAX));
            let rows: Vec<(Vec<u8>,)> = self.rows_of(ENTRIES, &self.statements().audit.entries, key).await?;
            for (body,) in rows {
                entries.push(decode::<AuditEntry>(ENTRIES, &body)?);
            }
            if segment >= segment_of(end) {
                break;
            }
            from = (segment + 1) * SEGMENT + 1;
        }
        // The last entry may not have its row yet.
        let reached = entries.last().map_or(after, |entry| entry.sequence);
        entries.extend(
            last.filter(|last| entries.len() < limit && reached.checked_add(1) == Some(last.sequence)),
        );
        Ok(entries)
    }
}
