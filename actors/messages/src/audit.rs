//! Talk about who did what.

use serde::{Deserialize, Serialize};
use tandem_domain::audit::{AuditEntry, AuditHead};
use tandem_domain::ids::TenantId;

/// List a tenant's audit log, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListAudit {
    /// Whose log.
    pub tenant: TenantId,
    /// Begin below this number; `None` = at the newest.
    pub before: Option<u64>,
    /// At most this many, 1..=1000.
    pub limit: u32,
}

/// A page of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditPage {
    /// Newest first.
    pub entries: Vec<AuditEntry>,
    /// The end of the log, for whoever wants to see later that nothing was cut off.
    pub head: AuditHead,
    /// Below which number the next page begins; `None` on the last one.
    pub next: Option<u64>,
}
