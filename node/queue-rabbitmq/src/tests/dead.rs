//! What is put aside: looked at, sent back, and not lost by whoever does it.

use std::collections::HashSet;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use super::*;
use crate::wire;

/// Puts tasks aside, each with its number as the reason.
async fn put_aside(queue: &RabbitQueue, numbers: impl Iterator<Item = u64>) {
    let mut deliveries = subscribe(queue, 1).await;
    for number in numbers {
        queue.publish(Parse, &key(number), Duration::ZERO).await.unwrap();
        let delivery = take(&mut *deliveries).await;
        queue.settle(&delivery, Settlement::Dead(format!("reason {number}"))).await.unwrap();
    }
}

fn dead(dead: u64) -> QueueDepth {
    QueueDepth { dead, ..QueueDepth::default() }
}

#[tokio::test]
async fn a_task_is_shown_and_sent_back_by_its_id() {
    let Some(url) = broker() else { return };
    let queue = connect(&url).await;
    put_aside(&queue, [0, 1, 2, 3, 1].into_iter()).await;
    reaches(&queue, dead(5)).await;

    let shown = queue.dead_letters_of(Parse, key(1).id).await.unwrap();
    assert_eq!(shown.len(), 2, "it was put aside twice");
    assert!(
        shown.iter().all(|letter| letter.task == Some(key(1)) && letter.reason == "reason 1"),
        "{shown:?}"
    );
    assert_eq!(queue.dead_letters_of(Parse, key(9).id).await, Ok(vec![]));
    assert_eq!(queue.replay_task(Parse, key(9).id).await, Ok(0));
    reaches(&queue, dead(5)).await;

    assert_eq!(queue.replay_task(Parse, key(1).id).await, Ok(2));
    reaches(&queue, QueueDepth { waiting: 2, dead: 3, in_flight: 0 }).await;
    let left = queue.dead_letters(Parse, 9).await.unwrap();
    let left: Vec<_> = left.into_iter().map(|letter| letter.task.unwrap()).collect();
    assert_eq!(left, [key(0), key(2), key(3)], "the others stay, in their order");

    assert_eq!(queue.replay(Parse, u32::MAX).await, Ok(3), "all of them");
    reaches(&queue, QueueDepth { waiting: 5, ..QueueDepth::default() }).await;
    wipe(&url, &queue.shared.topology).await;
}

#[tokio::test]
async fn what_is_no_key_does_not_stand_in_the_way_of_others() {
    let Some(url) = broker() else { return };
    let queue = connect(&url).await;
    let (_connection, channel) = by_hand(&url).await;
    let name = queue.shared.topology.dead(Parse);
    for body in [b"what is this".to_vec(), wire::encode(&key(1))] {
        let options = BasicPublishOptions::default();
        let sent = channel.basic_publish(
            "".into(),
            name.as_str().into(),
            options,
            &body,
            BasicProperties::default(),
        );
        sent.await.unwrap().await.unwrap();
    }
    reaches(&queue, dead(2)).await;
    assert_eq!(queue.replay(Parse, 1).await, Ok(1));
    assert_eq!(take(&mut *subscribe(&queue, 1).await).await.task, key(1));
    reaches(&queue, QueueDepth { waiting: 1, dead: 1, in_flight: 0 }).await;
    wipe(&url, &queue.shared.topology).await;
}

/// Polls a future at most `most` times, then drops it; says whether it ended.
async fn cut_off<T>(future: impl Future<Output = T>, most: usize) -> bool {
    let (mut future, mut polls) = (pin!(future), 0);
    poll_fn(|cx| {
        if polls == most {
            return Poll::Ready(false);
        }
        polls += 1;
        future.as_mut().poll(cx).map(|_| true)
    })
    .await
}

/// Takes everything that is at work, until nothing comes for a while.
async fn take_all(queue: &RabbitQueue, seen: &mut HashSet<tandem_domain::task::TaskRef>) {
    let mut deliveries = subscribe(queue, 1).await;
    while let Ok(delivery) = timeout(Duration::from_millis(300), deliveries.next()).await {
        let delivery = delivery.unwrap().unwrap();
        queue.settle(&delivery, Settlement::Ack).await.unwrap();
        seen.insert(delivery.task);
    }
}

/// However far a replay came before its process was gone: each letter is at work or still put aside.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_that_is_cut_off_loses_nothing() {
    const LETTERS: u64 = 40;
    let Some(url) = broker() else { return };
    let queue = connect(&url).await;
    put_aside(&queue, 0..LETTERS).await;
    reaches(&queue, dead(LETTERS)).await;
    let (mut ended, mut most) = (0, 1);
    // Each round ends one step later than the one before; two letters a round, until rounds end by themselves.
    while ended < 3 {
        ended += u32::from(cut_off(queue.replay(Parse, 2), most).await);
        most += 1;
        assert!(most < 500, "a replay of two letters ends");
    }
    assert!(most > 10, "it was cut off in the middle: {most}");
    println!("cut off after each of {most} steps");

    let mut seen = HashSet::new();
    let rest = async {
        while queue.depth(Parse).await.unwrap() != QueueDepth::default() {
            take_all(&queue, &mut seen).await;
            queue.replay(Parse, u32::MAX).await.unwrap();
        }
    };
    timeout(PATIENCE, rest).await.expect("all of it goes back to work");
    let expected: HashSet<_> = (0..LETTERS).map(key).collect();
    assert_eq!(seen, expected, "nothing lost, nothing invented");
    wipe(&url, &queue.shared.topology).await;
}
