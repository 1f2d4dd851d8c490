//! Brokers that stop, die, freeze and run short of memory in the middle of the work.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::counts::value;
use super::*;
use crate::testing::OwnBroker;

/// Tasks of a round.
const TASKS: u64 = 500;
/// The longest round, restart included: longer is a hang.
const ROUND: Duration = Duration::from_secs(120);

/// What a round counts.
#[derive(Default)]
struct Counts {
    confirmed: AtomicU64,
    refused: AtomicU64,
    delivered: AtomicU64,
    subscriptions: AtomicU64,
    /// Whether the broker was down: the last third of the tasks waits for it, however fast the others were.
    was_down: AtomicBool,
}

/// Publishes a part of the tasks, each until it is confirmed.
async fn publish_all(queue: &RabbitQueue, counts: &Counts, tasks: impl Iterator<Item = u64>) {
    for number in tasks {
        while number >= TASKS * 2 / 3 && !counts.was_down.load(Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        while let Err(error) = queue.publish(Parse, &key(number), Duration::ZERO).await {
            assert!(matches!(error, QueueError::Unavailable(_) | QueueError::Timeout));
            counts.refused.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        counts.confirmed.fetch_add(1, Ordering::Relaxed);
    }
}

/// Consumes until each task came at least once.
async fn consume_all(queue: &RabbitQueue, counts: &Counts) {
    let mut seen = HashSet::new();
    while seen.len() < usize::try_from(TASKS).unwrap() {
        let subscribed = queue.subscribe(Parse, NonZeroU16::new(8).unwrap()).await;
        let Ok(mut deliveries) = subscribed else { continue };
        counts.subscriptions.fetch_add(1, Ordering::Relaxed);
        while seen.len() < usize::try_from(TASKS).unwrap() {
            let Ok(next) = deliveries.next().await else { break };
            let delivery = next.expect("nobody closes the queue");
            counts.delivered.fetch_add(1, Ordering::Relaxed);
            seen.insert(delivery.task.clone());
            // One whose settlement fails comes again.
            if queue.settle(&delivery, Settlement::Ack).await.is_err() {
                break;
            }
        }
    }
    let expected: HashSet<_> = (0..TASKS).map(key).collect();
    assert_eq!(seen, expected, "nothing lost, nothing invented");
}

/// Takes what came twice, until nothing is left.
async fn drain(queue: &RabbitQueue, counts: &Counts) {
    loop {
        let mut deliveries = subscribe(queue, 8).await;
        while let Ok(Ok(Some(delivery))) = timeout(Duration::from_millis(300), deliveries.next()).await {
            counts.delivered.fetch_add(1, Ordering::Relaxed);
            queue.settle(&delivery, Settlement::Ack).await.unwrap();
        }
        drop(deliveries);
        if queue.depth(Parse).await == Ok(QueueDepth::default()) {
            return;
        }
    }
}

async fn round(broker: &Arc<OwnBroker>, signal: &'static str, round: u32) {
    let queue = connect(&broker.url()).await;
    let counts = Counts::default();
    let restart = async {
        while counts.confirmed.load(Ordering::Relaxed) < TASKS / 3 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let stopping = Arc::clone(broker);
        let stopped = tokio::task::spawn_blocking(move || {
            stopping.signal(signal);
            stopping.stopped();
        });
        stopped.await.unwrap();
        counts.was_down.store(true, Ordering::Relaxed);
        let starting = Arc::clone(broker);
        tokio::task::spawn_blocking(move || starting.start_again()).await.unwrap();
    };
    let work = async {
        let quarter = |part: u64| publish_all(&queue, &counts, (0..TASKS).filter(move |n| n % 4 == part));
        futures::join!(quarter(0), quarter(1), quarter(2), quarter(3), consume_all(&queue, &counts), restart);
        drain(&queue, &counts).await;
    };
    let done = timeout(ROUND, work).await;
    let [confirmed, refused, delivered, subscriptions] =
        [&counts.confirmed, &counts.refused, &counts.delivered, &counts.subscriptions]
            .map(|count| count.load(Ordering::Relaxed));
    let report = format!(
        "SIG{signal} round {round}: {confirmed} confirmed, {refused} refused, {delivered} delivered, {} twice, \
         {subscriptions} subscriptions",
        delivered.saturating_sub(TASKS)
    );
    println!("{report}");
    assert!(done.is_ok(), "it hangs: {report}");
    assert_eq!(confirmed, TASKS);
    assert!(subscriptions >= 2, "the restart was in the middle of the work: {report}");
    wipe(&broker.url(), &queue.shared.topology).await;
}

async fn rounds(signal: &'static str) {
    if super::broker().is_none() {
        return;
    }
    let broker = Arc::new(OwnBroker::start());
    for number in 1..=3 {
        round(&broker, signal, number).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_is_restarted_loses_nothing() {
    rounds("TERM").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_is_killed_loses_nothing() {
    rounds("KILL").await;
}

/// Publishes until the answer is what is waited for.
async fn publish_until(
    queue: &RabbitQueue,
    is: impl Fn(&Result<(), QueueError>) -> bool,
) -> Result<(), QueueError> {
    let mut number = 1_000;
    let until = async {
        loop {
            number += 1;
            let published = queue.publish(Parse, &key(number), Duration::ZERO).await;
            if is(&published) {
                return published;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, until).await.expect("the answer must come")
}

/// Publishing looks at the connection itself; the count follows with the connection's next event.
async fn blocked_sessions_become(expected: f64) {
    let until = async {
        while value("tandem_queue_blocked", &[]) != expected {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, until).await.expect("blocked sessions are counted");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_short_of_memory_sheds_publishes_and_goes_on_delivering() {
    if super::broker().is_none() {
        return;
    }
    let broker = OwnBroker::start();
    let limits = Limits { publish: Duration::from_secs(600), ..Limits::default() };
    let queue = RabbitQueue::connect(RabbitOptions { limits, ..options(&broker.url()) }).await.unwrap();
    queue.publish(Parse, &key(0), Duration::ZERO).await.unwrap();
    let mut deliveries = subscribe(&queue, 1).await;
    let aside = take(&mut *deliveries).await;
    queue.settle(&aside, Settlement::Dead("seen".to_owned())).await.unwrap();
    drop(deliveries);
    queue.publish(Parse, &key(1), Duration::ZERO).await.unwrap();
    let session = queue.session().await.unwrap().id();

    broker.ctl(&["set_vm_memory_high_watermark", "absolute", "1"]);
    // With a limit of ten minutes only shedding answers in time.
    let shed = publish_until(&queue, Result::is_err).await.unwrap_err();
    assert!(shed.to_string().contains("short of memory or disk"), "{shed}");
    let again = timeout(PATIENCE, queue.publish(Parse, &key(2), Duration::ZERO)).await.unwrap().unwrap_err();
    assert_eq!(again, shed);
    let publish = async |number| queue.publish(Parse, &key(number), Duration::ZERO).await;
    let many = futures::future::join_all((0..64).map(publish));
    let many = timeout(PATIENCE, many).await.expect("none of many hangs");
    assert!(many.into_iter().all(|done| done.is_err()));
    let typed = queue.send(Parse, &key(2), Duration::ZERO, (0, None)).await;
    assert!(matches!(typed, Err(RabbitError::Blocked { .. })), "{typed:?}");
    blocked_sessions_become(1.0).await;
    assert!(value("tandem_queue_publishes_total", &[Parse.name(), "blocked"]) >= 64.0);
    let mut deliveries = subscribe(&queue, 1).await;
    let delivery = take(&mut *deliveries).await;
    assert_eq!(delivery.task, key(1), "work goes on");
    queue.settle(&delivery, Settlement::Ack).await.unwrap();
    assert!(queue.depth(Parse).await.is_ok());
    // What was put aside cannot go back now, and stays.
    let letters = queue.dead_letters(Parse, 9).await.unwrap();
    assert_eq!(letters.len(), 1);
    assert!(matches!(queue.replay(Parse, 9).await, Err(RabbitError::Blocked { .. })));
    // The broker puts back what was looked at once it hears that the channel is closed.
    let stays = async {
        while queue.dead_letters(Parse, 9).await != Ok(letters.clone()) {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(PATIENCE, stays).await.expect("it stays");

    broker.ctl(&["set_vm_memory_high_watermark", "0.4"]);
    publish_until(&queue, Result::is_ok).await.unwrap();
    assert_eq!(queue.session().await.unwrap().id(), session, "no session was lost over it");
    blocked_sessions_become(0.0).await;
    let replayed = async {
        while queue.replay(Parse, 9).await != Ok(1) {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(PATIENCE, replayed).await.expect("it goes back to work");
    queue.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_freezes_hangs_nobody() {
    if super::broker().is_none() {
        return;
    }
    let broker = OwnBroker::start();
    let [short, close] = [2_000, 500].map(Duration::from_millis);
    let limits = Limits { connect: short, declare: short, publish: short, ack: short, close };
    let queue = RabbitQueue::connect(RabbitOptions { limits, ..options(&broker.url()) }).await.unwrap();
    queue.publish(Parse, &key(1), Duration::ZERO).await.unwrap();
    let mut deliveries = subscribe(&queue, 1).await;
    let delivery = take(&mut *deliveries).await;

    broker.signal("STOP");
    let published = timeout(PATIENCE, queue.publish(Parse, &key(2), Duration::ZERO)).await;
    assert_eq!(published.expect("bounded"), Err(QueueError::Timeout));
    let next = timeout(PATIENCE, deliveries.next()).await;
    assert!(next.expect("bounded").is_err(), "the session is over, and its subscriptions say so");
    let settled = timeout(PATIENCE, queue.settle(&delivery, Settlement::Ack)).await;
    assert_eq!(settled.expect("bounded"), Ok(()), "it changes nothing");
    assert!(timeout(PATIENCE, queue.depth(Parse)).await.expect("bounded").is_err());

    broker.signal("CONT");
    publish_until(&queue, Result::is_ok).await.unwrap();
    let mut deliveries = subscribe(&queue, 9).await;
    let again = take(&mut *deliveries).await;
    assert_eq!((&again.task, again.count >= 2), (&delivery.task, true), "what nobody settled comes again");
    queue.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_starts_later_is_waited_for() {
    let broker = Arc::new(OwnBroker::prepare());
    let options =
        RabbitOptions { attempts: 1_000, back_off: Duration::from_millis(1), ..options(&broker.url()) };
    let once = RabbitQueue::connect(RabbitOptions { attempts: 1, ..options.clone() }).await;
    assert!(matches!(once, Err(RabbitError::Broker { .. })), "{:?}", once.err());
    let starting = tokio::task::spawn_blocking({
        let broker = Arc::clone(&broker);
        move || broker.start_again()
    });
    let queue = RabbitQueue::connect(options).await.unwrap();
    starting.await.unwrap();
    queue.publish(TaskKind::Parse, &key(1), Duration::ZERO).await.unwrap();
    queue.close().await;
}
