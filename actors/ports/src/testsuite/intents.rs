//! What every [`IntentStore`] promises, but for forgetting, which takes two days.

use std::sync::Arc;

use futures::future::join_all;
use tandem_domain::ids::{OperationId, OwnerId};

use super::samples;
use crate::error::Write;
use crate::intents::{Intent, IntentStore};

/// Requests that race for one intent.
const RACERS: u64 = 24;

/// Runs the whole suite; `make` gives an empty store.
///
/// # Panics
/// At the first broken promise.
pub async fn contract(make: &dyn Fn() -> Arc<dyn IntentStore>) {
    the_first_of_a_name_stays(&*make()).await;
    an_end_is_noted_once_and_for_all(&*make()).await;
    of_many_that_come_at_once_one_is_first(&*make()).await;
}

/// Sample intent `number` of an owner, with sample content `body`.
#[must_use]
pub fn intent(owner: &OwnerId, number: u64, body: u64) -> Intent {
    Intent {
        owner: owner.clone(),
        operation: OperationId::from_uuid(samples::uuid("intent", number)),
        body: samples::digest(body),
        since: samples::CREATED,
        ended: false,
    }
}

async fn the_first_of_a_name_stays(store: &dyn IntentStore) {
    let (alice, bob) = (samples::owner("alice"), samples::owner("bob"));
    let first = intent(&alice, 1, 1);
    assert_eq!(store.remember(&first).await.unwrap(), Write::Applied);
    for later in [first.clone(), intent(&alice, 1, 2)] {
        assert_eq!(store.remember(&later).await.unwrap(), Write::Conflict(first.clone()));
    }
    assert_eq!(store.remember(&intent(&alice, 2, 1)).await.unwrap(), Write::Applied, "another name");
    assert_eq!(store.remember(&intent(&bob, 1, 1)).await.unwrap(), Write::Applied, "names are their owner's");
}

async fn an_end_is_noted_once_and_for_all(store: &dyn IntentStore) {
    let alice = samples::owner("alice");
    let first = intent(&alice, 1, 1);
    store.end(&alice, first.operation).await.unwrap();
    assert_eq!(store.remember(&first).await.unwrap(), Write::Applied, "the end of nothing is nothing");
    for _ in 0..2 {
        store.end(&alice, first.operation).await.unwrap();
        let ended = Intent { ended: true, ..first.clone() };
        assert_eq!(store.remember(&first).await.unwrap(), Write::Conflict(ended));
    }
}

async fn of_many_that_come_at_once_one_is_first(store: &dyn IntentStore) {
    let alice = samples::owner("alice");
    let intents: Vec<Intent> = (0..RACERS).map(|body| intent(&alice, 1, body)).collect();
    let ends = join_all(intents.iter().map(|intent| store.remember(intent))).await;
    let applied = ends.iter().filter(|end| **end == Ok(Write::Applied)).count();
    assert_eq!(applied, 1);
    assert!(ends.iter().all(|end| end.as_ref().is_ok_and(Write::is_there)));
}
