//! The one loop that all stages share: delivery, lease, work, durable end, settlement.
//!
//! What holds at every moment, whoever is killed: the task's row tells the truth; a delivery is acknowledged only after
//! the end of its task is in the row (invariant 3); a row write whose end is not known is read back (invariant 6); a
//! delivery that nobody settled comes again, and finds the row.

use std::num::{NonZeroU16, NonZeroUsize};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt;
use tandem_domain::document::Failure;
use tandem_domain::task::{Task, TaskKind};
use tandem_ports::{Clock, TaskStore, WorkQueue};
use tokio::sync::Semaphore;

use crate::drain::Drain;
use crate::kind::ActorKind;
use crate::pool::{Pool, PoolGauges, PoolOptions};
use crate::spawn::Spawner;
use crate::supervisor::{StartError, SupervisorHandle};

use attempt::{Attempt, Verdict};
use carry::Carrier;
use consumer::{Consumer, ConsumerArguments};
use unwritten::Unwritten;

mod attempt;
mod carry;
mod consumer;
mod row;
mod unwritten;

#[cfg(test)]
mod chaos_tests;
#[cfg(test)]
mod tests;

/// What a stage does with a task.
///
/// Both methods may run more than once for the same task, and may be dropped at any await: their effects are keyed by
/// the task's subject, so that a second run changes nothing.
#[async_trait]
pub trait StageWork: Send + Sync + 'static {
    /// The kind of task this stage takes.
    fn kind(&self) -> TaskKind;

    /// Does the work. `Ok` = its effect is durable, follow-up tasks are filed.
    ///
    /// # Errors
    /// What becomes of the task follows from the code: see [`Task::failed`].
    async fn perform(&self, task: &Task) -> Result<(), Failure>;

    /// Makes a failure visible where a person looks, such as the document's state. It runs before the task's row becomes
    /// dead, so that no dead task is without its visible failure.
    ///
    /// # Errors
    /// A retryable failure is tried again later, see [`Task::unshown`]; any other is logged and the task becomes dead
    /// all the same.
    async fn give_up(&self, task: &Task, failure: &Failure) -> Result<(), Failure>;
}

/// How a stage works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StageOptions {
    /// Tasks in hand at the same time: the queue's prefetch and the pool's workers.
    pub capacity: NonZeroU16,
    /// How long nobody else may take a task whose worker is silent. It is renewed at a third of its length.
    pub lease: Duration,
    /// The longest work on one task; longer is a failure `TIMEOUT`, which is tried again.
    pub deadline: Duration,
}

impl StageOptions {
    /// The usual length of a lease.
    pub const LEASE: Duration = Duration::from_secs(120);
    /// The usual longest work on one task.
    pub const DEADLINE: Duration = Duration::from_secs(300);

    /// The usual lease and deadline.
    #[must_use]
    pub const fn new(capacity: NonZeroU16) -> Self {
        Self { capacity, lease: Self::LEASE, deadline: Self::DEADLINE }
    }
}

/// What a stage needs of the world.
#[derive(Clone)]
pub struct StagePorts {
    /// Where deliveries come from.
    pub queue: Arc<dyn WorkQueue>,
    /// Where the truth is.
    pub tasks: Arc<dyn TaskStore>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

/// A running stage. It runs until the node ends, whether this handle lives or not. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Stage {
    kind: TaskKind,
    pool: Pool<Attempt, Verdict>,
}

/// What all parts of one stage share.
struct Shared {
    kind: TaskKind,
    options: StageOptions,
    ports: StagePorts,
    work: Arc<dyn StageWork>,
    drain: Drain,
    spawner: Spawner,
    /// One permit for each task in hand, over all incarnations of the consumer.
    capacity: Arc<Semaphore>,
    unwritten: Unwritten,
}

impl Stage {
    /// Starts a stage under the supervisor: the pool `<kind>/pool` and the consumer `<kind>/consumer`.
    ///
    /// # Errors
    /// See [`StartError`]. An unreachable queue is no error: the consumer goes on trying.
    pub async fn start(
        supervisor: &SupervisorHandle,
        options: StageOptions,
        ports: StagePorts,
        work: Arc<dyn StageWork>,
    ) -> Result<Self, StartError> {
        let kind = work.kind();
        let shared = Arc::new(Shared {
            kind,
            options,
            ports,
            work,
            drain: supervisor.drain().clone(),
            spawner: supervisor.spawner().clone(),
            capacity: Arc::new(Semaphore::new(usize::from(options.capacity.get()))),
            unwritten: Unwritten::default(),
        });
        let size = NonZeroUsize::from(options.capacity);
        let for_pool = Arc::clone(&shared);
        let handler = move |attempt: Attempt| attempt.run(Arc::clone(&for_pool)).boxed();
        let pool = Pool::start(
            supervisor,
            ActorKind::Pool,
            &format!("{}/pool", kind.name()),
            // Jobs whose worker was killed may still be on their way out when they are run again.
            PoolOptions { workers: size, queue: size.get() },
            Arc::new(handler),
        )
        .await?;
        let carrier = Arc::new(Carrier { shared, pool: pool.clone() });
        let make = move |progress: &crate::Progress| {
            let (carrier, progress) = (Arc::clone(&carrier), progress.clone());
            (Consumer, ConsumerArguments { carrier, progress })
        };
        supervisor.supervise(ActorKind::Consumer, &format!("{}/consumer", kind.name()), make).await?;
        Ok(Self { kind, pool })
    }

    /// The kind of task this stage takes.
    #[must_use]
    pub const fn kind(&self) -> TaskKind {
        self.kind
    }

    /// How full its pool is.
    #[must_use]
    pub fn gauges(&self) -> PoolGauges {
        self.pool.gauges()
    }
}
