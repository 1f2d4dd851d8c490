//! What was put aside: looked at, and sent back to work.

use std::sync::Arc;
use std::time::Duration;

use lapin::Channel;
use lapin::message::BasicGetMessage;
use lapin::options::BasicGetOptions;
use tandem_domain::task::{TaskKind, TaskRef};
use tandem_domain::time::Timestamp;

use crate::error::RabbitError;
use crate::queue::RabbitQueue;
use crate::session::Session;
use crate::wire;

/// The most that one call looks at or sends back.
const MOST: u32 = 1_000;

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
}

impl RabbitQueue {
    /// The messages of a kind that were put aside, oldest first, at most `limit` (and 1,000). They stay where they are; for
    /// the moment of the call nobody else sees them.
    ///
    /// # Errors
    /// When the broker does not answer.
    pub async fn dead_letters(&self, kind: TaskKind, limit: u32) -> Result<Vec<DeadLetter>, RabbitError> {
        let look = self.look(kind).await?;
        let mut letters = Vec::new();
        for _ in 0..limit.min(MOST) {
            let Some(message) = look.fetch().await? else { break };
            let (reason, died_at) = wire::death(&message.properties);
            let task = wire::decode(&message.data);
            let delivered = wire::written(&message.properties);
            letters.push(DeadLetter { task, delivered, died_at, reason });
        }
        look.session.close_channel(&look.channel).await;
        Ok(letters)
    }

    /// Sends the oldest `number` (and at most 1,000) messages of a kind that were put aside back to work, counted anew;
    /// gives how many went. What is no task's key stays.
    ///
    /// # Errors
    /// When the broker does not answer; what went before stays sent, and at most one message is there twice.
    pub async fn replay(&self, kind: TaskKind, number: u32) -> Result<u32, RabbitError> {
        let look = self.look(kind).await?;
        let mut sent = 0;
        for _ in 0..number.min(MOST) {
            let Some(message) = look.fetch().await? else { break };
            let Some(task) = wire::decode(&message.data) else { continue };
            self.send(kind, &task, Duration::ZERO, 0).await?;
            look.session.ack(&message.acker).await?;
            sent += 1;
        }
        look.session.close_channel(&look.channel).await;
        Ok(sent)
    }

    async fn look(&self, kind: TaskKind) -> Result<Look, RabbitError> {
        let session = self.session().await?;
        let channel = session.channel().await?;
        Ok(Look { session, channel, queue: self.shared.topology.dead(kind) })
    }
}
