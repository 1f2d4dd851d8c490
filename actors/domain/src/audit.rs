//! The audit log: who did what to which resource, as a chain of hashes that shows when a link of it was changed.
//!
//! Ids alone stand in it, so that nothing needs to be taken out when a person is erased.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::account::named;
use crate::ids::{AuditHash, KeyId, OperationId, OwnerId, TenantId, derived};
use crate::time::Timestamp;

#[cfg(test)]
mod tests;

/// Names the form of the bytes that are hashed: a new form needs a new name.
const FORM: &[u8] = b"tandem.audit.1";

named!(
    /// What is written down. Stored: a new one is added at the end.
    AuditAction, "audited action",
    /// An account was made.
    AccountCreated = "account_created",
    /// Role, plan or access of an account were changed.
    AccountChanged = "account_changed",
    /// A key was made.
    KeyCreated = "key_created",
    /// A key was revoked.
    KeyRevoked = "key_revoked",
    /// An operator gave an owner a plan.
    PlanChanged = "plan_changed",
    /// An operator set back what an owner has used.
    QuotaReset = "quota_reset",
    /// A document was erased.
    DocumentErased = "document_erased",
    /// A run was canceled.
    RunCanceled = "run_canceled",
    /// Everything that is stored of a person was handed out.
    UserExported = "user_exported",
    /// Everything that is stored of a person was erased.
    UserErased = "user_erased",
);

named!(
    /// How far it came. Stored: a new one is added at the end.
    AuditOutcome, "audited outcome",
    /// It is about to be done: written before anything else happens.
    Begun = "begun",
    /// It is durable, or a task that does it is.
    Done = "done",
    /// It was refused or could not be done.
    Failed = "failed",
);

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// Whoever reaches a node without accounts.
    Anybody,
    /// An operator at the command line.
    CommandLine,
    /// A user with a token of an issuer.
    User(OwnerId),
    /// A program with a user's key.
    Key {
        /// Whose key.
        owner: OwnerId,
        /// Which.
        key: KeyId,
    },
}

impl Actor {
    /// `anybody`, `command_line`, `user` or `key`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Anybody => "anybody",
            Self::CommandLine => "command_line",
            Self::User(_) => "user",
            Self::Key { .. } => "key",
        }
    }

    /// The user, where one is known.
    #[must_use]
    pub const fn owner(&self) -> Option<&OwnerId> {
        match self {
            Self::Anybody | Self::CommandLine => None,
            Self::User(owner) | Self::Key { owner, .. } => Some(owner),
        }
    }

    /// The key, where there was one.
    #[must_use]
    pub const fn key(&self) -> Option<KeyId> {
        match self {
            Self::Anybody | Self::CommandLine | Self::User(_) => None,
            Self::Key { key, .. } => Some(*key),
        }
    }
}

/// The id under which a request stands in the log: its own where that is a UUID, else one that follows from it, because
/// whatever a sender calls a request must not stay for good.
#[must_use]
pub fn request_of(request_id: &str) -> Uuid {
    Uuid::try_parse(request_id).unwrap_or_else(|_| derived("request", &[request_id.as_bytes()]))
}

/// Something that is written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEvent {
    /// What belongs together: the beginning and the end of one change have the same.
    pub operation: OperationId,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// What.
    pub action: AuditAction,
    /// Whose account or data.
    pub owner: OwnerId,
    /// The key, the document or the run; `None` = the owner as a whole.
    pub resource: Option<Uuid>,
    /// The request, as [`request_of`] has it; `None` = the command line.
    pub request: Option<Uuid>,
    /// How far it came.
    pub outcome: AuditOutcome,
}

/// The end of a chain: whoever knows it sees whether something was cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditHead {
    /// The number of the last entry; 0 = there is none.
    pub sequence: u64,
    /// Its hash; zeros where there is none.
    pub hash: AuditHash,
}

impl AuditHead {
    /// The end of a chain without entries.
    pub const START: Self = Self { sequence: 0, hash: AuditHash::from_bytes([0; 32]) };
}

/// A link of a tenant's chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Whose chain.
    pub tenant: TenantId,
    /// Its number, from 1, without gaps.
    pub sequence: u64,
    /// The hash of the entry before it.
    pub former: AuditHash,
    /// SHA-256 over `former` and everything else here.
    pub hash: AuditHash,
    /// What happened.
    pub event: AuditEvent,
}

impl AuditEntry {
    /// The entry that follows on `head`.
    #[must_use]
    pub fn following(head: AuditHead, tenant: TenantId, event: AuditEvent) -> Self {
        let (sequence, former) = (head.sequence.saturating_add(1), head.hash);
        let hash = hash_of(&tenant, sequence, former, &event);
        Self { tenant, sequence, former, hash, event }
    }

    /// Whether it follows on `head`.
    #[must_use]
    pub fn follows(&self, head: AuditHead) -> bool {
        head.sequence.checked_add(1) == Some(self.sequence) && self.former == head.hash
    }

    /// The end of the chain whose last entry this is.
    #[must_use]
    pub const fn head(&self) -> AuditHead {
        AuditHead { sequence: self.sequence, hash: self.hash }
    }
}

/// SHA-256 over the former hash and then each part with its length before it, as eight bytes, high ones first.
fn hash_of(tenant: &TenantId, sequence: u64, former: AuditHash, event: &AuditEvent) -> AuditHash {
    let AuditEvent { operation, at, actor, action, owner, resource, request, outcome } = event;
    let id = |id: Option<Uuid>| id.map_or(Vec::new(), |id| id.as_bytes().to_vec());
    let operation = operation.as_uuid();
    let parts: [&[u8]; 13] = [
        FORM,
        tenant.as_str().as_bytes(),
        &sequence.to_be_bytes(),
        operation.as_bytes(),
        &at.millis().to_be_bytes(),
        actor.name().as_bytes(),
        actor.owner().map_or("", OwnerId::as_str).as_bytes(),
        &id(actor.key().map(|key| key.as_uuid())),
        action.as_str().as_bytes(),
        owner.as_str().as_bytes(),
        &id(*resource),
        &id(*request),
        outcome.as_str().as_bytes(),
    ];
    let mut hasher = Sha256::new_with_prefix(former.as_bytes());
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    AuditHash::from_bytes(hasher.finalize().into())
}

/// Where a chain is broken, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("entry {sequence}: {fault}")]
pub struct BrokenLink {
    /// The number that the entry has or should have.
    pub sequence: u64,
    /// What is wrong with it.
    pub fault: LinkFault,
}

/// What is wrong with a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LinkFault {
    /// Another entry stands in its place: one was removed, put in or moved.
    #[error("another entry stands in its place")]
    Order,
    /// It belongs to another tenant.
    #[error("it belongs to another tenant's chain")]
    Tenant,
    /// It does not hold the hash of the entry before it.
    #[error("it does not follow on the entry before it")]
    Former,
    /// What it says is not what was hashed.
    #[error("it was changed after it was written")]
    Content,
    /// It cannot be read at all.
    #[error("it cannot be read")]
    Unreadable,
    /// The end of the chain says that it must be there.
    #[error("it is missing: the log was written up to here at least")]
    CutOff,
    /// The end of the chain does not know it.
    #[error("it was put behind the end of the log, or the end was changed")]
    Beyond,
}

/// Follows a chain from its beginning.
#[derive(Debug)]
pub struct Verifier {
    tenant: TenantId,
    last: AuditHead,
}

impl Verifier {
    /// At the beginning of a tenant's chain.
    #[must_use]
    pub const fn new(tenant: TenantId) -> Self {
        Self { tenant, last: AuditHead::START }
    }

    /// The last link that held.
    #[must_use]
    pub const fn last(&self) -> AuditHead {
        self.last
    }

    /// Looks at the next entry.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn follow(&mut self, entry: &AuditEntry) -> Result<(), BrokenLink> {
        let AuditEntry { tenant, sequence, former, hash, event } = entry;
        let fault = if *sequence != self.last.sequence + 1 {
            LinkFault::Order
        } else if *tenant != self.tenant {
            LinkFault::Tenant
        } else if *former != self.last.hash {
            LinkFault::Former
        } else if *hash != hash_of(tenant, *sequence, *former, event) {
            LinkFault::Content
        } else {
            self.last = entry.head();
            return Ok(());
        };
        Err(self.broken(fault))
    }

    /// The next link, broken in this way.
    #[must_use]
    pub const fn broken(&self, fault: LinkFault) -> BrokenLink {
        BrokenLink { sequence: self.last.sequence + 1, fault }
    }

    /// Compares the last link with the end of the chain as it is kept; `false` = there must be more entries.
    ///
    /// # Errors
    /// The end is another one.
    pub fn ends_at(&self, head: AuditHead) -> Result<bool, BrokenLink> {
        if head.sequence > self.last.sequence {
            return Ok(false);
        }
        if head == self.last {
            return Ok(true);
        }
        Err(BrokenLink { sequence: head.sequence + 1, fault: LinkFault::Beyond })
    }
}
