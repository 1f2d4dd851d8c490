use tandem_ports::testsuite::samples::{self, Seeded};

use super::writer::Row;
use super::*;

/// Documents of two owners with one id in common.
fn documents() -> Vec<tandem_ports::index::IndexedDocument> {
    let make = |owner: &str, number: u64, kind| {
        samples::indexed(&samples::owner(owner), number, kind, "kubo zirn", Seeded::new(number).vector())
    };
    vec![
        make("bob", 3, DocumentKind::Job),
        make("alice", 1, DocumentKind::Resume),
        make("alice", 3, DocumentKind::Job),
        make("bob", 2, DocumentKind::Resume),
    ]
}

fn written<R: Row>(rows: &[R]) -> Rows {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), samples::DIMENSIONS as usize, rows).unwrap();
    let bytes = OwnedBytes::new(std::fs::read(folder.path().join(FILE)).unwrap());
    Rows::open(bytes, samples::DIMENSIONS as usize).unwrap()
}

fn check(rows: &Rows, documents: &[tandem_ports::index::IndexedDocument]) {
    assert_eq!(rows.len(), documents.len());
    for (row, document) in documents.iter().enumerate() {
        assert_eq!((rows.id(row), rows.digest(row)), (document.id, document.features.digest));
        assert_eq!((rows.owner(row), rows.words(row)), (Some(&document.owner), 2));
        assert_eq!(rows.features(row).unwrap(), document.features);
        let tag = rows.tag(&document.owner, document.kind).unwrap();
        assert!(rows.is(row, tag));
        assert!(rows.find(document.id).any(|found| found == row));
        let vector = &document.features.document;
        assert_eq!(rows.squares()[row], vector.dot(vector).to_le_bytes());
        let width = samples::DIMENSIONS as usize;
        let bytes = &rows.vectors()[row * width..(row + 1) * width];
        assert!(bytes.iter().map(|b| b.cast_signed()).eq(vector.coordinates().iter().copied()));
    }
}

#[test]
fn what_is_written_is_read() {
    let documents = documents();
    let rows = written(&documents.iter().map(|document| NewRow { document, words: 2 }).collect::<Vec<_>>());
    check(&rows, &documents);
    assert_eq!(rows.find(samples::document_id(3)).count(), 2);
    assert_eq!(rows.find(samples::document_id(9)).count(), 0);
    assert_eq!(rows.tag(&samples::owner("eve"), DocumentKind::Job), None);

    let some = [3, 1];
    let again = written(&some.map(|row| (&rows, row)));
    check(&again, &some.map(|row| documents[row].clone()));
}

#[test]
fn other_forms_are_damaged() {
    let documents = documents();
    let folder = tempfile::tempdir().unwrap();
    let rows: Vec<_> = documents.iter().map(|document| NewRow { document, words: 2 }).collect();
    write(folder.path(), samples::DIMENSIONS as usize, &rows).unwrap();
    let bytes = std::fs::read(folder.path().join(FILE)).unwrap();
    let open = |bytes: &[u8], coordinates| Rows::open(OwnedBytes::new(bytes.to_vec()), coordinates).err();
    assert!(matches!(open(&bytes, 9), Some(IndexError::Damaged(_))));
    for length in [0, 8, HEADER, bytes.len() - 1] {
        assert!(matches!(open(&bytes[..length], 8), Some(IndexError::Damaged(_))), "{length} bytes");
    }
    for place in 0..48 {
        let mut other = bytes.clone();
        other[place] ^= 0x80;
        assert!(matches!(open(&other, 8), Some(IndexError::Damaged(_))), "byte {place}");
    }
}
