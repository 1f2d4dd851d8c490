use super::*;

#[test]
fn a_runs_state_follows_from_its_items() {
    let state = |items, done, failed| Progress { items, done, failed, canceled: 0 }.state();
    assert_eq!(state(3, 0, 0), RunState::Queued);
    assert_eq!(state(3, 1, 1), RunState::Running);
    assert_eq!(state(3, 2, 1), RunState::Complete);
    assert_eq!(state(3, 0, 3), RunState::Failed);
}

#[test]
fn a_run_is_canceled_when_its_last_item_is_settled_and_one_was_canceled() {
    let state = |done, failed, canceled| Progress { items: 3, done, failed, canceled }.state();
    assert_eq!(state(0, 0, 2), RunState::Running);
    assert_eq!(state(1, 0, 1), RunState::Running);
    assert_eq!(state(1, 1, 1), RunState::Canceled);
    assert_eq!(state(0, 0, 3), RunState::Canceled);
    assert!(RunState::Canceled.is_settled());
    assert_eq!(RunState::Canceled.name(), "cancelled");
}

#[test]
fn specs_out_of_bounds_are_refused() {
    let id = DocumentId::from_uuid(uuid::Uuid::from_u128(1));
    let good = RunSpec {
        query_kind: DocumentKind::Job,
        queries: vec![id],
        candidates: Selection::All,
        top: 10,
        min_score: Score::ZERO,
        weights: Weights::default(),
    };
    assert_eq!(good.validate(), Ok(()));
    assert_eq!(RunSpec { queries: vec![], ..good.clone() }.validate(), Err(RunSpecError::NoQueries));
    assert_eq!(RunSpec { top: 0, ..good.clone() }.validate(), Err(RunSpecError::Top));
    assert_eq!(RunSpec { top: 1_001, ..good.clone() }.validate(), Err(RunSpecError::Top));
    let many = vec![id; RunSpec::MAX_CANDIDATES + 1];
    assert!(RunSpec { candidates: Selection::Ids(many), ..good }.validate().is_err());
}
