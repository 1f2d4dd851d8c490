use tandem_ports::DocumentStore;
use tandem_ports::testsuite::{samples, vectors};

use super::*;
use crate::testing::Shared;

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_contract_of_vectors() {
    let Some(shared) = Shared::new().await else { return };
    vectors::contract(&|| shared.make()).await;
    shared.end().await;
}

/// The servers count the seconds: they are asked until the time is over.
#[tokio::test(flavor = "multi_thread")]
async fn a_vector_ends_by_itself() {
    let Some(shared) = Shared::new().await else { return };
    let store = shared.make();
    let (owner, id) = (samples::owner("alice"), samples::document_id(1));
    let [short, long] = ["short", "long"].map(|text| VectorKey::of(&samples::model(), text));
    let second = Duration::from_secs(1);
    store.cache(&owner, id, Version::FIRST, &[(short, vec![1.0])], second).await.unwrap();
    store.cache(&owner, id, Version::FIRST, &[(long, vec![1.0])], second * 3_600).await.unwrap();
    let deadline = tokio::time::Instant::now() + second * 60;
    while store.cached(&owner, &[short]).await.unwrap() != [None] {
        assert!(tokio::time::Instant::now() < deadline, "it is still there");
        tokio::time::sleep(second / 5).await;
    }
    assert_eq!(store.cached(&owner, &[long]).await.unwrap(), [Some(vec![1.0])]);
    store.forget_version(&owner, id, Version::FIRST).await.unwrap();
    assert_eq!(store.cached(&owner, &[long]).await.unwrap(), [None]);
    shared.end().await;
}
