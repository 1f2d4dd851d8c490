//! Single requested matches.

use std::sync::Arc;

use futures::future::join_all;
use tandem_domain::ids::MatchId;
use tandem_domain::run::{PairMatch, PairOutcome};

use super::{RACERS, alice, bob};
use crate::documents::Page;
use crate::error::Write;
use crate::runs::RunStore;
use crate::testsuite::samples;

pub(super) async fn run(make: &dyn Fn() -> Arc<dyn RunStore>) {
    the_first_match_of_an_id_or_operation_stays(&*make()).await;
    the_first_end_of_a_match_stays(&*make()).await;
    matches_are_listed_newest_first(&*make()).await;
    owners_see_their_own_matches_alone(&*make()).await;
    of_many_that_finish_one_match_one_wins(&*make()).await;
}

fn scored(number: u64) -> PairOutcome {
    PairOutcome::Scored(Box::new(samples::scored(number)))
}

async fn create(store: &dyn RunStore, pair: &PairMatch) {
    assert_eq!(store.create_match(pair).await.unwrap(), Write::Applied);
}

async fn the_first_match_of_an_id_or_operation_stays(store: &dyn RunStore) {
    let first = samples::pair_match(&alice(), 1);
    assert_eq!(store.pair_match(&alice(), first.id).await.unwrap(), None);
    create(store, &first).await;
    assert_eq!(store.pair_match(&alice(), first.id).await.unwrap().as_ref(), Some(&first));
    let other = samples::pair_match(&alice(), 2);
    let same_id = PairMatch { id: first.id, ..other.clone() };
    let same_operation = PairMatch { operation: first.operation, ..other.clone() };
    for twin in [first.clone(), same_id, same_operation] {
        assert_eq!(store.create_match(&twin).await.unwrap(), Write::Conflict(first.clone()));
    }
    assert_eq!(store.pair_match(&alice(), other.id).await.unwrap(), None);
    create(store, &other).await;
    assert_eq!(store.pair_match(&alice(), first.id).await.unwrap(), Some(first));
}

async fn the_first_end_of_a_match_stays(store: &dyn RunStore) {
    let absent = samples::pair_match(&alice(), 9).id;
    let end = store.finish_match(&alice(), absent, &scored(1)).await.unwrap();
    assert_eq!(end, Write::Conflict(()), "there is no such match");
    assert_eq!(store.pair_match(&alice(), absent).await.unwrap(), None);

    let failed = PairOutcome::Failed(samples::failure("not ready"));
    for (number, first, second) in [(1, scored(5), failed.clone()), (2, failed.clone(), scored(6))] {
        let pair = samples::pair_match(&alice(), number);
        create(store, &pair).await;
        let end = store.finish_match(&alice(), pair.id, &first).await.unwrap();
        assert_eq!(end, Write::Applied);
        for outcome in [&second, &first] {
            let end = store.finish_match(&alice(), pair.id, outcome).await.unwrap();
            assert_eq!(end, Write::Conflict(()));
        }
        let kept = PairMatch { outcome: Some(first), ..pair.clone() };
        assert_eq!(store.pair_match(&alice(), pair.id).await.unwrap().as_ref(), Some(&kept));
        assert_eq!(store.create_match(&pair).await.unwrap(), Write::Conflict(kept), "as it stands");
    }
}

async fn matches_are_listed_newest_first(store: &dyn RunStore) {
    let mut expected = Vec::new();
    for number in 0..25 {
        let mut pair = samples::pair_match(&alice(), number);
        create(store, &pair).await;
        create(store, &samples::pair_match(&bob(), number)).await;
        if number % 3 == 0 {
            let end = store.finish_match(&alice(), pair.id, &scored(number)).await.unwrap();
            assert_eq!(end, Write::Applied);
            pair.outcome = Some(scored(number));
        }
        expected.push(pair);
    }
    expected.sort_by_key(|pair| std::cmp::Reverse(pair.id));
    let all = store.list_matches(&alice(), Page { after: None, limit: 1_000 }).await.unwrap();
    assert_eq!(all, expected);
    let (mut paged, mut after): (Vec<PairMatch>, Option<MatchId>) = (Vec::new(), None);
    loop {
        let page = store.list_matches(&alice(), Page { after, limit: 10 }).await.unwrap();
        assert!(page.len() <= 10);
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        paged.extend(page);
    }
    assert_eq!(paged, expected, "pages leave nothing out and repeat nothing");
}

async fn owners_see_their_own_matches_alone(store: &dyn RunStore) {
    let hers = samples::pair_match(&alice(), 1);
    create(store, &hers).await;
    assert_eq!(store.pair_match(&bob(), hers.id).await.unwrap(), None);
    assert_eq!(store.list_matches(&bob(), Page { after: None, limit: 10 }).await.unwrap(), []);
    let end = store.finish_match(&bob(), hers.id, &scored(1)).await.unwrap();
    assert_eq!(end, Write::Conflict(()));
    create(store, &samples::pair_match(&bob(), 1)).await;
    let end = store.finish_match(&bob(), hers.id, &scored(1)).await.unwrap();
    assert_eq!(end, Write::Applied);
    assert_eq!(store.pair_match(&alice(), hers.id).await.unwrap(), Some(hers), "still queued");
}

async fn of_many_that_finish_one_match_one_wins(store: &dyn RunStore) {
    let pair = samples::pair_match(&alice(), 1);
    create(store, &pair).await;
    let outcomes: Vec<PairOutcome> = (0..RACERS).map(scored).collect();
    let owner = alice();
    let ends = join_all(outcomes.iter().map(|o| store.finish_match(&owner, pair.id, o))).await;
    let winner = ends.iter().position(|end| *end == Ok(Write::Applied)).unwrap();
    assert_eq!(ends.iter().filter(|end| **end == Ok(Write::Conflict(()))).count() as u64, RACERS - 1);
    let kept = store.pair_match(&alice(), pair.id).await.unwrap().unwrap();
    assert_eq!(kept.outcome.as_ref(), Some(&outcomes[winner]));
}
