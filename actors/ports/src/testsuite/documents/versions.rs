//! What is kept of a version: text and vectors, each once.

use std::sync::Arc;

use futures::future::join_all;
use tandem_domain::chunk::{EmbeddedVersion, ModelIdentity};
use tandem_domain::document::Version;

use super::{RACERS, alice, bob};
use crate::documents::DocumentStore;
use crate::error::Write;
use crate::testsuite::samples;

const MIB: usize = 1 << 20;

pub(super) async fn run(make: &dyn Fn() -> Arc<dyn DocumentStore>) {
    the_first_text_stays(&*make()).await;
    the_first_vectors_stay(&*make()).await;
    vectors_of_models_are_kept_side_by_side(&*make()).await;
    of_many_models_none_is_lost(&*make()).await;
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
    assert_eq!(store.embedded(&owner, id, Version(1), &samples::model()).await.unwrap(), None);
    assert_eq!(store.put_embedded(&owner, id, Version(1), &first).await.unwrap(), Write::Applied);
    assert_eq!(store.put_embedded(&owner, id, Version(1), &second).await.unwrap(), Write::Conflict(()));
    assert_eq!(
        store.embedded(&owner, id, Version(1), &samples::model()).await.unwrap().as_ref(),
        Some(&first)
    );

    assert_eq!(
        store.embedded(&owner, id, Version(2), &samples::model()).await.unwrap(),
        None,
        "versions are apart"
    );
    assert_eq!(store.put_embedded(&owner, id, Version(2), &second).await.unwrap(), Write::Applied);
    assert_eq!(
        store.embedded(&owner, id, Version(2), &samples::model()).await.unwrap().as_ref(),
        Some(&second)
    );
    assert_eq!(
        store.embedded(&bob(), id, Version(1), &samples::model()).await.unwrap(),
        None,
        "owners are apart"
    );
    assert_eq!(store.put_embedded(&bob(), id, Version(1), &second).await.unwrap(), Write::Applied);
    assert_eq!(store.embedded(&owner, id, Version(1), &samples::model()).await.unwrap(), Some(first));
}

async fn vectors_of_models_are_kept_side_by_side(store: &dyn DocumentStore) {
    let (owner, id, version) = (alice(), samples::document_id(1), Version(1));
    let models = [1, 2, 3].map(|n| ModelIdentity { id: format!("model-{n}"), ..samples::model() });
    let of = |n: usize| EmbeddedVersion { model: models[n].clone(), ..samples::embedded(n as u64 + 1, 2) };
    for (n, model) in models.iter().enumerate() {
        assert_eq!(store.embedded(&owner, id, version, model).await.unwrap(), None);
        assert_eq!(store.put_embedded(&owner, id, version, &of(n)).await.unwrap(), Write::Applied);
        let again = EmbeddedVersion { model: model.clone(), ..samples::embedded(9, 1) };
        assert_eq!(store.put_embedded(&owner, id, version, &again).await.unwrap(), Write::Conflict(()));
    }
    for (n, model) in models.iter().enumerate() {
        assert_eq!(store.embedded(&owner, id, version, model).await.unwrap(), Some(of(n)));
    }
    for _ in 0..2 {
        store.forget_embedded(&owner, id, version, &models[1]).await.unwrap();
        assert_eq!(store.embedded(&owner, id, version, &models[1]).await.unwrap(), None);
    }
    assert_eq!(store.embedded(&owner, id, version, &models[0]).await.unwrap(), Some(of(0)));
    assert_eq!(store.put_embedded(&owner, id, version, &of(1)).await.unwrap(), Write::Applied, "made again");
    store.forget_version(&owner, id, version).await.unwrap();
    for model in &models {
        assert_eq!(
            store.embedded(&owner, id, version, model).await.unwrap(),
            None,
            "all go with the version"
        );
    }
    store.forget_embedded(&bob(), id, version, &models[0]).await.unwrap();
}

async fn of_many_models_none_is_lost(store: &dyn DocumentStore) {
    let (owner, id, version) = (alice(), samples::document_id(1), Version(1));
    let model = |n: u64| ModelIdentity { id: format!("model-{n}"), ..samples::model() };
    let made: Vec<EmbeddedVersion> =
        (0..4).map(|n| EmbeddedVersion { model: model(n), ..samples::embedded(n, 2) }).collect();
    let mut missing: Vec<&EmbeddedVersion> = made.iter().collect();
    while !missing.is_empty() {
        let puts = missing.iter().map(|embedded| store.put_embedded(&owner, id, version, embedded));
        let ends = join_all(puts).await;
        // One that others overtake too often may say so; it is done again.
        missing = missing.into_iter().zip(ends).filter_map(|(e, end)| end.is_err().then_some(e)).collect();
    }
    for embedded in made {
        let kept = store.embedded(&owner, id, version, &embedded.model).await.unwrap();
        assert_eq!(kept, Some(embedded));
    }
}

async fn large_versions_are_kept(store: &dyn DocumentStore) {
    let (owner, id) = (alice(), samples::document_id(1));
    let (parsed, embedded) = (samples::parsed(1, MIB), samples::embedded(1, 3_000));
    assert_eq!(store.put_parsed(&owner, id, Version(1), &parsed).await.unwrap(), Write::Applied);
    assert_eq!(store.put_embedded(&owner, id, Version(1), &embedded).await.unwrap(), Write::Applied);
    assert!(store.parsed(&owner, id, Version(1)).await.unwrap() == Some(parsed), "a text of 1 MiB");
    assert!(
        store.embedded(&owner, id, Version(1), &samples::model()).await.unwrap() == Some(embedded),
        "3,000 chunks"
    );
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
