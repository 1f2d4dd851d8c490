//! Items that are canceled.

use std::sync::Arc;

use futures::future::join_all;
use tandem_domain::run::{ItemOutcome, Progress, RowKey, RunState};

use super::{RACERS, alice, bob, failed, finish, ranked};
use crate::error::Write;
use crate::runs::RunStore;
use crate::testsuite::samples;

pub(super) async fn run(make: &dyn Fn() -> Arc<dyn RunStore>) {
    canceled_items_are_counted_apart(&*make()).await;
    a_cancel_takes_nothing_away_that_has_ended(&*make()).await;
    of_a_cancel_and_many_ends_one_wins(&*make()).await;
}

async fn canceled_items_are_counted_apart(store: &dyn RunStore) {
    let run = samples::run(&alice(), 1, 40);
    assert_eq!(store.create_run(&run).await.unwrap(), Write::Applied);
    let mut expected = Progress { items: 40, ..Progress::default() };
    for item in 0..40 {
        let outcome = match item % 4 {
            0 => ranked(0, 1),
            1 => failed("x"),
            _ => ItemOutcome::Canceled,
        };
        assert!(!store.item_is_finished(&alice(), run.id, item).await.unwrap());
        finish(store, &run, item, &outcome).await;
        assert!(store.item_is_finished(&alice(), run.id, item).await.unwrap());
        match outcome {
            ItemOutcome::Ranked(_) => expected.done += 1,
            ItemOutcome::Failed(_) => expected.failed += 1,
            ItemOutcome::Canceled => expected.canceled += 1,
        }
        assert_eq!(store.progress(&alice(), run.id).await.unwrap(), Some(expected));
    }
    assert_eq!((expected.canceled, expected.state()), (20, RunState::Canceled));
    let failures = store.failed_items(&alice(), run.id, 100).await.unwrap();
    let failures: Vec<u32> = failures.into_iter().map(|(item, _)| item).collect();
    assert_eq!(failures, (0..10).map(|n| n * 4 + 1).collect::<Vec<_>>(), "canceled is not failed");
    let rows = store.rows(&alice(), run.id, None, 100).await.unwrap();
    let rows: Vec<RowKey> = rows.into_iter().map(|(key, _)| key).collect();
    assert_eq!(rows, (0..10).map(|n| RowKey { item: n * 4, rank: 1 }).collect::<Vec<_>>());
}

async fn a_cancel_takes_nothing_away_that_has_ended(store: &dyn RunStore) {
    let run = samples::run(&alice(), 1, 4);
    assert_eq!(store.create_run(&run).await.unwrap(), Write::Applied);
    finish(store, &run, 0, &ranked(3, 2)).await;
    finish(store, &run, 1, &failed("a")).await;
    finish(store, &run, 2, &ItemOutcome::Canceled).await;
    let before = store.rows(&alice(), run.id, None, 100).await.unwrap();
    assert_eq!(before.len(), 2);
    for item in 0..3 {
        for outcome in [ItemOutcome::Canceled, ranked(9, 3), failed("b")] {
            let end = store.finish_item(&alice(), run.id, item, &outcome).await.unwrap();
            assert_eq!(end, Write::Conflict(()));
        }
    }
    assert_eq!(store.rows(&alice(), run.id, None, 100).await.unwrap(), before);
    assert_eq!(store.failed_items(&alice(), run.id, 10).await.unwrap(), [(1, samples::failure("a"))]);
    let progress = store.progress(&alice(), run.id).await.unwrap();
    assert_eq!(progress, Some(Progress { items: 4, done: 1, failed: 1, canceled: 1 }));
    assert!(!store.item_is_finished(&bob(), run.id, 2).await.unwrap());
}

async fn of_a_cancel_and_many_ends_one_wins(store: &dyn RunStore) {
    let run = samples::run(&alice(), 1, 1);
    assert_eq!(store.create_run(&run).await.unwrap(), Write::Applied);
    let outcomes: Vec<ItemOutcome> =
        (0..RACERS).map(|n| if n % 2 == 0 { ItemOutcome::Canceled } else { ranked(n * 100, 3) }).collect();
    let owner = alice();
    let ends = join_all(outcomes.iter().map(|outcome| store.finish_item(&owner, run.id, 0, outcome))).await;
    let winner = ends.iter().position(|end| *end == Ok(Write::Applied)).unwrap();
    assert_eq!(ends.iter().filter(|end| **end == Ok(Write::Conflict(()))).count() as u64, RACERS - 1);
    let canceled = outcomes[winner] == ItemOutcome::Canceled;
    let progress = store.progress(&alice(), run.id).await.unwrap();
    let expected = Progress { items: 1, done: (!canceled).into(), failed: 0, canceled: canceled.into() };
    assert_eq!(progress, Some(expected));
    let rows = store.rows(&alice(), run.id, None, 100).await.unwrap();
    let expected = if canceled { ranked(0, 0) } else { outcomes[winner].clone() };
    assert_eq!(ItemOutcome::Ranked(rows.into_iter().map(|(_, row)| row).collect()), expected);
}
