//! What the kit counts. Labels are kinds, pools and outcomes; never an id.

use std::sync::LazyLock;
use std::time::Duration;

use prometheus::{
    Histogram, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, register_histogram,
    register_histogram_vec, register_int_counter_vec, register_int_gauge, register_int_gauge_vec,
};
use tandem_domain::task::TaskKind;
use tandem_ports::queue::QueueDepth;

use crate::kind::ActorKind;

/// Outcomes of asks and pool jobs.
pub(crate) const ANSWERED: &str = "answered";
/// The deadline passed.
pub(crate) const TIMEOUT: &str = "timeout";
/// The actor was down.
pub(crate) const GONE: &str = "gone";
/// There was no room.
pub(crate) const OVERLOADED: &str = "overloaded";
/// The worker died of it.
pub(crate) const DIED: &str = "died";
/// It was larger than allowed.
pub(crate) const TOO_LARGE: &str = "too_large";
/// It was not understood.
pub(crate) const UNREADABLE: &str = "unreadable";
/// There was nobody of that name.
pub(crate) const NO_PEER: &str = "no_such_peer";

/// Bounds of the histogram of task durations, in seconds.
const TASK_SECONDS: [f64; 12] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0];

/// Bounds of the histogram of asks between nodes, in seconds.
const ASK_SECONDS: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

/// Each metric is registered once, here: a second registration of its name is a defect found by any test.
const ONCE: &str = "metric names of the runtime are registered once per process";

macro_rules! metric {
    ($(#[$doc:meta])* $name:ident: $type:ty = $make:expr) => {
        $(#[$doc])*
        static $name: LazyLock<$type> = LazyLock::new(|| $make.expect(ONCE));
    };
}

metric!(ACTORS: IntGaugeVec = register_int_gauge_vec!(
    "tandem_actors", "Supervised actors that are running", &["kind"]));
metric!(RESTARTS: IntCounterVec = register_int_counter_vec!(
    "tandem_actor_restarts_total", "Restarts of supervised actors", &["kind"]));
metric!(WATCHDOG: IntCounterVec = register_int_counter_vec!(
    "tandem_watchdog_kills_total", "Actors ended because they did not move", &["kind"]));
metric!(ASKS: IntCounterVec = register_int_counter_vec!(
    "tandem_asks_total", "Questions to actors by outcome", &["kind", "outcome"]));
metric!(QUEUE_WAITING: IntGaugeVec = register_int_gauge_vec!(
    "tandem_queue_waiting", "Tasks in a queue, deliverable now or later, as last looked at", &["kind"]));
metric!(QUEUE_DEAD: IntGaugeVec = register_int_gauge_vec!(
    "tandem_queue_dead", "Tasks of a queue that were put aside, as last looked at", &["kind"]));
metric!(POOL_BUSY: IntGaugeVec = register_int_gauge_vec!(
    "tandem_pool_busy", "Workers of a pool that are at work", &["pool"]));
metric!(POOL_HELD: IntGaugeVec = register_int_gauge_vec!(
    "tandem_pool_held", "Jobs in a pool, waiting or at work", &["pool"]));
metric!(POOL_JOBS: IntCounterVec = register_int_counter_vec!(
    "tandem_pool_jobs_total", "Jobs of a pool by outcome", &["pool", "outcome"]));
metric!(STAGE_TASKS: IntCounterVec = register_int_counter_vec!(
    "tandem_stage_tasks_total", "Deliveries of a stage by outcome", &["kind", "outcome"]));
metric!(STAGE_SECONDS: HistogramVec = register_histogram_vec!(
    "tandem_stage_seconds", "Time a stage worked on a task", &["kind"], TASK_SECONDS.to_vec()));
metric!(RELAYED: IntCounterVec = register_int_counter_vec!(
    "tandem_relay_tasks_total", "Tasks the relay published again", &["kind"]));
metric!(MESH_MEMBERS: IntGauge = register_int_gauge!(
    "tandem_mesh_members", "Nodes that this node sees in the mesh, itself included"));
metric!(MESH_ASKS: IntCounterVec = register_int_counter_vec!(
    "tandem_mesh_asks_total", "Questions to other nodes by outcome", &["outcome"]));
metric!(MESH_SECONDS: Histogram = register_histogram!(
    "tandem_mesh_ask_seconds", "Time until a question to another node had its outcome", ASK_SECONDS.to_vec()));
metric!(MESH_SERVED: IntCounterVec = register_int_counter_vec!(
    "tandem_mesh_served_total", "Questions of other nodes by outcome", &["outcome"]));
metric!(MESH_REFUSED: IntCounterVec = register_int_counter_vec!(
    "tandem_mesh_handshakes_refused_total", "Connections to the mesh that did not become sessions", &["reason"]));
metric!(MESH_BYTES: IntCounterVec = register_int_counter_vec!(
    "tandem_mesh_bytes_total", "Bytes of sessions with other nodes, inside TLS", &["direction"]));

pub(crate) fn actor_up(kind: ActorKind) {
    ACTORS.with_label_values(&[kind.name()]).inc();
}

pub(crate) fn actor_down(kind: ActorKind) {
    ACTORS.with_label_values(&[kind.name()]).dec();
}

pub(crate) fn restarted(kind: ActorKind) {
    RESTARTS.with_label_values(&[kind.name()]).inc();
}

pub(crate) fn stuck(kind: ActorKind) {
    WATCHDOG.with_label_values(&[kind.name()]).inc();
}

pub(crate) fn asked(kind: ActorKind, outcome: &str) {
    ASKS.with_label_values(&[kind.name(), outcome]).inc();
}

pub(crate) fn pool_busy(pool: &str, by: i64) {
    POOL_BUSY.with_label_values(&[pool]).add(by);
}

pub(crate) fn pool_held(pool: &str, by: i64) {
    POOL_HELD.with_label_values(&[pool]).add(by);
}

pub(crate) fn pool_job(pool: &str, outcome: &str) {
    POOL_JOBS.with_label_values(&[pool, outcome]).inc();
}

pub(crate) fn stage_task(kind: TaskKind, outcome: &str) {
    STAGE_TASKS.with_label_values(&[kind.name(), outcome]).inc();
}

pub(crate) fn stage_time(kind: TaskKind, took: Duration) {
    STAGE_SECONDS.with_label_values(&[kind.name()]).observe(took.as_secs_f64());
}

pub(crate) fn relayed(kind: TaskKind) {
    RELAYED.with_label_values(&[kind.name()]).inc();
}

pub(crate) fn depth(kind: TaskKind, depth: QueueDepth) {
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    QUEUE_WAITING.with_label_values(&[kind.name()]).set(number(depth.waiting));
    QUEUE_DEAD.with_label_values(&[kind.name()]).set(number(depth.dead));
}

pub(crate) fn mesh_members(members: usize) {
    MESH_MEMBERS.set(i64::try_from(members).unwrap_or(i64::MAX));
}

pub(crate) fn mesh_asked(outcome: &str, took: Duration) {
    MESH_ASKS.with_label_values(&[outcome]).inc();
    MESH_SECONDS.observe(took.as_secs_f64());
}

pub(crate) fn mesh_served(outcome: &str) {
    MESH_SERVED.with_label_values(&[outcome]).inc();
}

pub(crate) fn mesh_refused(reason: &str) {
    MESH_REFUSED.with_label_values(&[reason]).inc();
}

/// What counts the bytes of a direction, `in` or `out`: kept by whoever counts, because it is asked for often.
pub(crate) fn mesh_bytes(direction: &str) -> IntCounter {
    MESH_BYTES.with_label_values(&[direction])
}

/// Measures how long something takes, for metrics and logs only: nothing may be decided by it.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(std::time::Instant);

impl Stopwatch {
    /// Begins now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that measures durations for metrics")]
    pub fn start() -> Self {
        Self(std::time::Instant::now())
    }

    /// The time since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
