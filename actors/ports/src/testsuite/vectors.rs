//! What every [`VectorCache`] promises.

use std::sync::Arc;
use std::time::Duration;

use tandem_domain::chunk::ModelIdentity;
use tandem_domain::document::Version;

use super::samples;
use crate::documents::DocumentStore;
use crate::vectors::{KeyedVector, VectorCache, VectorKey};

/// Longer than any suite takes.
const HOUR: Duration = Duration::from_secs(3_600);

/// A cache and the documents whose removal it follows.
pub trait VectorStore: VectorCache + DocumentStore {}
impl<T: VectorCache + DocumentStore> VectorStore for T {}

/// Runs the whole suite; `make` gives an empty store.
///
/// # Panics
/// At the first broken promise.
pub async fn contract(make: &dyn Fn() -> Arc<dyn VectorStore>) {
    a_key_is_of_one_model_and_one_text();
    vectors_are_kept_bit_by_bit(&*make()).await;
    owners_do_not_meet(&*make()).await;
    a_vector_goes_with_its_version_and_no_other_one(&*make()).await;
    a_text_of_two_documents_stays_for_nobody_longer_than_both(&*make()).await;
    nothing_is_kept_for_no_time(&*make()).await;
}

fn key(text: &str) -> VectorKey {
    VectorKey::of(&samples::model(), text)
}

fn vector(number: u16) -> Vec<f32> {
    (0u16..384).map(|n| f32::from(n) / f32::from(number + 7) - 0.1).collect()
}

fn keyed(texts: &[&str]) -> Vec<KeyedVector> {
    (0..).zip(texts).map(|(number, text)| (key(text), vector(number))).collect()
}

async fn found(store: &dyn VectorStore, owner: &str, texts: &[&str]) -> Vec<bool> {
    let keys: Vec<VectorKey> = texts.iter().map(|text| key(text)).collect();
    let cached = store.cached(&samples::owner(owner), &keys).await.unwrap();
    assert_eq!(cached.len(), keys.len());
    cached.iter().map(Option::is_some).collect()
}

async fn keep(store: &dyn VectorStore, owner: &str, document: u64, version: u32, texts: &[&str]) {
    let id = samples::document_id(document);
    store.cache(&samples::owner(owner), id, Version(version), &keyed(texts), HOUR).await.unwrap();
}

async fn forget(store: &dyn VectorStore, owner: &str, document: u64, version: u32) {
    let id = samples::document_id(document);
    store.forget_version(&samples::owner(owner), id, Version(version)).await.unwrap();
}

fn a_key_is_of_one_model_and_one_text() {
    let model = samples::model();
    let mut keys = vec![VectorKey::of(&model, "a"), VectorKey::of(&model, "b"), VectorKey::of(&model, "")];
    let (id, longer) = (format!("{}0", model.id), model.weights_digest.clone());
    let shifted = ModelIdentity { id, weights_digest: longer.trim_end_matches('0').to_owned(), ..model };
    keys.push(VectorKey::of(&shifted, "a"));
    keys.push(VectorKey::of(&ModelIdentity { dimensions: 9, ..samples::model() }, "a"));
    keys.push(VectorKey::of(&ModelIdentity { tokenizer_digest: String::new(), ..samples::model() }, "a"));
    let count = keys.len();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), count);
    assert_eq!(key("a"), key("a"));
    assert!(!format!("{:?}", key("a")).contains(char::is_numeric));
}

async fn vectors_are_kept_bit_by_bit(store: &dyn VectorStore) {
    let alice = samples::owner("alice");
    let texts = ["one", "two", "three"];
    assert_eq!(store.cached(&alice, &[]).await.unwrap(), Vec::<Option<Vec<f32>>>::new());
    assert_eq!(found(store, "alice", &texts).await, [false; 3]);
    store.cache(&alice, samples::document_id(1), Version::FIRST, &[], HOUR).await.unwrap();
    keep(store, "alice", 1, 1, &texts).await;
    let asked = [key("three"), key("never"), key("one"), key("three")];
    let cached = store.cached(&alice, &asked).await.unwrap();
    assert_eq!(cached, [Some(vector(2)), None, Some(vector(0)), Some(vector(2))]);
    keep(store, "alice", 1, 1, &texts).await;
    assert_eq!(found(store, "alice", &texts).await, [true; 3], "a second time changes nothing");
}

async fn owners_do_not_meet(store: &dyn VectorStore) {
    keep(store, "alice", 1, 1, &["one"]).await;
    assert_eq!(found(store, "bob", &["one"]).await, [false]);
    keep(store, "bob", 1, 1, &["one"]).await;
    forget(store, "alice", 1, 1).await;
    assert_eq!(found(store, "alice", &["one"]).await, [false]);
    assert_eq!(found(store, "bob", &["one"]).await, [true]);
}

async fn a_vector_goes_with_its_version_and_no_other_one(store: &dyn VectorStore) {
    keep(store, "alice", 1, 1, &["one", "two"]).await;
    keep(store, "alice", 1, 2, &["three"]).await;
    keep(store, "alice", 2, 1, &["four"]).await;
    let all = ["one", "two", "three", "four"];
    for _ in 0..2 {
        forget(store, "alice", 1, 1).await;
        assert_eq!(found(store, "alice", &all).await, [false, false, true, true]);
    }
    forget(store, "alice", 2, 1).await;
    forget(store, "alice", 1, 2).await;
    assert_eq!(found(store, "alice", &all).await, [false; 4]);
    keep(store, "alice", 1, 3, &["one"]).await;
    assert_eq!(found(store, "alice", &all).await, [true, false, false, false], "it may come again");
}

async fn a_text_of_two_documents_stays_for_nobody_longer_than_both(store: &dyn VectorStore) {
    keep(store, "alice", 1, 1, &["shared"]).await;
    keep(store, "alice", 2, 1, &["shared"]).await;
    forget(store, "alice", 2, 1).await;
    forget(store, "alice", 1, 1).await;
    assert_eq!(found(store, "alice", &["shared"]).await, [false]);
}

async fn nothing_is_kept_for_no_time(store: &dyn VectorStore) {
    let (alice, id) = (samples::owner("alice"), samples::document_id(1));
    for time in [Duration::ZERO, Duration::from_millis(999)] {
        store.cache(&alice, id, Version::FIRST, &keyed(&["one"]), time).await.unwrap();
        assert_eq!(found(store, "alice", &["one"]).await, [false]);
    }
}
