//! What a shard does whose model has no vectors of some documents yet.

use tandem_domain::chunk::EmbeddedVersion;
use tandem_ports::TaskStore;

use super::*;

fn other() -> ModelIdentity {
    ModelIdentity { id: "other".to_owned(), ..samples::model() }
}

fn vectors(number: u64) -> TaskSubject {
    let (document, model) = (samples::document_id(number), samples::model().key());
    TaskSubject::Vectors { document, version: Version::FIRST, model, epoch: 0 }
}

async fn task(house: &House, number: u64) -> Option<Task> {
    let owner = OwnerId::local();
    let id = Task::id_of(&owner, TaskKind::EmbedBulk, &vectors(number));
    house.store.task(&TaskRef { owner, id }).await.unwrap()
}

async fn put(house: &House, number: u64) {
    let (owner, id) = (OwnerId::local(), samples::document_id(number));
    let embedded = samples::embedded(number, 1);
    house.store.put_embedded(&owner, id, Version::FIRST, &embedded).await.unwrap().certain().unwrap();
}

/// The first document is ready, the next three are not, and batches hold four.
async fn moving() -> (House, Tail) {
    let house = House::new();
    house.embedded(1, &samples::model()).await;
    for number in 2..=4 {
        house.embedded(number, &other()).await;
    }
    let mut tail = house.tail();
    tail.options.batch = 4;
    (house, tail)
}

#[tokio::test]
async fn vectors_are_asked_for_once_and_waited_for_in_order() {
    let (house, mut tail) = moving().await;
    assert_eq!(tail.follow().await.unwrap(), 1);
    assert_eq!(
        (house.index.documents(), house.state(1).await, house.state(2).await),
        (1, "indexed", "queued")
    );
    assert!(task(&house, 1).await.is_none(), "it has its vectors");
    for number in 2..=4 {
        assert_eq!(task(&house, number).await.unwrap().state, TaskState::Queued, "{number}");
    }
    put(&house, 3).await;
    assert_eq!(tail.follow().await.unwrap(), 0, "the second comes first");
    put(&house, 2).await;
    assert_eq!(tail.follow().await.unwrap(), 2);
    assert_eq!((house.index.documents(), house.state(3).await), (3, "indexed"));
    put(&house, 4).await;
    while tail.follow().await.unwrap() > 0 {}
    assert_eq!((house.index.documents(), house.state(4).await), (4, "indexed"));
    assert_eq!(*tail.seen.borrow(), house.store.log_head().await.unwrap());
    assert_eq!(task(&house, 4).await.unwrap().rev, 1, "it was filed once");
}

#[tokio::test]
async fn what_cannot_be_embedded_is_passed_over() {
    let (house, mut tail) = moving().await;
    tail.follow().await.unwrap();
    put(&house, 3).await;
    put(&house, 4).await;
    let failure = samples::failure("the engine refused it");
    let (dead, _) = task(&house, 2).await.unwrap().failed(failure.clone(), samples::CREATED);
    assert_eq!(dead.state, TaskState::Dead);
    house.store.replace(&dead).await.unwrap().certain().unwrap();
    while tail.follow().await.unwrap() > 0 {}
    assert_eq!(
        (house.index.documents(), house.state(2).await, house.state(4).await),
        (3, "failed", "indexed")
    );
}

#[tokio::test]
async fn what_another_model_made_searchable_stays_so() {
    let (house, mut tail) = moving().await;
    let index = Arc::new(MemoryIndex::new(&other()));
    let mut theirs = Tail { index, ..house.tail() };
    theirs.options.model = other();
    put_others(&house).await;
    while theirs.follow().await.unwrap() > 0 {}
    assert_eq!(house.state(2).await, "indexed");
    tail.follow().await.unwrap();
    let (dead, _) = task(&house, 2).await.unwrap().failed(samples::failure("no"), samples::CREATED);
    house.store.replace(&dead).await.unwrap().certain().unwrap();
    tail.follow().await.unwrap();
    assert_eq!((house.state(2).await, house.index.documents()), ("indexed", 1));
}

async fn put_others(house: &House) {
    let embedded = EmbeddedVersion { model: other(), ..samples::embedded(1, 1) };
    let (owner, id) = (OwnerId::local(), samples::document_id(1));
    house.store.put_embedded(&owner, id, Version::FIRST, &embedded).await.unwrap().certain().unwrap();
}

#[tokio::test]
async fn a_document_that_goes_is_not_waited_for() {
    let (house, mut tail) = moving().await;
    tail.follow().await.unwrap();
    let owner = OwnerId::local();
    for number in 2..=4 {
        let id = samples::document_id(number);
        house.store.remove(&owner, id, Version::FIRST).await.unwrap().certain().unwrap();
    }
    while tail.follow().await.unwrap() > 0 {}
    assert_eq!(*tail.seen.borrow(), house.store.log_head().await.unwrap());
    assert_eq!(house.index.documents(), 1);
}
