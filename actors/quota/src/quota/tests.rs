use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use futures::future::join_all;
use tandem_domain::document::Failure;
use tandem_domain::error::ErrorCode;
use tandem_domain::plan::{Limits, Measure};
use tandem_domain::quota::{CHARGE_KEPT, Charge};
use tandem_ports::quotas::ChargeChange;
use tandem_ports::testsuite::{ManualClock, MemoryStore, samples};
use tandem_ports::{StoreError, Write};
use tandem_runtime::Supervisor;

use super::*;

mod leases;

/// Pairs of a block.
const BLOCK: u64 = 40;
const YEAR: Duration = Duration::from_secs(365 * 86_400);
/// Rounds of each race.
const ROUNDS: u64 = 1_000;
/// Callers of each round.
const CALLERS: u64 = 64;

async fn node() -> SupervisorHandle {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    Supervisor::start(&format!("quota-test-{number}")).await.unwrap()
}

fn on(supervisor: &SupervisorHandle, store: &Arc<dyn QuotaStore>, clock: &Arc<ManualClock>) -> Quota {
    let options = QuotaOptions::new(YEAR, BLOCK);
    Quota::new(Some(supervisor.clone()), Arc::clone(store), clock.clone(), plans(), options)
}

async fn quota() -> (Quota, Arc<ManualClock>, SupervisorHandle) {
    let (supervisor, clock) = (node().await, Arc::new(ManualClock::new(1)));
    let store: Arc<dyn QuotaStore> = Arc::new(MemoryStore::default());
    (on(&supervisor, &store, &clock), clock, supervisor)
}

/// `pro`, which limits nothing, and `employer`.
fn plans() -> PlanBook {
    Arc::new(|name: &str| match name {
        "pro" => Some(Plan { name: name.to_owned(), limits: Limits::default() }),
        "employer" => Some(leases::employer()),
        _ => None,
    })
}

/// Two nodes on one store.
async fn two(store: Arc<dyn QuotaStore>) -> ([Quota; 2], [SupervisorHandle; 2]) {
    let clock = Arc::new(ManualClock::new(1));
    let nodes = [node().await, node().await];
    (nodes.each_ref().map(|node| on(node, &store, &clock)), nodes)
}

fn alice() -> OwnerId {
    samples::owner("alice")
}

fn free(matches: u64) -> Plan {
    Plan { name: "free".to_owned(), limits: Limits { matches: Some(matches), ..Limits::default() } }
}

fn one() -> Vec<Cost> {
    vec![Cost::new(Measure::Matches, 1)]
}

fn operation(number: u64) -> OperationId {
    samples::operation("quota", number)
}

async fn used(quota: &Quota, owner: &OwnerId) -> u64 {
    quota.view(owner).await.unwrap().windows.get(&Measure::Matches).map_or(0, |window| window.used)
}

#[tokio::test]
async fn an_operation_is_charged_once_and_refunded_once() {
    let (quota, clock, _node) = quota().await;
    let plan = free(2);
    let first = quota.charge(&alice(), &plan, one(), operation(1)).await.unwrap();
    let Receipt::Taken(begun) = first else { panic!("{first:?}") };
    clock.advance(Duration::from_secs(1));
    assert_eq!(quota.charge(&alice(), &plan, one(), operation(1)).await.unwrap(), Receipt::Repeated);
    assert_eq!(used(&quota, &alice()).await, 1);
    quota.charge(&alice(), &plan, one(), operation(2)).await.unwrap();
    let refused = quota.charge(&alice(), &plan, one(), operation(3)).await.unwrap_err();
    let QuotaError::Refused(refusal) = &refused else { panic!("{refused:?}") };
    assert_eq!(refusal.resets_at, Some(begun.plus(YEAR)));
    let said = "Annual free match limit reached. Upgrade to Pro for unlimited matches.";
    assert_eq!(refused.to_string(), said);

    quota.refund(&alice(), operation(1)).await.unwrap();
    quota.refund(&alice(), operation(1)).await.unwrap();
    quota.refund(&alice(), operation(9)).await.unwrap();
    assert_eq!(used(&quota, &alice()).await, 1);
    let again = quota.charge(&alice(), &plan, one(), operation(1)).await.unwrap();
    assert!(matches!(again, Receipt::Taken(_)), "what was refunded is charged anew: {again:?}");
    assert_eq!(used(&quota, &samples::owner("bob")).await, 0);
}

#[tokio::test]
async fn a_charge_that_is_forgotten_is_taken_again() {
    let (quota, clock, _node) = quota().await;
    quota.charge(&alice(), &free(5), one(), operation(1)).await.unwrap();
    clock.advance(CHARGE_KEPT);
    let again = quota.charge(&alice(), &free(5), one(), operation(1)).await.unwrap();
    assert!(matches!(again, Receipt::Taken(_)), "{again:?}");
    assert_eq!(used(&quota, &alice()).await, 2);
}

#[tokio::test]
async fn what_is_removed_is_released_once() {
    let (quota, _clock, _node) = quota().await;
    let limits = Limits { stored_bytes: Some(100), ..Limits::default() };
    let plan = Plan { name: "free".to_owned(), limits };
    let bytes = |amount| vec![Cost::new(Measure::StoredBytes, amount)];
    quota.charge(&alice(), &plan, bytes(60), operation(1)).await.unwrap();
    assert!(quota.charge(&alice(), &plan, bytes(60), operation(2)).await.is_err());
    for _ in 0..2 {
        quota.release(&alice(), bytes(40), operation(3)).await.unwrap();
    }
    let row = quota.view(&alice()).await.unwrap();
    assert_eq!(row.windows[&Measure::StoredBytes].used, 20);
    quota.charge(&alice(), &plan, bytes(60), operation(2)).await.unwrap();
}

#[tokio::test]
async fn l9_an_operators_changes_are_kept() {
    let (quota, _clock, _node) = quota().await;
    quota.charge(&alice(), &free(1), one(), operation(1)).await.unwrap();
    assert!(quota.charge(&alice(), &free(1), one(), operation(2)).await.is_err());
    let row = quota.reset(&alice()).await.unwrap();
    assert_eq!(row.windows[&Measure::Matches].used, 0);
    assert!(row.windows[&Measure::Matches].started_at.is_some());
    quota.charge(&alice(), &free(1), one(), operation(2)).await.unwrap();
    let row = quota.set_plan(&alice(), Some("pro".to_owned())).await.unwrap();
    assert_eq!(row.plan.as_deref(), Some("pro"));
    assert_eq!(quota.view(&alice()).await.unwrap(), row);
    for number in 10..20 {
        let charged = quota.charge(&alice(), &free(1), one(), operation(number)).await;
        assert_eq!(charged, Ok(Receipt::Unlimited));
    }
    quota.set_plan(&alice(), Some("nobody's".to_owned())).await.unwrap();
    assert!(quota.charge(&alice(), &free(1), one(), operation(20)).await.is_err(), "the account's plan");
    assert_eq!(quota.set_plan(&alice(), None).await.unwrap().plan, None);
    let store: Arc<dyn QuotaStore> = Arc::new(MemoryStore::default());
    let clock = Arc::new(ManualClock::new(1));
    let alone = Quota::new(None, store, clock, plans(), QuotaOptions::new(YEAR, BLOCK));
    assert_eq!(alone.reset(&alice()).await.unwrap().rev, 1);
    assert_eq!(alone.active(), 0);
}

/// Lets all callers at once charge one each; how many got it.
#[expect(clippy::disallowed_methods, reason = "callers on threads of their own are what is tested")]
async fn race(quotas: &[Quota], owner: &OwnerId, limit: u64) -> u64 {
    let charges = (0..CALLERS).map(|number| {
        let (quota, owner) = (quotas[number as usize % quotas.len()].clone(), owner.clone());
        tokio::spawn(async move {
            let plan = free(limit);
            let charge = || quota.charge(&owner, &plan, one(), operation(number));
            match charge().await {
                // An answer may be lost with its actor. Then the same operation is tried again, as a client would.
                Err(QuotaError::Unsettled) => (charge().await, true),
                end => (end, false),
            }
        })
    });
    let mut taken = 0;
    for end in join_all(charges).await {
        match end.unwrap() {
            (Ok(Receipt::Taken(_)), _) | (Ok(Receipt::Repeated), true) => taken += 1,
            (Err(QuotaError::Refused(_)), _) => {}
            (Ok(Receipt::Repeated | Receipt::Unlimited), _) => panic!("an operation of its own"),
            (Err(error), _) => panic!("{error}"),
        }
    }
    taken
}

#[tokio::test(flavor = "multi_thread")]
async fn l8_of_64_callers_one_gets_the_last_unit() {
    let (quota, _clock, _node) = quota().await;
    for round in 0..ROUNDS {
        let owner = samples::owner(&format!("owner-{round}"));
        assert_eq!(race(std::slice::from_ref(&quota), &owner, 1).await, 1, "round {round}");
        assert_eq!(used(&quota, &owner).await, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn l8_of_64_callers_on_two_nodes_one_gets_the_last_unit() {
    let (quotas, _nodes) = two(Arc::new(MemoryStore::default())).await;
    for round in 0..ROUNDS {
        let owner = samples::owner(&format!("owner-{round}"));
        let limit = if round % 2 == 0 { 1 } else { 5 };
        assert_eq!(race(&quotas, &owner, limit).await, limit, "round {round}");
        let row = quotas[1].view(&owner).await.unwrap();
        assert_eq!((row.windows[&Measure::Matches].used, row.rev), (limit, limit), "{row:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn l8_the_limit_holds_when_actors_die_in_the_middle() {
    let (quotas, nodes) = two(Arc::new(MemoryStore::default())).await;
    let mut killed = 0;
    for round in 0..ROUNDS {
        let owner = samples::owner(&format!("owner-{round}"));
        let name = actor::name(&owner);
        let killing = async {
            for _ in 0..20 {
                killed += nodes.iter().filter(|node| node.kill(&name)).count();
                tokio::task::yield_now().await;
            }
        };
        let (taken, ()) = tokio::join!(race(&quotas, &owner, 3), killing);
        assert_eq!((taken, used(&quotas[0], &owner).await), (3, 3), "round {round}");
    }
    assert!(killed > 0, "no actor was there to be killed");
}

#[tokio::test]
async fn without_room_for_an_actor_the_limit_holds_all_the_same() {
    let (supervisor, clock) = (node().await, Arc::new(ManualClock::new(1)));
    let options = QuotaOptions { most_active: 2, ..QuotaOptions::new(YEAR, BLOCK) };
    let quota = Quota::new(Some(supervisor), Arc::new(MemoryStore::default()), clock, plans(), options);
    for name in ["a", "b", "c", "d"] {
        assert_eq!(race(std::slice::from_ref(&quota), &samples::owner(name), 2).await, 2);
    }
    assert_eq!(quota.active(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_actor_that_nobody_asks_goes_and_comes_back() {
    let (quota, _clock, supervisor) = quota().await;
    quota.charge(&alice(), &free(5), one(), operation(1)).await.unwrap();
    let of_owners = || supervisor.actors().iter().filter(|actor| actor.name.starts_with("quota/")).count();
    assert_eq!((quota.active(), of_owners()), (1, 1));
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_secs(30)).await;
    }
    assert_eq!((quota.active(), of_owners()), (0, 0));
    quota.charge(&alice(), &free(5), one(), operation(2)).await.unwrap();
    assert_eq!((used(&quota, &alice()).await, quota.active()), (2, 1));
}

/// A store that loses two of three answers: one write is made, one is not, and nobody is told.
#[derive(Default)]
struct Silent {
    store: MemoryStore,
    writes: AtomicU64,
}

#[async_trait]
impl QuotaStore for Silent {
    async fn quota(&self, owner: &OwnerId) -> Result<Option<OwnerQuota>, StoreError> {
        self.store.quota(owner).await
    }

    async fn charge(&self, owner: &OwnerId, operation: OperationId) -> Result<Option<Charge>, StoreError> {
        self.store.charge(owner, operation).await
    }

    async fn put_quota(
        &self,
        row: &OwnerQuota,
        change: &ChargeChange,
    ) -> Result<Write<Option<OwnerQuota>>, StoreError> {
        match self.writes.fetch_add(1, Ordering::Relaxed) % 3 {
            0 => Ok(Write::Unknown),
            1 => self.store.put_quota(row, change).await.map(|_| Write::Unknown),
            _ => self.store.put_quota(row, change).await,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_lost_charges_neither_twice_nor_never() {
    let (quotas, _nodes) = two(Arc::new(Silent::default())).await;
    for round in 0..20 {
        let owner = samples::owner(&format!("owner-{round}"));
        assert_eq!(race(&quotas, &owner, 7).await, 7, "round {round}");
        assert_eq!(used(&quotas[0], &owner).await, 7);
        for number in 0..CALLERS {
            quotas[1].refund(&owner, operation(number)).await.unwrap();
        }
        assert_eq!(used(&quotas[0], &owner).await, 0);
    }
}

struct Away;

#[async_trait]
impl QuotaStore for Away {
    async fn quota(&self, _: &OwnerId) -> Result<Option<OwnerQuota>, StoreError> {
        Err(StoreError::Timeout)
    }

    async fn charge(&self, _: &OwnerId, _: OperationId) -> Result<Option<Charge>, StoreError> {
        Err(StoreError::Timeout)
    }

    async fn put_quota(
        &self,
        _: &OwnerQuota,
        _: &ChargeChange,
    ) -> Result<Write<Option<OwnerQuota>>, StoreError> {
        Err(StoreError::Timeout)
    }
}

#[tokio::test]
async fn a_store_that_is_away_is_told_as_such() {
    let store: Arc<dyn QuotaStore> = Arc::new(Away);
    let quota = on(&node().await, &store, &Arc::new(ManualClock::new(1)));
    let end = quota.charge(&alice(), &free(1), one(), operation(1)).await;
    assert_eq!(end, Err(QuotaError::Store(StoreError::Timeout)));
    assert_eq!(Failure::from(end.unwrap_err()).code, ErrorCode::Unavailable);
}
