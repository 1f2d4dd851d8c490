use super::*;
use crate::document::{DocumentKind, Failure};
use crate::error::ErrorCode;
use crate::ids::{DocumentId, OwnerId};

use DocumentState::{Embedded, Indexed, Parsed, Queued};

fn first() -> Document {
    Document {
        owner: OwnerId::local(),
        id: DocumentId::from_uuid(uuid::Uuid::from_u128(7)),
        kind: DocumentKind::Resume,
        version: Version::FIRST,
        file_name: "1.txt".to_owned(),
        title: None,
        media: MediaKind::Text,
        digest: ContentDigest::of(b"1"),
        size: 1,
        object_key: "resumes/1.txt".to_owned(),
        state: Indexed,
        created_at: Timestamp::from_millis(1),
        notes: Notes::default(),
        others: Vec::new(),
    }
}

fn version(number: u32) -> DocumentVersion {
    DocumentVersion {
        version: Version(number),
        file_name: format!("{number}.txt"),
        title: None,
        media: MediaKind::Text,
        digest: ContentDigest::of(number.to_string().as_bytes()),
        size: u64::from(number),
        object_key: format!("resumes/{number}.txt"),
        state: Queued,
        created_at: Timestamp::from_millis(i64::from(number)),
        notes: Notes::default(),
    }
}

fn two() -> Document {
    first().with_version(version(2)).unwrap()
}

#[test]
fn a_version_comes_after_the_latest() {
    assert_eq!(first().with_version(version(1)), None);
    assert_eq!(first().with_version(version(3)), None);
    let mut row = first();
    for number in 2..=Document::MAX_VERSIONS as u32 {
        row = row.with_version(version(number)).unwrap();
    }
    assert_eq!(row.latest().0 as usize, Document::MAX_VERSIONS);
    assert_eq!(row.with_version(version(row.latest().0 + 1)), None, "there are enough");
}

#[test]
fn the_old_version_is_searched_until_the_new_one_can_be() {
    let mut row = two();
    for state in [Parsed, Embedded] {
        row = row.advanced(Version(2), &state).unwrap();
        assert_eq!((row.version, &row.state, row.file_name.as_str()), (Version(1), &Indexed, "1.txt"));
        assert_eq!(row.at(Version(2)).unwrap().state, state);
    }
    row = row.advanced(Version(2), &Indexed).unwrap();
    assert_eq!((row.version, &row.state, row.file_name.as_str()), (Version(2), &Indexed, "2.txt"));
    assert_eq!(row.at(Version(1)).unwrap(), first());
    assert_eq!(row.advanced(Version(2), &Indexed), Err(Indexed), "a second delivery");
    assert_eq!(row.advanced(Version(9), &Parsed), Err(Indexed), "there is no such version");
}

#[test]
fn a_version_that_fails_replaces_nothing() {
    let failed = DocumentState::Failed(Failure { code: ErrorCode::NoText, reason: "no text".to_owned() });
    let row = two().advanced(Version(2), &failed).unwrap();
    assert_eq!((row.version, row.at(Version(2)).unwrap().state), (Version(1), failed.clone()));
    assert_eq!(row.advanced(Version(2), &Indexed), Err(failed));
}

#[test]
fn an_older_version_never_takes_the_place_of_a_newer_one() {
    let row = two().with_version(version(3)).unwrap();
    let row = row.advanced(Version(3), &Indexed).unwrap().advanced(Version(2), &Indexed).unwrap();
    assert_eq!(row.version, Version(3));
    let all: Vec<(u32, DocumentState)> = row.versions().map(|v| (v.version.0, v.state)).collect();
    assert_eq!(all, [(1, Indexed), (2, Indexed), (3, Indexed)]);
    assert_eq!(row.latest(), Version(3));
}

#[test]
fn content_is_found_in_every_version() {
    let row = two();
    assert_eq!(row.with_digest(ContentDigest::of(b"2")).unwrap().version, Version(2));
    assert_eq!(row.with_digest(ContentDigest::of(b"1")).unwrap().version, Version(1));
    assert_eq!(row.with_digest(ContentDigest::of(b"3")), None);
    assert!(row.removed().others.is_empty());
}
