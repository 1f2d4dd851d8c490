use futures::FutureExt;
use tokio::time::Instant;

use super::*;
use crate::test_kit::{node, until};

const DEADLINE: Duration = Duration::from_secs(10);
const SECOND: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy)]
enum Order {
    Echo(u32),
    Sleep(Duration),
    Panic,
}

async fn pool(workers: usize, queue: usize) -> (SupervisorHandle, Pool<Order, u32>) {
    let handler = |order: Order| {
        async move {
            match order {
                Order::Echo(number) => return number,
                Order::Sleep(time) => tokio::time::sleep(time).await,
                Order::Panic => panic!("on purpose"),
            }
            0
        }
        .boxed()
    };
    let options = PoolOptions { workers: NonZeroUsize::new(workers).unwrap(), queue };
    let node = node().await;
    let pool = Pool::start(&node, ActorKind::Pool, "pool", options, Arc::new(handler)).await.unwrap();
    (node, pool)
}

#[tokio::test(start_paused = true)]
async fn inv_5_a_pool_holds_its_workers_and_its_queue_and_no_more() {
    let (_node, pool) = pool(2, 3).await;
    let since = Instant::now();
    let mut jobs: Vec<_> = (0..6).map(|_| pool.run(Order::Sleep(SECOND), DEADLINE).boxed()).collect();
    let sixth = jobs.pop().unwrap();
    let five = futures::future::join_all(jobs);
    let (five, sixth, gauges) = tokio::join!(five, sixth, async {
        tokio::time::sleep(SECOND / 2).await;
        pool.gauges()
    });
    assert_eq!(gauges, PoolGauges { busy: 2, queued: 3 });
    assert_eq!(sixth, Err(PoolError::Overloaded));
    assert_eq!(five, [Ok(0); 5]);
    assert_eq!(since.elapsed(), SECOND * 3);
    assert_eq!(pool.gauges(), PoolGauges { busy: 0, queued: 0 });
}

#[tokio::test(start_paused = true)]
async fn one_after_the_other_always_fits() {
    let (_node, pool) = pool(1, 0).await;
    for number in 0..200 {
        assert_eq!(pool.run(Order::Echo(number), DEADLINE).await, Ok(number));
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_answers_and_the_worker_comes_back() {
    let (node, pool) = pool(1, 4).await;
    let (panicked, waiting) =
        tokio::join!(pool.run(Order::Panic, DEADLINE), pool.run(Order::Echo(7), DEADLINE));
    assert_eq!((panicked, waiting), (Err(PoolError::Died), Ok(7)));
    for _ in 0..50 {
        assert_eq!(pool.run(Order::Panic, DEADLINE).await, Err(PoolError::Died));
    }
    assert_eq!(pool.run(Order::Echo(1), DEADLINE).await, Ok(1));
    let actors = node.actors();
    let report = actors.iter().find(|actor| actor.name == "pool").unwrap();
    assert_eq!((report.restarts, report.in_hand), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_job_past_its_deadline_is_dropped_and_leaves_its_worker() {
    let (_node, pool) = pool(1, 4).await;
    let since = Instant::now();
    let late = pool.run(Order::Sleep(DEADLINE * 100), DEADLINE);
    let behind = pool.run(Order::Sleep(SECOND), DEADLINE / 2);
    assert_eq!(tokio::join!(late, behind), (Err(PoolError::Timeout), Err(PoolError::Timeout)));
    assert_eq!(since.elapsed(), DEADLINE);
    assert_eq!(pool.run(Order::Echo(1), SECOND).await, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_leaves_takes_its_job_along() {
    let (_node, pool) = pool(1, 0).await;
    let left = tokio::time::timeout(SECOND, pool.run(Order::Sleep(DEADLINE), DEADLINE)).await;
    assert!(left.is_err());
    until("the worker is free", || pool.gauges() == PoolGauges { busy: 0, queued: 0 }).await;
    assert_eq!(pool.run(Order::Echo(1), SECOND).await, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn when_the_pool_is_killed_every_job_gets_an_answer() {
    let (node, pool) = pool(2, 8).await;
    let jobs = (0..4).map(|_| pool.run(Order::Sleep(SECOND), DEADLINE));
    let kill = async {
        tokio::time::sleep(SECOND / 2).await;
        assert!(node.kill("pool"));
    };
    let (mut ends, ()) = tokio::join!(futures::future::join_all(jobs), kill);
    ends.sort_by_key(|end| format!("{end:?}"));
    let (died, gone) = (Err(PoolError::Died), Err(PoolError::Gone));
    assert_eq!(ends, [died, died, gone, gone]);
    assert_eq!(pool.run(Order::Echo(1), SECOND).await, Err(PoolError::Gone));
    tokio::time::sleep(SECOND).await;
    assert_eq!(pool.run(Order::Echo(1), SECOND).await, Ok(1));
    assert_eq!(pool.gauges(), PoolGauges { busy: 0, queued: 0 });
}
