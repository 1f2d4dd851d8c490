//! What is on the broker: declared anew by each session, every argument said, because brokers differ in their defaults.
//!
//! For each kind of task the queue `work.<kind>.v1`, for each step of the ladder `work.<kind>.v1.retry.<ms>`, whose
//! messages fall back into it when their time is over, and `work.<kind>.v1.dead`. A change of arguments is a new version.

use std::time::Duration;

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, ExchangeKind};
use tandem_domain::task::TaskKind;

use crate::error::{RabbitError, bounded};
use crate::options::{Limits, Shape};

/// The version of all queues.
const VERSION: &str = "v1";
/// Members of a queue's Raft group, if the cluster has that many nodes.
const GROUP: i64 = 3;
/// Returns that never come: what waits or is put aside is looked at as often as an operator likes.
const ENDLESS: u32 = 1_000_000;

/// The names of one system's exchanges and queues.
#[derive(Debug, Clone)]
pub(crate) struct Topology {
    prefix: String,
    shape: Shape,
}

/// A queue and the key under which its exchange knows it, which is its name.
struct Queue {
    name: String,
    exchange: String,
    arguments: FieldTable,
}

impl Topology {
    pub(crate) fn new(prefix: &str, shape: &Shape) -> Self {
        Self { prefix: prefix.to_owned(), shape: shape.clone() }
    }

    /// The exchange of the work and of the ladder.
    pub(crate) fn work_exchange(&self) -> String {
        format!("{}work", self.prefix)
    }

    /// The exchange of what is put aside.
    pub(crate) fn dead_exchange(&self) -> String {
        format!("{}dlx", self.prefix)
    }

    pub(crate) fn work(&self, kind: TaskKind) -> String {
        format!("{}work.{}.{VERSION}", self.prefix, kind.name())
    }

    pub(crate) fn dead(&self, kind: TaskKind) -> String {
        format!("{}.dead", self.work(kind))
    }

    /// The queue in which a delay is waited for; the work queue itself for none.
    pub(crate) fn after(&self, kind: TaskKind, delay: Duration) -> String {
        if delay.is_zero() {
            return self.work(kind);
        }
        let ladder = &self.shape.ladder;
        let step = ladder.iter().find(|step| **step >= delay).or_else(|| ladder.last());
        step.map_or_else(|| self.work(kind), |step| self.step(kind, *step))
    }

    /// The queues in which messages of a kind wait: for a worker or for their time.
    pub(crate) fn waiting(&self, kind: TaskKind) -> Vec<String> {
        let steps = self.shape.ladder.iter().map(|step| self.step(kind, *step));
        std::iter::once(self.work(kind)).chain(steps).collect()
    }

    fn step(&self, kind: TaskKind, step: Duration) -> String {
        format!("{}.retry.{}", self.work(kind), step.as_millis())
    }

    fn queues(&self, kind: TaskKind) -> Vec<Queue> {
        let (work, dead) = (self.work(kind), self.dead(kind));
        let mut queues = vec![Queue {
            name: work.clone(),
            exchange: self.work_exchange(),
            arguments: self.arguments(self.shape.delivery_limit, Some((&self.dead_exchange(), &dead))),
        }];
        for step in &self.shape.ladder {
            let mut arguments = self.arguments(ENDLESS, Some((&self.work_exchange(), &work)));
            let millis = i64::try_from(step.as_millis()).unwrap_or(i64::MAX);
            arguments.insert("x-message-ttl".into(), AMQPValue::LongLongInt(millis));
            queues.push(Queue { name: self.step(kind, *step), exchange: self.work_exchange(), arguments });
        }
        let arguments = self.arguments(ENDLESS, None);
        queues.push(Queue { name: dead, exchange: self.dead_exchange(), arguments });
        queues
    }

    /// The arguments of a queue that passes what it cannot keep to `(exchange, key)`.
    fn arguments(&self, delivery_limit: u32, onward: Option<(&str, &str)>) -> FieldTable {
        let text = |text: &str| AMQPValue::LongString(text.into());
        let mut table = FieldTable::default();
        table.insert("x-queue-type".into(), text("quorum"));
        table.insert("x-quorum-initial-group-size".into(), AMQPValue::LongLongInt(GROUP));
        table.insert("x-queue-leader-locator".into(), text("balanced"));
        table.insert("x-delivery-limit".into(), AMQPValue::LongLongInt(i64::from(delivery_limit)));
        table.insert("x-max-length".into(), AMQPValue::LongLongInt(i64::from(self.shape.most)));
        // Without it the broker may lose what it passes on.
        table.insert("x-overflow".into(), text("reject-publish"));
        if let Some((exchange, key)) = onward {
            table.insert("x-dead-letter-exchange".into(), text(exchange));
            table.insert("x-dead-letter-routing-key".into(), text(key));
            table.insert("x-dead-letter-strategy".into(), text("at-least-once"));
        }
        table
    }

    /// Builds what is missing. What exists otherwise is an error that names it.
    pub(crate) async fn declare(
        &self,
        channel: &Channel,
        host: &str,
        limits: &Limits,
    ) -> Result<(), RabbitError> {
        for exchange in [self.work_exchange(), self.dead_exchange()] {
            let options = ExchangeDeclareOptions { durable: true, ..Default::default() };
            let declared = channel.exchange_declare(
                exchange.into(),
                ExchangeKind::Direct,
                options,
                FieldTable::default(),
            );
            bounded(host, "declaring an exchange", limits.declare, declared).await?;
        }
        for queue in TaskKind::ALL.into_iter().flat_map(|kind| self.queues(kind)) {
            let name = queue.name.as_str();
            let options = QueueDeclareOptions::durable();
            let declared = channel.queue_declare(name.into(), options, queue.arguments);
            bounded(host, "declaring a queue", limits.declare, declared).await?;
            let bound = channel.queue_bind(
                name.into(),
                queue.exchange.into(),
                name.into(),
                QueueBindOptions::default(),
                FieldTable::default(),
            );
            bounded(host, "binding a queue", limits.declare, bound).await?;
        }
        Ok(())
    }

    /// Every queue, for tests that clean up.
    #[cfg(test)]
    pub(crate) fn all(&self) -> Vec<String> {
        TaskKind::ALL.into_iter().flat_map(|kind| self.queues(kind)).map(|queue| queue.name).collect()
    }
}
