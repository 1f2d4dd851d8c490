//! The audit log on the wire.

use serde::Serialize;
use tandem_domain::audit;
use tandem_messages::audit::AuditPage;
use utoipa::ToSchema;

use super::{all, mirror};

mirror! {
    /// What was done.
    audit::AuditAction {
        AccountCreated, AccountChanged, KeyCreated, KeyRevoked, PlanChanged, QuotaReset, DocumentErased, RunCanceled,
        UserExported, UserErased,
    }
}

mirror! {
    /// How far it came: `begun` is written before anything else happens, `done` or `failed` behind it under the same
    /// `operation_id`. Where that is missing, the node died in between.
    audit::AuditOutcome { Begun, Done, Failed }
}

/// Who did it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Actor {
    /// `key`, `user` (a token), `command_line`, or `anybody` on a node without accounts.
    #[schema(examples("key"))]
    pub(crate) kind: String,
    /// The user; null where none is known.
    #[schema(examples("acme-import"))]
    pub(crate) owner: Option<String>,
    /// The key; null where there was none.
    #[schema(format = "uuid", examples("0199d1c2-6f3e-7c4a-b6a1-2f5f8f0c9a11"))]
    pub(crate) key_id: Option<String>,
}

/// An entry of the audit log. Ids alone stand in it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditEntry {
    /// Its number, from 1, without gaps.
    #[schema(examples(42))]
    pub(crate) sequence: u64,
    /// When (RFC 3339).
    #[schema(format = DateTime, examples("2026-11-01T12:30:00.000Z"))]
    pub(crate) at: String,
    /// Who.
    pub(crate) actor: Actor,
    /// What.
    pub(crate) action: AuditAction,
    /// How far it came.
    pub(crate) outcome: AuditOutcome,
    /// Whose account or data.
    #[schema(examples("acme-import"))]
    pub(crate) owner: String,
    /// The key, the document or the run; null = the owner as a whole.
    #[schema(format = "uuid", examples("0199d1c2-6f3e-7c4a-b6a1-2f5f8f0c9a11"))]
    pub(crate) resource_id: Option<String>,
    /// The same for the beginning and the end of one change.
    #[schema(format = "uuid", examples("0199d1c2-6f3e-7c4a-b6a1-2f5f8f0c9a12"))]
    pub(crate) operation_id: String,
    /// The `X-Request-Id` where that is a UUID, else a UUID that follows from it; null = the command line.
    #[schema(format = "uuid", examples("0199d1c2-6f3e-7c4a-b6a1-2f5f8f0c9a13"))]
    pub(crate) request_id: Option<String>,
    /// The hash of the entry before it, 64 hexadecimal digits.
    #[schema(examples("5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9"))]
    pub(crate) former_hash: String,
    /// SHA-256 over `former_hash` and everything else here.
    #[schema(examples("6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"))]
    pub(crate) hash: String,
}

impl From<audit::AuditEntry> for AuditEntry {
    fn from(entry: audit::AuditEntry) -> Self {
        let audit::AuditEntry { sequence, former, hash, event, .. } = entry;
        let audit::AuditEvent { operation, at, actor, action, owner, resource, request, outcome } = event;
        Self {
            sequence,
            at: at.to_string(),
            actor: Actor {
                kind: actor.name().to_owned(),
                owner: actor.owner().map(ToString::to_string),
                key_id: actor.key().map(|key| key.to_string()),
            },
            action: action.into(),
            outcome: outcome.into(),
            owner: owner.to_string(),
            resource_id: resource.map(|id| id.to_string()),
            operation_id: operation.to_string(),
            request_id: request.map(|id| id.to_string()),
            former_hash: former.to_string(),
            hash: hash.to_string(),
        }
    }
}

/// The end of an audit log.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditHead {
    /// The number of the last entry; 0 = there is none.
    #[schema(examples(42))]
    pub(crate) sequence: u64,
    /// Its hash. Whoever keeps it elsewhere sees later whether the log was written anew.
    #[schema(examples("6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"))]
    pub(crate) hash: String,
}

/// A page of the audit log.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Audit {
    /// Newest first.
    pub(crate) items: Vec<AuditEntry>,
    /// The end of the log as it stands.
    pub(crate) head: AuditHead,
    /// Hand it back as `cursor` to read on; null on the last page.
    #[schema(examples("42"))]
    pub(crate) next_cursor: Option<String>,
}

impl From<AuditPage> for Audit {
    fn from(page: AuditPage) -> Self {
        let AuditPage { entries, head, next } = page;
        Self {
            items: all(entries),
            head: AuditHead { sequence: head.sequence, hash: head.hash.to_string() },
            next_cursor: next.map(|next| next.to_string()),
        }
    }
}
