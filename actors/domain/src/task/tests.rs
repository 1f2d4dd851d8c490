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

#[test]
fn final_failures_are_final() {
    let held = task().leased(op(1), Timestamp::default(), LEASE).unwrap();
    let (dead, after) = held.failed(Failure { code: ErrorCode::CorruptDocument, reason: "damaged".into() });
    assert_eq!((dead.state, after), (TaskState::Dead, AfterFailure::GiveUp));
}

proptest! {
    #[test]
    fn every_task_settles_whatever_happens_to_it(events in prop::collection::vec(0..4u8, 1..60)) {
        let mut task = task();
        let mut now = Timestamp::default();
        for (n, event) in events.into_iter().enumerate() {
            let before = task.rev;
            now = now.plus(LEASE);
            let Ok(held) = task.leased(op(n as u128), now, LEASE) else { break };
            task = match event {
                0 => held.done(),
                1 => held.failed(Failure { code: ErrorCode::Unavailable, reason: String::new() }).0,
                2 => held,
                _ if held.is_poison() => held.poisoned(),
                _ => held.given_back(),
            };
            prop_assert!(task.rev > before);
            prop_assert!(task.attempt <= Task::MAX_ATTEMPTS + 60);
        }
    }
}
