use proptest::prelude::*;

use super::*;

fn op(n: u128) -> OperationId {
    OperationId::from_uuid(uuid::Uuid::from_u128(n))
}

fn task() -> Task {
    let subject = TaskSubject::Version {
        document: DocumentId::from_uuid(uuid::Uuid::from_u128(7)),
        version: Version::FIRST,
    };
    Task::new(OwnerId::local(), TaskKind::Parse, subject, Timestamp::default())
}

const LEASE: Duration = Duration::from_secs(60);

#[test]
fn the_same_work_has_the_same_id_and_other_work_another() {
    let one = task();
    assert_eq!(one.id, task().id);
    assert_ne!(one.id, Task::id_of(&one.owner, TaskKind::Embed, &one.subject));
    assert_ne!(one.id, Task::id_of(&"other".parse().unwrap(), TaskKind::Parse, &one.subject));
}

#[test]
fn the_tasks_of_one_run_have_different_ids() {
    let run = RunId::from_uuid(uuid::Uuid::from_u128(9));
    let of = |subject| Task::id_of(&OwnerId::local(), TaskKind::MatchBulk, &subject);
    let filing = of(TaskSubject::Run { run });
    let item = of(TaskSubject::RunItem { run, item: 0 });
    let cancel = of(TaskSubject::RunCancel { run });
    assert!(filing != item && item != cancel && cancel != filing);
}

#[test]
fn one_worker_at_a_time_until_the_lease_ends() {
    let now = Timestamp::from_millis(1000);
    let held = task().leased(op(1), now, LEASE).unwrap();
    assert_eq!(held.leased(op(2), now, LEASE), Err(LeaseRefusal::Held(now.plus(LEASE))));
    let later = now.plus(LEASE);
    let taken = held.leased(op(2), later, LEASE).unwrap();
    assert_eq!((taken.attempt, taken.rev), (2, 3));
    assert_eq!(taken.done().leased(op(3), later, LEASE), Err(LeaseRefusal::Settled));
}

#[test]
fn giving_back_costs_no_attempt() {
    let held = task().leased(op(1), Timestamp::default(), LEASE).unwrap();
    let back = held.given_back();
    assert_eq!((back.attempt, back.state), (0, TaskState::Queued));
}

fn failure(code: ErrorCode) -> Failure {
    Failure { code, reason: "scripted".to_owned() }
}

#[test]
fn final_failures_are_final() {
    let now = Timestamp::default();
    let held = task().leased(op(1), now, LEASE).unwrap();
    let (dead, after) = held.failed(failure(ErrorCode::CorruptDocument), now);
    assert_eq!((dead.state, after), (TaskState::Dead, AfterFailure::GiveUp));
}

#[test]
fn every_waiting_time_is_waited_before_attempts_run_out() {
    let now = Timestamp::default();
    let (mut task, mut waits) = (task(), Vec::new());
    loop {
        let (next, after) = task.leased(op(1), now, LEASE).unwrap().failed(failure(ErrorCode::Timeout), now);
        task = next;
        let AfterFailure::Retry(wait) = after else { break };
        waits.push(wait);
    }
    assert_eq!(waits, Task::BACK_OFF);
    assert_eq!((task.state, task.attempt), (TaskState::Dead, Task::MAX_ATTEMPTS));
}

#[test]
fn an_outage_costs_no_attempt_and_is_waited_for_a_day() {
    for code in [ErrorCode::Unavailable, ErrorCode::Overloaded, ErrorCode::NotReady] {
        let (mut task, mut now, mut waits) = (task(), Timestamp::default(), Vec::new());
        loop {
            let (next, after) = task.leased(op(1), now, LEASE).unwrap().failed(failure(code), now);
            task = next;
            let AfterFailure::Retry(wait) = after else { break };
            assert_eq!((task.attempt, &task.state), (0, &TaskState::Queued));
            waits.push(wait);
            now = now.plus(wait);
        }
        assert!(waits.is_sorted(), "ever slower");
        assert_eq!((waits[0], waits.last()), (Task::OUTAGE_WAITS[0], Task::OUTAGE_WAITS.last()));
        assert!(waits.len() < 250, "{} tries", waits.len());
        assert!(now > Timestamp::default().plus(Task::MAX_AGE), "given up at {now}");
        assert_eq!(task.last_error, Some(failure(code)));
    }
}

#[test]
fn a_failure_that_cannot_be_shown_waits_and_then_dies() {
    let held = task().leased(op(1), Timestamp::default(), LEASE).unwrap();
    let late = Timestamp::default().plus(Task::MAX_AGE * 3 / 2);
    let (waiting, after) = held.unshown(failure(ErrorCode::NoText), late);
    assert_eq!((waiting.state, waiting.attempt), (TaskState::Queued, 0));
    assert_eq!(after, AfterFailure::Retry(Task::OUTAGE_WAITS[4]));
    let (dead, after) = held.unshown(failure(ErrorCode::NoText), late.plus(Task::MAX_AGE));
    assert_eq!((dead.state, after), (TaskState::Dead, AfterFailure::GiveUp));
    assert_eq!(dead.last_error, Some(failure(ErrorCode::NoText)));
}

#[test]
fn a_task_that_ends_its_process_becomes_poison() {
    let mut task = task();
    for lease in 1..=Task::MAX_LEASES {
        assert!(!task.is_poison());
        task = task.leased(op(lease.into()), Timestamp::default(), LEASE).unwrap().abandoned();
        assert_eq!((&task.state, task.attempt), (&TaskState::Queued, lease));
    }
    assert!(task.is_poison());
}

proptest! {
    /// Failures and dying workers alone, in any order and at any pace: the longest possible life is one day, then the
    /// last wait and the last attempt.
    #[test]
    fn every_task_settles_within_its_age(events in prop::collection::vec((0..4u8, 0..100u64), 300)) {
        let (mut task, mut now) = (task(), Timestamp::default());
        for (n, (event, pause)) in events.into_iter().enumerate() {
            let before = task.rev;
            now = now.plus(Duration::from_secs(pause));
            if task.is_poison() {
                task = task.poisoned();
                break;
            }
            let Ok(held) = task.leased(op(n as u128), now, LEASE) else { break };
            let code = match event {
                0 => ErrorCode::Unavailable,
                1 => ErrorCode::NotReady,
                // Few, or a worker dies too often before a day is over.
                2 if pause < 3 => ErrorCode::Timeout,
                3 if pause < 3 => {
                    now = now.plus(LEASE);
                    task = held;
                    continue;
                }
                _ => ErrorCode::Overloaded,
            };
            let (next, after) = held.failed(failure(code), now);
            prop_assert!(next.rev > before && next.attempt <= Task::MAX_LEASES);
            task = next;
            match after {
                AfterFailure::Retry(wait) => now = now.plus(wait),
                AfterFailure::GiveUp => break,
            }
        }
        prop_assert_eq!(&task.state, &TaskState::Dead);
        let most = Task::MAX_AGE + Task::OUTAGE_WAITS[4] + LEASE * 2 + Duration::from_secs(200);
        prop_assert!(now <= Timestamp::default().plus(most), "settled at {}", now);
    }

    /// However a lease ends, the row moves on and its attempts stay bounded.
    #[test]
    fn every_end_of_a_lease_moves_the_row(events in prop::collection::vec(0..6u8, 1..60)) {
        let mut task = task();
        let mut now = Timestamp::default();
        for (n, event) in events.into_iter().enumerate() {
            let before = task.rev;
            now = now.plus(LEASE);
            if task.is_poison() {
                task = task.poisoned();
            }
            let Ok(held) = task.leased(op(n as u128), now, LEASE) else { break };
            task = match event {
                0 => held.done(),
                1 => held.failed(failure(ErrorCode::Unavailable), now).0,
                2 => held.failed(failure(ErrorCode::Timeout), now).0,
                3 => held.unshown(failure(ErrorCode::NoText), now).0,
                4 => held.abandoned(),
                _ => held.given_back(),
            };
            prop_assert!(task.rev > before);
            prop_assert!(task.attempt <= Task::MAX_LEASES);
        }
    }
}
