//! What is kept of a version: text and vectors, each once.

use std::sync::Arc;

use futures::future::join_all;
use tandem_domain::document::Version;

use super::{RACERS, alice, bob};
use crate::documents::DocumentStore;
use crate::error::Write;
use crate::testsuite::samples;

const MIB: usize = 1 << 20;

pub(super) async fn run(make: &dyn Fn() -> Arc<dyn DocumentStore>) {
    the_first_text_stays(&*make()).await;
    the_first_vectors_stay(&*make()).await;
    large_versions_are_kept(&*make()).await;
    of_many_that_keep_one_text_one_wins(&*make()).await;
}

async fn the_first_text_stays(store: &dyn DocumentStore) {
    let (owner, id) = (alice(), samples::document_id(1));
    let (first, second) = (samples::parsed(1, 500), samples::parsed(2, 500));
    assert_eq!(store.parsed(&owner, id, Version(1)).await.unwrap(), None);
    assert_eq!(store.put_parsed(&owner, id, Version(1), &first).await.unwrap(), Write::Applied);
    assert_eq!(store.put_parsed(&owner, id, Version(1), &second).await.unwrap(), Write::Conflict(()));
    assert_eq!(store.put_parsed(&owner, id, Version(1), &first).await.unwrap(), Write::Conflict(()));
    assert_eq!(store.parsed(&owner, id, Version(1)).await.unwrap().as_ref(), Some(&first));

    assert_eq!(store.parsed(&owner, id, Version(2)).await.unwrap(), None, "versions are apart");
    assert_eq!(store.put_parsed(&owner, id, Version(2), &second).await.unwrap(), Write::Applied);
    assert_eq!(store.parsed(&owner, id, Version(2)).await.unwrap().as_ref(), Some(&second));
    assert_eq!(store.parsed(&bob(), id, Version(1)).await.unwrap(), None, "owners are apart");
    assert_eq!(store.put_parsed(&bob(), id, Version(1), &second).await.unwrap(), Write::Applied);
    assert_eq!(store.parsed(&owner, id, Version(1)).await.unwrap(), Some(first));
}

async fn the_first_vectors_stay(store: &dyn DocumentStore) {
    let (owner, id) = (alice(), samples::document_id(1));
    let (first, second) = (samples::embedded(1, 3), samples::embedded(2, 0));
    assert_eq!(store.embedded(&owner, id, Version(1)).await.unwrap(), None);
    assert_eq!(store.put_embedded(&owner, id, Version(1), &first).await.unwrap(), Write::Applied);
    assert_eq!(store.put_embedded(&owner, id, Version(1), &second).await.unwrap(), Write::Conflict(()));
    assert_eq!(store.embedded(&owner, id, Version(1)).await.unwrap().as_ref(), Some(&first));

    assert_eq!(store.embedded(&owner, id, Version(2)).await.unwrap(), None, "versions are apart");
    assert_eq!(store.put_embedded(&owner, id, Version(2), &second).await.unwrap(), Write::Applied);
    assert_eq!(store.embedded(&owner, id, Version(2)).await.unwrap().as_ref(), Some(&second));
    assert_eq!(store.embedded(&bob(), id, Version(1)).await.unwrap(), None, "owners are apart");
    assert_eq!(store.put_embedded(&bob(), id, Version(1), &second).await.unwrap(), Write::Applied);
    assert_eq!(store.embedded(&owner, id, Version(1)).await.unwrap(), Some(first));
}

async fn large_versions_are_kept(store: &dyn DocumentStore) {
    let (owner, id) = (alice(), samples::document_id(1));
    let (parsed, embedded) = (samples::parsed(1, MIB), samples::embedded(1, 3_000));
    assert_eq!(store.put_parsed(&owner, id, Version(1), &parsed).await.unwrap(), Write::Applied);
    assert_eq!(store.put_embedded(&owner, id, Version(1), &embedded).await.unwrap(), Write::Applied);
    assert!(store.parsed(&owner, id, Version(1)).await.unwrap() == Some(parsed), "a text of 1 MiB");
    assert!(store.embedded(&owner, id, Version(1)).await.unwrap() == Some(embedded), "3,000 chunks");
}

async fn of_many_that_keep_one_text_one_wins(store: &dyn DocumentStore) {
    let (owner, id) = (alice(), samples::document_id(1));
    let texts: Vec<_> = (0..RACERS).map(|number| samples::parsed(number, 200)).collect();
    let ends = join_all(texts.iter().map(|text| store.put_parsed(&owner, id, Version(1), text))).await;
    let kept = store.parsed(&owner, id, Version(1)).await.unwrap().unwrap();
    for (text, end) in texts.iter().zip(ends) {
        let expected = if *text == kept { Write::Applied } else { Write::Conflict(()) };
        assert_eq!(end.unwrap(), expected);
    }
    assert!(texts.contains(&kept));
}
