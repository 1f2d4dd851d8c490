//! What every [`QuotaStore`] promises.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tandem_domain::ids::OwnerId;
use tandem_domain::plan::{Limits, Measure};
use tandem_domain::quota::{Charge, Cost, Lease, MAX_LEASES, OwnerQuota, QuotaWindow, RunLoad, Terms};
use tandem_domain::time::Timestamp;

use super::samples;
use crate::error::Write;
use crate::quotas::{ChargeChange, QuotaStore};

/// Writers that race in each of the suite's races.
const RACERS: u64 = 24;

/// Runs the whole suite; `make` gives an empty store.
///
/// # Panics
/// At the first broken promise.
pub async fn contract(make: &dyn Fn() -> Arc<dyn QuotaStore>) {
    a_row_is_kept_whole(&*make()).await;
    only_the_next_revision_is_written(&*make()).await;
    an_older_epoch_is_refused(&*make()).await;
    charges_are_remembered_and_forgotten_with_the_row(&*make()).await;
    a_refused_write_changes_no_charge(&*make()).await;
    owners_see_their_own_alone(&*make()).await;
    of_many_that_write_one_revision_one_wins(&*make()).await;
    of_many_that_count_none_is_lost(&*make()).await;
    of_many_that_take_the_blocks_of_a_run_each_is_taken_once(&*make()).await;
}

fn alice() -> OwnerId {
    samples::owner("alice")
}

/// A row of a revision in which so much was used.
fn row(owner: &OwnerId, rev: u64, used: u64) -> OwnerQuota {
    let mut row = OwnerQuota::new(owner.clone());
    row.rev = rev;
    row.epoch = 1;
    let started_at = Some(Timestamp::from_millis(1_793_534_400_000));
    row.windows.insert(Measure::Matches, QuotaWindow { used, started_at });
    row
}

fn charge(number: u64, amount: u64) -> Charge {
    Charge {
        operation: samples::operation("charge", number),
        costs: vec![Cost::new(Measure::Matches, amount)],
        at: Timestamp::from_millis(1_793_534_400_000),
    }
}

fn lease(number: u64) -> Lease {
    Lease {
        operation: samples::operation("lease", number),
        plan: "employer".to_owned(),
        place: number.is_multiple_of(2),
        covered: u32::MAX,
        pairs: u64::MAX,
        before: number,
        since: Timestamp::from_millis(1_793_534_400_001),
        at: Timestamp::from_millis(1_793_534_400_000),
    }
}

async fn put(store: &dyn QuotaStore, row: &OwnerQuota, change: &ChargeChange) {
    assert_eq!(store.put_quota(row, change).await.unwrap(), Write::Applied);
}

async fn a_row_is_kept_whole(store: &dyn QuotaStore) {
    assert_eq!(store.quota(&alice()).await.unwrap(), None);
    let mut whole = row(&alice(), 1, u64::MAX);
    whole.plan = Some("employer".to_owned());
    whole.windows.insert(Measure::StoredBytes, QuotaWindow { used: 7, started_at: None });
    whole.leases = (0..MAX_LEASES as u64).map(lease).collect();
    put(store, &whole, &ChargeChange::None).await;
    assert_eq!(store.quota(&alice()).await.unwrap(), Some(whole));
}

async fn only_the_next_revision_is_written(store: &dyn QuotaStore) {
    for early in [2, 7] {
        let end = store.put_quota(&row(&alice(), early, 1), &ChargeChange::None).await.unwrap();
        assert_eq!(end, Write::Conflict(None));
    }
    let first = row(&alice(), 1, 1);
    put(store, &first, &ChargeChange::None).await;
    for wrong in [1, 3, 0] {
        let end = store.put_quota(&row(&alice(), wrong, 9), &ChargeChange::None).await.unwrap();
        assert_eq!(end, Write::Conflict(Some(first.clone())), "revision {wrong}");
    }
    let second = row(&alice(), 2, 2);
    put(store, &second, &ChargeChange::None).await;
    assert_eq!(store.quota(&alice()).await.unwrap(), Some(second));
}

async fn an_older_epoch_is_refused(store: &dyn QuotaStore) {
    put(store, &OwnerQuota { epoch: 5, ..row(&alice(), 1, 1) }, &ChargeChange::None).await;
    let kept = OwnerQuota { epoch: 6, ..row(&alice(), 2, 2) };
    put(store, &kept, &ChargeChange::None).await;
    for epoch in [0, 4, 5] {
        let late = OwnerQuota { epoch, ..row(&alice(), 3, 3) };
        let end = store.put_quota(&late, &ChargeChange::Remember(charge(1, 1))).await.unwrap();
        assert_eq!(end, Write::Conflict(Some(kept.clone())), "epoch {epoch}");
    }
    assert_eq!(store.charge(&alice(), charge(1, 1).operation).await.unwrap(), None);
    put(store, &OwnerQuota { epoch: 6, ..row(&alice(), 3, 3) }, &ChargeChange::None).await;
    put(store, &OwnerQuota { epoch: 9, ..row(&alice(), 4, 4) }, &ChargeChange::None).await;
}

async fn charges_are_remembered_and_forgotten_with_the_row(store: &dyn QuotaStore) {
    let (one, two) = (charge(1, 3), charge(2, 4));
    assert_eq!(store.charge(&alice(), one.operation).await.unwrap(), None);
    put(store, &row(&alice(), 1, 3), &ChargeChange::Remember(one.clone())).await;
    put(store, &row(&alice(), 2, 7), &ChargeChange::Remember(two.clone())).await;
    assert_eq!(store.charge(&alice(), one.operation).await.unwrap().as_ref(), Some(&one));
    assert_eq!(store.charge(&alice(), two.operation).await.unwrap().as_ref(), Some(&two));

    put(store, &row(&alice(), 3, 4), &ChargeChange::Forget(one.operation)).await;
    assert_eq!(store.charge(&alice(), one.operation).await.unwrap(), None);
    assert_eq!(store.charge(&alice(), two.operation).await.unwrap().as_ref(), Some(&two));
    put(store, &row(&alice(), 4, 4), &ChargeChange::Forget(one.operation)).await;

    let again = charge(1, 9);
    put(store, &row(&alice(), 5, 13), &ChargeChange::Remember(again.clone())).await;
    assert_eq!(store.charge(&alice(), one.operation).await.unwrap(), Some(again));
    let other = Charge { costs: vec![Cost::new(Measure::Pairs, 1)], ..two.clone() };
    put(store, &row(&alice(), 6, 13), &ChargeChange::Remember(other.clone())).await;
    assert_eq!(store.charge(&alice(), two.operation).await.unwrap(), Some(other));
}

async fn a_refused_write_changes_no_charge(store: &dyn QuotaStore) {
    let kept = charge(1, 1);
    put(store, &row(&alice(), 1, 1), &ChargeChange::Remember(kept.clone())).await;
    let refused = [
        ChargeChange::Forget(kept.operation),
        ChargeChange::Remember(charge(1, 5)),
        ChargeChange::Remember(charge(2, 5)),
    ];
    for change in refused {
        let end = store.put_quota(&row(&alice(), 5, 5), &change).await.unwrap();
        assert_eq!(end, Write::Conflict(Some(row(&alice(), 1, 1))));
    }
    assert_eq!(store.charge(&alice(), kept.operation).await.unwrap(), Some(kept));
    assert_eq!(store.charge(&alice(), charge(2, 5).operation).await.unwrap(), None);
}

async fn owners_see_their_own_alone(store: &dyn QuotaStore) {
    let bob = samples::owner("bob");
    put(store, &row(&alice(), 1, 5), &ChargeChange::Remember(charge(1, 5))).await;
    assert_eq!(store.quota(&bob).await.unwrap(), None);
    assert_eq!(store.charge(&bob, charge(1, 5).operation).await.unwrap(), None);
    put(store, &row(&bob, 1, 6), &ChargeChange::Forget(charge(1, 5).operation)).await;
    assert_eq!(store.quota(&alice()).await.unwrap(), Some(row(&alice(), 1, 5)));
    assert_eq!(store.charge(&alice(), charge(1, 5).operation).await.unwrap(), Some(charge(1, 5)));
}

async fn of_many_that_write_one_revision_one_wins(store: &dyn QuotaStore) {
    for rev in [1, 2] {
        let rows: Vec<OwnerQuota> = (0..RACERS).map(|number| row(&alice(), rev, number)).collect();
        let changes: Vec<ChargeChange> =
            (0..RACERS).map(|number| ChargeChange::Remember(charge(rev * 100 + number, number))).collect();
        let ends =
            join_all(rows.iter().zip(&changes).map(|(row, change)| store.put_quota(row, change))).await;
        let winner = ends.iter().position(|end| *end == Ok(Write::Applied)).unwrap();
        for (number, end) in ends.into_iter().enumerate() {
            let expected =
                if number == winner { Write::Applied } else { Write::Conflict(Some(rows[winner].clone())) };
            assert_eq!(end.unwrap(), expected);
            let operation = samples::operation("charge", rev * 100 + number as u64);
            let kept = store.charge(&alice(), operation).await.unwrap();
            assert_eq!(kept.is_some(), number == winner);
        }
        assert_eq!(store.quota(&alice()).await.unwrap().as_ref(), Some(&rows[winner]));
    }
}

async fn of_many_that_count_none_is_lost(store: &dyn QuotaStore) {
    let owner = alice();
    let count = async |number: u64| {
        loop {
            let there = store.quota(&owner).await.unwrap();
            let (rev, used) = there.map_or((0, 0), |row| (row.rev, row.windows[&Measure::Matches].used));
            let next = row(&owner, rev + 1, used + 1);
            let change = ChargeChange::Remember(charge(number, 1));
            if store.put_quota(&next, &change).await.unwrap() == Write::Applied {
                return;
            }
        }
    };
    join_all((0..8).map(count)).await;
    let kept = store.quota(&owner).await.unwrap().unwrap();
    assert_eq!((kept.rev, kept.windows[&Measure::Matches].used), (8, 8));
}

/// Workers that each ask for the blocks of all items, as after a node has died; the answers are as lost as its memory.
async fn of_many_that_take_the_blocks_of_a_run_each_is_taken_once(store: &dyn QuotaStore) {
    let (owner, operation) = (alice(), samples::operation("lease", 1));
    let limits = Limits { pairs: Some(1_000), concurrent_runs: Some(1), ..Limits::default() };
    let terms = Terms { limits, period: Duration::from_secs(86_400), block: 50 };
    let load = RunLoad { items: 60, pairs: 10 };
    let at = Timestamp::from_millis(1_793_534_400_000);
    let read = async || store.quota(&owner).await.unwrap().unwrap();
    let mut first = OwnerQuota::new(owner.clone());
    assert_eq!(first.lend(&terms, "employer", load, operation, at), Ok(true));
    first.rev = 1;
    put(store, &first, &ChargeChange::None).await;
    let work = async |worker: u32| {
        for step in 0..load.items {
            let item = (step + worker * 7) % load.items;
            loop {
                let mut row = read().await;
                if !row.cover(&terms, load, operation, item, at).unwrap() {
                    break;
                }
                row.rev += 1;
                if store.put_quota(&row, &ChargeChange::None).await.unwrap() == Write::Applied {
                    break;
                }
            }
        }
    };
    join_all((0..4).map(work)).await;
    let mut row = read().await;
    let lease = row.lease(operation).unwrap();
    assert_eq!((lease.covered, lease.pairs, row.windows[&Measure::Pairs].used), (60, 600, 600));
    assert!(row.settle(operation, 599));
    row.rev += 1;
    put(store, &row, &ChargeChange::None).await;
    let kept = read().await;
    assert_eq!((kept.windows[&Measure::Pairs].used, kept.windows[&Measure::ConcurrentRuns].used), (599, 0));
    assert_eq!(kept.leases, []);
}
