//! What is removed is as if it had never been.

use super::*;

pub(super) async fn run(make: &dyn Fn() -> Arc<dyn DocumentStore>) {
    what_is_removed_is_found_by_nothing(&*make()).await;
    what_was_removed_may_come_again(&*make()).await;
    a_version_is_forgotten_whole_and_alone(&*make()).await;
    of_many_that_remove_one_wins(&*make()).await;
}

async fn what_is_removed_is_found_by_nothing(store: &dyn DocumentStore) {
    let (first, second) = (samples::document(&alice(), Resume, 1), samples::document(&alice(), Resume, 2));
    create(store, &first).await;
    create(store, &second).await;
    assert_eq!(
        store.remove(&bob(), first.id, Version::FIRST).await.unwrap(),
        Write::Conflict(None),
        "it is not his"
    );
    assert_eq!(store.remove(&alice(), first.id, Version::FIRST).await.unwrap(), Write::Applied);
    assert_eq!(store.document(&alice(), first.id).await.unwrap(), None);
    assert_eq!(store.find_by_digest(&alice(), Resume, first.digest).await.unwrap(), None);
    let page = Page { after: None, limit: 10 };
    assert_eq!(store.list(&alice(), Resume, page).await.unwrap(), std::slice::from_ref(&second));
    let next = DocumentState::Parsed;
    let advanced = store.advance(&alice(), first.id, first.version, &next).await.unwrap();
    assert_eq!(advanced, Write::Conflict(None));
    assert_eq!(
        store.remove(&alice(), first.id, Version::FIRST).await.unwrap(),
        Write::Conflict(None),
        "it is gone already"
    );
    assert_eq!(store.document(&alice(), second.id).await.unwrap(), Some(second));
}

async fn what_was_removed_may_come_again(store: &dyn DocumentStore) {
    let first = samples::document(&alice(), Job, 1);
    create(store, &first).await;
    assert_eq!(store.remove(&alice(), first.id, Version::FIRST).await.unwrap(), Write::Applied);
    let again = Document { digest: first.digest, ..samples::document(&alice(), Job, 2) };
    create(store, &again).await;
    let found = store.find_by_digest(&alice(), Job, first.digest).await.unwrap();
    assert_eq!(found, Some(again.clone()));
    let page = Page { after: None, limit: 10 };
    assert_eq!(store.list(&alice(), Job, page).await.unwrap(), [again]);
}

async fn a_version_is_forgotten_whole_and_alone(store: &dyn DocumentStore) {
    let (kept, document) = (samples::document(&alice(), Resume, 1), samples::document(&alice(), Resume, 2));
    for document in [&kept, &document] {
        create(store, document).await;
        // Large enough to be kept in parts where a store has parts.
        let parsed = samples::parsed(1, 60_000);
        let put = store.put_parsed(&alice(), document.id, Version::FIRST, &parsed).await.unwrap();
        assert_eq!(put, Write::Applied);
        let embedded = samples::embedded(1, 3);
        let put = store.put_embedded(&alice(), document.id, Version::FIRST, &embedded).await.unwrap();
        assert_eq!(put, Write::Applied);
    }
    assert_eq!(store.remove(&alice(), document.id, Version::FIRST).await.unwrap(), Write::Applied);
    for _ in 0..2 {
        store.forget_version(&alice(), document.id, Version::FIRST).await.unwrap();
        assert_eq!(store.parsed(&alice(), document.id, Version::FIRST).await.unwrap(), None);
        assert_eq!(
            store.embedded(&alice(), document.id, Version::FIRST, &samples::model()).await.unwrap(),
            None
        );
    }
    assert!(store.parsed(&alice(), kept.id, Version::FIRST).await.unwrap().is_some());
    assert!(store.embedded(&alice(), kept.id, Version::FIRST, &samples::model()).await.unwrap().is_some());
}

async fn of_many_that_remove_one_wins(store: &dyn DocumentStore) {
    let (alice, document) = (alice(), samples::document(&alice(), Resume, 1));
    create(store, &document).await;
    let removals = (0..RACERS).map(|_| store.remove(&alice, document.id, Version::FIRST));
    let applied =
        join_all(removals).await.into_iter().filter(|end| matches!(end, Ok(Write::Applied))).count();
    assert_eq!(applied, 1);
    assert_eq!(store.document(&alice, document.id).await.unwrap(), None);
}
