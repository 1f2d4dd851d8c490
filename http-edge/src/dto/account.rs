//! Accounts and keys on the wire.

use serde::{Deserialize, Serialize};
use tandem_domain::account;
use utoipa::ToSchema;

use super::envelope::uuid;
use super::mirror;

mirror! {
    /// What a user is.
    account::Role { User, Employer, Reviewer, Admin, Operator }
}

/// What credentials may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Scope {
    /// Read what is there.
    Read,
    /// Hand in and delete documents.
    Write,
    /// Ask for matches of one pair.
    Match,
    /// Start and cancel runs, hand in many documents at once.
    Bulk,
    /// Manage the caller's own keys.
    Admin,
    /// Look at nodes, shards, queues and metrics, and move the corpus to another model.
    Operate,
    /// Read the audit log of the tenant, give out and erase what is stored of its users.
    Tenant,
}

macro_rules! both_ways {
    ($($variant:ident),*) => {
        impl From<Scope> for account::Scope {
            fn from(scope: Scope) -> Self {
                match scope { $(Scope::$variant => Self::$variant),* }
            }
        }

        impl From<account::Scope> for Scope {
            fn from(scope: account::Scope) -> Self {
                match scope { $(account::Scope::$variant => Self::$variant),* }
            }
        }
    };
}
both_ways!(Read, Write, Match, Bulk, Admin, Operate, Tenant);

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Account {
    /// The caller's id, which owns everything that the caller hands in.
    #[schema(examples("auth0|5f7c8ec7c33c6c004bbafe82"))]
    pub(crate) owner: String,
    /// The organization that the caller belongs to.
    #[schema(examples("acme"))]
    pub(crate) tenant: String,
    /// What the caller is.
    pub(crate) role: Role,
    /// What these credentials may be used for.
    pub(crate) scopes: Vec<Scope>,
}

/// A key to be made.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewKey {
    /// The caller's name for it, 1 to 100 bytes.
    #[schema(examples("nightly import"), min_length = 1, max_length = 100)]
    pub(crate) label: String,
    /// What it may be used for, no more than what the caller's credentials may; left out = as much.
    #[schema(min_items = 1)]
    pub(crate) scopes: Option<Vec<Scope>>,
    /// Days after which it is refused; left out = never.
    #[schema(minimum = 1, maximum = 3650, examples(90))]
    pub(crate) expires_in_days: Option<u32>,
}

/// A key as it is kept: without its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Key {
    /// Names it where it is revoked.
    #[schema(schema_with = uuid)]
    pub(crate) id: String,
    /// The owner's name for it.
    #[schema(examples("nightly import"))]
    pub(crate) label: String,
    /// What it may be used for.
    pub(crate) scopes: Vec<Scope>,
    /// When it was made.
    #[schema(examples("2026-11-01T12:30:00.000Z"))]
    pub(crate) created_at: String,
    /// From when on it is refused; null = never.
    #[schema(examples("2027-11-01T12:30:00.000Z"))]
    pub(crate) expires_at: Option<String>,
    /// When it was revoked; null = it was not.
    pub(crate) revoked_at: Option<String>,
}

/// A key that was just made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct MadeKey {
    /// What is kept of it.
    #[serde(flatten)]
    pub(crate) kept: Key,
    /// The key itself. It is shown here and never again.
    #[schema(examples("tdm_3f0c…"))]
    pub(crate) key: String,
}

/// All keys of a caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Keys {
    /// Newest first, revoked and expired ones included, at most 100.
    pub(crate) items: Vec<Key>,
}

impl From<account::ApiKey> for Key {
    fn from(key: account::ApiKey) -> Self {
        let account::ApiKey { id, label, scopes, created_at, expires_at, revoked_at, .. } = key;
        Self {
            id: id.to_string(),
            label,
            scopes: scopes.iter().map(Scope::from).collect(),
            created_at: created_at.to_string(),
            expires_at: expires_at.map(|at| at.to_string()),
            revoked_at: revoked_at.map(|at| at.to_string()),
        }
    }
}
