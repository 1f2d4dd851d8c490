use bytes::Bytes;
use tandem_domain::document::{DocumentKind, DocumentState};
use tandem_ports::testsuite::{ManualClock, MemoryObjects, MemoryQueue, MemoryStore, samples};

use super::*;

mod person;

struct House {
    store: Arc<MemoryStore>,
    queue: Arc<MemoryQueue>,
    objects: Arc<MemoryObjects>,
    eraser: Eraser,
    wakened: watch::Receiver<u64>,
}

fn house() -> House {
    let clock = Arc::new(ManualClock::new(1));
    let store = Arc::new(MemoryStore::default());
    let queue = Arc::new(MemoryQueue::new(clock.clone(), std::time::Duration::from_secs(60)));
    let objects = Arc::new(MemoryObjects::default());
    let (changed, wakened) = watch::channel(0);
    let eraser = Eraser::new(EraserPorts {
        documents: store.clone(),
        tasks: store.clone(),
        queue: queue.clone(),
        objects: objects.clone(),
        runs: store.clone(),
        accounts: store.clone(),
        clock,
        changed,
    });
    House { store, queue, objects, eraser, wakened }
}

impl House {
    async fn document(&self) -> Document {
        let document = samples::document(&OwnerId::local(), DocumentKind::Resume, 1);
        let (owner, id, version) = (&document.owner, document.id, document.version);
        self.store.create(&document).await.unwrap().certain().unwrap();
        self.store.put_parsed(owner, id, version, &samples::parsed(1, 80)).await.unwrap().certain().unwrap();
        let embedded = samples::embedded(1, 2);
        self.store.put_embedded(owner, id, version, &embedded).await.unwrap().certain().unwrap();
        self.objects.put(&document.object_key, Bytes::from_static(b"Robin Example")).await.unwrap();
        document
    }

    async fn expect_nothing_left(&self, of: &Document) {
        let (owner, id, version) = (&of.owner, of.id, of.version);
        assert_eq!(self.store.document(owner, id).await.unwrap(), None);
        assert_eq!(self.store.parsed(owner, id, version).await.unwrap(), None);
        assert_eq!(self.store.embedded(owner, id, version, &samples::model()).await.unwrap(), None);
        assert_eq!(self.objects.get(&of.object_key).await.unwrap(), None);
    }
}

fn request(of: &Document) -> RemoveDocument {
    RemoveDocument { owner: of.owner.clone(), kind: of.kind, id: of.id }
}

fn task(of: &Document) -> Task {
    let (version, object_key) = (of.version, of.object_key.clone());
    let subject = TaskSubject::Erasure { document: of.id, version, object_key };
    Task::new(of.owner.clone(), TaskKind::Erase, subject, of.created_at)
}

#[tokio::test]
async fn what_is_removed_leaves_nothing_and_its_shard_hears_of_it() {
    let house = house();
    let document = house.document().await;
    let receipt = house.eraser.remove(request(&document)).await.unwrap();
    assert_eq!((receipt.id, receipt.versions, receipt.log_position), (document.id, 1, Some(1)));
    house.expect_nothing_left(&document).await;
    let whole = tandem_ports::documents::BucketRange::of_shard(0, 1);
    let page = house.store.changes(whole, tandem_ports::documents::LogPosition::START, 10).await.unwrap();
    assert_eq!(page.changes.len(), 1);
    assert_eq!(page.changes[0].1.action, ChangeAction::Remove);
    assert_eq!(*house.wakened.borrow(), 1);
    assert_eq!(house.queue.depth(TaskKind::Erase).await.unwrap().waiting, 1, "whatever is killed, it ends");
    let again = house.eraser.remove(request(&document)).await.unwrap_err();
    assert_eq!(again.code, ErrorCode::NotFound);
}

#[tokio::test]
async fn every_version_is_removed_also_one_that_came_meanwhile() {
    for is_seen in [true, false] {
        let house = house();
        let document = house.document().await;
        let (owner, id) = (&document.owner, document.id);
        let second = samples::version(&document, 2, 20);
        if !is_seen {
            // Somebody began to remove the document when it had one version.
            file_task(&*house.store, &*house.queue, &task(&document)).await.unwrap();
        }
        house.store.add_version(owner, id, &second).await.unwrap().certain().unwrap();
        let version = second.version;
        house.store.put_parsed(owner, id, version, &samples::parsed(2, 80)).await.unwrap().certain().unwrap();
        house.objects.put(&second.object_key, Bytes::from_static(b"Robin Example")).await.unwrap();
        if is_seen {
            let receipt = house.eraser.remove(request(&document)).await.unwrap();
            assert_eq!(receipt.versions, 2);
        } else {
            house.eraser.perform(&task(&document)).await.unwrap();
            let at = document.clone();
            let row = Document { version, object_key: second.object_key.clone(), ..at };
            let filed = house.store.task(&task(&row).key()).await.unwrap();
            house.eraser.perform(&filed.unwrap()).await.unwrap();
        }
        house.expect_nothing_left(&document).await;
        assert_eq!(house.store.parsed(owner, id, version).await.unwrap(), None);
        assert_eq!(house.objects.get(&second.object_key).await.unwrap(), None);
    }
}

#[tokio::test]
async fn the_other_kind_and_other_owners_find_nothing_to_remove() {
    let house = house();
    let document = house.document().await;
    let as_job = RemoveDocument { kind: DocumentKind::Job, ..request(&document) };
    let by_another = RemoveDocument { owner: "bob".parse().unwrap(), ..request(&document) };
    for request in [as_job, by_another] {
        assert_eq!(house.eraser.remove(request).await.unwrap_err().code, ErrorCode::NotFound);
    }
    assert_eq!(house.store.document(&document.owner, document.id).await.unwrap(), Some(document));
    assert_eq!(house.queue.depth(TaskKind::Erase).await.unwrap().waiting, 0);
}

#[tokio::test]
async fn the_stage_ends_what_was_broken_off_after_any_step() {
    for steps in 0..3 {
        let house = house();
        let document = house.document().await;
        if steps > 0 {
            house
                .store
                .remove(&document.owner, document.id, document.version)
                .await
                .unwrap()
                .certain()
                .unwrap();
        }
        if steps > 1 {
            house.store.forget_version(&document.owner, document.id, document.version).await.unwrap();
        }
        house.eraser.perform(&task(&document)).await.unwrap();
        house.expect_nothing_left(&document).await;
        house.eraser.perform(&task(&document)).await.unwrap();
        assert_eq!(house.store.log_head().await.unwrap().0, 1, "the log names it once");
    }
}

#[tokio::test]
async fn a_task_of_something_else_is_a_defect() {
    let house = house();
    let document = house.document().await;
    let subject = TaskSubject::Version { document: document.id, version: document.version };
    let wrong = Task::new(document.owner.clone(), TaskKind::Erase, subject, document.created_at);
    assert_eq!(house.eraser.perform(&wrong).await.unwrap_err().code, ErrorCode::Internal);
    let kept = house.store.document(&document.owner, document.id).await.unwrap().unwrap();
    assert_eq!(kept.state, DocumentState::Queued);
}
