use super::*;
use crate::progress::{InHand, Progress};
use crate::seat::Address;
use crate::test_kit::{node, until};

/// Holds work for ever, moving or not.
struct Holder;

enum HolderMessage {
    Take,
    Move,
}

impl Message for HolderMessage {}

impl Actor for Holder {
    type Msg = HolderMessage;
    type State = (Progress, Option<InHand>);
    type Arguments = Progress;

    async fn pre_start(
        &self,
        _: ActorRef<HolderMessage>,
        progress: Progress,
    ) -> Result<Self::State, ActorProcessingErr> {
        Ok((progress, None))
    }

    async fn handle(
        &self,
        _: ActorRef<HolderMessage>,
        message: HolderMessage,
        (progress, in_hand): &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            HolderMessage::Take => *in_hand = Some(progress.begin()),
            HolderMessage::Move => in_hand.iter().for_each(InHand::touch),
        }
        Ok(())
    }
}

async fn holder(node: &SupervisorHandle) -> Address<HolderMessage> {
    node.supervise(ActorKind::Gateway, "holder", |progress| (Holder, progress.clone())).await.unwrap()
}

fn restarts(node: &SupervisorHandle) -> u32 {
    node.actors().iter().find(|actor| actor.name == "holder").unwrap().restarts
}

#[tokio::test(start_paused = true)]
async fn an_actor_that_does_not_move_is_restarted_once() {
    let node = node().await;
    let holder = holder(&node).await;
    let limit = ActorKind::Gateway.spec().stuck_after;
    tokio::time::sleep(limit * 10).await;
    assert_eq!(restarts(&node), 0, "with nothing in hand nobody is stuck");
    holder.send(HolderMessage::Take).unwrap();
    tokio::time::sleep(limit - PERIOD).await;
    assert_eq!(restarts(&node), 0);
    tokio::time::sleep(PERIOD * 3).await;
    assert_eq!(restarts(&node), 1);
    tokio::time::sleep(limit * 10).await;
    assert_eq!(restarts(&node), 1, "what died with the old one does not count against the new one");
}

#[tokio::test(start_paused = true)]
async fn an_actor_that_moves_is_left_alone() {
    let node = node().await;
    let holder = holder(&node).await;
    holder.send(HolderMessage::Take).unwrap();
    for _ in 0..20 {
        tokio::time::sleep(ActorKind::Gateway.spec().stuck_after / 2).await;
        holder.send(HolderMessage::Move).unwrap();
    }
    assert_eq!(restarts(&node), 0);
}

#[tokio::test(start_paused = true)]
async fn the_watchdog_itself_comes_back() {
    let node = node().await;
    let holder = holder(&node).await;
    assert!(node.kill("watchdog"));
    holder.send(HolderMessage::Take).unwrap();
    until("the holder is restarted", || restarts(&node) == 1).await;
}
