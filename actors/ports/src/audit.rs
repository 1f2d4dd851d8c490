//! Who did what: a chain of entries for each tenant.

use std::sync::Arc;

use async_trait::async_trait;
use futures::lock::Mutex;
use tandem_domain::audit::{AuditEntry, AuditEvent, AuditHead, BrokenLink, LinkFault, Verifier};
use tandem_domain::document::Failure;
use tandem_domain::error::ErrorCode;
use tandem_domain::ids::TenantId;

use crate::documents::MAX_PAGE;
use crate::error::{StoreError, Write};

/// How often an entry is written again behind what other nodes have written meanwhile.
const ATTEMPTS: u32 = 64;

/// Keeps a chain of entries for each tenant. No method changes or removes an entry.
#[async_trait]
pub trait AuditStore: Send + Sync + 'static {
    /// The end of the tenant's chain. Every entry that was answered before is in it.
    async fn audit_head(&self, tenant: &TenantId) -> Result<AuditHead, StoreError>;

    /// Appends an entry. Conflict: it does not follow on the end of its tenant's chain; the end as it stands.
    async fn append_audit(&self, entry: &AuditEntry) -> Result<Write<AuditHead>, StoreError>;

    /// The entries of the tenant behind the number `after`, in order, as they are kept, at most `limit` and [`MAX_PAGE`].
    async fn audit_entries(
        &self,
        tenant: &TenantId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, StoreError>;
}

/// Writes into the log. Cheap to clone: those who share it wait for each other here rather than collide in the store.
#[derive(Clone)]
pub struct AuditLog {
    store: Arc<dyn AuditStore>,
    turn: Arc<Mutex<()>>,
}

impl AuditLog {
    /// A log in this store.
    #[must_use]
    pub fn new(store: Arc<dyn AuditStore>) -> Self {
        Self { store, turn: Arc::default() }
    }

    /// Where it is kept.
    #[must_use]
    pub fn store(&self) -> &dyn AuditStore {
        &*self.store
    }

    /// Writes an event down; durable when it returns.
    ///
    /// # Errors
    /// `UNAVAILABLE` when the store does not confirm: whether the event is there is unknown then.
    pub async fn record(&self, tenant: &TenantId, event: AuditEvent) -> Result<AuditEntry, Failure> {
        let _turn = self.turn.lock().await;
        let mut head = self.store.audit_head(tenant).await?;
        for _ in 0..ATTEMPTS {
            let entry = AuditEntry::following(head, tenant.clone(), event.clone());
            head = match self.store.append_audit(&entry).await? {
                Write::Applied => return Ok(entry),
                Write::Conflict(head) => head,
                Write::Unknown => {
                    let there = self.store.audit_entries(tenant, entry.sequence - 1, 1).await?;
                    if there.contains(&entry) {
                        return Ok(entry);
                    }
                    self.store.audit_head(tenant).await?
                }
            };
        }
        let reason = "the audit log is being written by many at once".to_owned();
        Err(Failure { code: ErrorCode::Unavailable, reason })
    }
}

/// Follows a tenant's chain from its beginning to its end; the end, or the first link that does not hold. What is
/// appended meanwhile is followed too.
///
/// # Errors
/// The store cannot be read.
pub async fn verify(
    store: &dyn AuditStore,
    tenant: &TenantId,
) -> Result<Result<AuditHead, BrokenLink>, StoreError> {
    let mut verifier = Verifier::new(tenant.clone());
    let mut limit = MAX_PAGE;
    loop {
        let entries = match store.audit_entries(tenant, verifier.last().sequence, limit).await {
            Ok(entries) => entries,
            // One by one, to find out which.
            Err(StoreError::Corrupt { .. } | StoreError::Newer { .. }) if limit > 1 => {
                limit = 1;
                continue;
            }
            Err(StoreError::Corrupt { .. } | StoreError::Newer { .. }) => {
                return Ok(Err(verifier.broken(LinkFault::Unreadable)));
            }
            Err(error) => return Err(error),
        };
        for entry in &entries {
            if let Err(broken) = verifier.follow(entry) {
                return Ok(Err(broken));
            }
        }
        if !entries.is_empty() {
            continue;
        }
        match verifier.ends_at(store.audit_head(tenant).await?) {
            Ok(true) => return Ok(Ok(verifier.last())),
            // What was appended between the two reads is there now; what the end promises in vain is not.
            Ok(false) => {
                if store.audit_entries(tenant, verifier.last().sequence, 1).await?.is_empty() {
                    return Ok(Err(verifier.broken(LinkFault::CutOff)));
                }
            }
            Err(broken) => return Ok(Err(broken)),
        }
    }
}
