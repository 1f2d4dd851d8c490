//! What every [`TaskStore`] promises.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tandem_domain::document::Failure;
use tandem_domain::error::ErrorCode;
use tandem_domain::ids::{MatchId, OwnerId, RunId, TaskId};
use tandem_domain::task::{Task, TaskKind, TaskRef, TaskState, TaskSubject};

use super::samples;
use crate::error::Write;
use crate::tasks::TaskStore;

/// Workers that race for one task.
const RACERS: u64 = 24;

/// How long leases of the suite last.
const LEASE: Duration = Duration::from_secs(60);

/// Runs the whole suite; `make` gives an empty store.
///
/// # Panics
/// At the first broken promise.
pub async fn contract(make: &dyn Fn() -> Arc<dyn TaskStore>) {
    a_filed_task_is_found(&*make()).await;
    every_sort_of_task_is_kept_as_it_is(&*make()).await;
    filing_twice_is_harmless(&*make()).await;
    a_row_is_replaced_by_its_next_revision_alone(&*make()).await;
    of_many_that_lease_one_task_one_wins(&*make()).await;
    of_many_that_file_one_task_one_wins(&*make()).await;
    unsettled_tasks_are_listed_in_order(&*make()).await;
}

fn alice() -> OwnerId {
    samples::owner("alice")
}

fn leased(task: &Task, number: u64) -> Task {
    task.leased(samples::operation("lease", number), samples::CREATED, LEASE).unwrap()
}

async fn file(store: &dyn TaskStore, task: &Task) {
    assert_eq!(store.file(task).await.unwrap(), Write::Applied);
}

async fn replace(store: &dyn TaskStore, task: &Task) {
    assert_eq!(store.replace(task).await.unwrap(), Write::Applied);
}

async fn a_filed_task_is_found(store: &dyn TaskStore) {
    let task = samples::task(&alice(), 1);
    assert_eq!(store.task(&task.key()).await.unwrap(), None);
    file(store, &task).await;
    assert_eq!(store.task(&task.key()).await.unwrap().as_ref(), Some(&task));
    let bobs = TaskRef { owner: samples::owner("bob"), id: task.id };
    assert_eq!(store.task(&bobs).await.unwrap(), None, "owners are apart");

    let his = Task { owner: samples::owner("bob"), attempt: 3, ..task.clone() };
    file(store, &his).await;
    assert_eq!(store.task(&bobs).await.unwrap(), Some(his));
    assert_eq!(store.task(&task.key()).await.unwrap(), Some(task));
}

async fn every_sort_of_task_is_kept_as_it_is(store: &dyn TaskStore) {
    let version = samples::task(&alice(), 1).subject;
    let pair = TaskSubject::Match { id: MatchId::from_uuid(samples::uuid("m", 1)) };
    let item = TaskSubject::RunItem { run: RunId::from_uuid(samples::uuid("r", 1)), item: 70_000 };
    let cancel = TaskSubject::RunCancel { run: RunId::from_uuid(samples::uuid("r", 1)) };
    for kind in TaskKind::ALL {
        for subject in [version.clone(), pair.clone(), item.clone(), cancel.clone()] {
            let task = Task::new(alice(), kind, subject, samples::CREATED);
            file(store, &task).await;
            let failure = Failure { code: ErrorCode::Timeout, reason: "it took too long".to_owned() };
            let first = leased(&task, 1);
            let (again, _) = first.failed(failure, samples::CREATED);
            let second = leased(&again, 2);
            for next in [first, again, second.clone(), second.done()] {
                replace(store, &next).await;
                assert_eq!(store.task(&task.key()).await.unwrap(), Some(next));
            }
        }
    }
}

async fn filing_twice_is_harmless(store: &dyn TaskStore) {
    let task = samples::task(&alice(), 1);
    file(store, &task).await;
    assert_eq!(store.file(&task).await.unwrap(), Write::Conflict(task.clone()));
    let next = leased(&task, 1);
    replace(store, &next).await;
    assert_eq!(store.file(&task).await.unwrap(), Write::Conflict(next.clone()), "the task as it stands");
    assert_eq!(store.task(&task.key()).await.unwrap(), Some(next));
}

async fn a_row_is_replaced_by_its_next_revision_alone(store: &dyn TaskStore) {
    let task = samples::task(&alice(), 1);
    let first = leased(&task, 1);
    assert_eq!(store.replace(&first).await.unwrap(), Write::Conflict(None), "there is none");
    assert_eq!(store.task(&task.key()).await.unwrap(), None);
    file(store, &task).await;
    assert_eq!(store.replace(&task).await.unwrap(), Write::Conflict(Some(task.clone())), "same revision");
    let third = first.done();
    assert_eq!(store.replace(&third).await.unwrap(), Write::Conflict(Some(task.clone())), "one left out");
    replace(store, &first).await;
    assert_eq!(store.replace(&first).await.unwrap(), Write::Conflict(Some(first.clone())), "twice");
    let stale = leased(&task, 2);
    assert_eq!(store.replace(&stale).await.unwrap(), Write::Conflict(Some(first)), "overtaken");
    replace(store, &third).await;
    assert_eq!(store.task(&task.key()).await.unwrap(), Some(third));
}

async fn of_many_that_lease_one_task_one_wins(store: &dyn TaskStore) {
    let task = samples::task(&alice(), 1);
    file(store, &task).await;
    let leases: Vec<Task> = (0..RACERS).map(|number| leased(&task, number)).collect();
    let ends = join_all(leases.iter().map(|lease| store.replace(lease))).await;
    let winner = store.task(&task.key()).await.unwrap().unwrap();
    for (lease, end) in leases.iter().zip(ends) {
        let expected = if *lease == winner { Write::Applied } else { Write::Conflict(Some(winner.clone())) };
        assert_eq!(end.unwrap(), expected);
    }
    assert!(leases.contains(&winner));
}

async fn of_many_that_file_one_task_one_wins(store: &dyn TaskStore) {
    let task = samples::task(&alice(), 1);
    let ends = join_all((0..RACERS).map(|_| store.file(&task))).await;
    assert_eq!(ends.iter().filter(|end| **end == Ok(Write::Applied)).count(), 1);
    let refused = Ok(Write::Conflict(task.clone()));
    assert_eq!(ends.iter().filter(|end| **end == refused).count() as u64, RACERS - 1);
}

async fn unsettled_tasks_are_listed_in_order(store: &dyn TaskStore) {
    assert_eq!(store.unsettled(None, 10).await.unwrap(), []);
    let mut expected = Vec::new();
    for owner in ["bob", "alice", "Zed", "a", "alice2"].map(samples::owner) {
        for number in 0..8 {
            let queued = samples::task(&owner, number);
            file(store, &queued).await;
            let held = leased(&queued, 1);
            let (dead, _) = held.failed(samples::failure("hopeless"), samples::CREATED);
            assert_eq!(dead.state, TaskState::Dead);
            match number % 4 {
                0 => expected.push(queued),
                1 => {
                    replace(store, &held).await;
                    expected.push(held);
                }
                2 => {
                    replace(store, &held).await;
                    replace(store, &held.done()).await;
                }
                _ => {
                    replace(store, &held).await;
                    replace(store, &dead).await;
                }
            }
        }
    }
    expected.sort_by_key(Task::key);
    assert_eq!(store.unsettled(None, 1_000).await.unwrap(), expected);
    let (mut paged, mut after) = (Vec::new(), None);
    loop {
        let page = store.unsettled(after.as_ref(), 3).await.unwrap();
        assert!(page.len() <= 3);
        let Some(last) = page.last() else { break };
        after = Some(last.key());
        paged.extend(page);
    }
    assert_eq!(paged, expected, "pages leave nothing out and repeat nothing");

    let between = TaskRef { owner: samples::owner("alice1"), id: TaskId::from_uuid(uuid::Uuid::nil()) };
    let behind: Vec<Task> = expected.into_iter().filter(|task| task.key() > between).collect();
    assert_eq!(store.unsettled(Some(&between), 1_000).await.unwrap(), behind);
}
