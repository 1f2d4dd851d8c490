use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::time::Instant;

use super::*;
use crate::kind::ActorKind;
use crate::seat::{MOST_ASKS, Seat};
use crate::test_kit::node;

const DEADLINE: Duration = Duration::from_secs(2);
const ROUNDS: u32 = 10_000;

struct Slow;

enum SlowMessage {
    After(Duration, RpcReplyPort<&'static str>),
    Never(RpcReplyPort<()>),
    Die(RpcReplyPort<()>),
}

impl Message for SlowMessage {}

impl Actor for Slow {
    type Msg = SlowMessage;
    type State = Arc<AtomicU32>;
    type Arguments = Arc<AtomicU32>;

    async fn pre_start(
        &self,
        _: ActorRef<SlowMessage>,
        worked: Arc<AtomicU32>,
    ) -> Result<Arc<AtomicU32>, ActorProcessingErr> {
        Ok(worked)
    }

    async fn handle(
        &self,
        _: ActorRef<SlowMessage>,
        message: SlowMessage,
        worked: &mut Arc<AtomicU32>,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            SlowMessage::After(wait, reply) => {
                let work = async {
                    worked.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(wait).await;
                    "done"
                };
                answer(reply, work).await;
            }
            SlowMessage::Never(reply) => drop(reply),
            SlowMessage::Die(_reply) => return Err("on purpose".into()),
        }
        Ok(())
    }
}

async fn slow() -> (Address<SlowMessage>, Arc<AtomicU32>) {
    let worked = Arc::new(AtomicU32::new(0));
    let arguments = Arc::clone(&worked);
    let make = move |_: &crate::Progress| (Slow, Arc::clone(&arguments));
    (node().await.supervise(ActorKind::Gateway, "slow", make).await.unwrap(), worked)
}

#[tokio::test(start_paused = true)]
async fn inv_4_every_question_ends_by_its_deadline() {
    let (address, _) = slow().await;
    let since = Instant::now();
    let quick = ask(&address, DEADLINE, |reply| SlowMessage::After(DEADLINE / 2, reply)).await;
    assert_eq!((quick, since.elapsed()), (Ok("done"), DEADLINE / 2));
    let since = Instant::now();
    let late = ask(&address, DEADLINE, |reply| SlowMessage::After(DEADLINE * 2, reply)).await;
    assert_eq!((late, since.elapsed()), (Err(AskError::Timeout), DEADLINE));
}

#[tokio::test(start_paused = true)]
async fn inv_4_a_lost_reply_is_an_answer() {
    let (address, _) = slow().await;
    let since = Instant::now();
    assert_eq!(ask(&address, DEADLINE, SlowMessage::Never).await, Err(AskError::Gone));
    assert_eq!(ask(&address, DEADLINE, SlowMessage::Die).await, Err(AskError::Gone));
    let down = ask(&address, DEADLINE, |reply| SlowMessage::After(DEADLINE, reply)).await;
    assert_eq!((down, since.elapsed()), (Err(AskError::Gone), Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn work_that_nobody_waits_for_is_skipped() {
    let (address, worked) = slow().await;
    let ask_slow = || ask(&address, DEADLINE, |reply| SlowMessage::After(DEADLINE * 3 / 4, reply));
    let all = futures::future::join_all([ask_slow(), ask_slow(), ask_slow()]).await;
    assert_eq!(all, [Ok("done"), Err(AskError::Timeout), Err(AskError::Timeout)]);
    assert_eq!(ask(&address, DEADLINE * 2, |reply| SlowMessage::After(DEADLINE, reply)).await, Ok("done"));
    // The second had begun when its asker left; the third was skipped.
    assert_eq!(worked.load(Ordering::Relaxed), 3);
}

#[tokio::test(start_paused = true)]
async fn inv_5_the_questions_that_wait_are_bounded() {
    let (address, _) = slow().await;
    let asks =
        (0..=MOST_ASKS).map(|_| ask(&address, DEADLINE, |reply| SlowMessage::After(DEADLINE * 2, reply)));
    let ends = futures::future::join_all(asks).await;
    assert_eq!(ends.iter().filter(|end| **end == Err(AskError::Overloaded)).count(), 1);
    assert_eq!(ends.iter().filter(|end| **end == Err(AskError::Timeout)).count(), MOST_ASKS);
}

#[test]
fn errors_have_codes() {
    assert_eq!(AskError::Timeout.code(), ErrorCode::Timeout);
    assert_eq!(AskError::Gone.code(), ErrorCode::Unavailable);
    assert_eq!(Failure::from(AskError::Overloaded).code, ErrorCode::Overloaded);
}

/// Whether a message overtakes the end of its actor is decided by the scheduler: many rounds, so that both happen, and
/// a deadline that only a lost message would reach.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[expect(
    clippy::disallowed_methods,
    reason = "the askers race with the end of the actor on threads of their own"
)]
async fn a_question_sent_while_its_actor_dies_is_an_answer() {
    let worked = Arc::new(AtomicU32::new(0));
    let seat = Arc::new(Seat::new("test-dying", ActorKind::Gateway, "slow"));
    let address = Address::new(Arc::clone(&seat));
    for _ in 0..ROUNDS {
        let (dying, ended) = Actor::spawn(None, Slow, Arc::clone(&worked)).await.unwrap();
        seat.occupy(dying.get_cell());
        let asks = [(); 4].map(|()| {
            let address = address.clone();
            tokio::spawn(async move { ask(&address, Duration::from_secs(60), SlowMessage::Never).await })
        });
        dying.kill();
        for end in asks {
            assert_eq!(end.await.unwrap(), Err(AskError::Gone));
        }
        ended.await.unwrap();
    }
}
