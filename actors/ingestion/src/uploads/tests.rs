use std::sync::Mutex;

use bytes::Bytes;
use tandem_domain::document::Notes;
use tandem_domain::ids::{ContentDigest, OperationId};
use tandem_messages::documents::{SubmitDocument, SubmittedDocument};
use tandem_messages::uploads::{AdmitUpload, CompleteUpload, SendUpload, SentUpload, SignedUpload};
use tandem_ports::testsuite::{ManualClock, MemoryObjects, MemoryQueue, MemoryStore};

use super::*;
use crate::{Ingestor, IngestorOptions, IngestorPorts};

const GOOD_FOR: Duration = Duration::from_secs(900);

struct House {
    store: Arc<MemoryStore>,
    objects: Arc<MemoryObjects>,
    clock: Arc<ManualClock>,
    ingestor: Ingestor,
    uploads: Uploads,
    /// What was handed in.
    submitted: Mutex<Vec<SubmitDocument>>,
}

fn sniff(bytes: &[u8], _: &str) -> Result<MediaKind, Failure> {
    if bytes.starts_with(b"\x89PNG") {
        return Err(failure(ErrorCode::UnsupportedType, "this is a PNG image"));
    }
    Ok(MediaKind::Text)
}

fn house() -> House {
    house_with(MemoryObjects::with_clock)
}

fn house_with(objects: impl Fn(Arc<dyn Clock>) -> MemoryObjects) -> House {
    let clock = Arc::new(ManualClock::new(1));
    let store = Arc::new(MemoryStore::default());
    let objects = Arc::new(objects(clock.clone()));
    let ports = IngestorPorts {
        documents: store.clone(),
        intents: store.clone(),
        tasks: store.clone(),
        queue: Arc::new(MemoryQueue::new(clock.clone(), Duration::from_secs(60))),
        objects: objects.clone(),
        clock: clock.clone(),
    };
    let ingestor = Ingestor::new(IngestorOptions { max_bytes: 100, sniff }, ports);
    let ports = UploadsPorts {
        documents: store.clone(),
        intents: store.clone(),
        objects: objects.clone(),
        clock: clock.clone(),
    };
    let options = UploadsOptions { max_bytes: 100, good_for: GOOD_FOR, key: UploadKey::new(&[7; 32]) };
    let uploads = Uploads::new(options, ports);
    House { store, objects, clock, ingestor, uploads, submitted: Mutex::default() }
}

impl House {
    fn request(&self, content: &[u8]) -> OpenUpload {
        OpenUpload {
            owner: "alice".parse().unwrap(),
            operation: OperationId::from_uuid(self.clock.new_id()),
            named: false,
            file_name: "folder/anna.txt".to_owned(),
            media_type: Some("text/plain".to_owned()),
            size: content.len() as u64,
            digest: None,
        }
    }

    async fn open(&self, content: &[u8]) -> OpenedUpload {
        self.uploads.open(self.request(content)).await.unwrap()
    }

    async fn send(&self, opened: &OpenedUpload, content: &'static [u8]) -> Result<SentUpload, Failure> {
        let content = Bytes::from_static(content);
        self.uploads.send(SendUpload { upload: url(opened), content }).await
    }

    async fn complete(&self, opened: &OpenedUpload) -> Result<SubmittedDocument, Failure> {
        self.complete_as("alice", opened).await
    }

    async fn complete_as(&self, owner: &str, opened: &OpenedUpload) -> Result<SubmittedDocument, Failure> {
        let request = CompleteUpload {
            owner: owner.parse().unwrap(),
            operation: None,
            id: opened.id.clone(),
            title: Some("Mine".to_owned()),
            notes: Notes::default(),
        };
        let submit = |submission: SubmitDocument| {
            self.submitted.lock().unwrap().push(submission.clone());
            async move { self.ingestor.submit(submission).await }
        };
        self.uploads.complete(request, submit).await
    }

    /// The keys of everything in the folders of uploads.
    async fn left(&self) -> Vec<String> {
        let mut left = self.objects.list(WAITING, 100).await.unwrap();
        left.extend(self.objects.list(place::DONE, 100).await.unwrap());
        left.into_iter().map(|entry| entry.key).collect()
    }
}

fn url(opened: &OpenedUpload) -> SignedUpload {
    let UploadTarget::Edge(signature) = &opened.target else { panic!("it goes to {:?}", opened.target) };
    let until_s = opened.until.millis() / 1000;
    SignedUpload { id: opened.id.clone(), until_s, signature: signature.clone() }
}

fn code<T: std::fmt::Debug>(result: Result<T, Failure>) -> ErrorCode {
    result.unwrap_err().code
}

#[tokio::test]
async fn what_is_sent_and_completed_is_taken_in_as_any_other_file() {
    let house = house();
    let opened = house.open(b"Anna").await;
    assert_eq!(opened.until, ManualClock::START.plus(GOOD_FOR));
    assert_eq!(opened.headers, [("content-type".to_owned(), "text/plain".to_owned())]);
    assert_eq!(code(house.complete(&opened).await), ErrorCode::NotReady, "nothing was sent yet");
    let admitted = house.uploads.admit(&AdmitUpload { upload: url(&opened) }).await.unwrap();
    assert_eq!(admitted.size, 4);
    assert_eq!(house.send(&opened, b"Anna").await.unwrap().size, 4);

    let done = house.complete(&opened).await.unwrap();
    let document = house.store.document(&done.document.owner, done.document.id).await.unwrap().unwrap();
    assert_eq!((document.owner.as_str(), document.file_name.as_str()), ("alice", "anna.txt"));
    assert_eq!((document.title.as_deref(), done.duplicate), (Some("Mine"), false));
    assert_eq!(house.objects.get(&document.object_key).await.unwrap().unwrap(), "Anna");
    let left = house.left().await;
    assert!(left.len() == 1 && left[0].starts_with("uploaded/"), "{left:?}");
    assert!(!left[0].contains("alice"), "keys name nobody");

    assert_eq!(house.complete(&opened).await.unwrap(), done, "whoever asks again is answered alike");
    assert_eq!(house.submitted.lock().unwrap().len(), 1);
    let again = house.open(b"Anna").await;
    house.send(&again, b"Anna").await.unwrap();
    assert!(house.complete(&again).await.unwrap().duplicate);
}

#[tokio::test]
async fn a_url_takes_one_file_before_it_is_completed_and_none_after() {
    let house = house();
    let opened = house.open(b"Anna").await;
    house.send(&opened, b"Anna").await.unwrap();
    assert_eq!(code(house.send(&opened, b"Otto").await), ErrorCode::Conflict);
    let (other, another) = (house.open(b"Otto").await, house.open(b"Otto").await);
    let both = tokio::join!(house.send(&other, b"Otto"), house.send(&other, b"Otto"));
    assert!(both.0.is_ok() != both.1.is_ok(), "of two at once one is taken");
    let done = house.complete(&opened).await.unwrap();
    assert_eq!(house.objects.get(&done.document.object_key).await.unwrap().unwrap(), "Anna");
    assert_eq!(code(house.send(&opened, b"Anna").await), ErrorCode::Conflict);
    assert_eq!(code(house.uploads.admit(&AdmitUpload { upload: url(&opened) }).await), ErrorCode::Conflict);
    house.send(&another, b"Otto").await.unwrap();
}

#[tokio::test]
async fn a_url_that_was_changed_or_has_expired_takes_nothing() {
    let house = house();
    let (opened, other) = (house.open(b"Anna").await, house.open(b"Otto").await);
    let good = url(&opened);
    let bad = [
        SignedUpload { until_s: good.until_s + 1, ..good.clone() },
        SignedUpload { id: other.id.clone(), ..good.clone() },
        SignedUpload { signature: url(&other).signature, ..good.clone() },
        SignedUpload { signature: String::new(), ..good.clone() },
        SignedUpload { id: "x".repeat(100_000), ..good.clone() },
    ];
    for upload in bad {
        let content = Bytes::from_static(b"Anna");
        assert_eq!(code(house.uploads.send(SendUpload { upload, content }).await), ErrorCode::Forbidden);
    }
    house.clock.advance(GOOD_FOR - Duration::from_millis(1));
    house.uploads.admit(&AdmitUpload { upload: good }).await.unwrap();
    house.clock.advance(Duration::from_millis(1));
    assert_eq!(code(house.send(&opened, b"Anna").await), ErrorCode::Forbidden);
    assert_eq!(house.left().await, [] as [String; 0]);
}

#[tokio::test]
async fn what_is_not_what_was_announced_is_refused_and_not_kept() {
    let house = house();
    let opened = house.open(b"Anna").await;
    assert_eq!(code(house.send(&opened, b"Annabel").await), ErrorCode::TooLarge);
    assert_eq!(code(house.send(&opened, b"An").await), ErrorCode::Validation);
    let digest = Some(ContentDigest::of(b"Anna"));
    let with_digest = house.uploads.open(OpenUpload { digest, ..house.request(b"Anna") }).await.unwrap();
    assert_eq!(code(house.send(&with_digest, b"Otto").await), ErrorCode::Validation);
    assert_eq!(house.left().await, [] as [String; 0]);
    house.send(&with_digest, b"Anna").await.unwrap();
    house.complete(&with_digest).await.unwrap();

    let request = house.request(b"Anna");
    let bad = [
        (OpenUpload { size: 0, ..request.clone() }, ErrorCode::EmptyDocument),
        (OpenUpload { size: 101, ..request.clone() }, ErrorCode::TooLarge),
        (OpenUpload { media_type: Some("image/png".to_owned()), ..request }, ErrorCode::UnsupportedType),
    ];
    for (request, expected) in bad {
        assert_eq!(code(house.uploads.open(request).await), expected);
    }
    let image = house.open(b"\x89PNG").await;
    house.send(&image, b"\x89PNG").await.unwrap();
    assert_eq!(code(house.complete(&image).await), ErrorCode::UnsupportedType, "its bytes decide");
    assert_eq!(house.objects.list(WAITING, 10).await.unwrap(), []);
}

#[tokio::test]
async fn a_bucket_may_hold_anything_and_only_what_was_announced_is_taken() {
    let house = house_with(|clock| MemoryObjects::with_clock(clock).signing());
    let digest = Some(ContentDigest::of(b"Anna"));
    for (sent, expected) in [
        (&b"Annabel"[..], Err(ErrorCode::TooLarge)),
        (b"An", Err(ErrorCode::Validation)),
        (b"Otto", Err(ErrorCode::Validation)),
        (b"Anna", Ok(())),
    ] {
        let opened = house.uploads.open(OpenUpload { digest, ..house.request(b"Anna") }).await.unwrap();
        let UploadTarget::Store(url) = &opened.target else { panic!("it goes to {:?}", opened.target) };
        let key = url.strip_prefix("https://objects.example.org/").unwrap().split_once('?').unwrap().0;
        assert!(key.starts_with("uploads/") && !url.contains("alice"), "{url}");
        house.objects.put(key, Bytes::from_static(sent)).await.unwrap();
        let completed = house.complete(&opened).await;
        assert_eq!(completed.map(drop).map_err(|failure| failure.code), expected);
        assert_eq!(house.objects.get(key).await.unwrap(), None, "it does not stay");
    }
    assert_eq!(house.submitted.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn only_its_owner_completes_an_upload_and_only_in_time() {
    let house = house();
    let opened = house.open(b"Anna").await;
    house.send(&opened, b"Anna").await.unwrap();
    assert_eq!(code(house.complete_as("mallory", &opened).await), ErrorCode::NotFound);
    let invented = OpenedUpload { id: format!("{}A", opened.id), ..opened.clone() };
    assert_eq!(code(house.complete(&invented).await), ErrorCode::NotFound);
    house.clock.advance(GOOD_FOR);
    assert_eq!(code(house.complete(&opened).await), ErrorCode::NotFound);
    assert!(house.submitted.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_fails_for_another_reason_can_be_completed_later() {
    let house = house();
    let opened = house.open(b"Anna").await;
    house.send(&opened, b"Anna").await.unwrap();
    for refused in [ErrorCode::UpgradeRequired, ErrorCode::Unavailable, ErrorCode::KeyReused] {
        let request = CompleteUpload {
            owner: "alice".parse().unwrap(),
            operation: None,
            id: opened.id.clone(),
            title: None,
            notes: Notes::default(),
        };
        let submit = |_| async move { Err(failure(refused, "not now")) };
        assert_eq!(code(house.uploads.complete(request, submit).await), refused);
    }
    assert!(!house.complete(&opened).await.unwrap().duplicate);
}

#[tokio::test]
async fn the_same_intent_has_the_same_upload() {
    let house = house();
    let named = OpenUpload { named: true, ..house.request(b"Anna") };
    let opened = house.uploads.open(named.clone()).await.unwrap();
    house.clock.advance(Duration::from_secs(60));
    assert_eq!(house.uploads.open(named.clone()).await.unwrap(), opened);
    let other = OpenUpload { size: 5, ..named.clone() };
    assert_eq!(code(house.uploads.open(other).await), ErrorCode::KeyReused);
    house.clock.advance(GOOD_FOR);
    assert_eq!(code(house.uploads.open(named).await), ErrorCode::Conflict);
}

#[tokio::test]
async fn an_owner_has_so_many_files_that_wait() {
    let house = house();
    let mut opened = Vec::new();
    for _ in 0..=MOST_OF_OWNER {
        opened.push(house.open(b"Anna").await);
    }
    let last = opened.pop().unwrap();
    for one in &opened {
        house.send(one, b"Anna").await.unwrap();
    }
    assert_eq!(code(house.send(&last, b"Anna").await), ErrorCode::RateLimited);
    assert_eq!(code(house.uploads.open(house.request(b"Anna")).await), ErrorCode::RateLimited);
    let owner: OwnerId = "bob".parse().unwrap();
    house.uploads.open(OpenUpload { owner, ..house.request(b"Anna") }).await.unwrap();
    house.complete(&opened[0]).await.unwrap();
    house.send(&last, b"Anna").await.unwrap();
}

#[tokio::test]
async fn what_nobody_completes_is_swept_after_its_time() {
    let house = house();
    let (completed, waiting) = (house.open(b"Anna").await, house.open(b"Otto").await);
    house.send(&completed, b"Anna").await.unwrap();
    house.send(&waiting, b"Otto").await.unwrap();
    let document = house.complete(&completed).await.unwrap().document;
    house.clock.advance(GOOD_FOR + GRACE - Duration::from_millis(1));
    assert_eq!(house.uploads.sweep().await, Ok(0));
    assert_eq!(house.left().await.len(), 2);
    house.clock.advance(Duration::from_millis(1));
    assert_eq!(house.uploads.sweep().await, Ok(2));
    assert_eq!(house.left().await, [] as [String; 0]);
    assert!(house.objects.get(&document.object_key).await.unwrap().is_some(), "originals stay");
}

#[tokio::test]
async fn however_many_lie_there_are_swept() {
    let house = house();
    for n in 0..SWEEP_PAGE + 5 {
        house.objects.put(&format!("uploads/{n:04}.part"), Bytes::new()).await.unwrap();
    }
    house.clock.advance(GOOD_FOR + GRACE);
    assert_eq!(house.uploads.sweep().await, Ok(SWEEP_PAGE as u64 + 5));
}
