//! Versions of documents that are there.

use tandem_domain::profile::LanguageCode;
use tandem_messages::documents::{RefineJob, SubmitVersion};

use super::*;

impl House {
    fn version(&self, of: &Document, content: &'static [u8]) -> SubmitVersion {
        let submission = SubmitDocument { kind: of.kind, ..self.file(of.owner.as_str(), "b.txt", content) };
        SubmitVersion { id: of.id, submission }
    }

    async fn first(&self, kind: DocumentKind) -> Document {
        let file =
            SubmitDocument { kind, title: Some("Mine".to_owned()), ..self.file("local", "a.txt", b"1") };
        self.ingestor.submit(file).await.unwrap().document
    }

    fn words(&self, of: &Document, instructions: &str) -> RefineJob {
        RefineJob {
            owner: of.owner.clone(),
            operation: OperationId::from_uuid(self.clock.new_id()),
            named: false,
            id: of.id,
            notes: Notes { custom_instructions: Some(instructions.to_owned()), ..Notes::default() },
        }
    }
}

#[tokio::test]
async fn a_version_is_kept_beside_the_one_that_is_searched() {
    let house = house();
    let first = house.first(DocumentKind::Resume).await;
    let done = house.ingestor.submit_version(house.version(&first, b"2")).await.unwrap();
    assert_eq!((done.version, done.duplicate), (Version(2), false));
    let kept = house.store.document(&first.owner, first.id).await.unwrap().unwrap();
    assert_eq!((&kept, kept.version), (&done.document, Version::FIRST));
    let second = kept.at(Version(2)).unwrap();
    assert_eq!((second.file_name.as_str(), second.title.as_deref()), ("b.txt", Some("Mine")));
    assert_eq!(house.objects.get(&second.object_key).await.unwrap().unwrap(), "2");
    assert_eq!(house.objects.get(&first.object_key).await.unwrap().unwrap(), "1");
    assert!(house.store.task(&parse_task(&second, Urgency::Interactive).key()).await.unwrap().is_some());
    assert_eq!(house.queue.depth(TaskKind::Parse).await.unwrap().waiting, 2);
}

#[tokio::test]
async fn content_that_is_there_makes_no_version() {
    let house = house();
    let first = house.first(DocumentKind::Resume).await;
    let other = house.ingestor.submit(house.file("local", "o.txt", b"other")).await.unwrap().document;
    house.ingestor.submit_version(house.version(&first, b"2")).await.unwrap();
    for (content, id, version) in
        [(b"1".as_slice(), first.id, 1), (b"2", first.id, 2), (b"other", other.id, 1)]
    {
        let known = house.ingestor.submit_version(house.version(&first, content)).await.unwrap();
        assert_eq!((known.document.id, known.version.0, known.duplicate), (id, version, true));
    }
    let as_document = house.ingestor.submit(house.file("local", "x.txt", b"2")).await.unwrap();
    assert_eq!(
        (as_document.document.id, as_document.version, as_document.duplicate),
        (first.id, Version(2), true)
    );
}

#[tokio::test]
async fn versions_that_come_at_once_have_numbers_of_their_own() {
    let house = house();
    let first = house.first(DocumentKind::Resume).await;
    let versions = [b"2", b"3", b"4", b"5"].map(|content| house.version(&first, content));
    let done =
        futures::future::join_all(versions.map(|version| house.ingestor.submit_version(version))).await;
    let mut numbers: Vec<u32> = done.into_iter().map(|done| done.unwrap().version.0).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [2, 3, 4, 5]);
}

#[tokio::test]
async fn nobody_adds_to_what_is_not_theirs_or_is_full() {
    let house = house();
    let first = house.first(DocumentKind::Resume).await;
    let SubmitVersion { id, submission } = house.version(&first, b"2");
    let foreign = SubmitDocument { owner: "other".parse().unwrap(), ..submission.clone() };
    let other_kind = SubmitDocument { kind: DocumentKind::Job, ..submission };
    for submission in [foreign, other_kind] {
        let refused = house.ingestor.submit_version(SubmitVersion { id, submission }).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::NotFound);
    }
    let refused = house.ingestor.refine(house.words(&first, "x")).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::NotFound, "a résumé is not refined");

    let job = house.first(DocumentKind::Job).await;
    for number in 1..Document::MAX_VERSIONS {
        house.ingestor.refine(house.words(&job, &number.to_string())).await.unwrap();
    }
    let refused = house.ingestor.refine(house.words(&job, "one more")).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::LimitExceeded);
}

#[tokio::test]
async fn other_words_make_a_version_of_the_same_content() {
    let house = house();
    let job = house.first(DocumentKind::Job).await;
    let words = RefineJob { named: true, ..house.words(&job, "mind the team") };
    let done = house.ingestor.refine(words.clone()).await.unwrap();
    let second = done.document.at(Version(2)).unwrap();
    assert_eq!((second.digest, &second.title, done.duplicate), (job.digest, &job.title, false));
    assert_eq!(house.objects.get(&second.object_key).await.unwrap().unwrap(), "1");
    let again = house.ingestor.refine(words.clone()).await.unwrap();
    assert_eq!(again.version, Version(2), "the same intent is done once");
    let notes = Notes { desired_output_lang: Some(LanguageCode::ARABIC), ..Notes::default() };
    let other = house.ingestor.refine(RefineJob { notes: notes.clone(), ..words }).await.unwrap_err();
    assert_eq!(other.code, ErrorCode::KeyReused);
    let third = house.ingestor.refine(RefineJob { notes, ..house.words(&job, "") }).await.unwrap();
    let third = third.document.at(Version(3)).unwrap().notes;
    assert_eq!(third.custom_instructions.as_deref(), Some("mind the team"), "what is not said again stays");
    assert_eq!(third.desired_output_lang, Some(LanguageCode::ARABIC));
}
