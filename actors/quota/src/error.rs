//! Why nothing was charged.

use tandem_domain::document::Failure;
use tandem_domain::error::ErrorCode;
use tandem_domain::plan::Measure;
use tandem_domain::quota::{Exhausted, MAX_LEASES};
use tandem_domain::time::Timestamp;
use tandem_ports::StoreError;

/// A plan allows no more. Its text is for the owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What does not suffice.
    pub exhausted: Exhausted,
    /// When the count begins anew; `None` of what is counted as it stands.
    pub resets_at: Option<Timestamp>,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Exhausted { measure, limit, used, .. } = self.exhausted;
        let what = match measure {
            Measure::Matches => {
                return f.write_str("Annual free match limit reached. Upgrade to Pro for unlimited matches.");
            }
            Measure::Pairs => "scored pairs",
            Measure::ConcurrentRuns => "match runs at a time",
            Measure::StoredBytes => "stored bytes",
            Measure::ResumeUploads => "uploaded resumes",
            Measure::JobDescriptions => "job descriptions",
        };
        write!(f, "Your plan allows {limit} {what}, {used} are used. Upgrade for more.")
    }
}

/// Why a change of an owner's quota was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuotaError {
    /// The plan allows no more.
    #[error("{0}")]
    Refused(Refusal),
    /// Too much of the owner's work goes on.
    #[error("more than {MAX_LEASES} match runs go on; wait until some have ended")]
    TooManyLeases,
    /// The store gave no answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Others changed the row each time, or no answer came in time. Whether it was changed is unknown; the same operation
    /// may be tried again.
    #[error("the quota could not be settled in time")]
    Unsettled,
}

impl QuotaError {
    /// The code for programs.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Refused(_) => ErrorCode::UpgradeRequired,
            Self::TooManyLeases => ErrorCode::Conflict,
            Self::Store(error) => error.code(),
            Self::Unsettled => ErrorCode::Unavailable,
        }
    }
}

impl From<QuotaError> for Failure {
    fn from(error: QuotaError) -> Self {
        Self { code: error.code(), reason: error.to_string() }
    }
}
