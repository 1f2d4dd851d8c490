//! What every [`DocumentStore`] promises.

use std::sync::Arc;

use futures::future::join_all;
use tandem_domain::document::{Document, DocumentKind, DocumentState, Version};
use tandem_domain::ids::{DocumentId, OwnerId};

use super::samples;
use crate::documents::{DocumentStore, Page};
use crate::error::Write;

mod added;
mod log;
mod removal;
mod versions;

use DocumentKind::{Job, Resume};

/// Writers that race in each of the suite's races.
const RACERS: u64 = 24;

/// Runs the whole suite; `make` gives an empty store.
///
/// # Panics
/// At the first broken promise.
pub async fn contract(make: &dyn Fn() -> Arc<dyn DocumentStore>) {
    a_created_document_is_found(&*make()).await;
    the_first_of_a_digest_stays(&*make()).await;
    the_first_of_an_id_stays(&*make()).await;
    of_many_that_create_one_digest_one_wins(&*make()).await;
    owners_see_their_own_documents_alone(&*make()).await;
    lists_go_from_newest_to_oldest_in_pages(&*make()).await;
    states_move_forward_only(&*make()).await;
    failures_keep_their_reason(&*make()).await;
    of_many_that_advance_one_wins(&*make()).await;
    versions::run(make).await;
    added::run(make).await;
    removal::run(make).await;
    log::run(make).await;
}

fn alice() -> OwnerId {
    samples::owner("alice")
}

fn bob() -> OwnerId {
    samples::owner("bob")
}

async fn create(store: &dyn DocumentStore, document: &Document) {
    assert_eq!(store.create(document).await.unwrap(), Write::Applied);
}

async fn a_created_document_is_found(store: &dyn DocumentStore) {
    let document = samples::document(&alice(), Resume, 1);
    assert_eq!(store.document(&alice(), document.id).await.unwrap(), None);
    assert_eq!(store.find_by_digest(&alice(), Resume, document.digest).await.unwrap(), None);
    create(store, &document).await;
    assert_eq!(store.document(&alice(), document.id).await.unwrap().as_ref(), Some(&document));
    let found = store.find_by_digest(&alice(), Resume, document.digest).await.unwrap();
    assert_eq!(found.as_ref(), Some(&document));
    assert_eq!(store.find_by_digest(&alice(), Job, document.digest).await.unwrap(), None);
    assert_eq!(store.find_by_digest(&alice(), Resume, samples::digest(2)).await.unwrap(), None);
}

async fn the_first_of_a_digest_stays(store: &dyn DocumentStore) {
    let first = samples::document(&alice(), Resume, 1);
    create(store, &first).await;
    assert_eq!(store.create(&first).await.unwrap(), Write::Conflict(first.clone()), "created twice");

    let twin = Document { digest: first.digest, ..samples::document(&alice(), Resume, 2) };
    assert_eq!(store.create(&twin).await.unwrap(), Write::Conflict(first.clone()));
    assert_eq!(store.document(&alice(), twin.id).await.unwrap(), None, "the second left nothing");
    assert_eq!(store.document(&alice(), first.id).await.unwrap(), Some(first.clone()));

    let job = Document { digest: first.digest, ..samples::document(&alice(), Job, 3) };
    create(store, &job).await;
    assert_eq!(store.find_by_digest(&alice(), Resume, first.digest).await.unwrap(), Some(first.clone()));
    assert_eq!(store.find_by_digest(&alice(), Job, first.digest).await.unwrap(), Some(job));
    let his = Document { digest: first.digest, ..samples::document(&bob(), Resume, 4) };
    create(store, &his).await;
}

async fn the_first_of_an_id_stays(store: &dyn DocumentStore) {
    let first = samples::document(&alice(), Resume, 1);
    create(store, &first).await;
    let same_id = Document { id: first.id, ..samples::document(&alice(), Job, 2) };
    assert_eq!(store.create(&same_id).await.unwrap(), Write::Conflict(first.clone()));
    assert_eq!(store.find_by_digest(&alice(), Job, same_id.digest).await.unwrap(), None);
    assert_eq!(store.document(&alice(), first.id).await.unwrap(), Some(first));
}

async fn of_many_that_create_one_digest_one_wins(store: &dyn DocumentStore) {
    let documents: Vec<Document> = (0..RACERS)
        .map(|n| Document { digest: samples::digest(99), ..samples::document(&alice(), Resume, n) })
        .collect();
    let ends = join_all(documents.iter().map(|document| store.create(document))).await;
    let ends: Vec<Write<Document>> = ends.into_iter().map(Result::unwrap).collect();
    let winner = store.find_by_digest(&alice(), Resume, samples::digest(99)).await.unwrap().unwrap();
    for (document, end) in documents.iter().zip(ends) {
        let expected = if *document == winner { Write::Applied } else { Write::Conflict(winner.clone()) };
        assert_eq!(end, expected);
    }
    assert!(documents.contains(&winner));
    let page = Page { after: None, limit: 100 };
    assert_eq!(store.list(&alice(), Resume, page).await.unwrap(), [winner]);
}

async fn owners_see_their_own_documents_alone(store: &dyn DocumentStore) {
    let hers = samples::document(&alice(), Resume, 1);
    create(store, &hers).await;
    assert_eq!(store.document(&bob(), hers.id).await.unwrap(), None);
    assert_eq!(store.find_by_digest(&bob(), Resume, hers.digest).await.unwrap(), None);
    let page = Page { after: None, limit: 10 };
    assert_eq!(store.list(&bob(), Resume, page).await.unwrap(), []);
    let step = store.advance(&bob(), hers.id, Version::FIRST, &DocumentState::Parsed).await;
    assert_eq!(step.unwrap(), Write::Conflict(None));

    let his = Document { file_name: "his.txt".to_owned(), ..samples::document(&bob(), Resume, 1) };
    create(store, &his).await;
    let step = store.advance(&bob(), his.id, Version::FIRST, &DocumentState::Parsed).await;
    assert_eq!(step.unwrap(), Write::Applied);
    assert_eq!(store.document(&alice(), hers.id).await.unwrap(), Some(hers), "the same id, another owner");
}

async fn lists_go_from_newest_to_oldest_in_pages(store: &dyn DocumentStore) {
    for number in 0..25 {
        create(store, &samples::document(&alice(), Resume, number)).await;
        create(store, &samples::document(&alice(), Job, 100 + number)).await;
        create(store, &samples::document(&bob(), Resume, number)).await;
    }
    let mut expected: Vec<_> = (0..25).map(|n| samples::document(&alice(), Resume, n)).collect();
    expected.sort_by_key(|document| std::cmp::Reverse(document.id));

    let all = store.list(&alice(), Resume, Page { after: None, limit: 1_000 }).await.unwrap();
    assert_eq!(all, expected);
    let (mut paged, mut after) = (Vec::new(), None);
    loop {
        let page = store.list(&alice(), Resume, Page { after, limit: 10 }).await.unwrap();
        assert!(page.len() <= 10);
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        paged.extend(page);
    }
    assert_eq!(paged, expected, "pages leave nothing out and repeat nothing");

    let after = Some(DocumentId::from_uuid(uuid::Uuid::max()));
    let first = store.list(&alice(), Resume, Page { after, limit: 1 }).await.unwrap();
    assert_eq!(first, expected[..1], "a page may begin behind an id that is no document");
}

async fn states_move_forward_only(store: &dyn DocumentStore) {
    use DocumentState::{Embedded, Indexed, Parsed, Queued};
    let document = samples::document(&alice(), Resume, 1);
    let step = async |version: u32, next: DocumentState| {
        store.advance(&alice(), document.id, Version(version), &next).await.unwrap()
    };
    assert_eq!(step(1, Parsed).await, Write::Conflict(None), "there is no such document");
    create(store, &document).await;
    assert_eq!(step(2, Parsed).await, Write::Conflict(Some(Queued)), "not the current version");
    assert_eq!(step(1, Queued).await, Write::Conflict(Some(Queued)));
    assert_eq!(step(1, Parsed).await, Write::Applied);
    assert_eq!(step(1, Parsed).await, Write::Conflict(Some(Parsed)), "a second delivery");
    assert_eq!(step(1, Queued).await, Write::Conflict(Some(Parsed)), "never back");
    assert_eq!(step(1, Embedded).await, Write::Applied);
    assert_eq!(step(1, Indexed).await, Write::Applied);
    let failed = DocumentState::Failed(samples::failure("too late"));
    assert_eq!(step(1, failed).await, Write::Conflict(Some(Indexed)), "settled");
    let expected = Document { state: Indexed, ..document.clone() };
    assert_eq!(store.document(&alice(), document.id).await.unwrap().as_ref(), Some(&expected));
    let found = store.find_by_digest(&alice(), Resume, document.digest).await.unwrap();
    assert_eq!(found, Some(expected), "every way to the document shows its state");
}

async fn failures_keep_their_reason(store: &dyn DocumentStore) {
    let document = samples::document(&alice(), Resume, 1);
    create(store, &document).await;
    let failed = DocumentState::Failed(samples::failure("no text – only pictures"));
    let end = store.advance(&alice(), document.id, Version::FIRST, &failed).await.unwrap();
    assert_eq!(end, Write::Applied);
    let end = store.advance(&alice(), document.id, Version::FIRST, &DocumentState::Parsed).await;
    assert_eq!(end.unwrap(), Write::Conflict(Some(failed.clone())));
    let twin = Document { digest: document.digest, ..samples::document(&alice(), Resume, 2) };
    let kept = store.create(&twin).await.unwrap().conflict().unwrap();
    assert_eq!(kept.state, failed);
    assert_eq!(store.document(&alice(), document.id).await.unwrap(), Some(kept));
}

async fn of_many_that_advance_one_wins(store: &dyn DocumentStore) {
    let document = samples::document(&alice(), Resume, 1);
    create(store, &document).await;
    let (owner, id, next) = (alice(), document.id, DocumentState::Embedded);
    let step = |_| store.advance(&owner, id, Version::FIRST, &next);
    let ends = join_all((0..RACERS).map(step)).await;
    let applied = ends.iter().filter(|end| **end == Ok(Write::Applied)).count();
    assert_eq!(applied, 1);
    let refused = Ok(Write::Conflict(Some(DocumentState::Embedded)));
    assert_eq!(ends.iter().filter(|end| **end == refused).count() as u64, RACERS - 1);
}
