//! The bounded pool that takes files in, a few at a time.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use tandem_domain::document::DocumentKind;
use tandem_domain::document::Failure;
use tandem_messages::documents::{RefineJob, SubmitDocument, SubmitVersion, SubmittedDocument};
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

/// What is taken in.
#[derive(Debug, Clone)]
pub enum Intake {
    /// A document.
    Document(SubmitDocument),
    /// A version of one.
    Version(SubmitVersion),
    /// A version of a job with the same content.
    Words(RefineJob),
}

impl Intake {
    const fn kind(&self) -> DocumentKind {
        match self {
            Self::Document(submission) | Self::Version(SubmitVersion { submission, .. }) => submission.kind,
            Self::Words(_) => DocumentKind::Job,
        }
    }
}

/// What others hold of ingestion.
#[derive(Clone)]
pub struct Ingestion {
    pool: Pool<Intake, Result<SubmittedDocument, Failure>>,
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
        let handler = Arc::new(move |intake: Intake| {
            let ingestor = ingestor.clone();
            Box::pin(async move {
                let kind = intake.kind();
                let result = match intake {
                    Intake::Document(submission) => ingestor.submit(submission).await,
                    Intake::Version(version) => ingestor.submit_version(version).await,
                    Intake::Words(words) => ingestor.refine(words).await,
                };
                metrics::submitted(kind, &result);
                result
            }) as futures::future::BoxFuture<'static, _>
        });
        let pool_options = PoolOptions { workers: options.workers, queue: options.queue };
        let pool = Pool::start(supervisor, ActorKind::Ingestion, "ingestion", pool_options, handler).await?;
        Ok(Self { pool })
    }

    /// Takes something in; see [`Ingestor::submit`], [`Ingestor::submit_version`] and [`Ingestor::refine`].
    ///
    /// # Errors
    /// Those of the ingestor, and `OVERLOADED`, `TIMEOUT` or `UNAVAILABLE` of the pool.
    pub async fn submit(&self, intake: Intake, deadline: Duration) -> Result<SubmittedDocument, Failure> {
        self.pool
            .run(intake, deadline)
            .await
            .map_err(|error| Failure { code: error.code(), reason: error.to_string() })?
    }
}
