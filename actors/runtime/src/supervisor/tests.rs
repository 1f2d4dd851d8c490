use std::sync::atomic::{AtomicU32, Ordering};

use ractor::{ActorProcessingErr, RpcReplyPort};

use super::*;
use crate::observe::ActorState;
use crate::test_kit::{node, until};
use crate::{Gone, ask};

const DEADLINE: Duration = Duration::from_secs(1);

struct Counter;

enum CounterMessage {
    Add(u32),
    Get(RpcReplyPort<u32>),
    Panic,
    Fail,
    Stop,
}

impl ractor::Message for CounterMessage {}

impl Actor for Counter {
    type Msg = CounterMessage;
    type State = u32;
    type Arguments = u32;

    async fn pre_start(&self, _: ActorRef<CounterMessage>, from: u32) -> Result<u32, ActorProcessingErr> {
        if from == u32::MAX { Err("it cannot start".into()) } else { Ok(from) }
    }

    async fn handle(
        &self,
        myself: ActorRef<CounterMessage>,
        message: CounterMessage,
        count: &mut u32,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            CounterMessage::Add(by) => *count += by,
            CounterMessage::Get(reply) => drop(reply.send(*count)),
            CounterMessage::Panic => panic!("on purpose"),
            CounterMessage::Fail => return Err("on purpose".into()),
            CounterMessage::Stop => myself.stop(None),
        }
        Ok(())
    }
}

async fn counter(node: &SupervisorHandle, kind: ActorKind) -> Address<CounterMessage> {
    node.supervise(kind, "counter", |_| (Counter, 0)).await.unwrap()
}

fn report(node: &SupervisorHandle, name: &str) -> ActorReport {
    node.actors().into_iter().find(|actor| actor.name == name).unwrap()
}

async fn until_running(node: &SupervisorHandle, restarts: u32) {
    until("the counter runs again", || {
        let counter = report(node, "counter");
        counter.state == ActorState::Running && counter.restarts == restarts
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn inv_2_an_address_survives_restarts_and_state_does_not() {
    let node = node().await;
    let address = counter(&node, ActorKind::Shard).await;
    let ends: [fn(&Address<CounterMessage>); 4] = [
        |a| a.send(CounterMessage::Panic).unwrap(),
        |a| a.send(CounterMessage::Fail).unwrap(),
        |a| a.send(CounterMessage::Stop).unwrap(),
        |a| a.kill(),
    ];
    for (restarts, end) in (1..).zip(ends) {
        address.send(CounterMessage::Add(7)).unwrap();
        assert_eq!(ask(&address, DEADLINE, CounterMessage::Get).await, Ok(7));
        end(&address);
        until("it is down", || report(&node, "counter").state == ActorState::Restarting).await;
        assert_eq!(address.send(CounterMessage::Add(1)), Err(Gone));
        until_running(&node, restarts).await;
        assert_eq!(ask(&address, DEADLINE, CounterMessage::Get).await, Ok(0));
    }
}

#[tokio::test(start_paused = true)]
async fn restarts_back_off_and_then_escalate() {
    let node = node().await;
    let starts = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&starts);
    let make = move |_: &Progress| {
        // The first comes up, no other does.
        let first = count.fetch_add(1, Ordering::Relaxed) == 0;
        (Counter, if first { 0 } else { u32::MAX })
    };
    let address = node.supervise(ActorKind::Pool, "counter", make).await.unwrap();
    let since = tokio::time::Instant::now();
    address.kill();
    let escalated = node.escalated().await;
    assert_eq!((escalated.kind, escalated.name.as_str()), (ActorKind::Pool, "counter"));
    assert!(escalated.reason.contains("it cannot start"), "{}", escalated.reason);
    let spec = ActorKind::Pool.spec();
    assert_eq!(starts.load(Ordering::Relaxed), 1 + spec.most_restarts);
    let waits: Duration = (0..spec.most_restarts as usize).map(|earlier| spec.back_off(earlier)).sum();
    assert!(since.elapsed() >= waits && since.elapsed() < waits + DEADLINE, "{:?}", since.elapsed());
    assert_eq!(report(&node, "counter").state, ActorState::Stopped);
}

#[tokio::test(start_paused = true)]
async fn a_first_start_that_fails_is_told_and_not_repeated() {
    let node = node().await;
    let failed = node.supervise(ActorKind::Shard, "counter", |_| (Counter, u32::MAX)).await;
    assert!(matches!(failed, Err(StartError::Failed { .. })), "{failed:?}");
    let panicked = node.supervise::<Counter>(ActorKind::Shard, "counter", |_| panic!("on purpose")).await;
    assert!(matches!(panicked, Err(StartError::Failed { .. })), "{panicked:?}");
    counter(&node, ActorKind::Shard).await;
    let again = node.supervise(ActorKind::Shard, "counter", |_| (Counter, 0)).await;
    assert_eq!(again.err(), Some(StartError::NameTaken("counter".to_owned())));
}

#[tokio::test(start_paused = true)]
async fn an_actor_for_one_request_is_forgotten_when_it_ends() {
    let node = node().await;
    let address = counter(&node, ActorKind::Coordinator).await;
    address.send(CounterMessage::Stop).unwrap();
    until("it is forgotten", || node.actors().iter().all(|actor| actor.name != "counter")).await;
    counter(&node, ActorKind::Coordinator).await;
}

#[tokio::test(start_paused = true)]
async fn a_released_actor_stays_down_and_leaves_its_name() {
    let node = node().await;
    let address = counter(&node, ActorKind::Shard).await;
    node.release("counter").await;
    assert_eq!(address.send(CounterMessage::Add(1)), Err(Gone));
    assert!(node.actors().iter().all(|actor| actor.name != "counter"));
    let address = counter(&node, ActorKind::Shard).await;
    assert_eq!(ask(&address, DEADLINE, CounterMessage::Get).await, Ok(0));
}

#[tokio::test(start_paused = true)]
async fn two_nodes_of_one_process_do_not_meet() {
    let (one, two) = (node().await, node().await);
    let (a, b) = (counter(&one, ActorKind::Shard).await, counter(&two, ActorKind::Shard).await);
    a.send(CounterMessage::Add(1)).unwrap();
    assert_eq!(ask(&a, DEADLINE, CounterMessage::Get).await, Ok(1));
    assert_eq!(ask(&b, DEADLINE, CounterMessage::Get).await, Ok(0));
    one.shutdown(DEADLINE).await;
    assert_eq!(ask(&b, DEADLINE, CounterMessage::Get).await, Ok(0));
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_stops_everything_and_refuses_more() {
    let node = node().await;
    let address = counter(&node, ActorKind::Gateway).await;
    let report = node.shutdown(DEADLINE).await;
    assert_eq!(report, ShutdownReport::default());
    assert_eq!(address.send(CounterMessage::Add(1)), Err(Gone));
    assert!(node.actors().iter().all(|actor| actor.state == ActorState::Stopped), "{:?}", node.actors());
    let late = node.supervise(ActorKind::Shard, "late", |_| (Counter, 0)).await;
    assert_eq!(late.err(), Some(StartError::Stopping));
}

#[tokio::test(start_paused = true)]
async fn the_death_of_the_supervisor_is_an_escalation() {
    let node = node().await;
    let address = counter(&node, ActorKind::Shard).await;
    node.0.root.kill();
    assert_eq!(node.escalated().await.kind, ActorKind::Root);
    until("its actors end with it", || address.send(CounterMessage::Add(1)).is_err()).await;
}
