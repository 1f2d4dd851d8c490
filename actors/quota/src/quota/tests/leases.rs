//! Runs that take their pairs in blocks.

use proptest::prelude::*;
use tandem_domain::quota::MAX_LEASES;

use super::*;

const RUN: RunLoad = RunLoad { items: 20, pairs: 10 };
const PAIRS: u64 = 500;
const RUNS: u64 = 3;

/// Limits pairs and runs.
pub(super) fn employer() -> Plan {
    let limits = Limits { pairs: Some(PAIRS), concurrent_runs: Some(RUNS), ..Limits::default() };
    Plan { name: "employer".to_owned(), limits }
}

async fn used(quota: &Quota) -> (u64, u64) {
    let row = quota.view(&alice()).await.unwrap();
    let used = |measure| row.windows.get(&measure).map_or(0, |window| window.used);
    (used(Measure::Pairs), used(Measure::ConcurrentRuns))
}

fn is_refused<T: std::fmt::Debug>(end: Result<T, QuotaError>) -> bool {
    matches!(end, Err(QuotaError::Refused(_)))
}

#[tokio::test]
async fn a_lease_stays_until_it_is_settled() {
    let (quota, clock, _node) = quota().await;
    let (alice, plan) = (alice(), employer());
    let lend = || quota.lend(&alice, &plan, RUN, operation(1));
    assert!(matches!(lend().await, Ok(Receipt::Taken(_))));
    clock.advance(CHARGE_KEPT * 3);
    assert_eq!((lend().await, used(&quota).await), (Ok(Receipt::Repeated), (40, 1)));
    assert_eq!(quota.cover(&alice, RUN, 3, operation(1)).await, Ok(Receipt::Repeated));
    assert!(matches!(quota.cover(&alice, RUN, 4, operation(1)).await, Ok(Receipt::Taken(_))));
    quota.trim(&alice, RUN, (4, 9), operation(1)).await.unwrap();
    assert_eq!(used(&quota).await, (49, 1));
    for _ in 0..2 {
        quota.settle(&alice, operation(1), 30).await.unwrap();
        assert_eq!(used(&quota).await, (30, 0));
    }
    let late = quota.cover(&alice, RUN, 19, operation(1)).await;
    assert_eq!((late, used(&quota).await), (Ok(Receipt::Unlimited), (30, 0)), "its run has ended");
    quota.lend(&alice, &plan, RUN, operation(2)).await.unwrap();
    quota.refund(&alice, operation(2)).await.unwrap();
    assert_eq!(used(&quota).await, (30, 0));
}

#[tokio::test]
async fn a_lease_follows_the_plan_that_it_was_taken_by_and_the_operators() {
    let (quota, _clock, _node) = quota().await;
    let alice = alice();
    let cover = |item| quota.cover(&alice, RUN, item, operation(1));
    quota.lend(&alice, &employer(), RUN, operation(1)).await.unwrap();
    for number in 2..=RUNS {
        quota.lend(&alice, &employer(), RunLoad { items: 1, pairs: 220 }, operation(number)).await.unwrap();
    }
    assert!(is_refused(cover(19).await), "480 of 500 are taken");
    assert_eq!(quota.view(&alice).await.unwrap().leases[0].covered, 4);
    quota.set_plan(&alice, Some("pro".to_owned())).await.unwrap();
    assert!(matches!(cover(19).await, Ok(Receipt::Taken(_))));
    assert_eq!(used(&quota).await.0, 480, "what is not limited is not counted");

    let gone = Plan { name: "gold".to_owned(), ..employer() };
    quota.set_plan(&alice, None).await.unwrap();
    quota.settle(&alice, operation(2), 0).await.unwrap();
    quota.lend(&alice, &gone, RUN, operation(9)).await.unwrap();
    let end = quota.cover(&alice, RUN, 4, operation(9)).await;
    assert!(is_refused(end), "a plan that is gone allows nothing more");
}

#[tokio::test]
async fn more_leases_than_a_row_holds_are_refused() {
    let (quota, _clock, _node) = quota().await;
    let limits = Limits { pairs: Some(u64::MAX), ..Limits::default() };
    let plan = Plan { name: "employer".to_owned(), limits };
    let one = RunLoad { items: 1, pairs: 1 };
    for number in 0..MAX_LEASES as u64 {
        quota.lend(&alice(), &plan, one, operation(number)).await.unwrap();
    }
    let refused = quota.lend(&alice(), &plan, one, operation(9_999)).await;
    assert_eq!(refused, Err(QuotaError::TooManyLeases));
}

/// The other node has the row from before the run was taken in.
#[tokio::test]
async fn a_node_that_has_not_heard_of_a_lease_looks_before_it_lets_an_item_go_free() {
    let ([left, right], _nodes) = two(Arc::new(MemoryStore::default())).await;
    right.charge(&alice(), &free(5), one(), operation(7)).await.unwrap();
    left.lend(&alice(), &employer(), RUN, operation(1)).await.unwrap();
    assert_eq!(right.cover(&alice(), RUN, 0, operation(1)).await, Ok(Receipt::Repeated));
    left.lend(&alice(), &employer(), RUN, operation(2)).await.unwrap();
    right.settle(&alice(), operation(2), 3).await.unwrap();
    left.lend(&alice(), &employer(), RUN, operation(3)).await.unwrap();
    right.refund(&alice(), operation(3)).await.unwrap();
    assert_eq!(used(&left).await, (43, 1));
}

/// What happens to two nodes and their runs.
#[derive(Debug, Clone)]
enum Act {
    Lend(u64),
    /// A worker of a node asks for an item and ranks it with so many rows; many deliveries of one item may come.
    Work(usize, u64, u32, u64),
    Trim(u64),
    Settle(usize, u64),
    /// A node's actor dies with what it remembers.
    Kill(usize),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let (node, run) = (0usize..2, 1u64..5);
    let work = (node.clone(), run.clone(), 0u32..20, 0u64..=10);
    let act = prop_oneof![
        3 => run.clone().prop_map(Act::Lend),
        12 => work.prop_map(|(node, run, item, rows)| Act::Work(node, run, item, rows)),
        2 => run.clone().prop_map(Act::Trim),
        2 => (node.clone(), run).prop_map(|(node, run)| Act::Settle(node, run)),
        2 => node.prop_map(Act::Kill),
    ];
    prop::collection::vec(act, 1..60)
}

/// The rows of the ranked items of each run that goes on.
type Runs = std::collections::BTreeMap<u64, std::collections::BTreeMap<u32, u64>>;

/// Until the store has said what became of it.
macro_rules! settled {
    ($ask:expr) => {
        loop {
            match $ask.await {
                Err(QuotaError::Unsettled) => {}
                end => break end,
            }
        }
    };
}

async fn act(quotas: &[Quota; 2], nodes: &[SupervisorHandle; 2], runs: &mut Runs, ended: &mut u64, act: Act) {
    match act {
        Act::Lend(run) if !runs.contains_key(&run) => {
            if settled!(quotas[0].lend(&alice(), &employer(), RUN, operation(run))).is_ok() {
                runs.insert(run, std::collections::BTreeMap::new());
            }
        }
        Act::Work(node, run, item, rows) => {
            let Some(ranked) = runs.get_mut(&run) else { return };
            let end = settled!(quotas[node].cover(&alice(), RUN, item, operation(run)));
            if end.is_ok() {
                ranked.entry(item).or_insert(rows);
            } else {
                assert!(is_refused(end));
            }
        }
        Act::Trim(run) => {
            let ranked = runs.get(&run).cloned().unwrap_or_default();
            let left = (ranked.len() as u32, ranked.values().sum());
            settled!(quotas[1].trim(&alice(), RUN, left, operation(run))).unwrap();
        }
        Act::Settle(node, run) => {
            let used: u64 = runs.remove(&run).map_or(0, |ranked| ranked.values().sum());
            settled!(quotas[node].settle(&alice(), operation(run), used)).unwrap();
            *ended += used;
        }
        Act::Kill(node) => drop(nodes[node].kill(&actor::name(&alice()))),
        Act::Lend(_) => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Over two nodes whose actors die, on a store that loses answers: never over the limit, no row that is not paid for,
    /// and in the end what was ranked is charged, once.
    #[test]
    fn the_pairs_that_are_charged_are_those_that_were_ranked(acts in acts()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let (quotas, nodes) = two(Arc::new(Silent::default())).await;
            let (mut runs, mut ended) = (Runs::new(), 0);
            for one in acts {
                act(&quotas, &nodes, &mut runs, &mut ended, one).await;
                let ranked: u64 = runs.values().flat_map(std::collections::BTreeMap::values).sum();
                let (pairs, places) = used(&quotas[0]).await;
                assert!(ended + ranked <= pairs && pairs <= PAIRS, "{ended} {ranked} {pairs}");
                assert_eq!(places, runs.len() as u64);
            }
            for run in 1..5 {
                act(&quotas, &nodes, &mut runs, &mut ended, Act::Settle(1, run)).await;
            }
            assert_eq!(used(&quotas[0]).await, (ended, 0));
        });
    }
}
