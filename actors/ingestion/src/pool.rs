//! The bounded pool that takes files in, a few at a time.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use tandem_domain::document::Failure;
use tandem_messages::documents::{SubmitDocument, SubmittedDocument};
use tandem_runtime::{ActorKind, Pool, PoolOptions, StartError, SupervisorHandle};

use crate::ingestor::Ingestor;
use crate::metrics;

/// Size of the pool.
#[derive(Debug, Clone, Copy)]
pub struct IngestionOptions {
    /// Files taken in at the same time.
    pub workers: NonZeroUsize,
    /// Files that may wait behind them; more are refused with `OVERLOADED`.
    pub queue: usize,
}

/// What others hold of ingestion.
#[derive(Clone)]
pub struct Ingestion {
    pool: Pool<SubmitDocument, Result<SubmittedDocument, Failure>>,
}

impl Ingestion {
    /// Starts the pool under `supervisor`.
    ///
    /// # Errors
    /// When its actors do not come up.
    pub async fn start(
        supervisor: &SupervisorHandle,
        options: IngestionOptions,
        ingestor: Ingestor,
    ) -> Result<Self, StartError> {
        let handler = Arc::new(move |submission: SubmitDocument| {
            let ingestor = ingestor.clone();
            Box::pin(async move {
                let kind = submission.kind;
                let result = ingestor.submit(submission).await;
                metrics::submitted(kind, &result);
                result
            }) as futures::future::BoxFuture<'static, _>
        });
        let pool_options = PoolOptions { workers: options.workers, queue: options.queue };
        let pool = Pool::start(supervisor, ActorKind::Ingestion, "ingestion", pool_options, handler).await?;
        Ok(Self { pool })
    }

    /// Takes a file in; see [`Ingestor::submit`].
    ///
    /// # Errors
    /// Those of the ingestor, and `OVERLOADED`, `TIMEOUT` or `UNAVAILABLE` of the pool.
    pub async fn submit(
        &self,
        submission: SubmitDocument,
        deadline: Duration,
    ) -> Result<SubmittedDocument, Failure> {
        self.pool
            .run(submission, deadline)
            .await
            .map_err(|error| Failure { code: error.code(), reason: error.to_string() })?
    }
}
