//! The queue: it carries the keys of tasks and nothing else.

use std::num::NonZeroU16;
use std::time::Duration;

use async_trait::async_trait;
use tandem_domain::document::Failure;
use tandem_domain::error::ErrorCode;
use tandem_domain::task::{TaskKind, TaskRef};
use tandem_domain::trace::TraceContext;

/// One delivery of a task's key. It must be settled; if its holder dies it is delivered again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The task.
    pub task: TaskRef,
    /// The queue it came from.
    pub kind: TaskKind,
    /// The queue's own mark of this delivery.
    pub token: u64,
    /// How often this message was delivered, this time included; from 1. A broker counts as delivered what it sent ahead
    /// and nobody looked at.
    pub count: u32,
    /// What the task was published as a part of, if that is known.
    pub trace: Option<TraceContext>,
}

/// What is to become of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settlement {
    /// The effect is durable: forget the message.
    Ack,
    /// Deliver it again, not before this long.
    Retry(Duration),
    /// Put it aside with a reason (no user's data) for an operator to look at.
    Dead(String),
}

/// How much lies in a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueueDepth {
    /// Deliverable now or later.
    pub waiting: u64,
    /// Delivered and not settled.
    pub in_flight: u64,
    /// Put aside.
    pub dead: u64,
}

/// Why a queue gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueueError {
    /// It cannot be reached or is closing.
    #[error("the queue cannot be reached: {0}")]
    Unavailable(String),
    /// It took longer than its limit.
    #[error("the queue did not answer in time")]
    Timeout,
}

impl QueueError {
    /// The code for programs. A queue that does not answer is away like one that cannot be reached: `TIMEOUT` would
    /// blame the work.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Unavailable(_) | Self::Timeout => ErrorCode::Unavailable,
        }
    }
}

impl From<QueueError> for Failure {
    fn from(error: QueueError) -> Self {
        Self { code: error.code(), reason: error.to_string() }
    }
}

/// A subscription. At most its prefetch is delivered and unsettled at any time; dropping it returns what is unsettled.
#[async_trait]
pub trait Deliveries: Send {
    /// The next delivery; waits for one. `None` when the queue was closed. Cancel-safe: nothing is lost by dropping the
    /// future.
    ///
    /// # Errors
    /// When the queue is gone; subscribe again.
    async fn next(&mut self) -> Result<Option<Delivery>, QueueError>;
}

/// Carries work to workers, at least once.
#[async_trait]
pub trait WorkQueue: Send + Sync + 'static {
    /// Puts a task's key into the queue of its kind, deliverable after `delay`. `Ok` = durable. A key that is in that
    /// queue already stays there once where the queue can tell; a broker cannot, and there it may be more than once: the
    /// task's row decides. What the work at hand is a part of ([`crate::trace::current`]) goes along and comes with every
    /// delivery of the message.
    async fn publish(&self, kind: TaskKind, task: &TaskRef, delay: Duration) -> Result<(), QueueError>;

    /// Subscribes to the queue of a kind.
    async fn subscribe(
        &self,
        kind: TaskKind,
        prefetch: NonZeroU16,
    ) -> Result<Box<dyn Deliveries>, QueueError>;

    /// Settles a delivery. Settling one that was meanwhile delivered to somebody else changes nothing.
    async fn settle(&self, delivery: &Delivery, settlement: Settlement) -> Result<(), QueueError>;

    /// Whether a key that is published while it is in the queue stays there once. Where not, each publishing costs a
    /// delivery, and whoever repairs publishes only what is certainly missing.
    fn keeps_keys_once(&self) -> bool;

    /// How much lies in the queue of a kind. A queue on a broker may lag a moment behind, and knows only of this node
    /// what is in flight.
    async fn depth(&self, kind: TaskKind) -> Result<QueueDepth, QueueError>;
}
