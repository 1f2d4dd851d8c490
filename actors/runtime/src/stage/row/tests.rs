use tandem_domain::time::Timestamp;
use uuid::Uuid;

use super::*;
use crate::test_kit::{FakeTasks, Faults, task};

const LEASE: Duration = Duration::from_secs(120);

fn operation(number: u128) -> OperationId {
    OperationId::from_uuid(Uuid::from_u128(number))
}

#[tokio::test(start_paused = true)]
async fn inv_6_what_is_told_is_what_the_row_says() {
    let (mut written, mut lost) = (0, 0);
    for seed in 0..500 {
        let tasks = FakeTasks::new(Faults::new(40, 5, seed));
        let held = task(1).leased(operation(1), Timestamp::default(), LEASE).unwrap();
        tasks.put(&held);
        match write(&*tasks, &held.done()).await {
            Ok(RowWrite::Written(row)) => {
                written += 1;
                assert_eq!((&tasks.row(&held.key()), &row), (&row, &held.done()), "seed {seed}");
            }
            Ok(RowWrite::Lost(there)) => {
                lost += 1;
                assert_eq!((tasks.row(&held.key()), there), (held.clone(), Some(held)), "seed {seed}");
            }
            Ok(RowWrite::Failed(_)) | Err(_) => {}
        }
    }
    assert!(written > 50 && lost > 20, "{written} written, {lost} lost");
}

#[tokio::test(start_paused = true)]
async fn the_holder_builds_upon_its_own_unknown_renewal() {
    let tasks = FakeTasks::new(Faults::none());
    let held = task(1).leased(operation(1), Timestamp::default(), LEASE).unwrap();
    let renewed = held.renewed(operation(1), Timestamp::default(), LEASE).unwrap();
    tasks.put(&renewed);
    let end = write_held(&*tasks, operation(1), &held, Task::done).await;
    assert_eq!(end, RowWrite::Written(renewed.done()));
}

#[tokio::test(start_paused = true)]
async fn nobody_ends_what_another_holds() {
    let tasks = FakeTasks::new(Faults::none());
    let held = task(1).leased(operation(1), Timestamp::default(), Duration::ZERO).unwrap();
    let stolen = held.leased(operation(2), Timestamp::from_millis(1), LEASE).unwrap();
    tasks.put(&stolen);
    let end = write_held(&*tasks, operation(1), &held, Task::done).await;
    assert_eq!(end, RowWrite::Lost(Some(stolen.clone())));
    assert_eq!(tasks.row(&stolen.key()), stolen);
}

#[tokio::test(start_paused = true)]
async fn inv_5_a_store_that_stays_away_is_left_after_some_tries() {
    let tasks = FakeTasks::new(Faults::new(100, 0, 1));
    let held = task(1).leased(operation(1), Timestamp::default(), LEASE).unwrap();
    tasks.put(&held);
    let since = tokio::time::Instant::now();
    let end = write_held(&*tasks, operation(1), &held, Task::done).await;
    assert!(matches!(end, RowWrite::Failed(_)), "{end:?}");
    assert_eq!(since.elapsed(), WRITE_BACK_OFF * 15);
    assert_eq!(tasks.row(&held.key()), held);
}
