//! Bounded pools of workers on ractor's factory. A pool holds at most `workers + queue` jobs; one more is refused at once.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures::future::BoxFuture;
use ractor::Message;
use ractor::factory::{FactoryMessage, Job, JobOptions};
use tandem_domain::document::Failure;
use tandem_domain::error::ErrorCode;
use tandem_domain::trace::TraceContext;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::kind::ActorKind;
use crate::metrics;
use crate::seat::Address;
use crate::supervisor::{StartError, SupervisorHandle};
use crate::trace::{Span, SpanKind};

mod worker;

#[cfg(test)]
mod tests;

/// How large a pool is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolOptions {
    /// Jobs at work at the same time.
    pub workers: NonZeroUsize,
    /// Jobs that may wait beside them.
    pub queue: usize,
}

/// Why a job gave no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PoolError {
    /// There is no room; the job was not begun.
    #[error("the pool is full")]
    Overloaded,
    /// The deadline passed; the job was dropped where it was, or not begun.
    #[error("the job took too long")]
    Timeout,
    /// The pool is down; the job was not begun.
    #[error("the pool is not running")]
    Gone,
    /// The job panicked, or its worker was killed while it ran.
    #[error("the worker died of the job")]
    Died,
}

impl PoolError {
    /// The code for programs.
    #[must_use]
    pub const fn code(self) -> ErrorCode {
        match self {
            Self::Overloaded => ErrorCode::Overloaded,
            Self::Timeout => ErrorCode::Timeout,
            Self::Gone => ErrorCode::Unavailable,
            Self::Died => ErrorCode::Internal,
        }
    }
}

impl From<PoolError> for Failure {
    fn from(error: PoolError) -> Self {
        Self { code: error.code(), reason: error.to_string() }
    }
}

/// How full a pool is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolGauges {
    /// Jobs at work.
    pub busy: usize,
    /// Jobs that wait.
    pub queued: usize,
}

/// What a worker does with a job. It only awaits: a handler that blocks its thread holds up everything else on it, so
/// work for the processor goes to blocking threads or child processes.
pub(crate) type Handler<J, R> = Arc<dyn Fn(J) -> BoxFuture<'static, R> + Send + Sync>;

/// A job on its way through the factory.
pub(crate) struct PoolJob<J, R> {
    pub(crate) input: J,
    pub(crate) limit: Duration,
    /// What the job is a part of, and what its log lines are told with.
    pub(crate) trace: Option<TraceContext>,
    pub(crate) log: tracing::Span,
    pub(crate) begun: Arc<AtomicBool>,
    pub(crate) reply: Option<oneshot::Sender<Result<R, PoolError>>>,
    /// The job's place; it is free again before the caller gets the result.
    pub(crate) place: Option<Place>,
}

impl<J: Send + 'static, R: Send + 'static> Message for PoolJob<J, R> {}

/// One of the `workers + queue` places of a pool.
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
    label: Arc<str>,
}

impl Drop for Place {
    fn drop(&mut self) {
        metrics::pool_held(&self.label, -1);
    }
}

pub(crate) type PoolMessage<J, R> = FactoryMessage<u64, PoolJob<J, R>>;

/// A handle of a pool of jobs `J` with results `R`. Cheap to clone.
pub struct Pool<J: Send + 'static, R: Send + 'static> {
    address: Address<PoolMessage<J, R>>,
    places: Arc<Semaphore>,
    size: usize,
    next: Arc<AtomicU64>,
    label: Arc<str>,
}

impl<J: Send + 'static, R: Send + 'static> Clone for Pool<J, R> {
    fn clone(&self) -> Self {
        Self {
            address: self.address.clone(),
            places: Arc::clone(&self.places),
            size: self.size,
            next: Arc::clone(&self.next),
            label: Arc::clone(&self.label),
        }
    }
}

impl<J: Send + 'static, R: Send + 'static> fmt::Debug for Pool<J, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("name", &self.label).field("gauges", &self.gauges()).finish()
    }
}

impl<J: Send + 'static, R: Send + 'static> Pool<J, R> {
    /// Starts a pool under the supervisor. `name` is the actor's name and the pool's metric label.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start(
        supervisor: &SupervisorHandle,
        kind: ActorKind,
        name: &str,
        options: PoolOptions,
        handler: Arc<dyn Fn(J) -> BoxFuture<'static, R> + Send + Sync>,
    ) -> Result<Self, StartError> {
        let label: Arc<str> = name.into();
        let at = Arc::clone(&label);
        let address = supervisor
            .supervise(kind, name, move |progress| {
                worker::factory(options, Arc::clone(&handler), progress.clone(), Arc::clone(&at))
            })
            .await?;
        let size = options.workers.get().saturating_add(options.queue).min(Semaphore::MAX_PERMITS);
        let places = Arc::new(Semaphore::new(size));
        Ok(Self { address, places, size, next: Arc::new(AtomicU64::new(0)), label })
    }

    /// Has a job done, waiting and working taken together within `deadline`. When the deadline passes or the returned
    /// future is dropped, the job is dropped at its next await. It is a part of the trace that the caller's work is of.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub async fn run(&self, job: J, deadline: Duration) -> Result<R, PoolError> {
        let span = Span::begin(Arc::clone(&self.label), SpanKind::Internal);
        let result = self.run_uncounted(job, deadline, span.trace()).await;
        let outcome = match &result {
            Ok(_) => metrics::ANSWERED,
            Err(PoolError::Overloaded) => metrics::OVERLOADED,
            Err(PoolError::Timeout) => metrics::TIMEOUT,
            Err(PoolError::Gone) => metrics::GONE,
            Err(PoolError::Died) => metrics::DIED,
        };
        metrics::pool_job(&self.label, outcome);
        span.end(outcome, result.is_err());
        result
    }

    async fn run_uncounted(
        &self,
        input: J,
        limit: Duration,
        trace: Option<TraceContext>,
    ) -> Result<R, PoolError> {
        let permit = Arc::clone(&self.places).try_acquire_owned().map_err(|_| PoolError::Overloaded)?;
        metrics::pool_held(&self.label, 1);
        let place = Some(Place { _permit: permit, label: Arc::clone(&self.label) });
        let begun = Arc::new(AtomicBool::new(false));
        let (reply, result) = oneshot::channel();
        let (log, reply) = (tracing::Span::current(), Some(reply));
        let msg = PoolJob { input, limit, trace, log, begun: Arc::clone(&begun), reply, place };
        let key = self.next.fetch_add(1, Ordering::Relaxed);
        let job = Job { key, msg, options: JobOptions::new(Some(limit)), accepted: None };
        self.address.send(FactoryMessage::Dispatch(job)).map_err(|_| PoolError::Gone)?;
        match tokio::time::timeout(limit, result).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) if begun.load(Ordering::Acquire) => Err(PoolError::Died),
            Ok(Err(_)) => Err(PoolError::Gone),
            Err(_) => Err(PoolError::Timeout),
        }
    }

    /// How full it is.
    #[must_use]
    pub fn gauges(&self) -> PoolGauges {
        let busy = self.address.seat.progress.in_hand();
        let held = self.size - self.places.available_permits().min(self.size);
        PoolGauges { busy, queued: held.saturating_sub(busy) }
    }
}
