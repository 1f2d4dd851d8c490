use std::sync::{Arc, Mutex};

use tandem_ports::testsuite::queue::{QueueUnderTest, Strictness, contract};
use tandem_ports::testsuite::samples;

use super::*;
use crate::OpenOptions;
use crate::testing::Place;

fn key(number: u64) -> TaskRef {
    samples::task(&samples::owner("alice"), number).key()
}

async fn take(store: &EmbeddedStore) -> (Box<dyn Deliveries>, Delivery) {
    let mut deliveries = store.subscribe(TaskKind::Parse, NonZeroU16::MIN).await.unwrap();
    let delivery = deliveries.next().await.unwrap().unwrap();
    (deliveries, delivery)
}

fn under_test(places: &Mutex<Vec<Place>>) -> QueueUnderTest {
    let place = Place::new();
    let (store, clock) = (place.open(), place.clock.clone());
    places.lock().unwrap().push(place);
    let closing = store.clone();
    QueueUnderTest {
        queue: Arc::new(store),
        pass: Box::new(move |by| {
            clock.advance(by);
            Box::pin(async {})
        }),
        visibility: Some(OpenOptions::VISIBILITY),
        strictness: Strictness::FULL,
        close: Box::new(move || {
            let store = closing.clone();
            Box::pin(async move { store.close().await })
        }),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_contract() {
    let places = Mutex::default();
    contract(&|| under_test(&places)).await;
}

#[tokio::test]
async fn it_keeps_the_contract_on_one_thread() {
    let places = Mutex::default();
    contract(&|| under_test(&places)).await;
}

#[tokio::test]
async fn what_was_in_flight_is_deliverable_after_reopening() {
    let place = Place::new();
    let store = place.open();
    for number in 1..=2 {
        store.publish(TaskKind::Parse, &key(number), Duration::ZERO).await.unwrap();
    }
    store.publish(TaskKind::Parse, &key(3), Duration::from_secs(60)).await.unwrap();
    let (deliveries, old) = take(&store).await;
    store.close().await;
    drop(deliveries);
    drop(store);

    let store = place.open();
    let depth = store.depth(TaskKind::Parse).await.unwrap();
    assert_eq!(depth, QueueDepth { waiting: 3, in_flight: 0, dead: 0 });
    let mut counts = Vec::new();
    let mut deliveries = store.subscribe(TaskKind::Parse, NonZeroU16::new(9).unwrap()).await.unwrap();
    for _ in 0..2 {
        let delivery = deliveries.next().await.unwrap().unwrap();
        assert_eq!(delivery.count, if delivery.task == old.task { 2 } else { 1 });
        counts.push(delivery.task);
    }
    assert_eq!(counts.len(), 2);
    assert!(!counts.contains(&key(3)), "a delay is kept over a restart");
}

#[tokio::test]
async fn what_is_put_aside_keeps_its_reason() {
    let place = Place::new();
    let store = place.open();
    for number in 0..3 {
        store.publish(TaskKind::Parse, &key(number), Duration::ZERO).await.unwrap();
        let (_deliveries, delivery) = take(&store).await;
        place.clock.advance(Duration::from_secs(1));
        let dead = Settlement::Dead(format!("reason {number}"));
        store.settle(&delivery, dead.clone()).await.unwrap();
        store.settle(&delivery, dead).await.unwrap();
    }
    let letters = store.dead_letters(TaskKind::Parse, 2).await.unwrap();
    let start = tandem_ports::testsuite::ManualClock::START;
    let letter = |number: u64| DeadLetter {
        task: key(number),
        delivered: 1,
        died_at: start.plus(Duration::from_secs(number + 1)),
        reason: format!("reason {number}"),
    };
    assert_eq!(letters, [letter(0), letter(1)]);
    assert_eq!(store.dead_letters(TaskKind::Embed, 2).await.unwrap(), []);
    assert_eq!(store.replay(TaskKind::Embed, 10).await.unwrap(), 0);
    let before = store.depth(TaskKind::Parse).await.unwrap();
    assert_eq!(store.replay(TaskKind::Parse, 1).await.unwrap(), 1);
    let after = store.depth(TaskKind::Parse).await.unwrap();
    assert_eq!((after.waiting, after.dead), (before.waiting + 1, before.dead - 1));
    assert_eq!(store.dead_letters(TaskKind::Parse, 1).await.unwrap(), [letter(1)], "the oldest goes first");
    let mut deliveries = store.subscribe(TaskKind::Parse, NonZeroU16::MIN).await.unwrap();
    assert_eq!(deliveries.next().await.unwrap().unwrap().count, 1, "counted anew");
}

#[tokio::test]
async fn a_delivery_that_nobody_was_given_does_not_count() {
    let place = Place::new();
    let store = place.open();
    for number in 0..4 {
        store.publish(TaskKind::Parse, &key(number), Duration::ZERO).await.unwrap();
    }
    let mut greedy = store.subscribe(TaskKind::Parse, NonZeroU16::new(4).unwrap()).await.unwrap();
    let seen = greedy.next().await.unwrap().unwrap();
    drop(greedy);
    let mut deliveries = store.subscribe(TaskKind::Parse, NonZeroU16::new(4).unwrap()).await.unwrap();
    for _ in 0..4 {
        let delivery = deliveries.next().await.unwrap().unwrap();
        assert_eq!(delivery.count, if delivery.task == seen.task { 2 } else { 1 });
    }
}

#[tokio::test]
async fn depth_is_counted_while_the_writer_is_busy() {
    let place = Place::new();
    let store = place.open();
    for number in 0..3 {
        store.publish(TaskKind::Parse, &key(number), Duration::ZERO).await.unwrap();
    }
    let (deliveries, _held) = take(&store).await;
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    let (release, released) = std::sync::mpsc::sync_channel::<()>(1);
    let busy = store.writer().write(move |_| {
        begun.send(()).unwrap();
        released.recv().unwrap();
        Ok(())
    });
    let counting = async {
        has_begun.await.unwrap();
        let depth = store.depth(TaskKind::Parse).await;
        release.send(()).unwrap();
        depth
    };
    let (end, counted) = futures::join!(busy, counting);
    assert!(matches!(end, End::Done(())));
    assert_eq!(counted, Ok(QueueDepth { waiting: 2, in_flight: 1, dead: 0 }));

    drop(deliveries);
    let depth = store.depth(TaskKind::Parse).await;
    assert_eq!(depth, Ok(QueueDepth { waiting: 3, in_flight: 0, dead: 0 }), "what was dropped is given back");
}
