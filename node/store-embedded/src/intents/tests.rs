use std::time::Duration;

use tandem_ports::testsuite::intents::intent;
use tandem_ports::testsuite::samples;

use super::*;
use crate::testing::{Place, Stores};

#[tokio::test]
async fn an_intent_is_forgotten_after_two_days_and_its_row_goes() {
    let stores = Stores::default();
    let store = stores.make();
    let (alice, bob) = (samples::owner("alice"), samples::owner("bob"));
    for number in 0..3 {
        assert_eq!(store.remember(&intent(&alice, number, 1)).await.unwrap(), Write::Applied);
    }
    let later = |since| Intent { since, ..intent(&alice, 0, 2) };
    let just_before = later(samples::CREATED.plus(KEPT - Duration::from_millis(1)));
    assert_eq!(store.remember(&just_before).await.unwrap(), Write::Conflict(intent(&alice, 0, 1)));
    let after = later(samples::CREATED.plus(KEPT));
    assert_eq!(store.remember(&after).await.unwrap(), Write::Applied);
    assert_eq!(store.remember(&after).await.unwrap(), Write::Conflict(after.clone()));
    let new = Intent { since: after.since, ..intent(&bob, 9, 1) };
    assert_eq!(store.remember(&new).await.unwrap(), Write::Applied);
    let count = "SELECT count(*) FROM intents";
    let rows = store.read(move |c| Ok(c.query_row(count, [], |row| row.get::<_, i64>(0))?)).await.unwrap();
    assert_eq!(rows, 2, "the two that are remembered");
}

#[tokio::test]
async fn what_a_process_that_is_gone_was_at_work_on_has_ended() {
    let place = Place::new();
    let alice = samples::owner("alice");
    let (done, at_work) = (intent(&alice, 1, 1), intent(&alice, 2, 1));
    let store = place.open();
    for intent in [&done, &at_work] {
        assert_eq!(store.remember(intent).await.unwrap(), Write::Applied);
    }
    store.end(&alice, done.operation).await.unwrap();
    assert_eq!(store.remember(&at_work).await.unwrap(), Write::Conflict(at_work.clone()));
    store.close().await;
    let store = place.open();
    for intent in [done, at_work] {
        let ended = Intent { ended: true, ..intent.clone() };
        assert_eq!(store.remember(&intent).await.unwrap(), Write::Conflict(ended));
    }
}
