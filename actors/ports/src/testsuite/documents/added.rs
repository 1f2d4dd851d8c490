//! Versions that come to a document: one of them is searched.

use tandem_domain::document::DocumentVersion;

use super::*;

pub(super) async fn run(make: &dyn Fn() -> Arc<dyn DocumentStore>) {
    a_version_is_searched_when_it_can_be(&*make()).await;
    the_content_of_every_version_is_found(&*make()).await;
    a_version_has_a_number_of_its_own(&*make()).await;
    of_many_versions_of_one_number_one_wins(&*make()).await;
    what_is_removed_has_no_version_that_nobody_saw(&*make()).await;
}

async fn add(store: &dyn DocumentStore, document: &Document, version: &DocumentVersion) {
    let end = store.add_version(&alice(), document.id, version).await.unwrap();
    assert_eq!(end, Write::Applied);
}

async fn a_version_is_searched_when_it_can_be(store: &dyn DocumentStore) {
    let document = samples::document(&alice(), Resume, 1);
    create(store, &document).await;
    let second = samples::version(&document, 2, 20);
    add(store, &document, &second).await;
    let step = async |version: u32, next: DocumentState| {
        store.advance(&alice(), document.id, Version(version), &next).await.unwrap()
    };
    assert_eq!(step(1, DocumentState::Indexed).await, Write::Applied);
    assert_eq!(step(2, DocumentState::Parsed).await, Write::Applied);
    let found = store.document(&alice(), document.id).await.unwrap().unwrap();
    assert_eq!((found.version, found.state.name(), found.others.len()), (Version(1), "indexed", 1));
    assert_eq!(step(2, DocumentState::Indexed).await, Write::Applied);
    assert_eq!(step(2, DocumentState::Indexed).await, Write::Conflict(Some(DocumentState::Indexed)));
    assert_eq!(step(3, DocumentState::Parsed).await, Write::Conflict(Some(DocumentState::Indexed)));
    let found = store.document(&alice(), document.id).await.unwrap().unwrap();
    assert_eq!((found.version, found.digest), (Version(2), second.digest));
    let first = Document { state: DocumentState::Indexed, ..document };
    assert_eq!(found.at(Version(1)), Some(first));
    let page = Page { after: None, limit: 10 };
    assert_eq!(store.list(&alice(), Resume, page).await.unwrap(), [found], "every way shows the same row");
}

async fn the_content_of_every_version_is_found(store: &dyn DocumentStore) {
    let (one, two) = (samples::document(&alice(), Resume, 1), samples::document(&alice(), Resume, 2));
    create(store, &one).await;
    create(store, &two).await;
    let second = samples::version(&one, 2, 20);
    add(store, &one, &second).await;
    for digest in [one.digest, second.digest] {
        let found = store.find_by_digest(&alice(), Resume, digest).await.unwrap();
        assert_eq!(found.map(|found| found.id), Some(one.id));
    }
    assert_eq!(store.find_by_digest(&alice(), Job, second.digest).await.unwrap(), None);
    assert_eq!(store.find_by_digest(&bob(), Resume, second.digest).await.unwrap(), None);
    let twin = Document { digest: second.digest, ..samples::document(&alice(), Resume, 3) };
    let there = store.create(&twin).await.unwrap().conflict().unwrap();
    assert_eq!(there.id, one.id, "no document of its own");
    let refused = store.add_version(&alice(), two.id, &samples::version(&two, 2, 20)).await.unwrap();
    assert_eq!(refused.conflict().flatten().map(|there| there.id), Some(one.id), "no version of another");
    add(store, &one, &samples::version(&one, 3, 20)).await;
    let found = store.find_by_digest(&alice(), Resume, second.digest).await.unwrap().unwrap();
    assert_eq!(found.latest(), Version(3), "the same content in two versions of one document");
}

async fn a_version_has_a_number_of_its_own(store: &dyn DocumentStore) {
    let document = samples::document(&alice(), Job, 1);
    let second = samples::version(&document, 2, 20);
    let none = store.add_version(&alice(), document.id, &second).await.unwrap();
    assert_eq!(none, Write::Conflict(None), "there is no such document");
    create(store, &document).await;
    assert_eq!(store.add_version(&bob(), document.id, &second).await.unwrap(), Write::Conflict(None));
    for number in [1, 3] {
        let odd = samples::version(&document, number, 30);
        let refused = store.add_version(&alice(), document.id, &odd).await.unwrap();
        assert_eq!(refused, Write::Conflict(Some(document.clone())), "number {number}");
    }
    assert_eq!(store.find_by_digest(&alice(), Job, samples::digest(30)).await.unwrap(), None);
    add(store, &document, &second).await;
}

async fn of_many_versions_of_one_number_one_wins(store: &dyn DocumentStore) {
    let document = samples::document(&alice(), Resume, 1);
    create(store, &document).await;
    let versions: Vec<_> = (0..RACERS).map(|n| samples::version(&document, 2, 100 + n)).collect();
    let (alice, id) = (alice(), document.id);
    let ends = join_all(versions.iter().map(|version| store.add_version(&alice, id, version))).await;
    let applied = ends.iter().filter(|end| **end == Ok(Write::Applied)).count();
    assert_eq!(applied, 1);
    let found = store.document(&alice, id).await.unwrap().unwrap();
    assert_eq!(found.others.len(), 1);
    assert!(versions.contains(&found.others[0]));
}

async fn what_is_removed_has_no_version_that_nobody_saw(store: &dyn DocumentStore) {
    let document = samples::document(&alice(), Resume, 1);
    create(store, &document).await;
    let second = samples::version(&document, 2, 20);
    add(store, &document, &second).await;
    let refused = store.remove(&alice(), document.id, Version(1)).await.unwrap();
    assert_eq!(refused.conflict().flatten().map(|there| there.latest()), Some(Version(2)));
    assert_eq!(store.remove(&alice(), document.id, Version(2)).await.unwrap(), Write::Applied);
    let late = store.add_version(&alice(), document.id, &samples::version(&document, 3, 30)).await.unwrap();
    assert_eq!(late, Write::Conflict(None));
    for digest in [document.digest, second.digest] {
        assert_eq!(store.find_by_digest(&alice(), Resume, digest).await.unwrap(), None);
    }
    let again = Document { digest: second.digest, ..samples::document(&alice(), Resume, 2) };
    create(store, &again).await;
}
