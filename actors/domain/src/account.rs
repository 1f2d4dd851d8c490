//! Accounts: who may ask, as what, and the keys with which programs ask for them.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::ids::{IdError, KeyDigest, KeyId, OwnerId, TenantId};
use crate::time::Timestamp;

#[cfg(test)]
mod tests;

/// The longest label of a key, in bytes.
pub const MAX_LABEL: usize = 100;
/// The most keys of one owner, revoked and expired ones included.
pub const MAX_KEYS: usize = 100;

macro_rules! named {
    ($(#[$doc:meta])* $name:ident, $what:literal, $($(#[$variant_doc:meta])* $variant:ident = $text:literal),+ $(,)?) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// Each of them once.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Its name in tokens, files and answers.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::ids::IdError;

            fn from_str(text: &str) -> Result<Self, $crate::ids::IdError> {
                let known = Self::ALL.iter().copied().find(|one| one.as_str() == text);
                known.ok_or($crate::ids::IdError { what: $what, reason: concat!("expected one of ", $($text, " "),+) })
            }
        }
    };
}

pub(crate) use named;

named!(
    /// What a user is. Stored: a new one is added at the end.
    Role, "role",
    /// Asks for themselves.
    User = "user",
    /// Matches in bulk.
    Employer = "employer",
    /// Judges proposed swaps.
    Reviewer = "reviewer",
    /// Manages the users of a tenant.
    Admin = "admin",
    /// Runs the nodes.
    Operator = "operator",
);

named!(
    /// What a key may be used for, at most: its user's role bounds it too. Stored: a new one is added at the end.
    Scope, "scope",
    /// Read what is there.
    Read = "read",
    /// Hand in and delete documents.
    Write = "write",
    /// Ask for matches of one pair.
    Match = "match",
    /// Start and cancel runs, hand in many documents at once.
    Bulk = "bulk",
    /// Manage the caller's own keys and data as a whole.
    Admin = "admin",
    /// Look at nodes, shards, queues and metrics.
    Operate = "operate",
    /// Read the audit log of the tenant, give out and erase what is stored of its users.
    Tenant = "tenant",
);

impl Role {
    /// What somebody of this role may do: the table of rights, together with the scope that each route asks for.
    #[must_use]
    pub fn scopes(self) -> Scopes {
        use Scope as S;
        let scopes: &[Scope] = match self {
            Self::User => &[S::Read, S::Write, S::Match, S::Admin],
            Self::Employer => &[S::Read, S::Write, S::Match, S::Bulk, S::Admin],
            Self::Reviewer => &[S::Read, S::Admin],
            Self::Admin => &[S::Read, S::Write, S::Match, S::Bulk, S::Admin, S::Tenant],
            Self::Operator => &[S::Read, S::Admin, S::Operate, S::Tenant],
        };
        scopes.iter().copied().collect()
    }
}

/// A set of scopes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scopes(BTreeSet<Scope>);

impl Scopes {
    /// Those that are in both.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        self.0.intersection(&other.0).copied().collect()
    }

    /// Whether `scope` is among them.
    #[must_use]
    pub fn has(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }

    /// Whether there are none: such a key opens nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The scopes in their order.
    pub fn iter(&self) -> impl Iterator<Item = Scope> + '_ {
        self.0.iter().copied()
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().collect())
    }
}

/// Somebody who may ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The organization that the user belongs to.
    pub tenant: TenantId,
    /// The user's id, which is the owner in every key of the user's data.
    pub owner: OwnerId,
    /// What the user is.
    pub role: Role,
    /// The name of a plan of the configuration; `None` = the default one.
    pub plan: Option<String>,
    /// Whether the user is shut out, with every key and token.
    pub disabled: bool,
    /// When the user was created.
    pub created_at: Timestamp,
}

/// What is known of a key. Its text is shown once and kept nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// Names the key where it is listed and revoked.
    pub id: KeyId,
    /// Of its text.
    pub digest: KeyDigest,
    /// The owner's name for it, at most [`MAX_LABEL`] bytes.
    pub label: String,
    /// What it may be used for.
    pub scopes: Scopes,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is refused; `None` = never.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl ApiKey {
    /// Whether the key opens anything at `now`. A revocation holds whatever its time is, so that clocks that differ
    /// between nodes do not delay it.
    ///
    /// # Errors
    /// Why it does not; of a key that is both revoked and expired, that it is revoked.
    pub fn usable(&self, now: Timestamp) -> Result<(), AccessRefusal> {
        if self.revoked_at.is_some() {
            return Err(AccessRefusal::Revoked);
        }
        match self.expires_at {
            Some(end) if end <= now => Err(AccessRefusal::Expired),
            Some(_) | None => Ok(()),
        }
    }
}

/// A user with its keys: one row, so that what a key opens is decided by one read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Counts the writes, from 1.
    pub rev: u64,
    /// Whose.
    pub user: User,
    /// Oldest first, revoked and expired ones included, at most [`MAX_KEYS`].
    pub keys: Vec<ApiKey>,
}

impl Account {
    /// What the key of this digest opens at `now`: its scopes as far as the user's role has them.
    ///
    /// # Errors
    /// Why it opens nothing.
    pub fn access(&self, digest: KeyDigest, now: Timestamp) -> Result<Scopes, AccessRefusal> {
        let key = self.keys.iter().find(|key| key.digest == digest).ok_or(AccessRefusal::Unknown)?;
        key.usable(now)?;
        if self.user.disabled {
            return Err(AccessRefusal::Disabled);
        }
        Ok(key.scopes.and(&self.user.role.scopes()))
    }

    /// The account with another key; unchanged if the same one is there already.
    ///
    /// # Errors
    /// There are [`MAX_KEYS`], or another key has this id.
    pub fn with_key(&self, key: ApiKey) -> Result<Self, KeyError> {
        if let Some(there) = self.keys.iter().find(|there| there.id == key.id) {
            return if there.digest == key.digest { Ok(self.clone()) } else { Err(KeyError::Taken) };
        }
        if self.keys.len() >= MAX_KEYS {
            return Err(KeyError::TooMany);
        }
        let mut account = self.next();
        account.keys.push(key);
        Ok(account)
    }

    /// The account with a key revoked; unchanged if it was. `None` = there is no such key.
    #[must_use]
    pub fn without_key(&self, id: KeyId, now: Timestamp) -> Option<Self> {
        let place = self.keys.iter().position(|key| key.id == id)?;
        let mut account = self.next();
        let key = account.keys.get_mut(place)?;
        if key.revoked_at.is_some() {
            return Some(self.clone());
        }
        key.revoked_at = Some(now);
        Some(account)
    }

    /// What is left of an account when its user is erased: the id, and that it is shut out, so that a token that is
    /// still valid makes nothing new. Unchanged if nothing else was there.
    #[must_use]
    pub fn emptied(there: Option<&Self>, owner: &OwnerId, tenant: &TenantId, now: Timestamp) -> Self {
        let tenant = there.map_or(tenant, |there| &there.user.tenant).clone();
        let left = |created_at| User {
            tenant: tenant.clone(),
            owner: owner.clone(),
            role: Role::User,
            plan: None,
            disabled: true,
            created_at,
        };
        match there {
            Some(there) if there.keys.is_empty() && there.user == left(there.user.created_at) => {
                there.clone()
            }
            there => {
                let rev = there.map_or(0, |there| there.rev) + 1;
                Self { rev, user: left(now), keys: Vec::new() }
            }
        }
    }

    /// The same of the next revision.
    #[must_use]
    pub fn next(&self) -> Self {
        Self { rev: self.rev + 1, ..self.clone() }
    }
}

/// Why a key cannot be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// There is no room.
    #[error("an account has at most {MAX_KEYS} keys, revoked ones included")]
    TooMany,
    /// The id belongs to another key.
    #[error("another key has this id")]
    Taken,
}

/// Why credentials open nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AccessRefusal {
    /// There is no such key.
    #[error("there is no such key")]
    Unknown,
    /// An operator has shut the user out.
    #[error("the account is disabled")]
    Disabled,
    /// Its owner or an admin revoked it.
    #[error("the key was revoked")]
    Revoked,
    /// Its time is over.
    #[error("the key has expired")]
    Expired,
}

/// The text of a key: `tdm_`, 32 random bytes and 4 bytes of checksum, both in lower-case hexadecimal digits. The
/// checksum is the beginning of the SHA-256 of all before it: it tells a typo from an unknown key without a store.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyText(String);

impl KeyText {
    /// How every key begins.
    pub const PREFIX: &'static str = "tdm_";
    /// The length of every key, in bytes.
    pub const LEN: usize = Self::PREFIX.len() + 64 + CHECKSUM_DIGITS;

    /// The key of 32 bytes, which must come from a cryptographic source of randomness.
    #[must_use]
    pub fn from_random(bytes: &[u8; 32]) -> Self {
        let body = format!("{}{}", Self::PREFIX, hex::encode(bytes));
        let checksum = checksum(&body);
        Self(body + &checksum)
    }

    /// The text, to be shown once.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// By what the store finds the key.
    #[must_use]
    pub fn digest(&self) -> KeyDigest {
        KeyDigest::of(self.0.as_bytes())
    }
}

/// The digits of a key's checksum.
const CHECKSUM_DIGITS: usize = 8;

fn checksum(body: &str) -> String {
    hex::encode(Sha256::digest(body.as_bytes()).first_chunk::<{ CHECKSUM_DIGITS / 2 }>().unwrap_or(&[0; 4]))
}

impl FromStr for KeyText {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let wrong = |reason| IdError { what: "API key", reason };
        if !text.starts_with(Self::PREFIX) {
            return Err(wrong("it does not begin with tdm_"));
        }
        if text.len() != Self::LEN {
            return Err(wrong("it is not 76 characters long"));
        }
        let (body, sum) = text
            .split_at_checked(Self::LEN - CHECKSUM_DIGITS)
            .ok_or_else(|| wrong("it holds something other than hexadecimal digits"))?;
        if checksum(body) != sum {
            return Err(wrong("its checksum is wrong, which a typo would explain"));
        }
        Ok(Self(text.to_owned()))
    }
}

/// Without the text, which must reach no log.
impl fmt::Debug for KeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyText(…)")
    }
}
