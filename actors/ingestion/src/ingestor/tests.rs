use bytes::Bytes;
use tandem_domain::document::{DocumentKind, Notes};
use tandem_domain::ids::{OperationId, OwnerId};
use tandem_ports::testsuite::{ManualClock, MemoryObjects, MemoryQueue, MemoryStore};

use super::*;

struct House {
    store: Arc<MemoryStore>,
    queue: Arc<MemoryQueue>,
    objects: Arc<MemoryObjects>,
    clock: Arc<ManualClock>,
    ingestor: Ingestor,
}

fn sniff(bytes: &[u8], _: &str) -> Result<MediaKind, Failure> {
    if bytes.starts_with(b"\x89PNG") {
        return Err(failure(ErrorCode::UnsupportedType, "this is a PNG image"));
    }
    Ok(MediaKind::Text)
}

fn house() -> House {
    let clock = Arc::new(ManualClock::new(1));
    let store = Arc::new(MemoryStore::default());
    let queue = Arc::new(MemoryQueue::new(clock.clone(), std::time::Duration::from_secs(60)));
    let objects = Arc::new(MemoryObjects::default());
    let options = IngestorOptions { max_bytes: 100, sniff };
    let ports = IngestorPorts {
        documents: store.clone(),
        intents: store.clone(),
        tasks: store.clone(),
        queue: queue.clone(),
        objects: objects.clone(),
        clock: clock.clone(),
    };
    let ingestor = Ingestor::new(options, ports);
    House { store, queue, objects, clock, ingestor }
}

impl House {
    fn file(&self, owner: &str, name: &str, content: &'static [u8]) -> SubmitDocument {
        SubmitDocument {
            owner: owner.parse().unwrap(),
            operation: OperationId::from_uuid(self.clock.new_id()),
            named: false,
            kind: DocumentKind::Resume,
            file_name: name.to_owned(),
            title: None,
            content: Bytes::from_static(content),
            notes: Notes::default(),
            urgency: Urgency::Interactive,
        }
    }
}

#[tokio::test]
async fn bulk_work_waits_in_a_line_of_its_own_until_somebody_waits_for_it() {
    let house = house();
    let bulk = SubmitDocument { urgency: Urgency::Bulk, ..house.file("local", "a.txt", b"Anna") };
    house.ingestor.submit(bulk.clone()).await.unwrap();
    let waiting = async |kind| house.queue.depth(kind).await.unwrap().waiting;
    assert_eq!((waiting(TaskKind::Parse).await, waiting(TaskKind::ParseBulk).await), (0, 1));
    let again = house.ingestor.submit(house.file("local", "a.txt", b"Anna")).await.unwrap();
    assert!(again.duplicate);
    assert_eq!((waiting(TaskKind::Parse).await, waiting(TaskKind::ParseBulk).await), (1, 1));

    // What is read and waits for its vectors: bulk work has nothing to add, somebody who waits has.
    let other = house.ingestor.submit(house.file("local", "b.txt", b"Bela")).await.unwrap().document;
    let parsed = house.store.advance(&other.owner, other.id, other.version, &DocumentState::Parsed).await;
    parsed.unwrap().certain().unwrap();
    let bulk = SubmitDocument { urgency: Urgency::Bulk, ..house.file("local", "b.txt", b"Bela") };
    house.ingestor.submit(bulk).await.unwrap();
    assert_eq!((waiting(TaskKind::Parse).await, waiting(TaskKind::ParseBulk).await), (2, 1));
    let bulk = SubmitDocument { urgency: Urgency::Bulk, ..house.file("local", "c.txt", b"Cora") };
    let third = house.ingestor.submit(bulk).await.unwrap().document;
    let parsed = house.store.advance(&third.owner, third.id, third.version, &DocumentState::Parsed).await;
    parsed.unwrap().certain().unwrap();
    house.ingestor.submit(house.file("local", "c.txt", b"Cora")).await.unwrap();
    assert_eq!((waiting(TaskKind::Parse).await, waiting(TaskKind::ParseBulk).await), (3, 2));
}

#[tokio::test]
async fn what_is_acknowledged_is_kept_filed_and_published() {
    let house = house();
    let done = house.ingestor.submit(house.file("local", "C:\\cv\\anna.txt", b"Anna")).await.unwrap();
    let document = done.document;
    assert!(!done.duplicate);
    assert_eq!(document.file_name, "anna.txt");
    assert_eq!(document.object_key, format!("resumes/{}.txt", document.id));
    assert_eq!(house.objects.get(&document.object_key).await.unwrap().unwrap(), "Anna");
    let kept = house.store.document(&OwnerId::local(), document.id).await.unwrap();
    assert_eq!(kept, Some(document.clone()));
    let task = house.store.task(&parse_task(&document, Urgency::Interactive).key()).await.unwrap().unwrap();
    assert_eq!(task.kind, TaskKind::Parse);
    assert_eq!(house.queue.depth(TaskKind::Parse).await.unwrap().waiting, 1);
}

#[tokio::test]
async fn the_same_content_is_one_document_per_owner_and_kind() {
    let house = house();
    let first = house.ingestor.submit(house.file("local", "a.txt", b"same")).await.unwrap();
    let again = house.ingestor.submit(house.file("local", "b.txt", b"same")).await.unwrap();
    assert!(again.duplicate);
    assert_eq!(again.document.id, first.document.id);
    let other = house.ingestor.submit(house.file("other", "a.txt", b"same")).await.unwrap();
    assert!(!other.duplicate);
    assert_ne!(other.document.id, first.document.id);
}

#[tokio::test]
async fn the_same_content_at_the_same_time_is_one_document_and_one_original() {
    let house = house();
    let both = tokio::join!(
        house.ingestor.submit(house.file("local", "a.txt", b"race")),
        house.ingestor.submit(house.file("local", "a.txt", b"race")),
    );
    let (a, b) = (both.0.unwrap(), both.1.unwrap());
    assert_eq!(a.document.id, b.document.id);
    assert_ne!(a.duplicate, b.duplicate, "one made it and the other found it");
}

#[tokio::test]
async fn a_named_intent_belongs_to_one_document_and_is_answered_alike() {
    let house = house();
    let named = SubmitDocument { named: true, ..house.file("local", "a.txt", b"one") };
    let first = house.ingestor.submit(named.clone()).await.unwrap();
    let again = house.ingestor.submit(named.clone()).await.unwrap();
    assert_eq!(first, again, "the same intent has the same answer");
    let at_once = SubmitDocument {
        operation: OperationId::from_uuid(house.clock.new_id()),
        content: Bytes::from_static(b"at once"),
        ..named.clone()
    };
    let both = tokio::join!(house.ingestor.submit(at_once.clone()), house.ingestor.submit(at_once.clone()));
    let later = house.ingestor.submit(at_once).await.unwrap();
    for end in [both.0, both.1] {
        match end {
            Ok(done) => assert_eq!(done, later, "the same intent has the same answer"),
            Err(failure) => assert_eq!(failure.code, ErrorCode::NotReady, "the first was still at work"),
        }
    }
    let notes = Notes { company: Some("Sample Works".to_owned()), ..Notes::default() };
    let others = [
        SubmitDocument { content: Bytes::from_static(b"two"), ..named.clone() },
        SubmitDocument { title: Some("Title".to_owned()), ..named.clone() },
        SubmitDocument { kind: DocumentKind::Job, ..named.clone() },
        SubmitDocument { notes, ..named.clone() },
    ];
    for other in others {
        let refused = house.ingestor.submit(other).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::KeyReused);
    }
    house.clock.advance(std::time::Duration::from_secs(1));
    let operation = OperationId::from_uuid(house.clock.new_id());
    let later = house.ingestor.submit(SubmitDocument { operation, ..named.clone() }).await.unwrap();
    assert!(later.duplicate, "another intent finds the document there");
    let somebody = SubmitDocument { owner: "other".parse().unwrap(), ..named };
    assert!(!house.ingestor.submit(somebody).await.unwrap().duplicate, "intents are their owner's");
}

#[tokio::test]
async fn whoever_repeats_what_is_still_at_work_is_told_so_until_it_must_have_died() {
    let house = house();
    let named = SubmitDocument { named: true, ..house.file("local", "a.txt", b"one") };
    let told = Told::of(&named, ContentDigest::of(b"one"), None).unwrap();
    assert_eq!(told.remember(house.store.as_ref(), house.clock.now()).await.unwrap(), None);
    let refused = house.ingestor.submit(named.clone()).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::NotReady);
    house.clock.advance(std::time::Duration::from_secs(60));
    let first = house.ingestor.submit(named.clone()).await.unwrap();
    assert!(!first.duplicate, "it goes on where the first one died");
    assert_eq!(house.ingestor.submit(named.clone()).await.unwrap(), first);
    house.clock.advance(tandem_ports::intents::KEPT);
    let forgotten = house.ingestor.submit(named).await.unwrap();
    assert!(forgotten.duplicate, "after two days the key means nothing");
}

#[tokio::test]
async fn what_is_refused_uses_up_no_intent() {
    let house = house();
    let named = SubmitDocument { named: true, ..house.file("local", "a.png", b"\x89PNG") };
    assert_eq!(house.ingestor.submit(named.clone()).await.unwrap_err().code, ErrorCode::UnsupportedType);
    let right = SubmitDocument { content: Bytes::from_static(b"text"), ..named };
    assert!(!house.ingestor.submit(right).await.unwrap().duplicate);
}

#[tokio::test]
async fn what_cannot_be_used_is_refused_before_anything_is_kept() {
    let house = house();
    for (content, code) in [
        (b"".as_slice(), ErrorCode::EmptyDocument),
        (&[b'x'; 101], ErrorCode::TooLarge),
        (b"\x89PNG....", ErrorCode::UnsupportedType),
    ] {
        let refused = house.ingestor.submit(house.file("local", "x.pdf", content)).await.unwrap_err();
        assert_eq!(refused.code, code);
    }
    assert_eq!(house.queue.depth(TaskKind::Parse).await.unwrap().waiting, 0);
}

mod versions;

#[test]
fn file_names_lose_folders_and_control_characters() {
    assert_eq!(base_name("../../etc/passwd"), "passwd");
    assert_eq!(base_name("a\r\nb.pdf"), "ab.pdf");
    assert_eq!(base_name("folder/"), "document");
    assert_eq!(base_name(&"x".repeat(400)).len(), MAX_FILE_NAME);
}
