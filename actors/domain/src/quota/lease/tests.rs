use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::ids::OwnerId;

const PERIOD: Duration = Duration::from_millis(5_000);

fn operation(number: u128) -> OperationId {
    OperationId::from_uuid(Uuid::from_u128(number))
}

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(1_793_534_400_000).plus(Duration::from_millis(millis))
}

fn terms(pairs: u64, concurrent_runs: u64, block: u64) -> Terms {
    terms_of(Some(pairs), Some(concurrent_runs), block)
}

fn terms_of(pairs: Option<u64>, concurrent_runs: Option<u64>, block: u64) -> Terms {
    let limits = Limits { pairs, concurrent_runs, ..Limits::default() };
    Terms { limits, period: PERIOD, block }
}

fn row() -> OwnerQuota {
    OwnerQuota::new(OwnerId::local())
}

fn used(row: &OwnerQuota) -> (u64, u64) {
    let used = |measure| row.windows.get(measure).map_or(0, |window| window.used);
    (used(&Measure::Pairs), used(&Measure::ConcurrentRuns))
}

const RUN: RunLoad = RunLoad { items: 20, pairs: 10 };

#[test]
fn a_block_holds_whole_items_and_one_at_least() {
    let end = |item, block| RUN.block_end(item, block);
    assert_eq!([end(0, 35), end(2, 35), end(3, 35), end(19, 35)], [3, 3, 6, 20]);
    assert_eq!([end(0, 1), end(7, 9), end(19, 0)], [1, 8, 20]);
    assert_eq!(end(0, u64::MAX), 20);
    let free = RunLoad { items: 3, pairs: 0 };
    assert_eq!([free.block_end(0, 1), free.block_end(2, 1)], [1, 3]);
    let huge = RunLoad { items: u32::MAX, pairs: 1 };
    assert_eq!([huge.block_end(u32::MAX, 1), huge.block_end(5, u64::MAX)], [u32::MAX; 2]);
}

#[test]
fn a_run_takes_its_pairs_a_block_at_a_time() {
    let (mut row, terms) = (row(), terms(1_000, 1, 40));
    assert_eq!(row.lend(&terms, "employer", RUN, operation(1), at(0)), Ok(true));
    assert_eq!(used(&row), (40, 1));
    for (item, changes, taken) in
        [(0, false, 40), (3, false, 40), (4, true, 80), (3, false, 80), (17, true, 200)]
    {
        assert_eq!(row.cover(&terms, RUN, operation(1), item, at(1)), Ok(changes), "item {item}");
        assert_eq!(used(&row), (taken, 1));
    }
    let refused = row.lend(&terms, "employer", RUN, operation(2), at(2)).unwrap_err();
    assert_eq!((refused.measure, used(&row)), (Measure::ConcurrentRuns, (200, 1)));
    assert_eq!(row.cover(&terms, RUN, operation(2), 0, at(2)), Ok(false), "nobody's");
    assert!(row.settle(operation(1), 123));
    assert_eq!(used(&row), (123, 0));
    assert!(!row.settle(operation(1), 0));
    assert_eq!(used(&row), (123, 0));
}

#[test]
fn a_run_goes_as_far_as_its_pairs_and_no_further() {
    let (mut row, terms) = (row(), terms(75, 1, 40));
    row.lend(&terms, "free", RUN, operation(1), at(0)).unwrap();
    assert_eq!(row.cover(&terms, RUN, operation(1), 6, at(1)), Ok(true), "the whole items of what is left");
    assert_eq!((used(&row).0, row.leases[0].covered), (70, 7));
    let before = row.clone();
    let refused = row.cover(&terms, RUN, operation(1), 7, at(2)).unwrap_err();
    assert_eq!(refused, Exhausted { measure: Measure::Pairs, limit: 75, used: 70, asked: 10 });
    assert_eq!(row, before);

    assert!(row.trim(operation(1), RUN, 5, 12), "five came to 12 pairs, two may still come to 20");
    assert_eq!(used(&row).0, 32);
    assert!(!row.trim(operation(1), RUN, 5, 12));
    assert_eq!(row.cover(&terms, RUN, operation(1), 7, at(3)), Ok(true));
    assert_eq!((used(&row).0, row.leases[0].covered), (42, 8));
    row.settle(operation(1), 30);
    assert_eq!(used(&row), (30, 0));
}

#[test]
fn without_enough_for_one_item_nothing_is_lent() {
    let mut row = row();
    let refused = row.lend(&terms(9, 1, 40), "free", RUN, operation(1), at(0)).unwrap_err();
    assert_eq!((refused.measure, row.clone()), (Measure::Pairs, super::OwnerQuota::new(OwnerId::local())));
    assert_eq!(row.lend(&terms_of(None, None, 40), "pro", RUN, operation(1), at(0)), Ok(false));
    assert_eq!(row.leases, []);
}

#[test]
fn what_nothing_limits_holds_a_place_alone() {
    let (mut row, terms) = (row(), terms_of(None, Some(1), 40));
    assert_eq!(row.lend(&terms, "pro", RUN, operation(1), at(0)), Ok(true));
    assert_eq!(row.cover(&terms, RUN, operation(1), 19, at(0)), Ok(true));
    assert_eq!(used(&row), (0, 1));
    row.settle(operation(1), 7);
    assert_eq!(used(&row), (0, 0));
}

#[test]
fn what_was_taken_in_an_earlier_window_is_not_given_back() {
    let (mut row, terms) = (row(), terms(1_000, 1, 40));
    row.lend(&terms, "free", RUN, operation(1), at(0)).unwrap();
    let later = at(PERIOD.as_millis() as u64 + 1);
    assert_eq!(row.cover(&terms, RUN, operation(1), 4, later), Ok(true));
    assert_eq!(used(&row).0, 40, "in the new window");
    row.settle(operation(1), 75);
    assert_eq!(used(&row), (35, 0), "40 in the window before, 35 in this one");
}

#[derive(Debug, Clone)]
enum Act {
    Lend(u8),
    /// An item is asked for, by however many.
    Cover(u8, u32),
    /// A covered item is ranked, with so many rows.
    Rank(u8, u32, u64),
    Trim(u8),
    Settle(u8),
    Reset,
    Wait(u64),
}

fn deed() -> impl Strategy<Value = Act> {
    let (id, item) = (0u8..4, 0u32..20);
    prop_oneof![
        3 => id.clone().prop_map(Act::Lend),
        8 => (id.clone(), item.clone()).prop_map(|(id, item)| Act::Cover(id, item)),
        8 => (id.clone(), item, 0u64..=10).prop_map(|(id, item, rows)| Act::Rank(id, item, rows)),
        2 => id.clone().prop_map(Act::Trim),
        2 => id.prop_map(Act::Settle),
    ]
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    prop::collection::vec(deed(), 1..150)
}

/// The same, with windows that end and that operators begin anew.
fn acts_in_time() -> impl Strategy<Value = Vec<Act>> {
    let rest = prop_oneof![1 => Just(Act::Reset), 3 => (0u64..4_000).prop_map(Act::Wait)];
    prop::collection::vec(prop_oneof![5 => deed(), 1 => rest], 1..150)
}

/// Runs that go on: of each the rows of its ranked items.
type Runs = BTreeMap<u8, BTreeMap<u32, u64>>;

fn act(
    row: &mut OwnerQuota,
    runs: &mut Runs,
    settled: &mut u64,
    act: &Act,
    terms: &Terms,
    now: &mut Timestamp,
) {
    let op = |id: u8| operation(id.into());
    match *act {
        Act::Lend(id) if row.lease(op(id)).is_none() => {
            if row.lend(terms, "free", RUN, op(id), *now).is_ok() {
                runs.insert(id, BTreeMap::new());
            }
        }
        Act::Cover(id, item) => {
            let before = row.clone();
            let end = row.cover(terms, RUN, op(id), item, *now);
            if end != Ok(true) {
                assert_eq!(*row, before, "a refusal changes nothing");
            }
            let again = row.clone();
            assert_eq!(row.cover(terms, RUN, op(id), item, *now).is_ok(), end.is_ok());
            assert_eq!(*row, again, "once");
        }
        Act::Rank(id, item, rows) if row.lease(op(id)).is_some_and(|lease| lease.covered > item) => {
            runs.get_mut(&id).unwrap().entry(item).or_insert(rows);
        }
        Act::Trim(id) => {
            let done = runs.get(&id).cloned().unwrap_or_default();
            row.trim(op(id), RUN, done.len() as u32, done.values().sum());
        }
        Act::Settle(id) => {
            let done: Option<u64> = runs.remove(&id).map(|done| done.values().sum());
            assert_eq!(row.settle(op(id), done.unwrap_or(0)), done.is_some());
            *settled += done.unwrap_or(0);
        }
        Act::Reset => row.reset(*now),
        Act::Wait(millis) => *now = now.plus(Duration::from_millis(millis)),
        Act::Lend(_) | Act::Rank(..) => {}
    }
}

proptest! {
    /// In one window: never over the limit, what is ranked is always paid for, and in the end exactly what was ranked is
    /// charged.
    #[test]
    fn every_row_is_charged_once(acts in acts(), limit in 10u64..400, block in 1u64..120) {
        let terms = terms(limit, 3, block);
        let (mut row, mut runs, mut settled, mut now) = (row(), Runs::new(), 0, at(0));
        for one in &acts {
            act(&mut row, &mut runs, &mut settled, one, &terms, &mut now);
            let ranked: u64 = settled + runs.values().flat_map(BTreeMap::values).sum::<u64>();
            let held: u64 = settled + row.leases.iter().map(|lease| lease.pairs).sum::<u64>();
            let (pairs, places) = used(&row);
            prop_assert!(ranked <= pairs && pairs <= limit, "{ranked} {pairs} {limit}");
            prop_assert_eq!((held, places), (pairs, runs.len() as u64));
        }
        let open: BTreeSet<u8> = runs.keys().copied().collect();
        for id in open {
            act(&mut row, &mut runs, &mut settled, &Act::Settle(id), &terms, &mut now);
        }
        prop_assert_eq!((used(&row), row.leases.len()), ((settled, 0), 0));
    }

    /// With windows that end: never over the limit of one, and nobody's place is kept.
    #[test]
    fn no_window_goes_over_its_limit(acts in acts_in_time(), limit in 10u64..400, block in 1u64..120) {
        let terms = terms(limit, 3, block);
        let (mut row, mut runs, mut settled, mut now) = (row(), Runs::new(), 0, at(0));
        for one in &acts {
            act(&mut row, &mut runs, &mut settled, one, &terms, &mut now);
            prop_assert!(used(&row).0 <= limit);
            prop_assert_eq!(used(&row).1, runs.len() as u64);
            let bytes = postcard::to_stdvec(&row).unwrap();
            prop_assert_eq!(&postcard::from_bytes::<OwnerQuota>(&bytes).unwrap(), &row);
        }
    }
}
