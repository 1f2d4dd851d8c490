//! Carries a delivery from the consumer through the pool to its settlement. It lives beside the actors, so that neither
//! the consumer's nor the pool's death leaves a delivery without an answer.

use std::sync::Arc;
use std::time::Duration;

use ractor::ActorRef;
use tandem_domain::ids::OperationId;
use tandem_domain::task::Task;
use tandem_ports::queue::{Delivery, Settlement};
use tokio::sync::OwnedSemaphorePermit;

use super::Shared;
use super::attempt::{Attempt, Verdict};
use super::consumer::ConsumerMessage;
use super::row::{RowWrite, holds, write_held};
use crate::drain::InHandGuard;
use crate::kind::doubled;
use crate::metrics;
use crate::pool::{Pool, PoolError};
use crate::progress::InHand;

/// Time on the pool past the work's own deadline, for the row's reads and writes and for `give_up`.
const ROW_LIMIT: Duration = Duration::from_secs(150);
/// Runs of one delivery whose workers died: enough for the task to be found poisonous.
const MOST_RUNS: u32 = Task::MAX_LEASES + 1;
/// The wait before a delivery is run again; doubles.
const RUN_BACK_OFF: Duration = Duration::from_millis(100);
/// The wait before a delivery that could not be run comes again.
const NOT_RUN_WAIT: Duration = Duration::from_secs(5);
/// How often a settlement is tried.
const SETTLE_TRIES: usize = 3;
/// The wait before a settlement is tried again; doubles.
const SETTLE_BACK_OFF: Duration = Duration::from_millis(200);
/// The longest call to the queue.
pub(super) const QUEUE_LIMIT: Duration = Duration::from_secs(15);

/// What carrying a delivery needs.
pub(super) struct Carrier {
    pub(super) shared: Arc<Shared>,
    pub(super) pool: Pool<Attempt, Verdict>,
}

/// What a delivery in hand holds on to.
pub(super) struct Hold {
    pub(super) permit: OwnedSemaphorePermit,
    pub(super) guard: InHandGuard,
    pub(super) mark: InHand,
}

impl Carrier {
    /// A delivery moves at least once in this time: its run ends, or it is settled.
    pub(super) fn limit(&self) -> Duration {
        self.shared.options.deadline.saturating_add(ROW_LIMIT).saturating_add(QUEUE_LIMIT * 4)
    }

    /// Carries a delivery to its settlement.
    pub(super) async fn carry(
        self: Arc<Self>,
        delivery: Delivery,
        mut hold: Hold,
        consumer: ActorRef<ConsumerMessage>,
    ) {
        let operation = OperationId::from_uuid(self.shared.ports.clock.new_id());
        let verdict = self.run(&delivery, operation, &hold.mark).await;
        metrics::stage_task(self.shared.kind, verdict.outcome);
        if matches!(verdict.settlement, Settlement::Retry(_)) {
            hold.guard.give_back();
        }
        let settled = self.settle(&delivery, &verdict).await;
        drop(hold.permit);
        // An unsettled delivery of a living subscription would fill its prefetch for ever.
        if !settled && consumer.send_message(ConsumerMessage::Resubscribe).is_err() {
            tracing::debug!("the consumer is down: its subscription is gone");
        }
    }

    /// Runs a delivery until it has a verdict. Runs whose worker died are repeated under the same operation, which still
    /// holds the lease; each counts as an attempt.
    async fn run(&self, delivery: &Delivery, operation: OperationId, mark: &InHand) -> Verdict {
        let limit = self.shared.options.deadline + ROW_LIMIT;
        for run in 0..MOST_RUNS {
            let attempt = Attempt { delivery: delivery.clone(), operation };
            match self.pool.run(attempt, limit).await {
                Ok(verdict) => return verdict,
                Err(error @ (PoolError::Died | PoolError::Gone)) => {
                    tracing::warn!(stage = self.shared.kind.name(), %error, "task is run again");
                }
                Err(error @ (PoolError::Timeout | PoolError::Overloaded)) => {
                    tracing::warn!(stage = self.shared.kind.name(), %error, "task comes again later");
                    return Verdict::retry(NOT_RUN_WAIT, metrics::OVERLOADED);
                }
            }
            mark.touch();
            let wait = doubled(RUN_BACK_OFF, run as usize);
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.shared.drain.over() => return self.give_back(delivery, operation).await,
            }
        }
        Verdict::retry(NOT_RUN_WAIT, metrics::DIED)
    }

    /// The node ends and no worker came up any more: what this operation still holds is released.
    async fn give_back(&self, delivery: &Delivery, operation: OperationId) -> Verdict {
        let tasks = &*self.shared.ports.tasks;
        if let Ok(Some(row)) = tasks.task(&delivery.task).await
            && holds(&row, operation)
        {
            let written = write_held(tasks, operation, &row, Task::given_back).await;
            tracing::debug!(given_back = matches!(written, RowWrite::Written(_)), "task released at the end");
        }
        Verdict::GIVEN_BACK
    }

    async fn settle(&self, delivery: &Delivery, verdict: &Verdict) -> bool {
        for attempt in 0..SETTLE_TRIES {
            let settle = self.shared.ports.queue.settle(delivery, verdict.settlement.clone());
            match tokio::time::timeout(QUEUE_LIMIT, settle).await {
                Ok(Ok(())) => return true,
                Ok(Err(error)) => {
                    tracing::warn!(stage = self.shared.kind.name(), %error, "delivery not settled")
                }
                Err(_) => tracing::warn!(stage = self.shared.kind.name(), "settling took too long"),
            }
            tokio::time::sleep(doubled(SETTLE_BACK_OFF, attempt)).await;
        }
        false
    }
}
