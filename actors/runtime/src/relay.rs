//! Publishes again what a crash left between its row and its message: at the start and every half a minute.
//!
//! A queue that keeps each key once is given every task that nobody holds. On a broker that would double the whole queue
//! at every walk of every node, so there a task is published again when the queue of its kind is empty, which shows that
//! its message is missing, and otherwise once in a long while, for queues that are never empty.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef, Message};
use tandem_domain::task::{Task, TaskKind, TaskRef, TaskState};
use tandem_domain::time::Timestamp;
use tandem_ports::{Clock, TaskStore, WorkQueue};

use crate::kind::ActorKind;
use crate::metrics;
use crate::progress::{InHand, Progress};
use crate::supervisor::{StartError, SupervisorHandle};

#[cfg(test)]
mod tests;

/// The longest call to the store or the queue.
const CALL_LIMIT: Duration = Duration::from_secs(30);

/// How often a task is published again while the queue of its kind is not empty.
const REMIND_EVERY: Duration = Duration::from_secs(600);

/// How the relay walks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RelayOptions {
    /// From the end of one walk to the next.
    pub period: Duration,
    /// Tasks younger than this are left to whoever is filing them right now, except in the first walk.
    pub grace: Duration,
    /// Rows per read, at least 1.
    pub page: u32,
}

impl Default for RelayOptions {
    fn default() -> Self {
        Self { period: Duration::from_secs(30), grace: Duration::from_secs(30), page: 500 }
    }
}

/// Starts the relay of a node.
#[derive(Debug)]
pub struct Relay;

#[derive(Clone)]
struct Walker {
    options: RelayOptions,
    tasks: Arc<dyn TaskStore>,
    queue: Arc<dyn WorkQueue>,
    clock: Arc<dyn Clock>,
    progress: Progress,
    /// The kinds whose queues lack what nobody holds, as of the beginning of this walk.
    lacking: BTreeSet<TaskKind>,
    /// When this walk began, and how long after the one before.
    began: Option<Timestamp>,
    since: Duration,
}

/// What the relay is told.
#[derive(Debug)]
enum RelayMessage {
    /// Handle the page behind this key; `grace` as in the options, or nothing in the first walk.
    Page { after: Option<TaskRef>, grace: Duration },
}

impl Message for RelayMessage {}

impl Relay {
    /// Starts the relay under the supervisor, as `relay`.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start(
        supervisor: &SupervisorHandle,
        options: RelayOptions,
        tasks: Arc<dyn TaskStore>,
        queue: Arc<dyn WorkQueue>,
        clock: Arc<dyn Clock>,
    ) -> Result<(), StartError> {
        let make = move |progress: &Progress| {
            let (tasks, queue, clock) = (Arc::clone(&tasks), Arc::clone(&queue), Arc::clone(&clock));
            let (progress, lacking) = (progress.clone(), BTreeSet::new());
            let (began, since) = (None, options.period);
            (RelayActor, Walker { options, tasks, queue, clock, progress, lacking, began, since })
        };
        supervisor.supervise(ActorKind::Relay, "relay", make).await?;
        Ok(())
    }
}

struct RelayActor;

impl Actor for RelayActor {
    type Msg = RelayMessage;
    type State = Walker;
    type Arguments = Walker;

    async fn pre_start(
        &self,
        myself: ActorRef<Self::Msg>,
        walker: Walker,
    ) -> Result<Walker, ActorProcessingErr> {
        myself.send_message(RelayMessage::Page { after: None, grace: Duration::ZERO })?;
        Ok(walker)
    }

    /// One page per message, so that a stop is never far.
    async fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        message: Self::Msg,
        walker: &mut Walker,
    ) -> Result<(), ActorProcessingErr> {
        let RelayMessage::Page { after, grace } = message;
        let in_hand = walker.progress.begin_within(CALL_LIMIT * 2);
        let period = walker.options.period;
        if after.is_none()
            && let Err(error) = walker.look(&in_hand).await
        {
            tracing::warn!(error, "relay could not look at the queues");
            myself.send_after(period, move || RelayMessage::Page { after: None, grace });
            return Ok(());
        }
        match walker.page(after, grace, &in_hand).await {
            Walked::More(last) => myself.send_message(RelayMessage::Page { after: Some(last), grace })?,
            Walked::Broken(after) => {
                myself.send_after(period, move || RelayMessage::Page { after, grace });
            }
            Walked::End => {
                let grace = walker.options.grace;
                myself.send_after(period, move || RelayMessage::Page { after: None, grace });
            }
        }
        Ok(())
    }
}

/// How far a page went.
enum Walked {
    /// To its end; the walk goes on behind this key.
    More(TaskRef),
    /// The walk is at its end.
    End,
    /// A port failed; after a period the walk goes on behind this key.
    Broken(Option<TaskRef>),
}

impl Walker {
    /// How much lies in the queues, and which of them lack something.
    async fn look(&mut self, in_hand: &InHand) -> Result<(), String> {
        self.lacking.clear();
        for kind in TaskKind::ALL {
            let depth = within(self.queue.depth(kind)).await?;
            in_hand.touch();
            metrics::depth(kind, depth);
            if self.queue.keeps_keys_once() || depth.waiting == 0 {
                self.lacking.insert(kind);
            }
        }
        let now = self.clock.now();
        if let Some(before) = self.began.replace(now) {
            self.since =
                Duration::from_millis(now.millis().saturating_sub(before.millis()).max(0).unsigned_abs());
        }
        Ok(())
    }

    async fn page(&self, after: Option<TaskRef>, grace: Duration, in_hand: &InHand) -> Walked {
        let read = self.tasks.unsettled(after.as_ref(), self.options.page.max(1));
        let page = match within(read).await {
            Ok(page) => page,
            Err(error) => {
                tracing::warn!(error, "relay could not read tasks");
                return Walked::Broken(after);
            }
        };
        // As of the beginning of the walk, so that each task's moment lies in exactly one walk.
        let (now, began) = (self.clock.now(), self.began.unwrap_or_else(|| self.clock.now()));
        let mut behind = after;
        for task in &page {
            let key = task.key();
            let lacking = self.lacking.contains(&task.kind);
            if is_stranded(task, now, grace) && (lacking || is_to_be_reminded(task, began, self.since)) {
                if let Err(error) = within(self.queue.publish(task.kind, &key, Duration::ZERO)).await {
                    tracing::warn!(error, "relay could not publish");
                    return Walked::Broken(behind);
                }
                metrics::relayed(task.kind);
                in_hand.touch();
            }
            behind = Some(key);
        }
        match behind {
            Some(last) if !page.is_empty() => Walked::More(last),
            Some(_) | None => Walked::End,
        }
    }
}

/// A port's answer within [`CALL_LIMIT`], or why there is none.
async fn within<T, E: Display>(call: impl Future<Output = Result<T, E>>) -> Result<T, String> {
    match tokio::time::timeout(CALL_LIMIT, call).await {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(_) => Err("it took too long".to_owned()),
    }
}

/// Whether a moment at which a task is published again for its age alone lies between this walk's beginning and that of
/// the one before.
fn is_to_be_reminded(task: &Task, began: Timestamp, since: Duration) -> bool {
    let age = u64::try_from(began.millis().saturating_sub(task.created_at.millis())).unwrap_or(0);
    let (every, since) = (REMIND_EVERY.as_millis() as u64, since.as_millis() as u64);
    age >= every && age % every < since
}

/// Nobody holds it and nobody is filing it: its message may be missing.
fn is_stranded(task: &Task, now: Timestamp, grace: Duration) -> bool {
    match &task.state {
        TaskState::Queued => task.created_at.plus(grace) <= now,
        TaskState::Leased(lease) => lease.until <= now,
        TaskState::Done | TaskState::Dead => false,
    }
}
