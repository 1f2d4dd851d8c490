//! The audit log of the model.

use async_trait::async_trait;
use tandem_domain::audit::{AuditEntry, AuditHead};
use tandem_domain::ids::TenantId;

use super::{MemoryStore, locked, page_limit};
use crate::audit::AuditStore;
use crate::error::{StoreError, Write};

#[async_trait]
impl AuditStore for MemoryStore {
    async fn audit_head(&self, tenant: &TenantId) -> Result<AuditHead, StoreError> {
        let state = locked(&self.0);
        let last = state.audit.get(tenant).and_then(|chain| chain.last());
        Ok(last.map_or(AuditHead::START, AuditEntry::head))
    }

    async fn append_audit(&self, entry: &AuditEntry) -> Result<Write<AuditHead>, StoreError> {
        let mut state = locked(&self.0);
        let chain = state.audit.entry(entry.tenant.clone()).or_default();
        let head = chain.last().map_or(AuditHead::START, AuditEntry::head);
        if !entry.follows(head) {
            return Ok(Write::Conflict(head));
        }
        chain.push(entry.clone());
        Ok(Write::Applied)
    }

    async fn audit_entries(
        &self,
        tenant: &TenantId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        let state = locked(&self.0);
        let chain = state.audit.get(tenant).map_or(&[][..], Vec::as_slice);
        let behind = chain.iter().filter(|entry| entry.sequence > after);
        Ok(behind.take(page_limit(limit)).cloned().collect())
    }
}
