//! What is counted of the queue. Labels are kinds of tasks and outcomes; never an id.

use std::sync::LazyLock;
use std::time::Duration;

use prometheus::{
    Histogram, IntCounter, IntCounterVec, IntGauge, register_histogram, register_int_counter,
    register_int_counter_vec, register_int_gauge,
};
use tandem_domain::task::TaskKind;
use tandem_ports::queue::Settlement;

use crate::error::RabbitError;

/// Bounds of the time until the broker confirms a message, in seconds.
const CONFIRM_SECONDS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 10.0];

/// Each metric is registered once, here: a second registration of its name is a defect found by any test.
const ONCE: &str = "metric names of the queue are registered once per process";

macro_rules! metric {
    ($name:ident: $type:ty = $make:expr) => {
        static $name: LazyLock<$type> = LazyLock::new(|| $make.expect(ONCE));
    };
}

metric!(PUBLISHES: IntCounterVec = register_int_counter_vec!(
    "tandem_queue_publishes_total", "Messages handed to the broker by outcome", &["kind", "outcome"]));
metric!(DELIVERIES: IntCounterVec = register_int_counter_vec!(
    "tandem_queue_deliveries_total", "Messages delivered, the first time or again", &["kind", "time"]));
metric!(SETTLEMENTS: IntCounterVec = register_int_counter_vec!(
    "tandem_queue_settlements_total", "Deliveries settled by outcome", &["kind", "outcome"]));
metric!(REPLAYS: IntCounterVec = register_int_counter_vec!(
    "tandem_queue_replays_total", "Dead letters sent back to work", &["kind"]));
metric!(CONFIRM: Histogram = register_histogram!(
    "tandem_queue_confirm_seconds", "Time until the broker confirmed a message", CONFIRM_SECONDS.to_vec()));
metric!(SESSIONS: IntGauge = register_int_gauge!(
    "tandem_queue_session_up", "Sessions with the broker that are up"));
metric!(RESTARTS: IntCounter = register_int_counter!(
    "tandem_queue_session_restarts_total", "Sessions with the broker that followed one that had ended"));
metric!(BLOCKED: IntGauge = register_int_gauge!(
    "tandem_queue_blocked", "Sessions whose broker takes no messages, short of memory or disk"));

/// Records a message that was handed to the broker, and what became of it.
pub(crate) fn published(kind: TaskKind, done: &Result<(), RabbitError>) {
    let outcome = match done {
        Ok(()) => "confirmed",
        Err(RabbitError::Blocked { .. }) => "blocked",
        Err(RabbitError::Late { .. }) => "late",
        Err(RabbitError::Broker { .. }) => "refused",
        Err(RabbitError::Ended(_) | RabbitError::Closed | RabbitError::Options(_)) => "down",
    };
    PUBLISHES.with_label_values(&[kind.name(), outcome]).inc();
}

/// Records a confirmation and how long it took.
pub(crate) fn confirmed(took: Duration) {
    CONFIRM.observe(took.as_secs_f64());
}

/// Records a delivery, `count` from 1.
pub(crate) fn delivered(kind: TaskKind, count: u32) {
    DELIVERIES.with_label_values(&[kind.name(), if count > 1 { "again" } else { "first" }]).inc();
}

/// Records what became of a delivery; `Ok(false)` = it was not this node's any more.
pub(crate) fn settled(kind: TaskKind, settlement: &Settlement, done: &Result<bool, RabbitError>) {
    let outcome = match (done, settlement) {
        (Err(_), _) => "failed",
        (Ok(false), _) => "stale",
        (Ok(true), Settlement::Ack) => "done",
        (Ok(true), Settlement::Retry(_)) => "retried",
        (Ok(true), Settlement::Dead(_)) => "put_aside",
    };
    SETTLEMENTS.with_label_values(&[kind.name(), outcome]).inc();
}

/// Records a message that is no task's key and was put aside.
pub(crate) fn foreign(kind: TaskKind) {
    SETTLEMENTS.with_label_values(&[kind.name(), "foreign"]).inc();
}

/// Records a dead letter that was sent back.
pub(crate) fn replayed(kind: TaskKind) {
    REPLAYS.with_label_values(&[kind.name()]).inc();
}

/// A session is up until this is dropped.
pub(crate) struct Up;

impl Up {
    pub(crate) fn new(is_first: bool) -> Self {
        SESSIONS.inc();
        if !is_first {
            RESTARTS.inc();
        }
        Self
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        SESSIONS.dec();
    }
}

/// Records that a broker stops taking messages, or begins again.
pub(crate) fn blocked(is_blocked: bool) {
    BLOCKED.add(if is_blocked { 1 } else { -1 });
}
