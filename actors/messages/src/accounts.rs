//! Talk about accounts and their keys.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tandem_domain::account::{Account, ApiKey, Role, Scopes, User};
use tandem_domain::ids::{KeyDigest, KeyId, OwnerId, TenantId};

/// Who comes with a key? Asked for each such request: nothing keeps an answer, so that a revocation holds at once. A key
/// that opens nothing is answered with `AUTH_REQUIRED`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentifyKey {
    /// Of the key's text.
    pub digest: KeyDigest,
}

/// Who comes with a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyAccess {
    /// The key's user.
    pub user: User,
    /// What the key opens; never more than the user's role has.
    pub scopes: Scopes,
    /// Which key it is.
    pub key: KeyId,
}

/// What is known of the user whom a token names? A disabled one is answered with `AUTH_REQUIRED`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentifyUser {
    /// Who.
    pub owner: OwnerId,
}

/// A user as the operators know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownUser {
    /// `None` when nobody made an account: then the token alone says what the user is.
    pub user: Option<User>,
}

/// Show an owner's account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetAccount {
    /// Whose.
    pub owner: OwnerId,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountView {
    /// `None` when there is none.
    pub account: Option<Account>,
}

/// Make a key. The asker makes its text and says its digest alone, so that no message holds a key; asking again with the
/// same id and digest finds the same key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateKey {
    /// Whose key. An account is made for whoever has none.
    pub owner: OwnerId,
    /// The organization of that account.
    pub tenant: TenantId,
    /// What its user is.
    pub role: Role,
    /// The key's id, which is the intent.
    pub id: KeyId,
    /// Of the key's text.
    pub digest: KeyDigest,
    /// The owner's name for it, at most [`tandem_domain::account::MAX_LABEL`] bytes.
    pub label: String,
    /// What it may be used for.
    pub scopes: Scopes,
    /// How long it opens anything; `None` = without end.
    pub lives: Option<Duration>,
}

/// A key as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyView {
    /// The key.
    pub key: ApiKey,
}

/// Revoke a key. A key that is revoked stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokeKey {
    /// Whose.
    pub owner: OwnerId,
    /// Which.
    pub id: KeyId,
}
