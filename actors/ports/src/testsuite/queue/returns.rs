//! What comes again: retries, dropped subscriptions, holders that vanished, and what was put aside.

use std::time::Duration;

use super::{QueueUnderTest, depth, key, nothing_comes, take};
use crate::queue::Settlement;

pub(super) async fn run(make: &dyn Fn() -> QueueUnderTest) {
    a_retry_comes_after_its_delay(&make()).await;
    a_dead_letter_never_comes_again(&make()).await;
    a_dropped_subscription_returns_what_is_unsettled(&make()).await;
    an_old_holder_settles_nothing(&make()).await;
    an_unsettled_delivery_comes_again_in_time(&make()).await;
}

async fn a_retry_comes_after_its_delay(it: &QueueUnderTest) {
    it.publish(1).await;
    let mut deliveries = it.subscribe(1).await;
    let first = take(&mut *deliveries).await;
    it.settle(&first, Settlement::Retry(it.later())).await;
    it.has_depth(depth(1, 0, 0), "counted").await;
    nothing_comes(&mut *deliveries).await;
    (it.pass)(it.later()).await;
    let second = take(&mut *deliveries).await;
    assert_eq!((&second.task, second.count), (&key(1), 2));
    it.settle(&second, Settlement::Retry(Duration::ZERO)).await;
    let third = take(&mut *deliveries).await;
    assert_eq!((&third.task, third.count), (&key(1), 3), "without delay: at once");
    it.settle(&third, Settlement::Ack).await;
    it.has_depth(depth(0, 0, 0), "counted").await;
}

async fn a_dead_letter_never_comes_again(it: &QueueUnderTest) {
    it.publish(1).await;
    it.publish(2).await;
    let mut deliveries = it.subscribe(4).await;
    for expected in 1..=2 {
        let delivery = take(&mut *deliveries).await;
        it.settle(&delivery, Settlement::Dead("the work never ends".to_owned())).await;
        assert_eq!(it.depth().await.dead, expected);
    }
    (it.pass)(it.long()).await;
    nothing_comes(&mut *deliveries).await;
    drop(deliveries);
    nothing_comes(&mut *it.subscribe(4).await).await;
    it.has_depth(depth(0, 0, 2), "counted").await;
}

async fn a_dropped_subscription_returns_what_is_unsettled(it: &QueueUnderTest) {
    for number in 0..6 {
        it.publish(number).await;
    }
    let mut first = it.subscribe(4).await;
    let settled = take(&mut *first).await;
    let unsettled = [take(&mut *first).await.task, take(&mut *first).await.task];
    it.settle(&settled, Settlement::Ack).await;
    drop(first);
    it.has_depth(depth(5, 0, 0), "counted").await;

    let mut second = it.subscribe(10).await;
    for _ in 0..5 {
        let delivery = take(&mut *second).await;
        assert_ne!(delivery.task, settled.task, "what was acknowledged is gone");
        let expected = if unsettled.contains(&delivery.task) { 2 } else { 1 };
        let counted = delivery.count == expected || (!it.strictness.exact && delivery.count == 2);
        assert!(counted, "counted when it was delivered, not when it was near: {delivery:?}");
        it.settle(&delivery, Settlement::Ack).await;
    }
    it.has_depth(depth(0, 0, 0), "counted").await;

    drop(second);
    let mut waiting = it.subscribe(1).await;
    let mut holder = it.subscribe(1).await;
    it.publish(9).await;
    let held = tokio::select! {
        held = take(&mut *holder) => held,
        held = take(&mut *waiting) => {
            std::mem::swap(&mut holder, &mut waiting);
            held
        }
    };
    let (again, ()) = futures::join!(take(&mut *waiting), async {
        tokio::task::yield_now().await;
        drop(holder);
    });
    assert_eq!((again.task, again.count), (held.task, 2), "one who waits gets it at once");
}

async fn an_old_holder_settles_nothing(it: &QueueUnderTest) {
    it.publish(1).await;
    let mut first = it.subscribe(1).await;
    let old = take(&mut *first).await;
    drop(first);
    let mut second = it.subscribe(1).await;
    let new = take(&mut *second).await;
    assert_eq!(new.count, 2);
    assert_ne!(old.token, new.token);
    let dead = Settlement::Dead("late".to_owned());
    for settlement in [Settlement::Ack, Settlement::Retry(Duration::ZERO), dead] {
        it.settle(&old, settlement).await;
        it.has_depth(depth(0, 1, 0), "it is in somebody else's hands").await;
        nothing_comes(&mut *second).await;
    }
    it.settle(&new, Settlement::Ack).await;
    it.has_depth(depth(0, 0, 0), "counted").await;
}

async fn an_unsettled_delivery_comes_again_in_time(it: &QueueUnderTest) {
    let Some(visibility) = it.visibility else { return };
    assert!(visibility > it.later(), "the suite's delays must not look like a vanished holder");
    it.publish(1).await;
    let mut stuck = it.subscribe(1).await;
    let old = take(&mut *stuck).await;
    let mut other = it.subscribe(1).await;
    (it.pass)(visibility - Duration::from_secs(1)).await;
    nothing_comes(&mut *other).await;
    (it.pass)(Duration::from_secs(1)).await;
    it.has_depth(depth(1, 0, 0), "what has run out is waiting").await;
    let new = take(&mut *other).await;
    assert_eq!((&new.task, new.count), (&key(1), 2));
    it.settle(&old, Settlement::Ack).await;
    it.has_depth(depth(0, 1, 0), "counted").await;

    it.publish(2).await;
    let next = take(&mut *stuck).await;
    assert_eq!(next.task, key(2), "what has run out leaves room under the prefetch");
}
