use std::collections::HashSet;
use std::time::Duration;

use proptest::prelude::*;

use super::*;

fn restarted_kinds() -> impl Iterator<Item = KindSpec> {
    ActorKind::ALL.into_iter().map(ActorKind::spec).filter(|spec| spec.restart != Restart::Never)
}

#[test]
fn names_are_labels_of_their_own() {
    let names: HashSet<_> = ActorKind::ALL.iter().map(|kind| kind.name()).collect();
    assert_eq!(names.len(), ActorKind::ALL.len());
    assert!(names.iter().all(|name| !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase())));
}

#[test]
fn an_actor_that_never_comes_up_is_escalated() {
    for spec in restarted_kinds() {
        let mut state = RestartState::new(spec);
        let mut now = Duration::ZERO;
        let mut restarts = 0;
        while let Decision::RestartAfter(wait) = state.decide(now, Exit::Failed) {
            now += wait;
            restarts += 1;
            assert!(restarts <= spec.most_restarts, "{} restarts for ever", spec.name);
        }
        assert_eq!(restarts, spec.most_restarts, "{}", spec.name);
        assert!(now < spec.window, "{}: the waits do not fit into the window", spec.name);
    }
}

#[test]
fn waits_double_up_to_the_most() {
    let mut state = RestartState::new(ActorKind::Pool.spec());
    let waits: Vec<_> = (0..8)
        .map(|_| match state.decide(Duration::ZERO, Exit::Failed) {
            Decision::RestartAfter(wait) => wait.as_millis(),
            Decision::StayDown | Decision::GiveUp => 0,
        })
        .collect();
    assert_eq!(waits, [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
}

#[test]
fn an_end_that_was_meant_stays() {
    let once = KindSpec { restart: Restart::OnFailure, ..ActorKind::Shard.spec() };
    assert_eq!(RestartState::new(once).decide(Duration::ZERO, Exit::Stopped), Decision::StayDown);
    assert!(matches!(
        RestartState::new(once).decide(Duration::ZERO, Exit::Failed),
        Decision::RestartAfter(_)
    ));
    let mut coordinator = RestartState::new(ActorKind::Coordinator.spec());
    assert_eq!(coordinator.decide(Duration::ZERO, Exit::Failed), Decision::StayDown);
}

proptest! {
    #[test]
    fn no_window_holds_more_restarts_than_allowed(gaps in prop::collection::vec(0u64..20_000, 1..200)) {
        for spec in restarted_kinds() {
            let mut state = RestartState::new(spec);
            let mut now = Duration::ZERO;
            let mut granted: Vec<Duration> = Vec::new();
            for gap in &gaps {
                now += Duration::from_millis(*gap);
                let recent = granted.iter().filter(|at| now - **at <= spec.window).count();
                match state.decide(now, Exit::Failed) {
                    Decision::RestartAfter(wait) => {
                        prop_assert!(recent < spec.most_restarts as usize);
                        prop_assert!(wait >= spec.back_off_first && wait <= spec.back_off_most);
                        granted.push(now);
                    }
                    Decision::GiveUp => prop_assert_eq!(recent, spec.most_restarts as usize),
                    Decision::StayDown => prop_assert!(false, "a failed actor must not stay down"),
                }
            }
        }
    }
}
