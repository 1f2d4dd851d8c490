//! How connecting, migrating and single requests fail.

use std::time::Duration;

use scylla::errors::{DbError, ExecutionError, RequestAttemptError};
use tandem_ports::StoreError;

/// Why a cluster cannot be used. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ScyllaError {
    /// An option is wrong.
    #[error("the store's options are wrong: {0}")]
    Options(String),
    /// Nobody answers.
    #[error(
        "no connection to the store at {nodes} after {attempts} attempts of at most {timeout:?} each: {reason}; check \
         that these are the right addresses and port, that the servers run and speak CQL there, and that no firewall \
         lies between"
    )]
    Connect {
        /// The nodes that were asked.
        nodes: String,
        /// How often.
        attempts: u32,
        /// The limit of each attempt.
        timeout: Duration,
        /// What the last one came to.
        reason: String,
    },
    /// The keyspace is not up to date.
    #[error("keyspace {keyspace} has schema {found}, this Tandem needs {needed}: run `tandem migrate`")]
    OldSchema {
        /// The keyspace.
        keyspace: String,
        /// The newest migration in it; 0 = none.
        found: i32,
        /// The newest migration of this program.
        needed: i32,
    },
    /// The keyspace was written by a newer program.
    #[error(
        "keyspace {keyspace} has schema {found}, this Tandem knows schemas up to {known}; install a newer Tandem"
    )]
    NewerSchema {
        /// The keyspace.
        keyspace: String,
        /// The newest migration in it.
        found: i32,
        /// The newest migration of this program.
        known: i32,
    },
    /// A migration that was applied reads differently now.
    #[error(
        "migration {version} ({name}) of keyspace {keyspace} differs from the one that was applied; use the Tandem that applied it"
    )]
    ChangedMigration {
        /// The keyspace.
        keyspace: String,
        /// The migration's number.
        version: i32,
        /// Its name.
        name: String,
    },
    /// Somebody else migrates.
    #[error(
        "keyspace {keyspace} is being migrated by somebody else; should that process have died, its lock ends by itself within {ends_in:?}"
    )]
    Locked {
        /// The keyspace.
        keyspace: String,
        /// How long a lock lasts.
        ends_in: Duration,
    },
    /// The cluster did not carry out a statement.
    #[error("the store did not {what}: {reason}")]
    Statement {
        /// What was to be done.
        what: String,
        /// Why not.
        reason: String,
    },
}

impl ScyllaError {
    pub(crate) fn statement(what: impl Into<String>, reason: &impl ToString) -> Self {
        Self::Statement { what: what.into(), reason: reason.to_string() }
    }
}

/// Whether a write that ended in this error has certainly not happened.
pub(crate) fn certainly_not(error: &ExecutionError) -> bool {
    use ExecutionError::{BadQuery, ConnectionPoolError, EmptyPlan, LastAttemptError, PrepareError};
    if let LastAttemptError(attempt) = error {
        return matches!(
            attempt,
            RequestAttemptError::SerializationError(_)
                | RequestAttemptError::CqlRequestSerialization(_)
                | RequestAttemptError::UnableToAllocStreamId
                | RequestAttemptError::DbError(
                    DbError::SyntaxError
                        | DbError::Invalid
                        | DbError::Unauthorized
                        | DbError::IsBootstrapping,
                    _
                )
        );
    }
    matches!(error, BadQuery(_) | EmptyPlan | PrepareError(_) | ConnectionPoolError(_))
}

/// The port's word for an error. A server's own message is left out: it may repeat values.
pub(crate) fn store_error(error: &ExecutionError) -> StoreError {
    if let ExecutionError::RequestTimeout(_) = error {
        return StoreError::Timeout;
    }
    if let ExecutionError::LastAttemptError(RequestAttemptError::DbError(error, _)) = error {
        return match matches!(error, DbError::ReadTimeout { .. } | DbError::WriteTimeout { .. }) {
            true => StoreError::Timeout,
            false => StoreError::Unavailable(error.to_string()),
        };
    }
    StoreError::Unavailable(error.to_string())
}

pub(crate) fn corrupt(table: &'static str, error: impl ToString) -> StoreError {
    StoreError::Corrupt { table, reason: error.to_string() }
}
