use proptest::prelude::*;
use uuid::Uuid;

use super::*;

const DAY: Duration = Duration::from_secs(86_400);
const YEAR: Duration = Duration::from_secs(365 * 86_400);

fn operation(number: u128) -> OperationId {
    OperationId::from_uuid(Uuid::from_u128(number))
}

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(1_793_534_400_000).plus(Duration::from_millis(millis))
}

fn days(number: u32) -> Timestamp {
    at(0).plus(DAY * number)
}

fn free(matches: u64) -> Limits {
    Limits { matches: Some(matches), ..Limits::default() }
}

fn row() -> OwnerQuota {
    OwnerQuota::new(OwnerId::local())
}

fn one_match(row: &mut OwnerQuota, limits: &Limits, number: u128, now: Timestamp) -> bool {
    row.charge(limits, &[Cost::new(Measure::Matches, 1)], operation(number), YEAR, now).is_ok()
}

#[test]
fn l8_the_first_use_starts_the_window_and_the_next_ones_add_up() {
    let mut row = row();
    assert_eq!(row.window(Measure::Matches, YEAR, days(0)), QuotaWindow::default());
    for number in 1..=100 {
        assert!(one_match(&mut row, &free(100), number, days(number as u32)));
        let expected = QuotaWindow { used: number as u64, started_at: Some(days(1)) };
        assert_eq!(row.window(Measure::Matches, YEAR, days(100)), expected);
    }
    let before = row.clone();
    let refused = row.charge(&free(100), &[Cost::new(Measure::Matches, 1)], operation(101), YEAR, days(200));
    let expected = Exhausted { measure: Measure::Matches, limit: 100, used: 100, asked: 1 };
    assert_eq!((refused, row), (Err(expected), before));
}

#[test]
fn l8_a_window_is_over_when_its_start_lies_more_than_the_period_back() {
    let mut row = row();
    assert!(one_match(&mut row, &free(1), 1, days(0)));
    assert!(!one_match(&mut row, &free(1), 2, days(365)), "not more than 365 days");
    let later = days(365).plus(Duration::from_millis(1));
    assert_eq!(row.window(Measure::Matches, YEAR, later), QuotaWindow::default());
    assert!(one_match(&mut row, &free(1), 3, later));
    let expected = QuotaWindow { used: 1, started_at: Some(later) };
    assert_eq!(row.window(Measure::Matches, YEAR, later), expected);
}

#[test]
fn l9_a_reset_counts_from_zero_in_a_window_that_begins_now() {
    let mut row = row();
    let limits = Limits { stored_bytes: Some(10), ..free(1) };
    let costs = [Cost::new(Measure::Matches, 1), Cost::new(Measure::StoredBytes, 7)];
    row.charge(&limits, &costs, operation(1), YEAR, days(0)).unwrap();
    row.reset(days(10));
    let window = row.window(Measure::Matches, YEAR, days(10));
    assert_eq!(window, QuotaWindow { used: 0, started_at: Some(days(10)) });
    assert_eq!(row.window(Measure::StoredBytes, YEAR, days(10)).used, 7, "what is stored stays stored");
    assert!(one_match(&mut row, &limits, 2, days(11)));
    assert!(!one_match(&mut row, &limits, 3, days(375)), "counted from the reset");
    assert!(one_match(&mut row, &limits, 4, days(376)));
}

#[test]
fn all_costs_are_taken_or_none() {
    let mut row = row();
    let limits = Limits { pairs: Some(10), concurrent_runs: Some(1), ..Limits::default() };
    let costs = [Cost::new(Measure::Pairs, 4), Cost::new(Measure::ConcurrentRuns, 1)];
    assert!(row.charge(&limits, &costs, operation(1), YEAR, days(0)).unwrap().is_some());
    let before = row.clone();
    let refused = row.charge(&limits, &costs, operation(2), YEAR, days(0)).unwrap_err();
    assert_eq!((refused.measure, row), (Measure::ConcurrentRuns, before));
}

#[test]
fn what_is_unlimited_is_not_counted() {
    let mut row = row();
    let costs = Measure::ALL.map(|measure| Cost::new(measure, u64::MAX));
    assert_eq!(row.charge(&Limits::default(), &costs, operation(1), YEAR, days(0)), Ok(None));
    assert_eq!(row, super::OwnerQuota::new(OwnerId::local()));
    let charge =
        row.charge(&free(5), &[Cost::new(Measure::Matches, 2), costs[1]], operation(2), YEAR, days(0));
    assert_eq!(charge.unwrap().unwrap().costs, [Cost::new(Measure::Matches, 2)]);
}

#[test]
fn a_refund_of_an_earlier_window_leaves_this_one() {
    let mut row = row();
    let cost = [Cost::new(Measure::Matches, 1)];
    let first = row.charge(&free(5), &cost, operation(1), YEAR, days(0)).unwrap().unwrap();
    row.charge(&free(5), &cost, operation(2), YEAR, days(400)).unwrap();
    row.refund(&first);
    assert_eq!(row.window(Measure::Matches, YEAR, days(400)).used, 1);
}

#[test]
fn what_is_released_is_there_no_longer() {
    let mut row = row();
    let limits = Limits { stored_bytes: Some(100), ..free(5) };
    let costs = [Cost::new(Measure::StoredBytes, 70), Cost::new(Measure::Matches, 1)];
    row.charge(&limits, &costs, operation(1), YEAR, days(0)).unwrap();
    assert_eq!(row.release(&costs, operation(2), days(1)).costs, []);
    let used = |row: &OwnerQuota, measure| row.window(measure, YEAR, days(1)).used;
    assert_eq!((used(&row, Measure::StoredBytes), used(&row, Measure::Matches)), (0, 1));
    row.release(&costs, operation(3), days(1));
    assert_eq!(used(&row, Measure::StoredBytes), 0, "never less than nothing");
}

/// What may happen to an owner.
#[derive(Debug, Clone)]
enum Act {
    Charge(u8, u64),
    Refund(u8),
    Reset,
    Wait(u64),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let id = 0u8..12;
    let act = prop_oneof![
        4 => (id.clone(), 0u64..8).prop_map(|(id, amount)| Act::Charge(id, amount)),
        2 => id.prop_map(Act::Refund),
        1 => Just(Act::Reset),
        2 => (0u64..4_000).prop_map(Act::Wait),
    ];
    prop::collection::vec(act, 1..120)
}

proptest! {
    /// Against a book of every charge that stands: the sum of a window is what was taken in it and not given back, and
    /// never more than the limit.
    #[test]
    fn the_windows_are_the_sum_of_what_was_taken(acts in acts(), limit in 1u64..40) {
        let period = Duration::from_millis(5_000);
        let limits = Limits { matches: Some(limit), stored_bytes: Some(limit * 2), ..Limits::default() };
        let mut row = row();
        let mut now = at(0);
        let mut charges: BTreeMap<u8, Charge> = BTreeMap::new();
        let mut books: BTreeMap<Measure, (u64, Option<Timestamp>)> = BTreeMap::new();
        for act in acts {
            let costs = |amount| [Cost::new(Measure::Matches, amount), Cost::new(Measure::StoredBytes, amount)];
            let before = row.clone();
            let took = |row: &OwnerQuota, amount: u64, books: &mut BTreeMap<Measure, (u64, Option<Timestamp>)>| {
                for measure in [Measure::Matches, Measure::StoredBytes] {
                    let started = row.windows[&measure].started_at;
                    let book = books.entry(measure).or_default();
                    *book = if book.1 == started { (book.0 + amount, started) } else { (amount, started) };
                }
            };
            let gave = |charge: &Charge, amount: u64, measure, books: &mut BTreeMap<Measure, (u64, Option<Timestamp>)>| {
                let book = books.entry(measure).or_default();
                if book.1.is_none_or(|started| charge.at >= started) {
                    book.0 -= amount.min(book.0);
                }
            };
            match act {
                Act::Charge(id, amount) if !charges.contains_key(&id) => {
                    match row.charge(&limits, &costs(amount), operation(id.into()), period, now) {
                        Ok(charge) => {
                            took(&row, amount, &mut books);
                            charges.insert(id, charge.unwrap());
                        }
                        Err(_) => prop_assert_eq!(&row, &before),
                    }
                }
                Act::Refund(id) => {
                    if let Some(charge) = charges.remove(&id) {
                        row.refund(&charge);
                        for cost in &charge.costs {
                            gave(&charge, cost.amount, cost.measure, &mut books);
                        }
                    }
                }
                Act::Reset => {
                    row.reset(now);
                    books.insert(Measure::Matches, (0, Some(now)));
                }
                Act::Wait(millis) => now = now.plus(Duration::from_millis(millis)),
                Act::Charge(..) => {}
            }
            for measure in [Measure::Matches, Measure::StoredBytes] {
                let window = row.windows.get(&measure).copied().unwrap_or_default();
                prop_assert!(window.used <= limits.of(measure).unwrap());
                prop_assert_eq!(window.used, books.get(&measure).map_or(0, |book| book.0), "{}", measure);
            }
        }
    }
}
