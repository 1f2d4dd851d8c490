//! Identifiers: each noun has a type of its own, so that one can never stand for another.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

#[cfg(test)]
mod tests;

/// Why a text is not an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {what}: {reason}")]
pub struct IdError {
    /// The noun that was asked for, such as `document id`.
    pub what: &'static str,
    /// What is wrong with the text; never the text itself.
    pub reason: &'static str,
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps a UUID; new ones are version 7 and come from the `Clock` port, derived ones from [`derived`].
            #[must_use]
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID inside.
            #[must_use]
            pub const fn as_uuid(&self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Uuid::try_parse(text)
                    .map(Self)
                    .map_err(|_| IdError { what: $what, reason: "expected a UUID" })
            }
        }
    };
}

uuid_id!(
    /// A résumé or a job, in all its versions.
    DocumentId, "document id"
);
uuid_id!(
    /// One unit of work in the queue.
    TaskId, "task id"
);
uuid_id!(
    /// One N × M match run.
    RunId, "run id"
);
uuid_id!(
    /// One requested match of a résumé with a job.
    MatchId, "match id"
);
uuid_id!(
    /// One key of an account.
    KeyId, "key id"
);
uuid_id!(
    /// One intended change. The same id never has its effect twice.
    OperationId, "operation id"
);

/// An identifier that follows from what it stands for: the same namespace and parts always give the same UUID
/// (version 8, RFC 9562 section 5.8, from SHA-256 over the length-prefixed parts).
#[must_use]
pub fn derived(namespace: &str, parts: &[&[u8]]) -> Uuid {
    let mut hasher = Sha256::new();
    for part in std::iter::once(namespace.as_bytes()).chain(parts.iter().copied()) {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    let digest = hasher.finalize();
    let mut bytes = [0u8; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

macro_rules! printable_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The longest id, in bytes.
            pub const MAX_LEN: usize = 128;

            /// The text of the id.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                let reason = if text.is_empty() {
                    "it is empty"
                } else if text.len() > Self::MAX_LEN {
                    "it is longer than 128 bytes"
                } else if !text.bytes().all(|b| b.is_ascii_graphic()) {
                    "it holds something other than printable ASCII"
                } else {
                    return Ok(Self(text));
                };
                Err(IdError { what: $what, reason })
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::try_from(text.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

printable_id!(
    /// Whose data a row is: 1..=128 printable ASCII characters without spaces. It is part of every key.
    OwnerId, "owner id"
);
printable_id!(
    /// The organization that users belong to: 1..=128 printable ASCII characters without spaces.
    TenantId, "tenant id"
);

impl OwnerId {
    /// The one owner of a node without accounts.
    #[must_use]
    pub fn local() -> Self {
        Self("local".to_owned())
    }

    /// Whoever has not said who it is. Nothing is ever kept for this owner.
    #[must_use]
    pub fn nobody() -> Self {
        Self("nobody".to_owned())
    }
}

impl TenantId {
    /// The one organization of a node without accounts, and of accounts that name none.
    #[must_use]
    pub fn local() -> Self {
        Self("local".to_owned())
    }
}

macro_rules! sha256_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name([u8; 32]);

        impl $name {
            /// The digest of `bytes`.
            #[must_use]
            pub fn of(bytes: &[u8]) -> Self {
                Self(Sha256::digest(bytes).into())
            }

            /// Wraps a digest that was kept.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// The 32 bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                let mut bytes = [0u8; 32];
                hex::decode_to_slice(&text, &mut bytes)
                    .map_err(|_| IdError { what: $what, reason: "expected 64 hexadecimal digits" })?;
                Ok(Self(bytes))
            }
        }

        impl From<$name> for String {
            fn from(digest: $name) -> Self {
                digest.to_string()
            }
        }
    };
}

sha256_id!(
    /// SHA-256 of a document's original bytes. It finds duplicates and breaks ties in rankings.
    ContentDigest, "content digest"
);
sha256_id!(
    /// SHA-256 over an entry of the audit log and the hash of the one before it.
    AuditHash, "audit hash"
);
sha256_id!(
    /// SHA-256 of the text of an API key, by which the key is found; the text itself is kept nowhere.
    KeyDigest, "key digest"
);
