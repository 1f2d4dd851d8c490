use tandem_ports::testsuite::samples;

use super::*;

#[test]
fn a_blob_is_a_format_byte_and_postcard() {
    let blob = encode("t", &(7u8, "é")).unwrap();
    assert_eq!(blob, [FORMAT, 7, 2, 0xC3, 0xA9]);
    assert_eq!(decode::<(u8, String)>("t", &blob).unwrap(), (7, "é".to_owned()));
}

#[test]
fn whatever_is_cut_or_foreign_is_an_error() {
    let blob = encode("t", &samples::parsed(1, 300)).unwrap();
    type Parsed = tandem_domain::document::ParsedVersion;
    assert!(decode::<Parsed>("t", &blob).is_ok());
    for end in 0..blob.len() {
        assert!(decode::<Parsed>("t", &blob[..end]).is_err(), "cut at {end}");
    }
    let mut longer = blob.clone();
    longer.push(0);
    let mut foreign = blob;
    foreign[0] = 9;
    let left_over = StoreError::Corrupt { table: "t", reason: "1 bytes are left over".to_owned() };
    assert_eq!(decode::<Parsed>("t", &longer), Err(left_over));
    assert_eq!(decode::<Parsed>("t", &foreign), Err(StoreError::Newer { table: "t", format: 9 }));
}

#[test]
fn documents_of_before_there_were_notes_have_none() {
    type Document = tandem_domain::document::Document;
    let document = samples::document(&samples::owner("alice"), tandem_domain::document::DocumentKind::Job, 3);
    assert_eq!(document.notes, tandem_domain::document::Notes::default());
    let blob = encode("t", &document).unwrap();
    let notes = postcard::to_allocvec(&document.notes).unwrap();
    let before = blob.strip_suffix(&notes[..]).unwrap();
    assert_eq!(decode::<Document>("t", before), Ok(document));
}
