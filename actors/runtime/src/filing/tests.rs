use super::*;
use crate::test_kit::{FakeQueue, FakeTasks, Faults, task};

#[tokio::test(start_paused = true)]
async fn a_task_is_filed_once_and_published_once() {
    let (tasks, queue) = (FakeTasks::new(Faults::none()), FakeQueue::new(Faults::none()));
    for _ in 0..3 {
        assert_eq!(file_task(&*tasks, &*queue, &task(1)).await, Ok(Filed::Published));
    }
    assert_eq!(tasks.rows(), [task(1)]);
    assert_eq!(queue.waiting(), 1);
}

#[tokio::test(start_paused = true)]
async fn work_that_is_settled_is_not_published_again() {
    let (tasks, queue) = (FakeTasks::new(Faults::none()), FakeQueue::new(Faults::none()));
    tasks.put(&task(1).done());
    assert_eq!(file_task(&*tasks, &*queue, &task(1)).await, Ok(Filed::Settled));
    assert!(queue.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_is_down_is_left_to_the_relay() {
    let (tasks, queue) = (FakeTasks::new(Faults::none()), FakeQueue::new(Faults::new(100, 0, 1)));
    assert_eq!(file_task(&*tasks, &*queue, &task(1)).await, Ok(Filed::LeftToRelay));
    assert_eq!(tasks.rows(), [task(1)]);
}

#[tokio::test(start_paused = true)]
async fn inv_6_an_unknown_filing_is_read_back() {
    let mut kept = 0;
    for seed in 0..200 {
        let (tasks, queue) = (FakeTasks::new(Faults::new(50, 0, seed)), FakeQueue::new(Faults::none()));
        match file_task(&*tasks, &*queue, &task(1)).await {
            Ok(filed) => {
                kept += 1;
                assert_eq!((filed, tasks.rows().len()), (Filed::Published, 1), "seed {seed}");
            }
            Err(error) => assert!(error.code().retryable(), "seed {seed}: {error}"),
        }
    }
    assert!(kept > 50, "{kept}");
}
