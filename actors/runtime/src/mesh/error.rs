//! What can go wrong with the mesh.

use std::fmt::Display;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use tandem_domain::document::Failure;
use tandem_domain::error::ErrorCode;

use super::options::{MAX_SEEDS, MIN_COOKIE};
use crate::supervisor::StartError;

/// Why the mesh did not start, or a peer gave no answer. After `Timeout` and `Gone` it is not known whether the peer has
/// done what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MeshError {
    /// No member but this node has that name. Nothing was sent.
    #[error("there is no such peer")]
    NoSuchPeer,
    /// Too much is on its way to the peer already, or too much is being done there. The peer has not begun.
    #[error("the peer is busy")]
    Busy,
    /// The request, or the state to announce, is larger than allowed and was not sent; or the answer is, and was lost.
    #[error("the message is larger than the mesh allows")]
    TooLarge,
    /// The deadline passed.
    #[error("the peer did not answer in time")]
    Timeout,
    /// The connection ended, or the peer's service died of the request.
    #[error("the peer is gone")]
    Gone,
    /// The cookie is too short.
    #[error("the cookie of a mesh has at least {MIN_COOKIE} bytes")]
    BadCookie,
    /// Not an address that others can be reached at.
    #[error("{0:?} is not host:port")]
    BadAddress(String),
    /// More seeds than allowed.
    #[error("a mesh has at most {MAX_SEEDS} seeds")]
    TooManySeeds,
    /// A bound is zero, or so narrow that the largest request never fits.
    #[error("the limits of the mesh do not go together")]
    BadLimits,
    /// A file cannot be used.
    #[error("{}: {reason}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The certificate and the key do not go together, or TLS refuses them.
    #[error("the mesh's certificate cannot be used: {0}")]
    Tls(String),
    /// The address cannot be listened on.
    #[error("the mesh cannot listen on {address}: {reason}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        reason: String,
    },
    /// An actor of the mesh did not start.
    #[error(transparent)]
    Start(#[from] StartError),
}

impl MeshError {
    /// The code for programs.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::NoSuchPeer | Self::Gone | Self::Listen { .. } | Self::Start(_) => ErrorCode::Unavailable,
            Self::Busy => ErrorCode::Overloaded,
            Self::TooLarge => ErrorCode::TooLarge,
            Self::Timeout => ErrorCode::Timeout,
            Self::BadCookie
            | Self::BadAddress(_)
            | Self::BadLimits
            | Self::TooManySeeds
            | Self::File { .. }
            | Self::Tls(_) => ErrorCode::Validation,
        }
    }

    pub(super) fn file(path: &Path, reason: &impl Display) -> Self {
        Self::File { path: path.to_owned(), reason: reason.to_string() }
    }
}

impl From<MeshError> for Failure {
    fn from(error: MeshError) -> Self {
        Self { code: error.code(), reason: error.to_string() }
    }
}
