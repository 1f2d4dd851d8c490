//! How reads and writes of a store end.

use tandem_domain::document::Failure;
use tandem_domain::error::ErrorCode;

/// How a write ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a write that was refused or is unknown needs an answer"]
pub enum Write<C> {
    /// It is durable.
    Applied,
    /// It was refused because of what is there already.
    Conflict(C),
    /// The store did not say. Read back what the write would have left (its id, revision or operation id) to find out;
    /// never guess, never count it as done.
    Unknown,
}

impl<C> Write<C> {
    /// What was in the way, if anything.
    #[must_use]
    pub fn conflict(self) -> Option<C> {
        match self {
            Self::Conflict(conflict) => Some(conflict),
            Self::Applied | Self::Unknown => None,
        }
    }

    /// Whether the effect is certainly there: written now or by an earlier delivery of the same work.
    /// Only for writes whose conflict means "already there with the same content".
    #[must_use]
    pub const fn is_there(&self) -> bool {
        matches!(self, Self::Applied | Self::Conflict(_))
    }

    /// `Ok` when [`Write::is_there`], else a failure that is worth another attempt: for idempotent writes of stages.
    ///
    /// # Errors
    /// `UNAVAILABLE` for [`Write::Unknown`].
    pub fn certain(&self) -> Result<(), Failure> {
        if self.is_there() {
            return Ok(());
        }
        let reason = "the store did not confirm a write".to_owned();
        Err(Failure { code: ErrorCode::Unavailable, reason })
    }
}

/// Why a store gave no answer. A write that ends so has certainly not happened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached or is closing.
    #[error("the store cannot be reached: {0}")]
    Unavailable(String),
    /// It took longer than its limit.
    #[error("the store did not answer in time")]
    Timeout,
    /// It is full or the disk is.
    #[error("the store is full: {0}")]
    Full(String),
    /// A row does not decode: it was damaged.
    #[error("a row of {table} cannot be read: {reason}")]
    Corrupt {
        /// The kind of row.
        table: &'static str,
        /// Why, without the row's content.
        reason: String,
    },
    /// A row was written by a newer version of this program, whose nodes can read it.
    #[error("a row of {table} is of the format {format}, which this version of the program does not know")]
    Newer {
        /// The kind of row.
        table: &'static str,
        /// The format's number.
        format: u8,
    },
}

impl StoreError {
    /// The code for programs. A store that does not answer is away like one that cannot be reached: `TIMEOUT` would
    /// blame the work.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Unavailable(_) | Self::Full(_) | Self::Timeout => ErrorCode::Unavailable,
            Self::Newer { .. } => ErrorCode::NotReady,
            Self::Corrupt { .. } => ErrorCode::Internal,
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self { code: error.code(), reason: error.to_string() }
    }
}
