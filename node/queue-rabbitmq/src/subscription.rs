//! One worker pool's view of a queue: a channel with one consumer.

use std::num::NonZeroU16;
use std::sync::Arc;

use async_trait::async_trait;
use futures::StreamExt;
use lapin::options::{BasicConsumeOptions, BasicQosOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Consumer, message};
use tandem_domain::task::{TaskKind, TaskRef};
use tandem_ports::queue::{Deliveries, Delivery, QueueError};
use tokio::time::Instant;

use crate::board::Held;
use crate::error::RabbitError;
use crate::metrics;
use crate::session::{Letter, Session};
use crate::supervisor::Shared;
use crate::wire;

/// Why a message that is no task's key was put aside.
const FOREIGN: &str = "it is no task's key that this version can read";

pub(crate) struct Subscription {
    shared: Arc<Shared>,
    session: Arc<Session>,
    kind: TaskKind,
    id: u64,
    /// Both go when the subscription is dropped.
    consuming: Option<(Channel, Consumer)>,
    /// A message that is no key; kept until it is put aside, so that dropping `next` loses nothing.
    foreign: Option<message::Delivery>,
}

/// What woke the subscription.
enum Woken {
    Closed,
    Ended,
    Message(Box<message::Delivery>),
    /// The subscription is over, and so is its session.
    Failed(String),
}

impl Subscription {
    pub(crate) async fn open(
        shared: Arc<Shared>,
        session: Arc<Session>,
        kind: TaskKind,
        prefetch: NonZeroU16,
    ) -> Result<Self, RabbitError> {
        let channel = session.channel().await?;
        let id = shared.board.number();
        let mut this = Self { shared, session, kind, id, consuming: None, foreign: None };
        // Before consume: what is sent without it has no bound.
        let qos = channel.basic_qos(prefetch.get(), BasicQosOptions::default());
        this.session.step("limiting a subscription", qos).await?;
        let queue = this.shared.topology.work(kind);
        let options = BasicConsumeOptions::default();
        let consume = channel.basic_consume(queue.into(), "".into(), options, FieldTable::default());
        let consumer = this.session.step("subscribing", consume).await?;
        this.consuming = Some((channel, consumer));
        Ok(this)
    }

    async fn woken(&mut self) -> Woken {
        let Some((_, consumer)) = &mut self.consuming else { return Woken::Ended };
        tokio::select! {
            biased;
            () = self.shared.closed.cancelled() => Woken::Closed,
            () = self.session.ended() => Woken::Ended,
            message = consumer.next() => match message {
                Some(Ok(message)) => Woken::Message(Box::new(message)),
                Some(Err(error)) => Woken::Failed(error.to_string()),
                None => Woken::Failed("a subscription was cancelled by the broker".to_owned()),
            },
        }
    }

    fn hand_out(&self, task: TaskRef, message: message::Delivery) -> Delivery {
        let count = wire::delivered(&message.properties).saturating_add(1);
        let trace = wire::trace(&message.properties);
        let token = self.shared.board.hand_out(Held {
            session: Arc::clone(&self.session),
            subscription: self.id,
            kind: self.kind,
            acker: message.acker,
        });
        metrics::delivered(self.kind, count);
        Delivery { task, kind: self.kind, token, count, trace }
    }

    /// Puts aside what is no key.
    async fn bury(&self, message: &message::Delivery) -> Result<(), RabbitError> {
        let options = &self.shared.options;
        let count = wire::delivered(&message.properties).saturating_add(1);
        let letter = Letter {
            exchange: &self.shared.topology.dead_exchange(),
            key: &self.shared.topology.dead(self.kind),
            body: &message.data,
            properties: wire::dead(count, None, FOREIGN, options.clock.now()),
        };
        self.session.publish(letter, Instant::now() + options.limits.publish).await?;
        self.session.ack(&message.acker).await?;
        metrics::foreign(self.kind);
        tracing::error!(kind = self.kind.name(), "a message that is no task's key was put aside");
        Ok(())
    }
}

#[async_trait]
impl Deliveries for Subscription {
    async fn next(&mut self) -> Result<Option<Delivery>, QueueError> {
        loop {
            if let Some(message) = &self.foreign {
                self.bury(message).await?;
                self.foreign = None;
            }
            match self.woken().await {
                Woken::Closed => return Ok(None),
                Woken::Ended => return Err(self.session.reason().into()),
                Woken::Message(message) => match wire::decode(&message.data) {
                    Some(task) => return Ok(Some(self.hand_out(task, *message))),
                    None => self.foreign = Some(*message),
                },
                Woken::Failed(reason) => self.session.end(&reason),
            }
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.shared.board.drop_subscription(self.id);
        let Some((channel, consumer)) = self.consuming.take() else { return };
        let session = Arc::clone(&self.session);
        self.shared.options.spawner.spawn("rabbitmq subscription's end", async move {
            session.close_channel(&channel).await;
            drop(consumer);
        });
    }
}
