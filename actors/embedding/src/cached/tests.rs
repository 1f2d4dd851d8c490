use std::sync::Mutex;

use async_trait::async_trait;
use tandem_domain::chunk::ModelIdentity;
use tandem_domain::task::Urgency;
use tandem_ports::embedder::EmbedderError;
use tandem_ports::testsuite::{MemoryStore, samples};
use tandem_ports::{DocumentStore, StoreError};

use super::*;

const HOUR: Duration = Duration::from_secs(3_600);

/// Remembers what it was asked for.
struct Engine {
    identity: ModelIdentity,
    asked: Mutex<Vec<String>>,
    urgencies: Mutex<Vec<Urgency>>,
}

impl Engine {
    fn new(identity: ModelIdentity) -> Arc<Self> {
        Arc::new(Self { identity, asked: Mutex::default(), urgencies: Mutex::default() })
    }

    /// What it was asked for since the last call, sorted.
    fn asked(&self) -> Vec<String> {
        let mut asked = std::mem::take(&mut *self.asked.lock().unwrap());
        asked.sort();
        asked
    }
}

#[async_trait]
impl Embedder for Engine {
    fn identity(&self) -> &ModelIdentity {
        &self.identity
    }

    async fn embed(&self, texts: Vec<String>, urgency: Urgency) -> Result<Vec<Vec<f32>>, EmbedderError> {
        let vectors = texts.iter().map(|text| vec![text.len() as f32; 8]).collect();
        self.asked.lock().unwrap().extend(texts);
        self.urgencies.lock().unwrap().push(urgency);
        Ok(vectors)
    }
}

/// A cache that is away.
struct Away;

#[async_trait]
impl VectorCache for Away {
    async fn cached(&self, _: &OwnerId, _: &[VectorKey]) -> Result<Vec<Option<Vec<f32>>>, StoreError> {
        Err(StoreError::Timeout)
    }

    async fn cache(
        &self,
        _: &OwnerId,
        _: DocumentId,
        _: Version,
        _: &[KeyedVector],
        _: Duration,
    ) -> Result<(), StoreError> {
        Err(StoreError::Timeout)
    }
}

async fn embed(engine: &Engine, vectors: &CachedVectors, owner: &str, document: u64, texts: &[&str]) {
    let owner = samples::owner(owner);
    let origin = Origin { owner: &owner, document: samples::document_id(document), version: Version::FIRST };
    let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
    let expected: Vec<Vec<f32>> = texts.iter().map(|text| vec![text.len() as f32; 8]).collect();
    assert_eq!(vectors.embed(engine, origin, texts, Urgency::Interactive).await.unwrap(), expected);
}

#[tokio::test]
async fn what_is_known_is_not_computed_again() {
    let (engine, store) = (Engine::new(samples::model()), Arc::new(MemoryStore::default()));
    let vectors = CachedVectors::kept(store.clone(), HOUR);
    embed(&engine, &vectors, "alice", 1, &["one", "three", "one"]).await;
    assert_eq!(engine.asked(), ["one", "three"], "a text that repeats is computed once");
    embed(&engine, &vectors, "alice", 2, &["three", "fifteen", "one"]).await;
    assert_eq!(engine.asked(), ["fifteen"]);
    embed(&engine, &vectors, "alice", 3, &["one", "three"]).await;
    embed(&engine, &vectors, "alice", 3, &[]).await;
    assert_eq!(engine.asked(), [""; 0], "nothing is new");

    embed(&engine, &vectors, "bob", 4, &["one"]).await;
    assert_eq!(engine.asked(), ["one"], "what is known of one owner is not known of another");
    store.forget_version(&samples::owner("alice"), samples::document_id(1), Version::FIRST).await.unwrap();
    embed(&engine, &vectors, "alice", 3, &["one", "three", "fifteen"]).await;
    assert_eq!(engine.asked(), ["one", "three"], "they went with their document");
}

#[tokio::test]
async fn another_model_knows_nothing_of_it() {
    let store = Arc::new(MemoryStore::default());
    let vectors = CachedVectors::kept(store, HOUR);
    embed(&Engine::new(samples::model()), &vectors, "alice", 1, &["one"]).await;
    let engine = Engine::new(ModelIdentity { id: "another".to_owned(), ..samples::model() });
    embed(&engine, &vectors, "alice", 1, &["one"]).await;
    assert_eq!(engine.asked(), ["one"]);
}

#[tokio::test]
async fn without_a_cache_or_with_one_that_is_away_everything_is_computed() {
    let engine = Engine::new(samples::model());
    for vectors in [CachedVectors::default(), CachedVectors::kept(Arc::new(Away), HOUR)] {
        for _ in 0..2 {
            embed(&engine, &vectors, "alice", 1, &["one", "two", "one"]).await;
            assert_eq!(engine.asked(), ["one", "two"]);
        }
    }
}

#[tokio::test]
async fn a_long_document_can_wait() {
    let engine = Engine::new(samples::model());
    let vectors = CachedVectors::default();
    let texts: Vec<String> = (0..=URGENT_TEXTS).map(|n| n.to_string()).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    embed(&engine, &vectors, "alice", 1, &texts[1..]).await;
    embed(&engine, &vectors, "alice", 1, &texts).await;
    let owner = samples::owner("alice");
    let origin = Origin { owner: &owner, document: samples::document_id(1), version: Version::FIRST };
    let one = vec!["one".to_owned()];
    vectors.embed(&*engine, origin, one, Urgency::Bulk).await.unwrap();
    let urgencies = engine.urgencies.lock().unwrap();
    assert_eq!(*urgencies, [Urgency::Interactive, Urgency::Bulk, Urgency::Bulk], "the last was told to wait");
}
