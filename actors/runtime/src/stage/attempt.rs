//! One run of a delivery on the pool: lease, work, end in the row. It returns what is to become of the delivery.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use tandem_domain::document::Failure;
use tandem_domain::error::ErrorCode;
use tandem_domain::ids::OperationId;
use tandem_domain::task::{AfterFailure, LeaseRefusal, Task, TaskState};
use tandem_domain::time::Timestamp;
use tandem_domain::trace::TraceId;
use tandem_ports::StoreError;
use tandem_ports::queue::{Delivery, Settlement};
use tracing::Instrument;

use super::Shared;
use super::row::{RowWrite, holds, write, write_held};
use crate::metrics::{self, Stopwatch};
use crate::trace::{Span, SpanKind};

/// How often a lease is tried when others change the row at the same time.
const LEASE_TRIES: u32 = 5;
/// A message whose row is missing is put aside after this many deliveries: the row is written first, always.
const MISSING_DELIVERIES: u32 = 5;
/// The wait before a message without a row is looked at again.
const MISSING_WAIT: Duration = Duration::from_secs(2);
/// The wait when the row could not be read or written.
const STORE_WAIT: Duration = Duration::from_secs(5);
/// The wait when somebody else took the row.
const LOST_WAIT: Duration = Duration::from_secs(1);
/// The shortest wait for another's lease.
const HELD_LEAST: Duration = Duration::from_millis(100);
/// The longest run of `give_up`.
const GIVE_UP_LIMIT: Duration = Duration::from_secs(30);
/// How often `give_up` is tried in one run.
const GIVE_UP_TRIES: u32 = 3;
/// Outcomes that are nobody's fault.
const DONE: &str = "done";
const GIVEN_BACK: &str = "given_back";

/// A delivery to be carried out under this operation id.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    pub(super) delivery: Delivery,
    pub(super) operation: OperationId,
}

/// What is to become of a delivery, and what the metric calls it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) settlement: Settlement,
    pub(super) outcome: &'static str,
}

impl Verdict {
    const fn ack(outcome: &'static str) -> Self {
        Self { settlement: Settlement::Ack, outcome }
    }

    pub(super) const fn retry(wait: Duration, outcome: &'static str) -> Self {
        Self { settlement: Settlement::Retry(wait), outcome }
    }

    const fn dead(reason: String, outcome: &'static str) -> Self {
        Self { settlement: Settlement::Dead(reason), outcome }
    }

    /// The task's end is in no row yet: it comes again.
    pub(super) const GIVEN_BACK: Self = Self::retry(Duration::ZERO, GIVEN_BACK);
}

/// How the work on a task ended.
enum Worked {
    Ended(Result<(), Failure>),
    LeaseLost,
    Drained,
}

/// Whether the work may begin.
enum Leased {
    Held(Task),
    Poison(Task),
    Not(Verdict),
}

impl Attempt {
    pub(super) async fn run(self, shared: Arc<Shared>) -> Verdict {
        let (trace_id, task) = (self.trace_id(), &self.delivery.task.id);
        let log = tracing::info_span!("task", %trace_id, %task, stage = shared.kind.name());
        self.carry_out(&shared).instrument(log).await
    }

    /// The trace of whoever filed the task. One that is not known any more, such as that of a task whose message was
    /// lost, is replaced by one that follows from the task.
    fn trace_id(&self) -> TraceId {
        let of_task = || TraceId::of(self.delivery.task.id.as_uuid());
        self.delivery.trace.map_or_else(of_task, |context| context.trace)
    }

    fn span(&self, held: &Task) -> Span {
        let (name, kind) = (held.kind.name(), SpanKind::Consumer);
        let span = match self.delivery.trace {
            Some(context) => Span::below(Some(context), name, kind),
            None => Span::first(self.trace_id(), name, kind),
        };
        span.of_task(held.id, held.attempt)
    }

    async fn carry_out(&self, shared: &Shared) -> Verdict {
        let row = match shared.ports.tasks.task(&self.delivery.task).await {
            Ok(Some(row)) => row,
            Ok(None) if self.delivery.count >= MISSING_DELIVERIES => {
                return Verdict::dead("the task has no row".to_owned(), "missing");
            }
            Ok(None) => return Verdict::retry(MISSING_WAIT, "missing"),
            Err(error) => return store_down(&error),
        };
        if row.kind != shared.kind {
            return Verdict::dead("the task belongs to another queue".to_owned(), "misplaced");
        }
        let row = match self.free(shared, row).await {
            Ok(row) => row,
            Err(verdict) => return verdict,
        };
        match self.lease(shared, row).await {
            Leased::Held(held) => {
                let span = self.span(&held);
                let verdict = span.run(self.work(shared, held)).await;
                span.end(verdict.outcome, !matches!(verdict.outcome, DONE | GIVEN_BACK));
                verdict
            }
            Leased::Poison(row) => self.poison(shared, row).await,
            Leased::Not(verdict) => verdict,
        }
    }

    /// The row without a lease of this process whose end could not be written: its attempt does not count.
    async fn free(&self, shared: &Shared, row: Task) -> Result<Task, Verdict> {
        let key = &self.delivery.task;
        let Some(operation) = shared.unwritten.take(key).filter(|operation| holds(&row, *operation)) else {
            return Ok(row);
        };
        match write_held(&*shared.ports.tasks, operation, &row, Task::given_back).await {
            RowWrite::Written(there) | RowWrite::Lost(Some(there)) => Ok(there),
            RowWrite::Lost(None) => Err(Verdict::retry(MISSING_WAIT, "missing")),
            RowWrite::Failed(error) => {
                shared.unwritten.put(key, operation);
                Err(store_down(&error))
            }
        }
    }

    async fn lease(&self, shared: &Shared, mut row: Task) -> Leased {
        for _ in 0..LEASE_TRIES {
            let now = shared.ports.clock.now();
            let wanted = match row.leased(self.operation, now, shared.options.lease) {
                Ok(_) if row.is_poison() => return Leased::Poison(row),
                Ok(wanted) => wanted,
                Err(LeaseRefusal::Settled) => return Leased::Not(Verdict::ack("echo")),
                Err(LeaseRefusal::Held(until)) => {
                    let wait = until_then(now, until).clamp(HELD_LEAST, shared.options.lease.max(HELD_LEAST));
                    return Leased::Not(Verdict::retry(wait, "held"));
                }
            };
            match write(&*shared.ports.tasks, &wanted).await {
                Ok(RowWrite::Written(held)) => return Leased::Held(held),
                Ok(RowWrite::Lost(Some(there))) => row = there,
                Ok(RowWrite::Lost(None)) => return Leased::Not(Verdict::retry(MISSING_WAIT, "missing")),
                Ok(RowWrite::Failed(error)) | Err(error) => return Leased::Not(store_down(&error)),
            }
        }
        Leased::Not(Verdict::retry(LOST_WAIT, "lost"))
    }

    async fn work(&self, shared: &Shared, mut held: Task) -> Verdict {
        let task = held.clone();
        let perform = AssertUnwindSafe(shared.work.perform(&task)).catch_unwind();
        let watch = Stopwatch::start();
        let worked = tokio::select! {
            biased;
            result = tokio::time::timeout(shared.options.deadline, perform) => Worked::Ended(match result {
                Ok(Ok(result)) => result,
                Ok(Err(_)) => Err(failure(ErrorCode::Internal, "the stage panicked")),
                Err(_) => Err(failure(ErrorCode::Timeout, "the work took too long")),
            }),
            () = self.keep_lease(shared, &mut held) => Worked::LeaseLost,
            () = shared.drain.over() => Worked::Drained,
        };
        metrics::stage_time(shared.kind, watch.elapsed());
        match worked {
            Worked::Ended(Ok(())) => self.end(shared, &held, Task::done, Verdict::ack(DONE)).await,
            Worked::Ended(Err(failure)) => self.fail(shared, &held, failure).await,
            Worked::LeaseLost => {
                // Unless another took it, it was the store that was away.
                shared.unwritten.put(&self.delivery.task, self.operation);
                Verdict::retry(LOST_WAIT, "lost")
            }
            Worked::Drained => self.end(shared, &held, Task::given_back, Verdict::GIVEN_BACK).await,
        }
    }

    /// Renews the lease at a third of its length; returns when it is lost.
    async fn keep_lease(&self, shared: &Shared, held: &mut Task) {
        let length = shared.options.lease;
        let tasks = &*shared.ports.tasks;
        loop {
            tokio::time::sleep(length / 3).await;
            let now = shared.ports.clock.now();
            let Some(wanted) = held.renewed(self.operation, now, length) else { return };
            match write(tasks, &wanted).await {
                Ok(RowWrite::Written(row)) => *held = row,
                Ok(RowWrite::Lost(Some(there))) if holds(&there, self.operation) => *held = there,
                Ok(RowWrite::Lost(_)) => return,
                Ok(RowWrite::Failed(error)) | Err(error) => {
                    tracing::warn!(%error, stage = shared.kind.name(), "lease not renewed");
                    if lease_is_over(held, shared.ports.clock.now()) {
                        return;
                    }
                }
            }
        }
    }

    /// Writes the task's end, then allows `verdict`; if the row is another's by now, it decides.
    async fn end(
        &self,
        shared: &Shared,
        held: &Task,
        next: impl Fn(&Task) -> Task + Send,
        verdict: Verdict,
    ) -> Verdict {
        match write_held(&*shared.ports.tasks, self.operation, held, next).await {
            RowWrite::Written(_) => verdict,
            RowWrite::Lost(Some(row)) if is_settled(&row) => Verdict::ack("echo"),
            RowWrite::Lost(_) => Verdict::retry(LOST_WAIT, "lost"),
            RowWrite::Failed(error) => {
                shared.unwritten.put(&self.delivery.task, self.operation);
                store_down(&error)
            }
        }
    }

    async fn fail(&self, shared: &Shared, held: &Task, failure: Failure) -> Verdict {
        let now = shared.ports.clock.now();
        let (_, after) = held.failed(failure.clone(), now);
        let next = |row: &Task| row.failed(failure.clone(), now).0;
        if let AfterFailure::Retry(wait) = after {
            tracing::info!(stage = shared.kind.name(), code = %failure.code, attempt = held.attempt, "task failed");
            return self.end(shared, held, next, Verdict::retry(wait, "retried")).await;
        }
        if !self.make_visible(shared, held, &failure).await {
            let now = shared.ports.clock.now();
            let unshown = |row: &Task| row.unshown(failure.clone(), now).0;
            let verdict = match held.unshown(failure.clone(), now).1 {
                AfterFailure::Retry(wait) => Verdict::retry(wait, "not_shown"),
                AfterFailure::GiveUp => never_shown(shared, &failure),
            };
            return self.end(shared, held, unshown, verdict).await;
        }
        let verdict = if failure.code.retryable() {
            Verdict::dead(failure.reason.clone(), "dead")
        } else {
            // What cannot succeed is answered: nobody has to look at it.
            Verdict::ack("refused")
        };
        self.end(shared, held, next, verdict).await
    }

    /// Too many workers died of this task.
    async fn poison(&self, shared: &Shared, row: Task) -> Verdict {
        let dead = row.poisoned();
        let failure = dead.last_error.clone();
        let failure =
            failure.unwrap_or_else(|| crate::stage::attempt::failure(ErrorCode::Internal, "poison"));
        tracing::error!(
            stage = shared.kind.name(),
            attempts = row.attempt,
            "task given up: its workers died"
        );
        let mut verdict = Verdict::dead(failure.reason.clone(), "poison");
        if !self.make_visible(shared, &row, &failure).await {
            verdict = match row.unshown(failure.clone(), shared.ports.clock.now()).1 {
                // The row stays as it is, so that it is found poisonous again.
                AfterFailure::Retry(wait) => return Verdict::retry(wait, "not_shown"),
                AfterFailure::GiveUp => never_shown(shared, &failure),
            };
        }
        match write(&*shared.ports.tasks, &dead).await {
            Ok(RowWrite::Written(_)) => verdict,
            Ok(RowWrite::Lost(_)) => Verdict::retry(LOST_WAIT, "lost"),
            Ok(RowWrite::Failed(error)) | Err(error) => store_down(&error),
        }
    }

    /// Runs `give_up`; false = the failure is not shown now and may be later.
    async fn make_visible(&self, shared: &Shared, task: &Task, failure: &Failure) -> bool {
        for _ in 0..GIVE_UP_TRIES {
            let give_up = AssertUnwindSafe(shared.work.give_up(task, failure)).catch_unwind();
            match tokio::time::timeout(GIVE_UP_LIMIT, give_up).await {
                Ok(Ok(Ok(()))) => return true,
                Ok(Ok(Err(error))) if error.code.retryable() => {
                    tracing::warn!(stage = shared.kind.name(), code = %error.code, "failure not shown yet");
                }
                Ok(Ok(Err(error))) => {
                    tracing::error!(stage = shared.kind.name(), code = %error.code, "failure cannot be shown");
                    return true;
                }
                Ok(Err(_)) => {
                    tracing::error!(
                        stage = shared.kind.name(),
                        "failure cannot be shown: the stage panicked"
                    );
                    return true;
                }
                Err(_) => tracing::warn!(stage = shared.kind.name(), "showing the failure took too long"),
            }
            tokio::time::sleep(LOST_WAIT).await;
        }
        false
    }
}

fn failure(code: ErrorCode, reason: &str) -> Failure {
    Failure { code, reason: reason.to_owned() }
}

/// The task dies without anybody having been told: an operator has to.
fn never_shown(shared: &Shared, failure: &Failure) -> Verdict {
    tracing::error!(stage = shared.kind.name(), code = %failure.code, "failure was never shown");
    Verdict::dead(failure.reason.clone(), "never_shown")
}

fn store_down(error: &StoreError) -> Verdict {
    tracing::warn!(%error, "the task's row could not be read or written");
    Verdict::retry(STORE_WAIT, "store_error")
}

const fn is_settled(row: &Task) -> bool {
    matches!(row.state, TaskState::Done | TaskState::Dead)
}

fn lease_is_over(row: &Task, now: Timestamp) -> bool {
    matches!(&row.state, TaskState::Leased(lease) if lease.until <= now)
}

fn until_then(now: Timestamp, then: Timestamp) -> Duration {
    Duration::from_millis(u64::try_from(then.millis().saturating_sub(now.millis())).unwrap_or(0))
}
