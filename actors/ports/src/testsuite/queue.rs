//! What every [`WorkQueue`] promises.

use std::collections::HashSet;
use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tandem_domain::ids::TaskId;
use tandem_domain::task::{TaskKind, TaskRef};
use tandem_domain::trace::{SpanId, TraceContext, TraceId};
use tokio::time::timeout;

use super::samples;
use crate::queue::{Deliveries, Delivery, QueueDepth, Settlement, WorkQueue};
use crate::trace::within;

mod memory;
mod returns;

#[cfg(test)]
mod tests;

pub use memory::MemoryQueue;

use TaskKind::{Embed, Parse};

/// How long the suite waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long the suite waits for what must not come. A queue that is slower to err goes unnoticed; one that is right
/// never fails.
const QUIET: Duration = Duration::from_millis(60);

/// From one look at a number that lags to the next.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// How strict a queue can be. A broker sees messages and not tasks, has its own time, and sends ahead.
#[derive(Debug, Clone, Copy)]
pub struct Strictness {
    /// A key that is in the queue stays there once.
    pub deduplicates: bool,
    /// Depths are of the moment, and a delivery counts when it is handed out; otherwise depths follow soon, and what was
    /// near a subscription that was dropped may count as delivered.
    pub exact: bool,
    /// The delay that the suite asks for: more than 2 s, and it does not pass by itself in the middle of a step.
    pub later: Duration,
}

impl Strictness {
    /// A queue that sees every message and has a clock that is set by hand.
    pub const FULL: Self = Self { deduplicates: true, exact: true, later: Duration::from_secs(60) };
}

/// A queue and what moves its world.
pub struct QueueUnderTest {
    /// An empty queue.
    pub queue: Arc<dyn WorkQueue>,
    /// Lets this much of the queue's time pass.
    pub pass: Box<dyn Fn(Duration) -> BoxFuture<'static, ()>>,
    /// After this long an unsettled delivery is delivered again; more than [`Strictness::later`]. `None` = not while its
    /// subscription lives.
    pub visibility: Option<Duration>,
    /// What it can promise.
    pub strictness: Strictness,
    /// Closes the queue.
    pub close: Box<dyn Fn() -> BoxFuture<'static, ()>>,
}

/// Runs the whole suite.
///
/// # Panics
/// At the first broken promise.
pub async fn contract(make: &dyn Fn() -> QueueUnderTest) {
    a_published_key_is_delivered_and_acknowledged(&make()).await;
    a_key_is_in_a_queue_once(&make()).await;
    kinds_and_owners_are_apart(&make()).await;
    a_delay_is_kept(&make()).await;
    a_waiting_subscription_is_woken(&make()).await;
    prefetch_is_never_exceeded(&make()).await;
    subscriptions_share_the_work(&make()).await;
    next_is_cancel_safe(&make()).await;
    returns::run(make).await;
    a_trace_comes_with_every_delivery(&make()).await;
    a_closed_queue_says_so(&make()).await;
}

fn key(number: u64) -> TaskRef {
    TaskRef { owner: samples::owner("alice"), id: TaskId::from_uuid(samples::uuid("task", number)) }
}

impl QueueUnderTest {
    async fn publish(&self, number: u64) {
        self.queue.publish(Parse, &key(number), Duration::ZERO).await.unwrap();
    }

    async fn subscribe(&self, prefetch: u16) -> Box<dyn Deliveries> {
        self.queue.subscribe(Parse, NonZeroU16::new(prefetch).unwrap()).await.unwrap()
    }

    async fn settle(&self, delivery: &Delivery, settlement: Settlement) {
        self.queue.settle(delivery, settlement).await.unwrap();
    }

    async fn depth(&self) -> QueueDepth {
        self.queue.depth(Parse).await.unwrap()
    }

    /// The depth is this: now, or soon where depths lag.
    async fn has_depth(&self, expected: QueueDepth, why: &str) {
        if self.strictness.exact {
            assert_eq!(self.depth().await, expected, "{why}");
            return;
        }
        let mut last = self.depth().await;
        let reached = timeout(PATIENCE, async {
            while last != expected {
                tokio::time::sleep(LOOK_AGAIN).await;
                last = self.depth().await;
            }
        });
        let reached = reached.await.is_ok();
        assert!(reached, "{why}: {expected:?} is not reached, it stays {last:?}");
    }

    fn later(&self) -> Duration {
        self.strictness.later
    }

    /// Long enough for whatever could come by the time alone.
    fn long(&self) -> Duration {
        self.visibility.unwrap_or(self.later()) + self.later()
    }
}

async fn take(deliveries: &mut dyn Deliveries) -> Delivery {
    let next = timeout(PATIENCE, deliveries.next()).await;
    next.expect("a delivery must come").unwrap().expect("the queue is open")
}

async fn nothing_comes(deliveries: &mut dyn Deliveries) {
    let next = timeout(QUIET, deliveries.next()).await;
    assert!(next.is_err(), "nothing may be delivered now: {next:?}");
}

const fn depth(waiting: u64, in_flight: u64, dead: u64) -> QueueDepth {
    QueueDepth { waiting, in_flight, dead }
}

async fn a_published_key_is_delivered_and_acknowledged(it: &QueueUnderTest) {
    it.has_depth(depth(0, 0, 0), "counted").await;
    it.publish(1).await;
    it.has_depth(depth(1, 0, 0), "counted").await;
    let mut deliveries = it.subscribe(4).await;
    let delivery = take(&mut *deliveries).await;
    assert_eq!((&delivery.task, delivery.kind, delivery.count), (&key(1), Parse, 1));
    it.has_depth(depth(0, 1, 0), "counted").await;
    nothing_comes(&mut *deliveries).await;
    it.settle(&delivery, Settlement::Ack).await;
    it.has_depth(depth(0, 0, 0), "counted").await;
    it.settle(&delivery, Settlement::Ack).await;
    (it.pass)(it.long()).await;
    nothing_comes(&mut *deliveries).await;

    it.publish(1).await;
    let again = take(&mut *deliveries).await;
    assert_eq!((&again.task, again.count), (&key(1), 1), "published anew, counted anew");
    it.settle(&delivery, Settlement::Ack).await;
    it.has_depth(depth(0, 1, 0), "an old mark settles nothing new").await;
}

/// A broker cannot tell: what was published twice comes at least once.
async fn a_key_is_in_a_queue_once(it: &QueueUnderTest) {
    if !it.strictness.deduplicates {
        it.publish(1).await;
        it.publish(1).await;
        let mut deliveries = it.subscribe(1).await;
        let mut keys = HashSet::new();
        while it.depth().await.waiting > 0 || keys.is_empty() {
            let delivery = take(&mut *deliveries).await;
            it.settle(&delivery, Settlement::Ack).await;
            keys.insert(delivery.task);
        }
        assert_eq!(keys, HashSet::from([key(1)]));
        return;
    }
    it.publish(1).await;
    it.publish(1).await;
    it.queue.publish(Parse, &key(1), it.later()).await.unwrap();
    it.has_depth(depth(1, 0, 0), "counted").await;
    let mut deliveries = it.subscribe(4).await;
    let delivery = take(&mut *deliveries).await;
    it.publish(1).await;
    it.has_depth(depth(0, 1, 0), "what is in flight is still in the queue").await;
    nothing_comes(&mut *deliveries).await;
    it.settle(&delivery, Settlement::Ack).await;
    it.has_depth(depth(0, 0, 0), "counted").await;

    let racing = futures::future::join_all((0..16).map(|_| it.publish(2)));
    racing.await;
    it.has_depth(depth(1, 0, 0), "counted").await;
}

async fn kinds_and_owners_are_apart(it: &QueueUnderTest) {
    let his = TaskRef { owner: samples::owner("bob"), id: key(1).id };
    it.publish(1).await;
    it.queue.publish(Parse, &his, Duration::ZERO).await.unwrap();
    it.queue.publish(Embed, &key(1), Duration::ZERO).await.unwrap();
    it.has_depth(depth(2, 0, 0), "counted").await;
    assert_eq!(it.queue.depth(Embed).await.unwrap(), depth(1, 0, 0));
    assert_eq!(it.queue.depth(TaskKind::MatchBulk).await.unwrap(), depth(0, 0, 0));

    let mut deliveries = it.subscribe(4).await;
    let taken = [take(&mut *deliveries).await, take(&mut *deliveries).await];
    nothing_comes(&mut *deliveries).await;
    let tasks: HashSet<&TaskRef> = taken.iter().map(|d| &d.task).collect();
    assert_eq!(tasks, HashSet::from([&key(1), &his]));
    for delivery in &taken {
        it.settle(delivery, Settlement::Ack).await;
    }
    assert_eq!(it.queue.depth(Embed).await.unwrap(), depth(1, 0, 0), "the other kind is untouched");
    let mut deliveries = it.queue.subscribe(Embed, NonZeroU16::MIN).await.unwrap();
    assert_eq!(take(&mut *deliveries).await.kind, Embed);
}

async fn a_delay_is_kept(it: &QueueUnderTest) {
    it.queue.publish(Parse, &key(1), it.later()).await.unwrap();
    let mut deliveries = it.subscribe(4).await;
    it.has_depth(depth(1, 0, 0), "deliverable later is waiting").await;
    nothing_comes(&mut *deliveries).await;
    (it.pass)(it.later() - Duration::from_secs(1)).await;
    nothing_comes(&mut *deliveries).await;
    it.publish(2).await;
    let second = take(&mut *deliveries).await;
    assert_eq!(second.task, key(2), "what is due does not wait for what is not");
    (it.pass)(Duration::from_secs(1)).await;
    assert_eq!(take(&mut *deliveries).await.task, key(1));
}

async fn a_waiting_subscription_is_woken(it: &QueueUnderTest) {
    let mut deliveries = it.subscribe(1).await;
    let (delivery, ()) = futures::join!(take(&mut *deliveries), async {
        tokio::task::yield_now().await;
        it.publish(1).await;
    });
    assert_eq!(delivery.task, key(1), "woken by a publish");
    it.queue.publish(Parse, &key(2), it.later()).await.unwrap();
    let (delivery, ()) = futures::join!(take(&mut *deliveries), async {
        tokio::task::yield_now().await;
        it.settle(&delivery, Settlement::Ack).await;
        (it.pass)(it.later()).await;
    });
    assert_eq!(delivery.task, key(2), "woken by the time");
    it.publish(3).await;
    let (delivery, ()) = futures::join!(take(&mut *deliveries), async {
        tokio::task::yield_now().await;
        it.settle(&delivery, Settlement::Ack).await;
    });
    assert_eq!(delivery.task, key(3), "woken by room under the prefetch");
}

async fn prefetch_is_never_exceeded(it: &QueueUnderTest) {
    for number in 0..7 {
        it.publish(number).await;
    }
    let mut deliveries = it.subscribe(3).await;
    let mut held = vec![take(&mut *deliveries).await, take(&mut *deliveries).await];
    held.push(take(&mut *deliveries).await);
    nothing_comes(&mut *deliveries).await;
    it.has_depth(depth(4, 3, 0), "counted").await;

    let ends = [
        Settlement::Ack,
        Settlement::Retry(it.later()),
        Settlement::Dead("poison".to_owned()),
        Settlement::Ack,
    ];
    for end in ends {
        it.settle(&held.remove(0), end).await;
        held.push(take(&mut *deliveries).await);
        nothing_comes(&mut *deliveries).await;
    }
    let tasks: HashSet<TaskId> = held.iter().map(|d| d.task.id).collect();
    assert_eq!(tasks.len(), 3);
    it.has_depth(depth(1, 3, 1), "counted").await;
}

async fn subscriptions_share_the_work(it: &QueueUnderTest) {
    for number in 0..20 {
        it.publish(number).await;
    }
    let mut left = it.subscribe(5).await;
    let mut right = it.subscribe(5).await;
    let (mut seen, mut each) = (HashSet::new(), [0, 0]);
    while seen.len() < 20 {
        let (delivery, who) = tokio::select! {
            delivery = take(&mut *left) => (delivery, 0),
            delivery = take(&mut *right) => (delivery, 1),
        };
        each[who] += 1;
        assert!(seen.insert(delivery.task.clone()), "delivered twice: {delivery:?}");
        it.settle(&delivery, Settlement::Ack).await;
    }
    assert_eq!(each.iter().sum::<u32>(), 20);
    nothing_comes(&mut *left).await;
    nothing_comes(&mut *right).await;
    it.has_depth(depth(0, 0, 0), "counted").await;
}

/// Futures are dropped at every stage of their life; no message may go with them.
async fn next_is_cancel_safe(it: &QueueUnderTest) {
    for number in 0..40 {
        it.publish(number).await;
    }
    let mut deliveries = it.subscribe(4).await;
    let mut seen = HashSet::new();
    for patience in (0..40_u32).cycle().take(4_000) {
        let yields = async {
            for _ in 0..patience {
                tokio::task::yield_now().await;
            }
        };
        let delivery = tokio::select! {
            biased;
            delivery = deliveries.next() => Some(delivery.unwrap().unwrap()),
            () = yields => None,
        };
        if let Some(delivery) = delivery {
            assert_eq!(delivery.count, 1, "a dropped future is no delivery");
            assert!(seen.insert(delivery.task.clone()), "delivered twice: {delivery:?}");
            it.settle(&delivery, Settlement::Ack).await;
        }
        if seen.len() == 40 {
            break;
        }
    }
    while seen.len() < 40 {
        let delivery = take(&mut *deliveries).await;
        assert!(seen.insert(delivery.task.clone()), "delivered twice: {delivery:?}");
        it.settle(&delivery, Settlement::Ack).await;
    }
    it.has_depth(depth(0, 0, 0), "counted").await;
}

/// Also after a retry, which on a broker is another message.
async fn a_trace_comes_with_every_delivery(it: &QueueUnderTest) {
    let trace = TraceContext { trace: TraceId::new(7), span: SpanId::new(9), sampled: false };
    within(Some(trace), it.publish(1)).await;
    let mut deliveries = it.subscribe(1).await;
    for again in [true, false] {
        let delivery = take(&mut *deliveries).await;
        assert_eq!((&delivery.task, delivery.trace), (&key(1), Some(trace)));
        let settlement = if again { Settlement::Retry(Duration::ZERO) } else { Settlement::Ack };
        it.settle(&delivery, settlement).await;
    }
    it.publish(2).await;
    assert_eq!(take(&mut *deliveries).await.trace, None);
}

async fn a_closed_queue_says_so(it: &QueueUnderTest) {
    let mut deliveries = it.subscribe(1).await;
    let (next, ()) = futures::join!(timeout(PATIENCE, deliveries.next()), async {
        tokio::task::yield_now().await;
        (it.close)().await;
    });
    assert_eq!(next.expect("a closed queue lets nobody wait"), Ok(None));
    assert!(it.queue.publish(Parse, &key(1), Duration::ZERO).await.is_err());
}
