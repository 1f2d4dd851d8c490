use std::sync::atomic::{AtomicUsize, Ordering};

use tandem_domain::chunk::ModelIdentity;
use tandem_domain::document::DocumentKind;
use tandem_domain::ids::OwnerId;
use tandem_domain::task::Urgency;
use tandem_ports::documents::{BucketRange, LogPosition};
use tandem_ports::embedder::EmbedderError;
use tandem_ports::testsuite::{MemoryStore, samples};

use super::*;
use crate::testing::TinyModel;
use crate::{ChunkOptions, Encoder, EncoderOptions};

/// Vectors that depend on the text alone; counts the texts.
struct Counting {
    identity: ModelIdentity,
    texts: AtomicUsize,
}

#[async_trait]
impl Embedder for Counting {
    fn identity(&self) -> &ModelIdentity {
        &self.identity
    }

    async fn embed(&self, texts: Vec<String>, _: Urgency) -> Result<Vec<Vec<f32>>, EmbedderError> {
        self.texts.fetch_add(texts.len(), Ordering::Relaxed);
        let vector = |text: &String| {
            let sum = text.bytes().fold(1u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
            (0..self.identity.dimensions).map(|n| ((sum >> (n % 24)) & 15) as f32 - 7.0).collect()
        };
        Ok(texts.iter().map(vector).collect())
    }
}

struct House {
    store: Arc<MemoryStore>,
    embedder: Arc<Counting>,
    engines: watch::Sender<Engines>,
    changed: watch::Receiver<u64>,
    work: EmbedWork,
    task: Task,
}

/// A queued document whose ranked text is `text`, and the stage that is to embed it.
async fn house(text: Option<&str>) -> House {
    let folder = TinyModel::new().write();
    let options = EncoderOptions { max_tokens: 24, ..EncoderOptions::new(folder.path()) };
    let encoder = Arc::new(Encoder::load(&options).unwrap());
    let chunker = Chunker::new(ChunkOptions { chars: 200, overlap: 20, window_tokens: 24 }).unwrap();
    let store = Arc::new(MemoryStore::default());
    let owner = OwnerId::local();
    let document = samples::document(&owner, DocumentKind::Resume, 1);
    assert!(store.create(&document).await.unwrap().is_there());
    if let Some(text) = text {
        let parsed = tandem_domain::document::ParsedVersion {
            ranked_text: text.to_owned(),
            ..samples::parsed(1, 100)
        };
        store.put_parsed(&owner, document.id, document.version, &parsed).await.unwrap().certain().unwrap();
    }
    let embedder = Arc::new(Counting { identity: samples::model(), texts: AtomicUsize::new(0) });
    let (raise, changed) = watch::channel(0);
    let serving = Engine::new(embedder.clone(), chunker, Arc::clone(encoder.tokenizer()));
    let engines = watch::Sender::new(Engines { serving, second: None });
    let work = EmbedWork::new(store.clone(), engines.subscribe(), raise, Urgency::Interactive)
        .caching(store.clone(), Duration::from_secs(3_600));
    let subject = TaskSubject::Version { document: document.id, version: document.version };
    let task = Task::new(owner, TaskKind::Embed, subject, samples::CREATED);
    House { store, embedder, engines, changed, work, task }
}

impl House {
    /// Another document with this ranked text; the task to embed it.
    async fn submit(&self, number: u64, text: &str) -> Task {
        let owner = OwnerId::local();
        let document = samples::document(&owner, DocumentKind::Resume, number);
        assert!(self.store.create(&document).await.unwrap().is_there());
        let parsed = tandem_domain::document::ParsedVersion {
            ranked_text: text.to_owned(),
            ..samples::parsed(number, 100)
        };
        self.store
            .put_parsed(&owner, document.id, document.version, &parsed)
            .await
            .unwrap()
            .certain()
            .unwrap();
        let subject = TaskSubject::Version { document: document.id, version: document.version };
        Task::new(owner, TaskKind::Embed, subject, samples::CREATED)
    }

    async fn state(&self) -> DocumentState {
        let document = self.store.document(&OwnerId::local(), samples::document_id(1)).await.unwrap();
        document.unwrap().state
    }

    async fn log(&self) -> usize {
        let all = BucketRange::of_shard(0, 1);
        self.store.changes(all, LogPosition::START, 100).await.unwrap().changes.len()
    }
}

#[tokio::test]
async fn a_second_delivery_changes_nothing_and_computes_nothing() {
    let house = house(Some(&"the nurse kept the ward. ".repeat(40))).await;
    house.work.perform(&house.task).await.unwrap();
    let computed = house.embedder.texts.load(Ordering::Relaxed);
    let kept = house
        .store
        .embedded(&OwnerId::local(), samples::document_id(1), Version::FIRST, &samples::model())
        .await;
    let kept = kept.unwrap().unwrap();
    assert!(kept.chunks.len() > 1 && computed >= kept.chunks.len());
    assert_eq!((house.state().await, house.log().await), (DocumentState::Embedded, 1));
    assert_eq!(*house.changed.borrow(), 1);

    house.work.perform(&house.task).await.unwrap();
    assert_eq!(house.embedder.texts.load(Ordering::Relaxed), computed);
    assert_eq!(house.log().await, 1);
}

#[tokio::test]
async fn a_text_that_comes_again_is_not_computed_until_its_document_is_forgotten() {
    let text = "the nurse kept the ward. the cook kept the kitchen. ".repeat(20);
    let house = house(Some(&text)).await;
    house.work.perform(&house.task).await.unwrap();
    let computed = house.embedder.texts.load(Ordering::Relaxed);
    let owner = OwnerId::local();
    let model = samples::model();
    let embedded = async |number| {
        let found = house.store.embedded(&owner, samples::document_id(number), Version::FIRST, &model);
        found.await.unwrap().unwrap()
    };

    let again = house.submit(2, &text).await;
    house.work.perform(&again).await.unwrap();
    assert_eq!(house.embedder.texts.load(Ordering::Relaxed), computed);
    assert_eq!(embedded(2).await, embedded(1).await);

    house.store.forget_version(&owner, samples::document_id(1), Version::FIRST).await.unwrap();
    let later = house.submit(3, &text).await;
    house.work.perform(&later).await.unwrap();
    assert_eq!(house.embedder.texts.load(Ordering::Relaxed), 2 * computed);
    assert_eq!(embedded(3).await, embedded(2).await);
}

#[tokio::test]
async fn a_text_without_words_is_embedded_as_nothing() {
    let house = house(Some("")).await;
    house.work.perform(&house.task).await.unwrap();
    let kept = house
        .store
        .embedded(&OwnerId::local(), samples::document_id(1), Version::FIRST, &samples::model())
        .await;
    let kept = kept.unwrap().unwrap();
    assert!(kept.chunks.is_empty());
    assert_eq!(kept.document.similarity(&kept.document), 0);
    assert_eq!(house.state().await, DocumentState::Embedded);
}

#[tokio::test]
async fn what_is_not_parsed_yet_is_worth_another_attempt() {
    let house = house(None).await;
    let failure = house.work.perform(&house.task).await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::NotReady);
    assert!(failure.code.retryable());
    house.work.give_up(&house.task, &failure).await.unwrap();
    assert_eq!(house.state().await, DocumentState::Failed(failure));
    house.work.perform(&house.task).await.unwrap();
    assert_eq!(house.log().await, 0, "a settled document is left alone");
}

#[tokio::test]
async fn vectors_of_a_second_model_are_made_when_they_are_asked_for() {
    let house = house(Some("the nurse kept the ward.")).await;
    house.work.perform(&house.task).await.unwrap();
    let (owner, document) = (OwnerId::local(), samples::document_id(1));
    let model = ModelIdentity { id: "second".to_owned(), ..samples::model() };
    let subject = TaskSubject::Vectors { document, version: Version::FIRST, model: model.key(), epoch: 1 };
    let task = Task::new(owner.clone(), TaskKind::EmbedBulk, subject, samples::CREATED);
    assert_ne!(task.id, house.task.id);
    let failure = house.work.perform(&task).await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::NotReady, "another node may have it, or this one may be loading it");

    let second = Arc::new(Counting { identity: model.clone(), texts: AtomicUsize::new(0) });
    house.engines.send_modify(|engines| {
        engines.second = Some(Engine { embedder: second.clone(), ..engines.serving.clone() });
    });
    for _ in 0..2 {
        house.work.perform(&task).await.unwrap();
        assert_eq!(second.texts.load(Ordering::Relaxed), 1, "once");
    }
    let kept = house.store.embedded(&owner, document, Version::FIRST, &model).await.unwrap().unwrap();
    assert_eq!(kept.model, model);
    let first = house.store.embedded(&owner, document, Version::FIRST, &samples::model()).await.unwrap();
    assert_eq!(first.unwrap().model, samples::model());
    assert_eq!(
        (house.state().await, house.log().await),
        (DocumentState::Embedded, 1),
        "nothing else is touched"
    );
    assert!(*house.changed.borrow() > 1, "the shard that waits is woken");
}

#[tokio::test]
async fn of_a_document_that_was_removed_no_second_vectors_stay() {
    let house = house(Some("the nurse kept the ward.")).await;
    let (owner, document) = (OwnerId::local(), samples::document_id(1));
    house.store.remove(&owner, document, Version::FIRST).await.unwrap().certain().unwrap();
    let left = samples::embedded(1, 2);
    house.store.put_embedded(&owner, document, Version::FIRST, &left).await.unwrap().certain().unwrap();
    let subject =
        TaskSubject::Vectors { document, version: Version::FIRST, model: left.model.key(), epoch: 1 };
    let task = Task::new(owner.clone(), TaskKind::Embed, subject, samples::CREATED);
    house.work.perform(&task).await.unwrap();
    assert_eq!(house.store.embedded(&owner, document, Version::FIRST, &left.model).await.unwrap(), None);
    assert_eq!(house.embedder.texts.load(Ordering::Relaxed), 0);
}
