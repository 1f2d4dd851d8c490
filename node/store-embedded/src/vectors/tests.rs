use tandem_domain::chunk::ModelIdentity;
use tandem_ports::DocumentStore;
use tandem_ports::testsuite::{samples, vectors};

use super::*;
use crate::testing::{Place, Stores};

const DAY: Duration = Duration::from_secs(86_400);

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_contract_of_vectors() {
    let stores = Stores::default();
    vectors::contract(&|| stores.make()).await;
}

fn keyed(numbers: std::ops::Range<u32>) -> Vec<KeyedVector> {
    let model: ModelIdentity = samples::model();
    numbers.map(|n| (VectorKey::of(&model, &format!("text {n}")), vec![n as f32; 8])).collect()
}

#[tokio::test]
async fn what_is_old_is_neither_found_nor_kept() {
    let place = Place::new();
    let store = place.open();
    let (owner, id) = (samples::owner("alice"), samples::document_id(1));
    let count = || async {
        store
            .read(|c| Ok(c.query_row("SELECT count(*) FROM cached_vectors", [], |row| row.get::<_, u32>(0))?))
            .await
            .unwrap()
    };
    let found = |numbers: std::ops::Range<u32>| {
        let (store, owner) = (store.clone(), owner.clone());
        async move {
            let keys: Vec<VectorKey> = keyed(numbers).into_iter().map(|(key, _)| key).collect();
            store.cached(&owner, &keys).await.unwrap().iter().flatten().count()
        }
    };
    store.cache(&owner, id, Version::FIRST, &keyed(0..8), DAY).await.unwrap();
    place.clock.advance(DAY - Duration::from_secs(1));
    assert_eq!(found(0..8).await, 8);
    place.clock.advance(Duration::from_secs(1));
    assert_eq!(found(0..8).await, 0);
    assert_eq!(count().await, 8, "nobody has come to clean up yet");

    // One of them again, and one more: each clears up after two.
    let second = Version(2);
    store.cache(&owner, id, second, &keyed(7..9), DAY).await.unwrap();
    assert_eq!((found(0..9).await, count().await), (2, 5));
    store.forget_version(&owner, id, Version::FIRST).await.unwrap();
    assert_eq!((found(0..9).await, count().await), (2, 2), "what is kept anew is of the later version");
    store.forget_version(&owner, id, second).await.unwrap();
    assert_eq!(count().await, 0);
}
