use tandem_domain::ids::OperationId;
use uuid::Uuid;

use super::*;
use crate::test_kit::{FakeQueue, FakeTasks, Faults, TestClock, node, task, until};

const LEASE: Duration = Duration::from_secs(120);

#[tokio::test(start_paused = true)]
async fn it_publishes_what_nobody_holds() {
    let (tasks, queue) = (FakeTasks::new(Faults::none()), FakeQueue::new(Faults::none()));
    let clock = TestClock::new();
    let operation = OperationId::from_uuid(Uuid::from_u128(9));
    let held = task(1_000).leased(operation, clock.now(), LEASE).unwrap();
    tasks.put(&held);
    tasks.put(&task(1_001).done());
    (0..7).for_each(|number| tasks.put(&task(number)));
    let node = node().await;
    let options = RelayOptions { page: 2, ..RelayOptions::default() };
    Relay::start(&node, options, tasks.clone(), queue.clone(), clock.clone()).await.unwrap();
    until("the stranded are published", || queue.waiting() == 7).await;
    tokio::time::sleep(LEASE + options.period).await;
    assert_eq!(queue.waiting(), 8, "the lease ran out with its worker");
}

#[tokio::test(start_paused = true)]
async fn it_leaves_what_is_being_filed_and_repeats_what_failed() {
    let (tasks, queue) = (FakeTasks::new(Faults::none()), FakeQueue::new(Faults::new(50, 0, 3)));
    let clock = TestClock::new();
    let node = node().await;
    let options = RelayOptions::default();
    Relay::start(&node, options, tasks.clone(), queue.clone(), clock.clone()).await.unwrap();
    tokio::time::sleep(options.period - options.grace / 2).await;
    let mut fresh = task(1);
    fresh.created_at = clock.now();
    tasks.put(&fresh);
    tokio::time::sleep(options.grace).await;
    assert_eq!(queue.waiting(), 0, "the walk went by while it was fresh");
    (2..20).for_each(|number| tasks.put(&task(number)));
    until("all are published in the end", || queue.waiting() == 19).await;
}

#[tokio::test(start_paused = true)]
async fn it_goes_on_after_it_was_killed() {
    let (tasks, queue) = (FakeTasks::new(Faults::none()), FakeQueue::new(Faults::none()));
    let node = node().await;
    let clock = TestClock::new();
    Relay::start(&node, RelayOptions::default(), tasks.clone(), queue.clone(), clock).await.unwrap();
    assert!(node.kill("relay"));
    tasks.put(&task(1));
    until("the new one publishes", || queue.waiting() == 1).await;
}

#[tokio::test(start_paused = true)]
async fn on_a_broker_it_publishes_what_an_empty_queue_lacks_and_reminds_of_the_rest_now_and_then() {
    let (tasks, queue) = (FakeTasks::new(Faults::none()), FakeQueue::new(Faults::none()));
    queue.act_as_broker();
    let clock = TestClock::new();
    queue.put(&task(0).key());
    let filed = |number| {
        let mut filed = task(number);
        filed.created_at = clock.now();
        tasks.put(&filed);
    };
    (0..5).for_each(filed);
    let node = node().await;
    let options = RelayOptions::default();
    Relay::start(&node, options, tasks.clone(), queue.clone(), clock.clone()).await.unwrap();
    tokio::time::sleep(REMIND_EVERY - options.period).await;
    assert_eq!(queue.waiting(), 1, "the queue is not empty: its messages may be theirs");
    tokio::time::sleep(options.period * 2).await;
    assert_eq!(queue.waiting(), 5, "a queue that is never empty may lack one for ever");

    let empty = FakeQueue::new(Faults::none());
    empty.act_as_broker();
    Relay::start(&crate::test_kit::node().await, options, tasks, empty.clone(), clock).await.unwrap();
    until("an empty queue lacks all of them", || empty.waiting() == 5).await;
}
