//! The queue as the stages see it.

use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lapin::BasicProperties;
use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;
use tandem_domain::task::{TaskKind, TaskRef};
use tandem_domain::trace::TraceContext;
use tandem_ports::WorkQueue;
use tandem_ports::queue::{Deliveries, Delivery, QueueDepth, QueueError, Settlement};
use tandem_ports::trace;
use tokio::time::Instant;
use tokio_util::sync::DropGuard;

use crate::error::RabbitError;
use crate::metrics;
use crate::options::RabbitOptions;
use crate::session::{Letter, Session};
use crate::subscription::Subscription;
use crate::supervisor::{Shared, State, supervise};
use crate::wire;

/// A queue on RabbitMQ. Cloning gives another handle of the same queue; it closes with its last handle.
///
/// At least once: a key that is published twice, or whose settlement the broker did not get, is delivered again. A delay
/// is rounded up to a step of the ladder, and cut to its last.
#[derive(Clone)]
pub struct RabbitQueue {
    pub(crate) shared: Arc<Shared>,
    _last: Arc<DropGuard>,
}

/// Where a message goes.
struct Place {
    exchange: String,
    key: String,
}

impl RabbitQueue {
    /// Connects, builds what is missing on the broker, and keeps the session from then on: whatever happens to it, the
    /// queue comes back by itself.
    ///
    /// # Errors
    /// When the options cannot be used or no broker takes the first session; says which host and what to check.
    pub async fn connect(options: RabbitOptions) -> Result<Self, RabbitError> {
        let shared = Arc::new(Shared::new(options)?);
        let first = shared.open_first().await?;
        shared.state.send_replace(State::Up(Arc::clone(&first.session)));
        let spawner = shared.options.spawner.clone();
        spawner.spawn("rabbitmq session", supervise(Arc::clone(&shared), first));
        let last = Arc::new(shared.closed.clone().drop_guard());
        Ok(Self { shared, _last: last })
    }

    /// Ends every subscription and both connections; nothing more can be published. Waits for it at most as long as
    /// closing may take.
    pub async fn close(&self) {
        self.shared.closed.cancel();
        let mut state = self.shared.state.subscribe();
        let closed = state.wait_for(|state| matches!(state, State::Closed));
        if tokio::time::timeout(self.shared.options.limits.close * 2, closed).await.is_err() {
            tracing::debug!("the queue did not close in time");
        }
    }

    pub(crate) fn deadline(&self, limit: Duration) -> Instant {
        Instant::now() + limit
    }

    pub(crate) async fn session(&self) -> Result<Arc<Session>, RabbitError> {
        self.shared.session(self.deadline(self.shared.options.limits.declare)).await
    }

    /// Sends a key into the queue in which `delay` passes, with how often it was delivered and what it is a part of.
    pub(crate) async fn send(
        &self,
        kind: TaskKind,
        task: &TaskRef,
        delay: Duration,
        (delivered, trace): (u32, Option<TraceContext>),
    ) -> Result<(), RabbitError> {
        let topology = &self.shared.topology;
        let (exchange, key) = (topology.work_exchange(), topology.after(kind, delay));
        self.publish_to(kind, Place { exchange, key }, task, wire::properties(delivered, trace)).await
    }

    async fn publish_to(
        &self,
        kind: TaskKind,
        place: Place,
        task: &TaskRef,
        properties: BasicProperties,
    ) -> Result<(), RabbitError> {
        let deadline = self.deadline(self.shared.options.limits.publish);
        let body = wire::encode(task);
        let published = async {
            let session = self.shared.session(deadline).await?;
            let letter = Letter { exchange: &place.exchange, key: &place.key, body: &body, properties };
            session.publish(letter, deadline).await
        };
        let published = published.await;
        metrics::published(kind, &published);
        published
    }

    /// `false` = it is not this node's any more, and nothing was done.
    async fn settle_held(&self, delivery: &Delivery, settlement: &Settlement) -> Result<bool, RabbitError> {
        let Some(held) = self.shared.board.held(delivery.token) else { return Ok(false) };
        // First the message that takes its place, then the acknowledgement: between both it is there twice.
        match settlement {
            Settlement::Ack => {}
            Settlement::Retry(delay) => {
                let Delivery { kind, task, count, trace, .. } = delivery;
                self.send(*kind, task, *delay, (*count, *trace)).await?;
            }
            Settlement::Dead(reason) => {
                let topology = &self.shared.topology;
                let now = self.shared.options.clock.now();
                let properties = wire::dead(delivery.count, delivery.trace, reason, now);
                let (exchange, key) = (topology.dead_exchange(), topology.dead(delivery.kind));
                let place = Place { exchange, key };
                self.publish_to(delivery.kind, place, &delivery.task, properties).await?;
            }
        }
        held.session.ack(&held.acker).await?;
        self.shared.board.settled(delivery.token);
        Ok(true)
    }

    async fn count(&self, kind: TaskKind) -> Result<QueueDepth, RabbitError> {
        let session = self.session().await?;
        let channel = session.channel().await?;
        let count = async |name: String| {
            let options = QueueDeclareOptions::durable().passive();
            let declared = channel.queue_declare(name.into(), options, FieldTable::default());
            session.step("counting", declared).await.map(|queue| u64::from(queue.message_count()))
        };
        let mut depth = QueueDepth { in_flight: self.shared.board.in_flight(kind), ..QueueDepth::default() };
        for name in self.shared.topology.waiting(kind) {
            depth.waiting += count(name).await?;
        }
        depth.dead = count(self.shared.topology.dead(kind)).await?;
        session.close_channel(&channel).await;
        Ok(depth)
    }
}

#[async_trait]
impl WorkQueue for RabbitQueue {
    async fn publish(&self, kind: TaskKind, task: &TaskRef, delay: Duration) -> Result<(), QueueError> {
        Ok(self.send(kind, task, delay, (0, trace::current())).await?)
    }

    async fn subscribe(
        &self,
        kind: TaskKind,
        prefetch: NonZeroU16,
    ) -> Result<Box<dyn Deliveries>, QueueError> {
        let session = self.session().await?;
        Ok(Box::new(Subscription::open(Arc::clone(&self.shared), session, kind, prefetch).await?))
    }

    async fn settle(&self, delivery: &Delivery, settlement: Settlement) -> Result<(), QueueError> {
        let settled = self.settle_held(delivery, &settlement).await;
        metrics::settled(delivery.kind, &settlement, &settled);
        Ok(settled.map(|_| ())?)
    }

    fn keeps_keys_once(&self) -> bool {
        false
    }

    async fn depth(&self, kind: TaskKind) -> Result<QueueDepth, QueueError> {
        Ok(self.count(kind).await?)
    }
}
