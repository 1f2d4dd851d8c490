//! The model of a queue: every message in a map, the time from a clock.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroU16;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tandem_domain::task::{TaskKind, TaskRef};
use tandem_domain::time::Timestamp;
use tandem_domain::trace::TraceContext;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::clock::Clock;
use crate::queue::{Deliveries, Delivery, QueueDepth, QueueError, Settlement, WorkQueue};
use crate::testsuite::locked;
use crate::trace;

/// Who waits looks at the clock this often, because a clock that is set by hand wakes nobody.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Messages in memory. Cloning gives another handle of the same queue.
#[derive(Clone)]
pub struct MemoryQueue(Arc<Shared>);

struct Shared {
    clock: Arc<dyn Clock>,
    visibility: Duration,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    closed: bool,
    messages: BTreeMap<(TaskKind, TaskRef), Message>,
    dead: HashMap<(TaskKind, TaskRef), String>,
    subscriptions: u64,
    deliveries: u64,
}

struct Message {
    /// When it may be delivered (again).
    visible_at: Timestamp,
    count: u32,
    trace: Option<TraceContext>,
    holder: Option<Holder>,
}

#[derive(Clone, Copy)]
struct Holder {
    subscription: u64,
    token: u64,
}

impl MemoryQueue {
    /// An empty queue; an unsettled delivery is delivered again after `visibility`.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, visibility: Duration) -> Self {
        let (state, changed) = (Mutex::default(), Notify::new());
        Self(Arc::new(Shared { clock, visibility, state, changed }))
    }

    /// Ends every subscription; nothing more can be published.
    pub fn close(&self) {
        locked(&self.0.state).closed = true;
        self.0.changed.notify_waiters();
    }

    /// The keys that were put aside, with their reasons, in order.
    #[must_use]
    pub fn dead(&self, kind: TaskKind) -> Vec<(TaskRef, String)> {
        let state = locked(&self.0.state);
        let dead = state.dead.iter().filter(|((k, _), _)| *k == kind);
        let mut dead: Vec<_> = dead.map(|((_, task), reason)| (task.clone(), reason.clone())).collect();
        dead.sort();
        dead
    }
}

#[async_trait]
impl WorkQueue for MemoryQueue {
    async fn publish(&self, kind: TaskKind, task: &TaskRef, delay: Duration) -> Result<(), QueueError> {
        let visible_at = self.0.clock.now().plus(delay);
        let mut state = locked(&self.0.state);
        if state.closed {
            return Err(QueueError::Unavailable("the queue is closed".to_owned()));
        }
        let message = Message { visible_at, count: 0, trace: trace::current(), holder: None };
        state.messages.entry((kind, task.clone())).or_insert(message);
        drop(state);
        self.0.changed.notify_waiters();
        Ok(())
    }

    async fn subscribe(
        &self,
        kind: TaskKind,
        prefetch: NonZeroU16,
    ) -> Result<Box<dyn Deliveries>, QueueError> {
        let mut state = locked(&self.0.state);
        state.subscriptions += 1;
        let prefetch = usize::from(prefetch.get());
        Ok(Box::new(Subscription { shared: self.0.clone(), kind, prefetch, id: state.subscriptions }))
    }

    async fn settle(&self, delivery: &Delivery, settlement: Settlement) -> Result<(), QueueError> {
        let now = self.0.clock.now();
        let mut state = locked(&self.0.state);
        let key = (delivery.kind, delivery.task.clone());
        let Some(message) = state.messages.get_mut(&key) else { return Ok(()) };
        if message.holder.is_none_or(|holder| holder.token != delivery.token) {
            return Ok(());
        }
        match settlement {
            Settlement::Ack => drop(state.messages.remove(&key)),
            Settlement::Retry(delay) => {
                message.holder = None;
                message.visible_at = now.plus(delay);
            }
            Settlement::Dead(reason) => {
                state.messages.remove(&key);
                state.dead.insert(key, reason);
            }
        }
        drop(state);
        self.0.changed.notify_waiters();
        Ok(())
    }

    fn keeps_keys_once(&self) -> bool {
        true
    }

    async fn depth(&self, kind: TaskKind) -> Result<QueueDepth, QueueError> {
        let now = self.0.clock.now();
        let state = locked(&self.0.state);
        let mut depth = QueueDepth::default();
        for message in state.messages.iter().filter(|((k, _), _)| *k == kind).map(|(_, m)| m) {
            if message.is_held(now) { depth.in_flight += 1 } else { depth.waiting += 1 }
        }
        depth.dead = state.dead.keys().filter(|(k, _)| *k == kind).count() as u64;
        Ok(depth)
    }
}

impl Message {
    fn is_held(&self, now: Timestamp) -> bool {
        self.holder.is_some() && self.visible_at > now
    }
}

struct Subscription {
    shared: Arc<Shared>,
    kind: TaskKind,
    prefetch: usize,
    id: u64,
}

impl Subscription {
    /// The next message that is due, if there is room for it.
    fn try_next(&self) -> Option<Delivery> {
        let now = self.shared.clock.now();
        let mut state = locked(&self.shared.state);
        let mine = |m: &&Message| m.is_held(now) && m.holder.is_some_and(|h| h.subscription == self.id);
        if state.messages.values().filter(mine).count() >= self.prefetch {
            return None;
        }
        let token = state.deliveries + 1;
        let due = |((kind, _), message): &(&(TaskKind, TaskRef), &mut Message)| {
            *kind == self.kind && message.visible_at <= now
        };
        let ((kind, task), message) =
            state.messages.iter_mut().filter(due).min_by_key(|(_, message)| message.visible_at)?;
        message.count += 1;
        message.visible_at = now.plus(self.shared.visibility);
        message.holder = Some(Holder { subscription: self.id, token });
        let Message { count, trace, .. } = *message;
        let delivery = Delivery { task: task.clone(), kind: *kind, token, count, trace };
        state.deliveries = token;
        Some(delivery)
    }
}

#[async_trait]
impl Deliveries for Subscription {
    async fn next(&mut self) -> Result<Option<Delivery>, QueueError> {
        loop {
            let changed = self.shared.changed.notified();
            if locked(&self.shared.state).closed {
                return Ok(None);
            }
            if let Some(delivery) = self.try_next() {
                return Ok(Some(delivery));
            }
            // Awoken or not, the next turn looks at everything anew.
            drop(timeout(LOOK_AGAIN, changed).await);
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let now = self.shared.clock.now();
        let mut state = locked(&self.shared.state);
        for message in state.messages.values_mut() {
            if message.holder.is_some_and(|holder| holder.subscription == self.id) {
                message.holder = None;
                message.visible_at = message.visible_at.min(now);
            }
        }
        drop(state);
        self.shared.changed.notify_waiters();
    }
}
