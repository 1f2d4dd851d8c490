//! What was put aside: looked at, and sent back to work.

use std::sync::Arc;
use std::time::Duration;

use lapin::Channel;
use lapin::message::BasicGetMessage;
use lapin::options::BasicGetOptions;
use tandem_domain::ids::TaskId;
use tandem_domain::task::{TaskKind, TaskRef};
use tandem_domain::time::Timestamp;

use crate::error::RabbitError;
use crate::metrics;
use crate::queue::RabbitQueue;
use crate::session::Session;
use crate::wire;

/// The most that one call looks at or sends back.
const MOST: u32 = 10_000;

/// A message that was put aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The task; `None` if the message is no task's key.
    pub task: Option<TaskRef>,
    /// How often it had been delivered; 0 if the broker put it aside, which does not say.
    pub delivered: u32,
    /// When it was put aside, if that is known.
    pub died_at: Option<Timestamp>,
    /// Why; no user's data.
    pub reason: String,
}

/// A channel on which dead letters are fetched; what is not acknowledged goes back when it closes.
struct Look {
    session: Arc<Session>,
    channel: Channel,
    queue: String,
}

impl Look {
    async fn fetch(&self) -> Result<Option<BasicGetMessage>, RabbitError> {
        let get = self.channel.basic_get(self.queue.as_str().into(), BasicGetOptions::default());
        self.session.step("looking at dead letters", get).await
    }

    async fn close(self) {
        self.session.close_channel(&self.channel).await;
    }
}

impl RabbitQueue {
    /// The messages of a kind that were put aside, oldest first, at most `limit` (and 10,000). They stay where they are;
    /// for the moment of the call nobody else sees them. How many there are in all says the queue's depth.
    ///
    /// # Errors
    /// When the broker does not answer.
    pub async fn dead_letters(&self, kind: TaskKind, limit: u32) -> Result<Vec<DeadLetter>, RabbitError> {
        self.letters(kind, limit, |_| true).await
    }

    /// Those of one task, oldest first; a task can have been put aside more than once. The oldest 10,000 messages of the
    /// kind are looked through, and stay where they are.
    ///
    /// # Errors
    /// When the broker does not answer.
    pub async fn dead_letters_of(
        &self,
        kind: TaskKind,
        task: TaskId,
    ) -> Result<Vec<DeadLetter>, RabbitError> {
        self.letters(kind, MOST, |letter| letter.task.as_ref().is_some_and(|key| key.id == task)).await
    }

    /// Sends the oldest `number` (and at most 10,000) messages of a kind that were put aside back to work, counted anew;
    /// gives how many went. What is no task's key stays. A message leaves its place only after the broker has confirmed
    /// its successor: whoever dies in between leaves it there twice, never not at all.
    ///
    /// # Errors
    /// When the broker does not answer or takes no messages; what went before stays sent, and at most one message is there
    /// twice.
    pub async fn replay(&self, kind: TaskKind, number: u32) -> Result<u32, RabbitError> {
        self.send_back(kind, number, |_| true).await
    }

    /// Sends the messages of one task back to work as [`RabbitQueue::replay`] does, among the oldest 10,000 of the kind.
    ///
    /// # Errors
    /// As there.
    pub async fn replay_task(&self, kind: TaskKind, task: TaskId) -> Result<u32, RabbitError> {
        self.send_back(kind, MOST, |key| key.id == task).await
    }

    async fn letters(
        &self,
        kind: TaskKind,
        limit: u32,
        wanted: impl Fn(&DeadLetter) -> bool,
    ) -> Result<Vec<DeadLetter>, RabbitError> {
        let look = self.look(kind).await?;
        let mut letters = Vec::new();
        for _ in 0..limit.min(MOST) {
            let Some(message) = look.fetch().await? else { break };
            let (reason, died_at) = wire::death(&message.properties);
            let task = wire::decode(&message.data);
            let delivered = wire::written(&message.properties);
            letters.push(DeadLetter { task, delivered, died_at, reason });
        }
        look.close().await;
        letters.retain(wanted);
        Ok(letters)
    }

    async fn send_back(
        &self,
        kind: TaskKind,
        number: u32,
        wanted: impl Fn(&TaskRef) -> bool,
    ) -> Result<u32, RabbitError> {
        let look = self.look(kind).await?;
        let (mut sent, mut seen) = (0, 0);
        while sent < number.min(MOST) && seen < MOST {
            let Some(message) = look.fetch().await? else { break };
            seen += 1;
            let Some(task) = wire::decode(&message.data).filter(&wanted) else { continue };
            self.send(kind, &task, Duration::ZERO, (0, wire::trace(&message.properties))).await?;
            look.session.ack(&message.acker).await?;
            metrics::replayed(kind);
            sent += 1;
        }
        look.close().await;
        Ok(sent)
    }

    async fn look(&self, kind: TaskKind) -> Result<Look, RabbitError> {
        let session = self.session().await?;
        let channel = session.channel().await?;
        Ok(Look { session, channel, queue: self.shared.topology.dead(kind) })
    }
}
