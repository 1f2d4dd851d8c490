//! The ports' models with faults around them, a clock on tokio's paused time, and a node under test.

use std::collections::BTreeSet;
use std::num::NonZeroU16;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tandem_domain::document::Version;
use tandem_domain::ids::{DocumentId, OwnerId};
use tandem_domain::task::{Task, TaskKind, TaskRef, TaskState, TaskSubject};
use tandem_domain::time::Timestamp;
use tandem_ports::queue::{Deliveries, Delivery, QueueDepth, QueueError, Settlement};
use tandem_ports::testsuite::{MemoryQueue, MemoryStore};
use tandem_ports::{Clock, StoreError, TaskStore, WorkQueue, Write};
use tokio::sync::watch;
use tokio::time::Instant;
use uuid::Uuid;

use crate::supervisor::{Supervisor, SupervisorHandle};

/// A node with a name of its own.
pub(crate) async fn node() -> SupervisorHandle {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    Supervisor::start(&format!("test-{number}")).await.unwrap()
}

/// Polls `holds` in paused time until it is true.
pub(crate) async fn until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..36_000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("an hour passed and it did not come true: {what}");
}

pub(crate) fn task(number: u128) -> Task {
    let document = DocumentId::from_uuid(Uuid::from_u128(number));
    let subject = TaskSubject::Version { document, version: Version::FIRST };
    Task::new(OwnerId::local(), TaskKind::Parse, subject, Timestamp::default())
}

pub(crate) struct TestClock {
    start: Instant,
    next: AtomicU64,
}

impl TestClock {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { start: Instant::now(), next: AtomicU64::new(1) })
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_000_000).plus(self.start.elapsed())
    }

    fn new_id(&self) -> Uuid {
        Uuid::from_u128(u128::from(self.next.fetch_add(1, Ordering::Relaxed)))
    }
}

/// How often things go wrong, in percent, and how slow calls are.
pub(crate) struct Faults {
    percent: u32,
    slowest_ms: u64,
    random: Mutex<StdRng>,
}

impl Faults {
    pub(crate) fn none() -> Self {
        Self::new(0, 0, 0)
    }

    pub(crate) fn new(percent: u32, slowest_ms: u64, seed: u64) -> Self {
        Self { percent, slowest_ms, random: Mutex::new(StdRng::seed_from_u64(seed)) }
    }

    async fn pause(&self) {
        let wait = self.random.lock().unwrap().random_range(0..=self.slowest_ms);
        tokio::time::sleep(Duration::from_millis(wait)).await;
    }

    fn strike(&self) -> bool {
        self.random.lock().unwrap().random_range(0..100) < self.percent
    }
}

pub(crate) struct FakeTasks {
    store: MemoryStore,
    keys: Mutex<BTreeSet<TaskRef>>,
    faults: Faults,
    away: AtomicBool,
}

impl FakeTasks {
    pub(crate) fn new(faults: Faults) -> Arc<Self> {
        Arc::new(Self {
            store: MemoryStore::default(),
            keys: Mutex::default(),
            faults,
            away: AtomicBool::new(false),
        })
    }

    /// While it is away, nothing can be read or written.
    pub(crate) fn be_away(&self, away: bool) {
        self.away.store(away, Ordering::Release);
    }

    fn reach(&self) -> Result<(), StoreError> {
        if self.away.load(Ordering::Acquire) { Err(StoreError::Timeout) } else { Ok(()) }
    }

    pub(crate) fn put(&self, task: &Task) {
        assert_eq!(self.store.file(task).now_or_never(), Some(Ok(Write::Applied)));
        self.keys.lock().unwrap().insert(task.key());
    }

    pub(crate) fn row(&self, key: &TaskRef) -> Task {
        self.store.task(key).now_or_never().unwrap().unwrap().unwrap()
    }

    pub(crate) fn rows(&self) -> Vec<Task> {
        self.keys.lock().unwrap().iter().map(|key| self.row(key)).collect()
    }

    pub(crate) fn all_settled(&self) -> bool {
        self.rows().iter().all(is_settled)
    }
}

fn is_settled(row: &Task) -> bool {
    matches!(row.state, TaskState::Done | TaskState::Dead)
}

#[async_trait]
impl TaskStore for FakeTasks {
    async fn file(&self, task: &Task) -> Result<Write<Task>, StoreError> {
        self.faults.pause().await;
        let unknown = self.faults.strike();
        if unknown && self.faults.strike() {
            return Ok(Write::Unknown);
        }
        let filed = self.store.file(task).await?;
        self.keys.lock().unwrap().insert(task.key());
        Ok(if unknown { Write::Unknown } else { filed })
    }

    async fn task(&self, key: &TaskRef) -> Result<Option<Task>, StoreError> {
        self.faults.pause().await;
        self.reach()?;
        if self.faults.strike() { Err(StoreError::Timeout) } else { self.store.task(key).await }
    }

    /// Strikes before, after and instead of the write.
    async fn replace(&self, task: &Task) -> Result<Write<Option<Task>>, StoreError> {
        self.faults.pause().await;
        self.reach()?;
        if self.faults.strike() {
            return Err(StoreError::Unavailable("fault".to_owned()));
        }
        if self.faults.strike() {
            return Ok(Write::Unknown);
        }
        let before = self.store.task(&task.key()).await?;
        let written = self.store.replace(task).await?;
        let changed_settled = matches!(written, Write::Applied) && before.as_ref().is_some_and(is_settled);
        assert!(!changed_settled, "a settled row was changed: {before:?}");
        self.faults.pause().await;
        Ok(if self.faults.strike() { Write::Unknown } else { written })
    }

    async fn unsettled(&self, after: Option<&TaskRef>, limit: u32) -> Result<Vec<Task>, StoreError> {
        self.faults.pause().await;
        self.store.unsettled(after, limit).await
    }
}

pub(crate) struct FakeQueue {
    queue: MemoryQueue,
    broken: watch::Sender<u64>,
    faults: Faults,
    keeps_keys_once: AtomicBool,
}

impl FakeQueue {
    /// Deliveries that nobody settles come again after this.
    pub(crate) const VISIBILITY: Duration = Duration::from_secs(60);

    pub(crate) fn new(faults: Faults) -> Arc<Self> {
        let queue = MemoryQueue::new(TestClock::new(), Self::VISIBILITY);
        Arc::new(Self { queue, broken: watch::channel(0).0, faults, keeps_keys_once: AtomicBool::new(true) })
    }

    /// From now on it tells of keys as a broker does.
    pub(crate) fn act_as_broker(&self) {
        self.keeps_keys_once.store(false, Ordering::Relaxed);
    }

    fn depth_now(&self) -> QueueDepth {
        self.queue.depth(TaskKind::Parse).now_or_never().unwrap().unwrap()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.depth_now().waiting + self.depth_now().in_flight == 0
    }

    pub(crate) fn waiting(&self) -> u64 {
        self.depth_now().waiting
    }

    pub(crate) fn dead(&self) -> Vec<(TaskRef, String)> {
        self.queue.dead(TaskKind::Parse)
    }

    pub(crate) fn put(&self, task: &TaskRef) {
        let published = self.queue.publish(TaskKind::Parse, task, Duration::ZERO);
        assert_eq!(published.now_or_never(), Some(Ok(())));
    }

    /// Every subscription fails, as when a broker restarts.
    pub(crate) fn break_subscriptions(&self) {
        self.broken.send_modify(|times| *times += 1);
    }
}

struct Subscription {
    deliveries: Box<dyn Deliveries>,
    broken: watch::Receiver<u64>,
}

#[async_trait]
impl Deliveries for Subscription {
    async fn next(&mut self) -> Result<Option<Delivery>, QueueError> {
        tokio::select! {
            biased;
            _ = self.broken.changed() => Err(QueueError::Unavailable("fault".to_owned())),
            next = self.deliveries.next() => next,
        }
    }
}

#[async_trait]
impl WorkQueue for FakeQueue {
    async fn publish(&self, kind: TaskKind, task: &TaskRef, delay: Duration) -> Result<(), QueueError> {
        self.faults.pause().await;
        if self.faults.strike() {
            Err(QueueError::Timeout)
        } else {
            self.queue.publish(kind, task, delay).await
        }
    }

    async fn subscribe(
        &self,
        kind: TaskKind,
        prefetch: NonZeroU16,
    ) -> Result<Box<dyn Deliveries>, QueueError> {
        self.faults.pause().await;
        if self.faults.strike() {
            return Err(QueueError::Unavailable("fault".to_owned()));
        }
        let deliveries = self.queue.subscribe(kind, prefetch).await?;
        Ok(Box::new(Subscription { deliveries, broken: self.broken.subscribe() }))
    }

    async fn settle(&self, delivery: &Delivery, settlement: Settlement) -> Result<(), QueueError> {
        self.faults.pause().await;
        if self.faults.strike() {
            Err(QueueError::Timeout)
        } else {
            self.queue.settle(delivery, settlement).await
        }
    }

    fn keeps_keys_once(&self) -> bool {
        self.keeps_keys_once.load(Ordering::Relaxed)
    }

    async fn depth(&self, kind: TaskKind) -> Result<QueueDepth, QueueError> {
        self.queue.depth(kind).await
    }
}
