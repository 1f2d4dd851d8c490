//! Publishes again what a crash left between its row and its message: at the start and every minute.

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef, Message};
use tandem_domain::task::{Task, TaskRef, TaskState};
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
        Self { period: Duration::from_secs(60), grace: Duration::from_secs(30), page: 500 }
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
            (RelayActor, Walker { options, tasks, queue, clock, progress: progress.clone() })
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
    async fn page(&self, after: Option<TaskRef>, grace: Duration, in_hand: &InHand) -> Walked {
        let read = self.tasks.unsettled(after.as_ref(), self.options.page.max(1));
        let page = match within(read).await {
            Ok(page) => page,
            Err(error) => {
                tracing::warn!(error, "relay could not read tasks");
                return Walked::Broken(after);
            }
        };
        let now = self.clock.now();
        let mut behind = after;
        for task in &page {
            let key = task.key();
            if is_stranded(task, now, grace) {
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

/// Nobody holds it and nobody is filing it: its message may be missing.
fn is_stranded(task: &Task, now: Timestamp, grace: Duration) -> bool {
    match &task.state {
        TaskState::Queued => task.created_at.plus(grace) <= now,
        TaskState::Leased(lease) => lease.until <= now,
        TaskState::Done | TaskState::Dead => false,
    }
}
