//! Talk about accounts and their keys.

use serde::{Deserialize, Serialize};
use tandem_domain::account::{ApiKey, Scopes, User};
use tandem_domain::ids::{KeyDigest, KeyId, OwnerId};
use tandem_domain::time::Timestamp;

/// Find the key with which a request came. Asked for each such request: nothing keeps an answer, so that a revocation
/// holds at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindKey {
    /// Of the key's text.
    pub digest: KeyDigest,
}

/// A key and whose it is, usable or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundKey {
    /// `None` when no such key was ever made or its user was deleted.
    pub key: Option<(ApiKey, User)>,
}

/// Find the user whom a token names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindUser {
    /// Who.
    pub owner: OwnerId,
}

/// A user, disabled or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundUser {
    /// `None` when there is none.
    pub user: Option<User>,
}

/// Show an owner's account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetAccount {
    /// Whose.
    pub owner: OwnerId,
}

/// An account as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The user.
    pub user: User,
    /// How many keys are usable now.
    pub usable_keys: u32,
}

/// Make a key. The asker makes its text and says its digest alone, so that no message between nodes holds a key; asking
/// again with the same id and digest finds the same key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateKey {
    /// Whose key.
    pub owner: OwnerId,
    /// The key's id, which is the intent.
    pub id: KeyId,
    /// Of the key's text.
    pub digest: KeyDigest,
    /// The owner's name for it, at most [`tandem_domain::account::MAX_LABEL`] bytes.
    pub label: String,
    /// What it may be used for.
    pub scopes: Scopes,
    /// From when on it is refused; `None` = never.
    pub expires_at: Option<Timestamp>,
}

/// List an owner's keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListKeys {
    /// Whose.
    pub owner: OwnerId,
}

/// Keys of an owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyList {
    /// Newest first, revoked and expired ones included, at most [`tandem_domain::account::MAX_KEYS`].
    pub keys: Vec<ApiKey>,
}

/// Revoke a key. A key that is revoked stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokeKey {
    /// Whose.
    pub owner: OwnerId,
    /// Which.
    pub id: KeyId,
}
