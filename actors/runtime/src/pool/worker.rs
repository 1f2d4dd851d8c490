//! The factory of a pool and its workers.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ractor::factory::queues::DefaultQueue;
use ractor::factory::routing::QueuerRouting;
use ractor::factory::{
    DiscardHandler, DiscardMode, DiscardReason, DiscardSettings, Factory, FactoryArguments, FactoryMessage,
    Job, Worker, WorkerId, worker_builder,
};
use ractor::{ActorProcessingErr, ActorRef};
use tandem_ports::trace::within;
use tracing::Instrument;

use super::{Handler, PoolError, PoolJob, PoolMessage, PoolOptions};
use crate::metrics;
use crate::progress::Progress;

/// A job is stuck when it is still there this long after its deadline has dropped it.
const DROP_LIMIT: Duration = Duration::from_secs(5);

pub(crate) type PoolFactory<J, R> = Factory<
    u64,
    PoolJob<J, R>,
    (),
    PoolWorker<J, R>,
    QueuerRouting<u64, PoolJob<J, R>>,
    DefaultQueue<u64, PoolJob<J, R>>,
>;

pub(crate) type PoolArguments<J, R> = FactoryArguments<
    u64,
    PoolJob<J, R>,
    (),
    PoolWorker<J, R>,
    QueuerRouting<u64, PoolJob<J, R>>,
    DefaultQueue<u64, PoolJob<J, R>>,
>;

/// One incarnation of a pool.
pub(crate) fn factory<J: Send + 'static, R: Send + 'static>(
    options: PoolOptions,
    handler: Handler<J, R>,
    progress: Progress,
    label: Arc<str>,
) -> (PoolFactory<J, R>, PoolArguments<J, R>) {
    let workers = options.workers.get();
    let build = move |_| {
        let worker = PoolWorker {
            handler: Arc::clone(&handler),
            progress: progress.clone(),
            label: Arc::clone(&label),
        };
        (worker, ())
    };
    // The pool's places are the exact bound. The factory's own, which also counts jobs whose workers have answered but
    // not reported yet, must not be narrower.
    let limit = workers.saturating_add(options.queue);
    let arguments = FactoryArguments {
        worker_builder: Box::new(worker_builder(build)),
        num_initial_workers: workers,
        router: QueuerRouting::default(),
        queue: DefaultQueue::default(),
        discard_handler: Some(Arc::new(Discard)),
        discard_settings: DiscardSettings::Static { limit, mode: DiscardMode::Newest },
        dead_mans_switch: None, // the watchdog knows each job's own limit
        capacity_controller: None,
        lifecycle_hooks: None,
        stats: None,
    };
    (Factory::default(), arguments)
}

pub(crate) struct PoolWorker<J, R> {
    handler: Handler<J, R>,
    progress: Progress,
    label: Arc<str>,
}

impl<J: Send + 'static, R: Send + 'static> Worker for PoolWorker<J, R> {
    type Key = u64;
    type Message = PoolJob<J, R>;
    type Arguments = ();
    type State = ();

    async fn pre_start(
        &self,
        _wid: WorkerId,
        _factory: &ActorRef<PoolMessage<J, R>>,
        (): (),
    ) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn handle(
        &self,
        _wid: WorkerId,
        _factory: &ActorRef<FactoryMessage<u64, PoolJob<J, R>>>,
        job: Job<u64, PoolJob<J, R>>,
        _state: &mut (),
    ) -> Result<u64, ActorProcessingErr> {
        let Job { key, msg: PoolJob { input, limit, trace, log, begun, reply, place }, .. } = job;
        let Some(mut reply) = reply.filter(|reply| !reply.is_closed()) else { return Ok(key) };
        begun.store(true, Ordering::Release);
        let in_hand = self.progress.begin_within(limit.saturating_add(DROP_LIMIT));
        let busy = Busy::new(&self.label);
        let result = tokio::select! {
            biased;
            () = reply.closed() => None,
            result = within(trace, (self.handler)(input)).instrument(log) => Some(result),
        };
        // Everything the job held is free before its caller hears of it.
        drop((in_hand, busy, place));
        if result.is_some_and(|result| reply.send(Ok(result)).is_err()) {
            tracing::trace!("nobody waits for the job's result");
        }
        Ok(key)
    }
}

/// Counts a worker as busy; also when it unwinds.
struct Busy<'a>(&'a str);

impl<'a> Busy<'a> {
    fn new(label: &'a str) -> Self {
        metrics::pool_busy(label, 1);
        Self(label)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        metrics::pool_busy(self.0, -1);
    }
}

/// Answers jobs that the factory drops, so that nobody waits for them until the deadline.
struct Discard;

impl<J: Send + 'static, R: Send + 'static> DiscardHandler<u64, PoolJob<J, R>> for Discard {
    fn discard(&self, reason: DiscardReason, job: &mut Job<u64, PoolJob<J, R>>) {
        let error = match reason {
            DiscardReason::TtlExpired => PoolError::Timeout,
            DiscardReason::Loadshed | DiscardReason::RateLimited => PoolError::Overloaded,
            DiscardReason::Shutdown => PoolError::Gone,
        };
        drop(job.msg.place.take());
        if job.msg.reply.take().is_some_and(|reply| reply.send(Err(error)).is_err()) {
            tracing::trace!("nobody waits for the discarded job");
        }
    }
}
