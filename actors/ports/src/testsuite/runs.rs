//! What every [`RunStore`] promises.

use std::sync::Arc;

use futures::future::join_all;
use tandem_domain::ids::OwnerId;
use tandem_domain::run::{ItemOutcome, MatchRun, Progress, RowKey, RunRow};

use super::samples;
use crate::error::Write;
use crate::runs::RunStore;

mod canceled;
mod forgotten;
mod pairs;

/// Writers that race in each of the suite's races.
const RACERS: u64 = 24;

/// Runs the whole suite; `make` gives an empty store.
///
/// # Panics
/// At the first broken promise.
pub async fn contract(make: &dyn Fn() -> Arc<dyn RunStore>) {
    the_first_run_of_an_id_or_operation_stays(&*make()).await;
    of_many_that_create_one_operation_one_wins(&*make()).await;
    a_large_run_is_kept(&*make()).await;
    the_first_end_of_an_item_stays(&*make()).await;
    progress_counts_the_items(&*make()).await;
    rows_are_counted(&*make()).await;
    rows_are_read_in_order(&*make()).await;
    failed_items_keep_their_reasons(&*make()).await;
    owners_see_their_own_runs_alone(&*make()).await;
    of_many_that_finish_one_item_one_wins(&*make()).await;
    canceled::run(make).await;
    forgotten::run(make).await;
    pairs::run(make).await;
}

fn alice() -> OwnerId {
    samples::owner("alice")
}

fn bob() -> OwnerId {
    samples::owner("bob")
}

fn ranked(from: u64, count: u64) -> ItemOutcome {
    ItemOutcome::Ranked((from..from + count).map(samples::row).collect())
}

fn failed(reason: &str) -> ItemOutcome {
    ItemOutcome::Failed(samples::failure(reason))
}

async fn finish(store: &dyn RunStore, run: &MatchRun, item: u32, outcome: &ItemOutcome) {
    let end = store.finish_item(&run.owner, run.id, item, outcome).await.unwrap();
    assert_eq!(end, Write::Applied);
}

async fn the_first_run_of_an_id_or_operation_stays(store: &dyn RunStore) {
    let first = samples::run(&alice(), 1, 3);
    assert_eq!(store.run(&alice(), first.id).await.unwrap(), None);
    assert_eq!(store.create_run(&first).await.unwrap(), Write::Applied);
    assert_eq!(store.run(&alice(), first.id).await.unwrap().as_ref(), Some(&first));
    assert_eq!(store.create_run(&first).await.unwrap(), Write::Conflict(first.clone()));

    let other = samples::run(&alice(), 2, 5);
    let same_id = MatchRun { id: first.id, ..other.clone() };
    assert_eq!(store.create_run(&same_id).await.unwrap(), Write::Conflict(first.clone()));
    let same_operation = MatchRun { operation: first.operation, ..other.clone() };
    assert_eq!(store.create_run(&same_operation).await.unwrap(), Write::Conflict(first.clone()));
    assert_eq!(store.run(&alice(), other.id).await.unwrap(), None);
    assert_eq!(store.run(&alice(), first.id).await.unwrap(), Some(first));
    assert_eq!(store.create_run(&other).await.unwrap(), Write::Applied);
}

async fn of_many_that_create_one_operation_one_wins(store: &dyn RunStore) {
    let operation = samples::operation("race", 0);
    let runs: Vec<MatchRun> =
        (0..RACERS).map(|n| MatchRun { operation, ..samples::run(&alice(), n, 2) }).collect();
    let ends = join_all(runs.iter().map(|run| store.create_run(run))).await;
    let ends: Vec<Write<MatchRun>> = ends.into_iter().map(Result::unwrap).collect();
    let place = ends.iter().position(|end| *end == Write::Applied).unwrap();
    for (n, end) in ends.into_iter().enumerate() {
        let kept = store.run(&alice(), runs[n].id).await.unwrap();
        if n == place {
            assert_eq!(kept.as_ref(), Some(&runs[n]));
        } else {
            assert_eq!(end, Write::Conflict(runs[place].clone()));
            assert_eq!(kept, None);
        }
    }
}

async fn a_large_run_is_kept(store: &dyn RunStore) {
    let run = samples::run(&alice(), 1, 50_000);
    assert_eq!(store.create_run(&run).await.unwrap(), Write::Applied);
    assert!(store.run(&alice(), run.id).await.unwrap().as_ref() == Some(&run), "50,000 queries");
    let progress = store.progress(&alice(), run.id).await.unwrap();
    assert_eq!(progress, Some(Progress { items: 50_000, done: 0, failed: 0, canceled: 0 }));
    finish(store, &run, 49_999, &ranked(0, 1_000)).await;
    let rows = store.rows(&alice(), run.id, None, 2_000).await.unwrap();
    assert_eq!(rows.len(), 1_000, "the most rows of an item");
    assert_eq!(rows[999], (RowKey { item: 49_999, rank: 1_000 }, samples::row(999)));
}

async fn the_first_end_of_an_item_stays(store: &dyn RunStore) {
    let run = samples::run(&alice(), 1, 4);
    assert_eq!(store.create_run(&run).await.unwrap(), Write::Applied);
    for (item, first, second) in
        [(0, ranked(1, 2), ranked(5, 3)), (1, failed("a"), ranked(5, 3)), (2, ranked(0, 0), failed("b"))]
    {
        assert!(!store.item_is_finished(&alice(), run.id, item).await.unwrap());
        finish(store, &run, item, &first).await;
        assert!(store.item_is_finished(&alice(), run.id, item).await.unwrap());
        let before = store.rows(&alice(), run.id, None, 100).await.unwrap();
        for outcome in [second, first] {
            let end = store.finish_item(&alice(), run.id, item, &outcome).await.unwrap();
            assert_eq!(end, Write::Conflict(()));
        }
        assert_eq!(store.rows(&alice(), run.id, None, 100).await.unwrap(), before);
    }
    assert!(!store.item_is_finished(&alice(), run.id, 3).await.unwrap());
    let kept = store.failed_items(&alice(), run.id, 10).await.unwrap();
    assert_eq!(kept, [(1, samples::failure("a"))]);
    let progress = store.progress(&alice(), run.id).await.unwrap();
    assert_eq!(progress, Some(Progress { items: 4, done: 2, failed: 1, canceled: 0 }));
}

async fn progress_counts_the_items(store: &dyn RunStore) {
    let run = samples::run(&alice(), 1, 5);
    assert_eq!(store.progress(&alice(), run.id).await.unwrap(), None, "no such run");
    assert_eq!(store.create_run(&run).await.unwrap(), Write::Applied);
    let mut expected = Progress { items: 5, done: 0, failed: 0, canceled: 0 };
    assert_eq!(store.progress(&alice(), run.id).await.unwrap(), Some(expected));
    for item in [3, 0, 4, 1, 2] {
        if item % 2 == 0 {
            finish(store, &run, item, &ranked(0, 2)).await;
            expected.done += 1;
        } else {
            finish(store, &run, item, &failed("x")).await;
            expected.failed += 1;
        }
        assert_eq!(store.progress(&alice(), run.id).await.unwrap(), Some(expected));
    }
}

async fn rows_are_counted(store: &dyn RunStore) {
    let (run, other) = (samples::run(&alice(), 1, 40), samples::run(&alice(), 2, 40));
    assert_eq!(store.count_rows(&alice(), run.id).await.unwrap(), 0, "no such run");
    for run in [&run, &other] {
        assert_eq!(store.create_run(run).await.unwrap(), Write::Applied);
    }
    assert_eq!(store.count_rows(&alice(), run.id).await.unwrap(), 0);
    let mut expected = 0;
    for item in (0..40).rev() {
        let outcome = match item % 4 {
            0 => ItemOutcome::Canceled,
            1 => failed("x"),
            _ => ranked(0, u64::from(item % 3)),
        };
        finish(store, &run, item, &outcome).await;
        finish(store, &other, item, &ranked(0, 1)).await;
        expected += if item % 4 > 1 { u64::from(item % 3) } else { 0 };
        // An end that came too late leaves nothing that counts.
        let late = store.finish_item(&alice(), run.id, item, &ranked(0, 5)).await.unwrap();
        assert_eq!(late, Write::Conflict(()));
        assert_eq!(store.count_rows(&alice(), run.id).await.unwrap(), expected, "item {item}");
    }
    assert_eq!(store.count_rows(&alice(), other.id).await.unwrap(), 40);
    assert_eq!(store.count_rows(&bob(), run.id).await.unwrap(), 0);
}

async fn rows_are_read_in_order(store: &dyn RunStore) {
    let run = samples::run(&alice(), 1, 300);
    assert_eq!(store.create_run(&run).await.unwrap(), Write::Applied);
    assert_eq!(store.rows(&alice(), run.id, None, 10).await.unwrap(), []);
    let mut expected: Vec<(RowKey, RunRow)> = Vec::new();
    for (item, count) in [(256, 3), (0, 12), (7, 0), (255, 1), (3, 4)] {
        finish(store, &run, item, &ranked(u64::from(item), count)).await;
        let numbers = u64::from(item)..;
        let keys = (1..=count as u32).map(|rank| RowKey { item, rank });
        expected.extend(keys.zip(numbers.map(samples::row)));
    }
    finish(store, &run, 2, &failed("x")).await;
    expected.sort_by_key(|(key, _)| *key);

    assert_eq!(store.rows(&alice(), run.id, None, 1_000).await.unwrap(), expected);
    let (mut paged, mut after) = (Vec::new(), None);
    loop {
        let page = store.rows(&alice(), run.id, after, 5).await.unwrap();
        assert!(page.len() <= 5);
        let Some(last) = page.last() else { break };
        after = Some(last.0);
        paged.extend(page);
    }
    assert_eq!(paged, expected, "pages leave nothing out and repeat nothing");
    let after = RowKey { item: 3, rank: 9_999 };
    let behind = store.rows(&alice(), run.id, Some(after), 1_000).await.unwrap();
    assert_eq!(behind, expected[16..], "behind a key that is no row");
}

async fn failed_items_keep_their_reasons(store: &dyn RunStore) {
    let run = samples::run(&alice(), 1, 300);
    assert_eq!(store.create_run(&run).await.unwrap(), Write::Applied);
    for item in [299, 4, 17] {
        finish(store, &run, item, &failed(&format!("reason {item}"))).await;
    }
    finish(store, &run, 5, &ranked(0, 1)).await;
    let expected = [4, 17, 299].map(|item| (item, samples::failure(&format!("reason {item}"))));
    assert_eq!(store.failed_items(&alice(), run.id, 10).await.unwrap(), expected);
    assert_eq!(store.failed_items(&alice(), run.id, 2).await.unwrap(), expected[..2]);
}

async fn owners_see_their_own_runs_alone(store: &dyn RunStore) {
    let hers = samples::run(&alice(), 1, 3);
    assert_eq!(store.create_run(&hers).await.unwrap(), Write::Applied);
    finish(store, &hers, 0, &ranked(0, 2)).await;
    finish(store, &hers, 1, &failed("x")).await;
    assert_eq!(store.run(&bob(), hers.id).await.unwrap(), None);
    assert_eq!(store.progress(&bob(), hers.id).await.unwrap(), None);
    assert_eq!(store.rows(&bob(), hers.id, None, 10).await.unwrap(), []);
    assert_eq!(store.failed_items(&bob(), hers.id, 10).await.unwrap(), []);
    assert!(!store.item_is_finished(&bob(), hers.id, 0).await.unwrap());

    let his = samples::run(&bob(), 1, 2);
    assert_eq!(store.create_run(&his).await.unwrap(), Write::Applied, "the same id and operation");
    finish(store, &his, 0, &ranked(7, 1)).await;
    assert_eq!(store.run(&alice(), hers.id).await.unwrap(), Some(hers.clone()));
    assert_eq!(store.rows(&alice(), hers.id, None, 10).await.unwrap().len(), 2);
    let progress = store.progress(&bob(), his.id).await.unwrap();
    assert_eq!(progress, Some(Progress { items: 2, done: 1, failed: 0, canceled: 0 }));
}

async fn of_many_that_finish_one_item_one_wins(store: &dyn RunStore) {
    let run = samples::run(&alice(), 1, 1);
    assert_eq!(store.create_run(&run).await.unwrap(), Write::Applied);
    let outcomes: Vec<ItemOutcome> = (0..RACERS).map(|n| ranked(n * 100, n % 5 + 1)).collect();
    let owner = alice();
    let finish = |outcome| store.finish_item(&owner, run.id, 0, outcome);
    let ends = join_all(outcomes.iter().map(finish)).await;
    let winner = ends.iter().position(|end| *end == Ok(Write::Applied)).unwrap();
    assert_eq!(ends.iter().filter(|end| **end == Ok(Write::Conflict(()))).count() as u64, RACERS - 1);
    let rows = store.rows(&alice(), run.id, None, 100).await.unwrap();
    let kept = ItemOutcome::Ranked(rows.into_iter().map(|(_, row)| row).collect());
    assert_eq!(kept, outcomes[winner], "the rows of one, whole");
}
