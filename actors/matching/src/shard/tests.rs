use tandem_domain::document::DocumentKind;
use tandem_ports::DocumentStore;
use tandem_ports::testsuite::MemoryStore;
use tandem_ports::testsuite::index::MemoryIndex;
use tandem_ports::testsuite::samples;

use super::*;
use crate::testing;

mod lacking;

struct House {
    store: Arc<MemoryStore>,
    index: Arc<MemoryIndex>,
    raise: watch::Sender<u64>,
}

impl House {
    fn new() -> Self {
        let (raise, _) = watch::channel(0);
        Self {
            store: Arc::new(MemoryStore::default()),
            index: Arc::new(MemoryIndex::new(&samples::model())),
            raise,
        }
    }

    /// The tail of an actor that starts now: from the index's own checkpoint.
    fn tail(&self) -> Tail {
        Tail {
            options: ShardOptions {
                number: 0,
                buckets: BucketRange::of_shard(0, 1),
                batch: 2,
                model: samples::model(),
            },
            index: self.index.clone(),
            ports: ShardPorts {
                documents: self.store.clone(),
                filing: testing::filing(&self.store),
                models: testing::models(),
                changed: self.raise.subscribe(),
            },
            seen: Arc::new(watch::Sender::new(LogPosition::START)),
            progress: Progress::new(BATCH_LIMIT),
            position: self.index.checkpoint(),
            unwritten: self.index.checkpoint(),
            awaited: None,
            filed: LogPosition::START,
            setbacks: 0,
        }
    }

    /// An embedded résumé with its line in the change log.
    async fn embedded(&self, number: u64, model: &ModelIdentity) {
        let owner = OwnerId::local();
        let document = samples::document(&owner, DocumentKind::Resume, number);
        let (id, version) = (document.id, document.version);
        let store = &self.store;
        store.create(&document).await.unwrap().certain().unwrap();
        store.put_parsed(&owner, id, version, &samples::parsed(number, 80)).await.unwrap().certain().unwrap();
        let mut embedded = samples::embedded(number, 1);
        embedded.model = model.clone();
        store.put_embedded(&owner, id, version, &embedded).await.unwrap().certain().unwrap();
        let change = Change { owner: owner.clone(), document: id, version, action: ChangeAction::Upsert };
        store.log_change(&change).await.unwrap().certain().unwrap();
    }

    /// A version of an embedded résumé, embedded too, with its line in the change log.
    async fn version(&self, number: u64, version: u32) {
        let owner = OwnerId::local();
        let document = samples::document(&owner, DocumentKind::Resume, number);
        let (id, content) = (document.id, 100 * u64::from(version) + number);
        let version = samples::version(&document, version, content);
        let (store, at) = (&self.store, version.version);
        store.add_version(&owner, id, &version).await.unwrap().certain().unwrap();
        store.put_parsed(&owner, id, at, &samples::parsed(content, 80)).await.unwrap().certain().unwrap();
        let embedded = samples::embedded(content, 1);
        store.put_embedded(&owner, id, at, &embedded).await.unwrap().certain().unwrap();
    }

    async fn log(&self, number: u64, version: u32) {
        let (document, version) = (samples::document_id(number), Version(version));
        let change = Change { owner: OwnerId::local(), document, version, action: ChangeAction::Upsert };
        self.store.log_change(&change).await.unwrap().certain().unwrap();
    }

    /// The versions that the index and the store say is searched.
    async fn searched(&self, number: u64) -> (u32, u32) {
        let (owner, id) = (OwnerId::local(), samples::document_id(number));
        let found = self.index.features(&owner, &[id]).unwrap();
        let document = self.store.document(&owner, id).await.unwrap().unwrap();
        (found[0].1.version.0, document.version.0)
    }

    async fn state(&self, number: u64) -> &'static str {
        let document = self.store.document(&OwnerId::local(), samples::document_id(number)).await.unwrap();
        document.unwrap().state.name()
    }
}

#[tokio::test]
async fn batches_follow_one_another_and_the_checkpoint_follows_them() {
    let house = House::new();
    for number in 0..5 {
        house.embedded(number, &samples::model()).await;
    }
    let mut tail = house.tail();
    assert_eq!(tail.follow().await.unwrap(), 2);
    assert_eq!(
        (house.state(0).await, house.state(1).await, house.state(2).await),
        ("indexed", "indexed", "queued")
    );
    assert_eq!(house.index.checkpoint(), LogPosition::START, "it lags one batch behind");
    assert_eq!(tail.follow().await.unwrap(), 2);
    assert_eq!(tail.follow().await.unwrap(), 1);
    assert!(house.index.checkpoint() < tail.position);
    assert_eq!(tail.follow().await.unwrap(), 0);
    assert_eq!(house.index.checkpoint(), tail.position, "at rest it has caught up");
    assert_eq!(*tail.seen.borrow(), house.store.log_head().await.unwrap());
    assert_eq!(house.index.documents(), 5);
}

#[tokio::test]
async fn invariant_2_what_a_crash_left_applied_but_unmarked_is_marked_by_the_next() {
    let house = House::new();
    house.embedded(1, &samples::model()).await;
    // The crash: applied to the shard, and nothing after that.
    let tail = house.tail();
    let change =
        house.store.changes(tail.options.buckets, LogPosition::START, 1).await.unwrap().changes.remove(0).1;
    let Prepared::Upsert(upsert, _) = tail.prepare(&change).await.unwrap() else {
        panic!("it can be indexed")
    };
    tail.apply(vec![upsert], tail.position).await.unwrap();
    drop(tail);
    assert_eq!((house.index.documents(), house.state(1).await), (1, "queued"));
    // The next incarnation.
    let mut tail = house.tail();
    while tail.follow().await.unwrap() > 0 {}
    assert_eq!((house.index.documents(), house.state(1).await), (1, "indexed"));
}

#[tokio::test]
async fn a_shard_sees_past_the_changes_of_others_without_writing() {
    let house = House::new();
    for number in 0..8 {
        house.embedded(number, &samples::model()).await;
    }
    let mut tail = house.tail();
    tail.options.buckets = BucketRange { from: 0, to: 0 };
    assert_eq!(tail.follow().await.unwrap(), 0);
    assert_eq!(*tail.seen.borrow(), house.store.log_head().await.unwrap());
    assert_eq!((house.index.checkpoint(), house.index.documents()), (LogPosition::START, 0));
}

#[tokio::test]
async fn a_second_owner_applies_what_the_first_has_marked() {
    let house = House::new();
    house.embedded(1, &samples::model()).await;
    let mut first = house.tail();
    while first.follow().await.unwrap() > 0 {}
    let other = House { store: house.store.clone(), ..House::new() };
    let mut second = other.tail();
    while second.follow().await.unwrap() > 0 {}
    assert_eq!((house.index.documents(), other.index.documents()), (1, 1));
    assert_eq!(other.state(1).await, "indexed");
}

#[tokio::test]
async fn a_version_takes_the_place_of_the_one_before_when_it_is_searchable() {
    let house = House::new();
    house.embedded(1, &samples::model()).await;
    let mut tail = house.tail();
    while tail.follow().await.unwrap() > 0 {}
    house.version(1, 2).await;
    while tail.follow().await.unwrap() > 0 {}
    assert_eq!(house.searched(1).await, (1, 1), "it is not in the log yet");
    house.log(1, 2).await;
    while tail.follow().await.unwrap() > 0 {}
    assert_eq!((house.searched(1).await, house.index.documents()), ((2, 2), 1));
    // Another owner of the shard comes later and reads the whole log.
    let other = House { store: house.store.clone(), ..House::new() };
    let mut later = other.tail();
    while later.follow().await.unwrap() > 0 {}
    assert_eq!((other.searched(1).await, other.index.documents()), ((2, 2), 1));
}

#[tokio::test]
async fn versions_whose_vectors_are_ready_in_another_order_leave_the_newest() {
    for batch in [1, 2, 10] {
        let house = House::new();
        house.embedded(1, &samples::model()).await;
        house.version(1, 2).await;
        house.version(1, 3).await;
        house.log(1, 3).await;
        house.log(1, 2).await;
        let mut tail = house.tail();
        tail.options.batch = batch;
        while tail.follow().await.unwrap() > 0 {}
        assert_eq!(house.searched(1).await, (3, 3), "batches of {batch}");
        let document = house.store.document(&OwnerId::local(), samples::document_id(1)).await.unwrap();
        let states: Vec<_> = document.unwrap().versions().map(|version| version.state).collect();
        assert!(states.iter().all(|state| *state == DocumentState::Indexed), "{states:?}");
    }
}

#[tokio::test]
async fn a_version_that_failed_leaves_the_one_before() {
    let house = House::new();
    house.embedded(1, &samples::model()).await;
    let mut tail = house.tail();
    while tail.follow().await.unwrap() > 0 {}
    house.version(1, 2).await;
    let failed = DocumentState::Failed(samples::failure("it took too long"));
    let (owner, id) = (OwnerId::local(), samples::document_id(1));
    house.store.advance(&owner, id, Version(2), &failed).await.unwrap().certain().unwrap();
    house.log(1, 2).await;
    while tail.follow().await.unwrap() > 0 {}
    assert_eq!(house.searched(1).await, (1, 1));
}
