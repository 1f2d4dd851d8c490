//! Runs and matches that are forgotten.

use std::sync::Arc;

use tandem_domain::ids::RunId;
use tandem_domain::run::ItemOutcome;

use super::{alice, bob, failed, finish, ranked};
use crate::documents::Page;
use crate::error::Write;
use crate::runs::RunStore;
use crate::testsuite::samples;

pub(super) async fn run(make: &dyn Fn() -> Arc<dyn RunStore>) {
    runs_are_listed_newest_first(&*make()).await;
    nothing_is_left_of_a_run_that_is_forgotten(&*make()).await;
    nothing_is_left_of_a_match_that_is_forgotten(&*make()).await;
}

async fn listed(store: &dyn RunStore, after: Option<RunId>, limit: u32) -> Vec<RunId> {
    store.list_runs(&alice(), Page { after, limit }).await.unwrap()
}

async fn runs_are_listed_newest_first(store: &dyn RunStore) {
    assert_eq!(listed(store, None, 10).await, []);
    let mut ids = Vec::new();
    for number in 1..=5 {
        let run = samples::run(&alice(), number, 2);
        assert_eq!(store.create_run(&run).await.unwrap(), Write::Applied);
        ids.push(run.id);
    }
    assert_eq!(store.create_run(&samples::run(&bob(), 6, 2)).await.unwrap(), Write::Applied);
    ids.sort();
    ids.reverse();
    assert_eq!(listed(store, None, 10).await, ids);
    assert_eq!(listed(store, Some(ids[1]), 2).await, ids[2..4]);
    assert_eq!(listed(store, Some(ids[4]), 2).await, []);
}

async fn nothing_is_left_of_a_run_that_is_forgotten(store: &dyn RunStore) {
    let (run, other) = (samples::run(&alice(), 1, 40), samples::run(&alice(), 2, 2));
    for run in [&run, &other] {
        assert_eq!(store.create_run(run).await.unwrap(), Write::Applied);
        finish(store, run, 0, &ranked(3, 7)).await;
        finish(store, run, 1, &failed("x")).await;
    }
    for item in 2..40 {
        finish(store, &run, item, &ItemOutcome::Canceled).await;
    }
    for _ in 0..2 {
        store.forget_run(&alice(), run.id).await.unwrap();
        assert_eq!(store.run(&alice(), run.id).await.unwrap(), None);
        assert_eq!(store.progress(&alice(), run.id).await.unwrap(), None);
        assert_eq!(store.rows(&alice(), run.id, None, 100).await.unwrap(), []);
        assert_eq!(store.failed_items(&alice(), run.id, 100).await.unwrap(), []);
        assert!(!store.item_is_finished(&alice(), run.id, 0).await.unwrap());
        assert_eq!(listed(store, None, 10).await, [other.id]);
    }
    store.forget_run(&bob(), other.id).await.unwrap();
    assert_eq!(store.rows(&alice(), other.id, None, 100).await.unwrap().len(), 7);
    assert_eq!(store.run(&alice(), other.id).await.unwrap(), Some(other));
    // Its operation is free again.
    assert_eq!(store.create_run(&run).await.unwrap(), Write::Applied);
}

async fn nothing_is_left_of_a_match_that_is_forgotten(store: &dyn RunStore) {
    let (pair, other) = (samples::pair_match(&alice(), 1), samples::pair_match(&alice(), 2));
    for pair in [&pair, &other] {
        assert_eq!(store.create_match(pair).await.unwrap(), Write::Applied);
    }
    store.forget_match(&bob(), pair.id).await.unwrap();
    for _ in 0..2 {
        store.forget_match(&alice(), pair.id).await.unwrap();
        assert_eq!(store.pair_match(&alice(), pair.id).await.unwrap(), None);
        let page = Page { after: None, limit: 10 };
        let left = store.list_matches(&alice(), page).await.unwrap();
        assert_eq!(left, std::slice::from_ref(&other));
    }
    assert_eq!(store.create_match(&pair).await.unwrap(), Write::Applied);
}
