use super::*;
use crate::testsuite::ManualClock;

const VISIBILITY: Duration = Duration::from_secs(300);

fn make() -> QueueUnderTest {
    let clock = Arc::new(ManualClock::new(1));
    let queue = MemoryQueue::new(clock.clone(), VISIBILITY);
    let closing = queue.clone();
    QueueUnderTest {
        queue: Arc::new(queue),
        pass: Box::new(move |by| {
            clock.advance(by);
            Box::pin(async {})
        }),
        visibility: Some(VISIBILITY),
        strictness: Strictness::FULL,
        close: Box::new(move || {
            closing.close();
            Box::pin(async {})
        }),
    }
}

#[tokio::test]
async fn the_model_keeps_the_contract() {
    contract(&make).await;
}

#[tokio::test]
async fn what_is_put_aside_keeps_its_reason() {
    let queue = MemoryQueue::new(Arc::new(ManualClock::new(1)), VISIBILITY);
    queue.publish(Parse, &key(1), Duration::ZERO).await.unwrap();
    let mut deliveries = queue.subscribe(Parse, NonZeroU16::MIN).await.unwrap();
    let delivery = take(&mut *deliveries).await;
    queue.settle(&delivery, Settlement::Dead("poison".to_owned())).await.unwrap();
    assert_eq!(queue.dead(Parse), [(key(1), "poison".to_owned())]);
    assert_eq!(queue.dead(Embed), []);
}
