//! The handle, and the way of every request.

use std::fmt;
use std::sync::Arc;

use scylla::client::session::Session;
use scylla::response::query_result::QueryResult;
use scylla::serialize::batch::BatchValues;
use scylla::serialize::row::SerializeRow;
use scylla::statement::Consistency;
use scylla::statement::batch::Batch;
use scylla::statement::prepared::PreparedStatement;
use tandem_ports::documents::MAX_PAGE;
use tandem_ports::{Clock, StoreError};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::error::{ScyllaError, certainly_not, corrupt, store_error};
use crate::log::{LogTail, Recent};
use crate::metrics::{self, Kind};
use crate::options::ScyllaOptions;
use crate::session::Profiles;
use crate::statements::Statements;
use crate::{lwt, migrations, session};

#[cfg(test)]
mod tests;

/// A cluster's store: it is a `DocumentStore`, a `VectorCache`, a `TaskStore`, a `RunStore`, a `QuotaStore` and an
/// `AccountStore`. Cloning gives another handle; the connections are closed when the last handle goes.
#[derive(Clone)]
pub struct ScyllaStore(Arc<Inner>);

struct Inner {
    session: Session,
    statements: Statements,
    /// Bounds the requests in flight.
    permits: Semaphore,
    clock: Arc<dyn Clock>,
    log: LogTail,
    recent: Recent,
}

/// How a conditional write ended, as far as its answer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Conditional {
    Applied,
    Refused,
    /// No answer, or one that leaves it open.
    Unknown,
}

impl ScyllaStore {
    /// Connects, checks that the schema is this program's and prepares every statement.
    ///
    /// # Errors
    /// See [`ScyllaError`].
    pub async fn connect(options: ScyllaOptions) -> Result<Self, ScyllaError> {
        let session = session::connect(&options).await?;
        let profiles = Profiles::new(&options);
        let begin = async || {
            migrations::check(&session, &profiles, &options.keyspace).await?;
            let prepared = Statements::prepare(&session, &profiles, &options.keyspace);
            tokio::time::timeout(options.connect_timeout, prepared)
                .await
                .map_err(|_| ScyllaError::statement("prepare its statements", &"it took too long"))?
        };
        let statements = session::tried(&options, begin).await?;
        tracing::info!(nodes = %options.nodes.join(","), keyspace = %options.keyspace, "connected to the store");
        let (permits, clock) = (Semaphore::new(options.concurrency.max(1)), options.clock);
        let (log, recent) = (LogTail::default(), Recent::default());
        Ok(Self(Arc::new(Inner { session, statements, permits, clock, log, recent })))
    }

    pub(crate) fn statements(&self) -> &Statements {
        &self.0.statements
    }

    pub(crate) fn log_tail(&self) -> &LogTail {
        &self.0.log
    }

    pub(crate) fn recent_log(&self) -> &Recent {
        &self.0.recent
    }

    /// The id of a write that nobody else makes.
    pub(crate) fn operation(&self) -> Vec<u8> {
        self.0.clock.new_id().into_bytes().to_vec()
    }

    /// Carries out an unconditional write.
    pub(crate) async fn run(
        &self,
        statement: &PreparedStatement,
        values: impl SerializeRow,
    ) -> Result<(), StoreError> {
        self.request(Kind::Write, statement, values).await.map(drop)
    }

    /// Carries out an idempotent statement.
    async fn request(
        &self,
        kind: Kind,
        statement: &PreparedStatement,
        values: impl SerializeRow,
    ) -> Result<QueryResult, StoreError> {
        let _permit = self.0.permits.acquire().await.map_err(|_| closed())?;
        let begun = Instant::now();
        let result = self.0.session.execute_unpaged(statement, values).await;
        let result = result.map_err(|error| store_error(&error));
        metrics::requested(kind, &result, begun);
        result
    }

    /// The rows that a statement finds.
    pub(crate) async fn rows_of<R>(
        &self,
        table: &'static str,
        statement: &PreparedStatement,
        values: impl SerializeRow,
    ) -> Result<Vec<R>, StoreError>
    where
        R: for<'a> scylla::deserialize::row::DeserializeRow<'a, 'a>,
    {
        let serial = statement.get_consistency() == Some(Consistency::LocalSerial);
        let kind = if serial { Kind::SerialRead } else { Kind::Read };
        let result = self.request(kind, statement, values).await?;
        let rows = result.into_rows_result().map_err(|error| corrupt(table, error))?;
        let rows = rows.rows::<R>().map_err(|error| corrupt(table, error))?;
        rows.map(|row| row.map_err(|error| corrupt(table, error))).collect()
    }

    /// Carries out a conditional write once. An error means that it has certainly not happened.
    pub(crate) async fn conditional(
        &self,
        statement: &PreparedStatement,
        values: impl SerializeRow,
    ) -> Result<Conditional, StoreError> {
        let _permit = self.0.permits.acquire().await.map_err(|_| closed())?;
        let begun = Instant::now();
        let end = Self::verdict(self.0.session.execute_unpaged(statement, values).await);
        metrics::judged(&end, begun);
        end
    }

    /// Carries out a batch of one partition with a condition, once. An error means that it has certainly not happened.
    pub(crate) async fn conditional_batch(
        &self,
        batch: &Batch,
        values: impl BatchValues,
    ) -> Result<Conditional, StoreError> {
        let _permit = self.0.permits.acquire().await.map_err(|_| closed())?;
        let begun = Instant::now();
        let end = Self::verdict(self.0.session.batch(batch, values).await);
        metrics::judged(&end, begun);
        end
    }

    /// Carries out an unconditional batch of one partition.
    pub(crate) async fn batch(&self, batch: &Batch, values: impl BatchValues) -> Result<(), StoreError> {
        let _permit = self.0.permits.acquire().await.map_err(|_| closed())?;
        let begun = Instant::now();
        let end = self.0.session.batch(batch, values).await.map(drop).map_err(|error| store_error(&error));
        metrics::requested(Kind::Write, &end, begun);
        end
    }

    fn verdict(
        result: Result<QueryResult, scylla::errors::ExecutionError>,
    ) -> Result<Conditional, StoreError> {
        match result {
            Ok(result) => match lwt::applied(result) {
                Ok(true) => Ok(Conditional::Applied),
                Ok(false) => Ok(Conditional::Refused),
                Err(error) => {
                    tracing::error!(%error, "an answer to a conditional write could not be read");
                    Ok(Conditional::Unknown)
                }
            },
            Err(error) if certainly_not(&error) => Err(store_error(&error)),
            Err(_) => Ok(Conditional::Unknown),
        }
    }
}

impl fmt::Debug for ScyllaStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScyllaStore").finish_non_exhaustive()
    }
}

pub(crate) fn closed() -> StoreError {
    StoreError::Unavailable("it is closed".to_owned())
}

/// A list's limit within its bounds.
pub(crate) fn limited(limit: u32) -> usize {
    limit.min(MAX_PAGE) as usize
}
