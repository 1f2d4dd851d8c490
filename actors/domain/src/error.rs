//! The closed list of ways in which a request or a piece of work can fail.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! error_codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, retryable: $retryable:literal;)*) => {
        /// What went wrong, for programs. The edge maps it to HTTP in one place; tasks keep it as their last error.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum ErrorCode {
            $($(#[$doc])* #[serde(rename = $text)] $name,)*
        }

        impl ErrorCode {
            /// Every code, in the order of this list.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The code as it is written on the wire, such as `NOT_FOUND`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// Whether the same request may succeed later without being changed.
            #[must_use]
            pub const fn retryable(self) -> bool {
                match self { $(Self::$name => $retryable,)* }
            }
        }
    };
}

error_codes! {
    /// The request is not well-formed or its values do not fit.
    Validation = "VALIDATION_ERROR", retryable: false;
    /// Nothing of that id is this caller's.
    NotFound = "NOT_FOUND", retryable: false;
    /// The route exists, the method does not.
    MethodNotAllowed = "METHOD_NOT_ALLOWED", retryable: false;
    /// It is there already in another form, or has moved on.
    Conflict = "CONFLICT", retryable: false;
    /// The body or file is larger than its limit.
    TooLarge = "PAYLOAD_TOO_LARGE", retryable: false;
    /// The file's type is not read.
    UnsupportedType = "UNSUPPORTED_TYPE", retryable: false;
    /// The file holds nothing.
    EmptyDocument = "EMPTY_DOCUMENT", retryable: false;
    /// The file is damaged.
    CorruptDocument = "CORRUPT_DOCUMENT", retryable: false;
    /// The file asks for a password.
    EncryptedDocument = "ENCRYPTED_DOCUMENT", retryable: false;
    /// The file shows no text that can be read.
    NoText = "NO_TEXT", retryable: false;
    /// The file would need more pages, memory, depth or time than is allowed.
    LimitExceeded = "LIMIT_EXCEEDED", retryable: false;
    /// What is needed first is not there yet.
    NotReady = "NOT_READY", retryable: true;
    /// The work was given up by its owner.
    Cancelled = "CANCELLED", retryable: false;
    /// The deadline passed.
    Timeout = "TIMEOUT", retryable: true;
    /// A part of the system cannot be reached or is busy.
    Unavailable = "UNAVAILABLE", retryable: true;
    /// More work than there is room for.
    Overloaded = "OVERLOADED", retryable: true;
    /// A defect of Tandem.
    Internal = "INTERNAL", retryable: false;
    /// The caller's plan allows no more of this.
    UpgradeRequired = "UPGRADE_REQUIRED", retryable: false;
    /// More requests in a short time than the caller may send.
    RateLimited = "RATE_LIMITED", retryable: true;
    /// Nobody has said who asks, or the credentials open nothing.
    AuthRequired = "AUTH_REQUIRED", retryable: false;
    /// The caller may not do this, whatever it is done to.
    Forbidden = "FORBIDDEN", retryable: false;
    /// The key of an earlier intent came with another one.
    KeyReused = "IDEMPOTENCY_KEY_REUSED", retryable: false;
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
