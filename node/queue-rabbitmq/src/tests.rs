use std::num::NonZeroU16;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lapin::BasicProperties;
use lapin::options::{BasicPublishOptions, QueueDeleteOptions};
use tandem_domain::task::TaskKind;
use tandem_ports::WorkQueue;
use tandem_ports::queue::{Deliveries, Delivery, QueueDepth, QueueError, Settlement};
use tandem_ports::testsuite::ManualClock;
use tandem_ports::testsuite::queue::{QueueUnderTest, Strictness, contract};
use tokio::runtime::Handle;
use tokio::task::block_in_place;
use tokio::time::timeout;

use crate::testing::{PATIENCE, broker, by_hand, connect, key, options, wipe};
use crate::topology::Topology;
use crate::{DeadLetter, Limits, RabbitError, RabbitOptions, RabbitQueue, Shape};

use TaskKind::Parse;

mod counts;
mod dead;
mod faults;
mod tls;

async fn subscribe(queue: &RabbitQueue, prefetch: u16) -> Box<dyn Deliveries> {
    queue.subscribe(Parse, NonZeroU16::new(prefetch).unwrap()).await.unwrap()
}

async fn take(deliveries: &mut dyn Deliveries) -> Delivery {
    timeout(PATIENCE, deliveries.next()).await.unwrap().unwrap().unwrap()
}

/// Waits until the queue's depth is this.
async fn reaches(queue: &RabbitQueue, expected: QueueDepth) {
    let mut last = None;
    let reached = timeout(PATIENCE, async {
        while last != Some(Ok(expected)) {
            last = Some(queue.depth(Parse).await);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    assert!(reached.await.is_ok(), "{expected:?} is not reached, it stays {last:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_keeps_the_contract() {
    let Some(url) = broker() else { return };
    let built: Mutex<Vec<Topology>> = Mutex::default();
    let make = || {
        let queue = block_in_place(|| Handle::current().block_on(connect(&url)));
        built.lock().unwrap().push(queue.shared.topology.clone());
        let closing = queue.clone();
        QueueUnderTest {
            queue: Arc::new(queue),
            pass: Box::new(|by| Box::pin(tokio::time::sleep(by))),
            visibility: None,
            strictness: Strictness { deduplicates: false, exact: false, later: Duration::from_secs(4) },
            close: Box::new(move || {
                let queue = closing.clone();
                Box::pin(async move { queue.close().await })
            }),
        }
    };
    contract(&make).await;
    let built = built.into_inner().unwrap();
    assert!(!built.is_empty());
    for topology in &built {
        wipe(&url, topology).await;
    }
}

#[tokio::test]
async fn an_unroutable_message_is_an_error_and_the_queue_is_built_again() {
    let Some(url) = broker() else { return };
    let queue = connect(&url).await;
    let (_connection, channel) = by_hand(&url).await;
    let name = queue.shared.topology.work(Parse);
    channel.queue_delete(name.into(), QueueDeleteOptions::default()).await.unwrap();
    let error = queue.publish(Parse, &key(1), Duration::ZERO).await.unwrap_err();
    assert!(error.to_string().contains("no queue takes the message"), "{error}");

    queue.publish(Parse, &key(2), Duration::ZERO).await.unwrap();
    let delivery = take(&mut *subscribe(&queue, 1).await).await;
    assert_eq!(delivery.task, key(2));
    wipe(&url, &queue.shared.topology).await;
}

#[tokio::test]
async fn what_is_put_aside_is_shown_and_replayed() {
    let Some(url) = broker() else { return };
    let clock = Arc::new(ManualClock::new(1));
    let options = RabbitOptions { clock: clock.clone(), ..options(&url) };
    let queue = RabbitQueue::connect(options).await.unwrap();
    let mut deliveries = subscribe(&queue, 1).await;
    for number in 0..3 {
        queue.publish(Parse, &key(number), Duration::ZERO).await.unwrap();
        let delivery = take(&mut *deliveries).await;
        clock.advance(Duration::from_secs(1));
        queue.settle(&delivery, Settlement::Dead(format!("reason {number}"))).await.unwrap();
    }
    let letter = |number: u64| DeadLetter {
        task: Some(key(number)),
        delivered: 1,
        died_at: Some(ManualClock::START.plus(Duration::from_secs(number + 1))),
        reason: format!("reason {number}"),
    };
    for _ in 0..3 {
        reaches(&queue, QueueDepth { dead: 3, ..QueueDepth::default() }).await;
        assert_eq!(
            queue.dead_letters(Parse, 2).await,
            Ok(vec![letter(0), letter(1)]),
            "looking changes nothing"
        );
    }
    reaches(&queue, QueueDepth { dead: 3, ..QueueDepth::default() }).await;
    assert_eq!(queue.replay(Parse, 2).await, Ok(2));
    for number in 0..2 {
        let delivery = take(&mut *deliveries).await;
        assert_eq!((&delivery.task, delivery.count), (&key(number), 1));
        queue.settle(&delivery, Settlement::Ack).await.unwrap();
    }
    assert_eq!(queue.dead_letters(Parse, 9).await, Ok(vec![letter(2)]));
    assert_eq!(queue.dead_letters(TaskKind::Embed, 9).await, Ok(vec![]));
    wipe(&url, &queue.shared.topology).await;
}

#[tokio::test]
async fn what_is_no_key_is_put_aside_and_stops_nobody() {
    let Some(url) = broker() else { return };
    let queue = connect(&url).await;
    let (_connection, channel) = by_hand(&url).await;
    let name = queue.shared.topology.work(Parse);
    let options = BasicPublishOptions::default();
    let sent =
        channel.basic_publish("".into(), name.into(), options, b"what is this", BasicProperties::default());
    sent.await.unwrap().await.unwrap();
    queue.publish(Parse, &key(1), Duration::ZERO).await.unwrap();
    let mut deliveries = subscribe(&queue, 1).await;
    let delivery = take(&mut *deliveries).await;
    assert_eq!(delivery.task, key(1));
    queue.settle(&delivery, Settlement::Ack).await.unwrap();
    reaches(&queue, QueueDepth { dead: 1, ..QueueDepth::default() }).await;
    let letters = queue.dead_letters(Parse, 9).await.unwrap();
    assert_eq!((letters.len(), &letters[0].task), (1, &None));
    assert!(letters[0].reason.contains("no task's key"), "{letters:?}");
    reaches(&queue, QueueDepth { dead: 1, ..QueueDepth::default() }).await;
    assert_eq!(queue.replay(Parse, 9).await, Ok(0), "nobody could do anything with it");
    reaches(&queue, QueueDepth { dead: 1, ..QueueDepth::default() }).await;
    wipe(&url, &queue.shared.topology).await;
}

#[tokio::test]
async fn what_kills_its_consumers_is_put_aside() {
    let Some(url) = broker() else { return };
    let shape = Shape { delivery_limit: 2, ..options(&url).shape };
    let queue = RabbitQueue::connect(RabbitOptions { shape, ..options(&url) }).await.unwrap();
    queue.publish(Parse, &key(1), Duration::ZERO).await.unwrap();
    for count in 1..=3 {
        let mut deliveries = subscribe(&queue, 1).await;
        let delivery = take(&mut *deliveries).await;
        assert_eq!((&delivery.task, delivery.count), (&key(1), count));
    }
    reaches(&queue, QueueDepth { dead: 1, ..QueueDepth::default() }).await;
    let letters = queue.dead_letters(Parse, 9).await.unwrap();
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].task, Some(key(1)));
    assert_eq!(letters[0].reason, "it was delivered too often and never settled");
    assert!(letters[0].died_at.is_some());
    wipe(&url, &queue.shared.topology).await;
}

#[tokio::test]
async fn another_shape_of_the_same_queues_is_refused() {
    let Some(url) = broker() else { return };
    let queue = connect(&url).await;
    let mut other = queue.shared.options.clone();
    other.shape.delivery_limit += 1;
    let error = RabbitQueue::connect(other).await.err().unwrap().to_string();
    assert!(error.contains(&queue.shared.topology.work(Parse)), "the queue is named: {error}");
    assert!(error.contains("declared with other arguments"), "{error}");
    wipe(&url, &queue.shared.topology).await;
}

#[tokio::test]
async fn a_wrong_address_or_password_is_said_without_the_password() {
    let Some(url) = broker() else { return };
    let nobody = "amqp://guest:hunter2@127.0.0.1:9/%2f";
    let error = RabbitQueue::connect(options(nobody)).await.err().unwrap();
    let text = format!("{error} {error:?} {:?}", options(nobody));
    assert!(error.to_string().contains("RabbitMQ at 127.0.0.1:9: connecting failed"), "{error}");
    assert!(error.to_string().contains("check that the broker runs there"), "{error}");
    assert!(!text.contains("hunter2"), "{text}");

    let (before, host) = url.rsplit_once('@').unwrap();
    assert!(before.starts_with("amqp"));
    let wrong = format!("amqp://guest:hunter2@{host}");
    let error = RabbitQueue::connect(options(&wrong)).await.err().unwrap();
    let text = format!("{error} {error:?}");
    assert!(text.contains("check user and password of the URL"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");

    let wrong = url.replace("%2f", "nowhere");
    let error = RabbitQueue::connect(options(&wrong)).await.err().unwrap().to_string();
    assert!(error.contains("check the virtual host"), "{error}");
}

#[tokio::test]
async fn options_that_cannot_be_used_are_refused() {
    let good = options("amqp://guest:hunter2@127.0.0.1:9/%2f");
    let ladder = |steps: &[u64]| Shape {
        ladder: steps.iter().copied().map(Duration::from_secs).collect(),
        ..Shape::default()
    };
    let bad = [
        RabbitOptions { urls: vec![], ..good.clone() },
        RabbitOptions { urls: vec!["http://guest:hunter2@somewhere".to_owned()], ..good.clone() },
        RabbitOptions { urls: vec!["hunter2".to_owned()], ..good.clone() },
        RabbitOptions { prefix: "Ä".to_owned(), ..good.clone() },
        RabbitOptions { prefix: "x".repeat(65), ..good.clone() },
        RabbitOptions { shape: ladder(&[]), ..good.clone() },
        RabbitOptions { shape: ladder(&[5, 5]), ..good.clone() },
        RabbitOptions { shape: ladder(&[0, 5]), ..good },
    ];
    for options in bad {
        let error = RabbitQueue::connect(options).await.err().unwrap();
        assert!(matches!(error, RabbitError::Options(_)), "{error:?}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}

#[test]
fn a_delay_waits_on_the_first_step_that_is_not_shorter() {
    let topology = Topology::new("p.", &Shape::default());
    let work = "p.work.match.bulk.v1";
    let steps =
        [(0, ""), (1, ".retry.5000"), (5, ".retry.5000"), (6, ".retry.30000"), (7_200, ".retry.3600000")];
    for (seconds, step) in steps {
        let queue = topology.after(TaskKind::MatchBulk, Duration::from_secs(seconds));
        assert_eq!(queue, format!("{work}{step}"));
    }
    assert_eq!(topology.dead(TaskKind::MatchBulk), format!("{work}.dead"));
    assert_eq!(topology.all().len(), TaskKind::ALL.len() * 7);
}
