use tandem_domain::profile::Span;

use super::*;

fn sourced(text: &str) -> Sourced<String> {
    Sourced { value: text.to_owned(), confidence: 90, span: Span::new(0, 5) }
}

#[test]
fn names_in_capitals_are_written_as_names() {
    for (given, wanted) in [
        ("JONAS LINDQVIST", "Jonas Lindqvist"),
        ("NguyeN Thi LaN", "Nguyen Thi Lan"),
        ("SEAN O'BRIEN-MEYER", "Sean O'Brien-Meyer"),
        ("Fergus MacKellar", "Fergus MacKellar"),
        ("J. R. Smith", "J. R. Smith"),
        ("خالد النجار", "خالد النجار"),
    ] {
        assert_eq!(name(sourced(given)).value, wanted);
    }
}

#[test]
fn titles_in_capitals_keep_their_abbreviations() {
    for (given, wanted) in [
        ("MATHEMATICS TEACHER, GRADES 9-12", "Mathematics Teacher, Grades 9-12"),
        ("ICU NURSE", "ICU Nurse"),
        ("Frontend Engineer (REACT)", "Frontend Engineer (REACT)"),
    ] {
        assert_eq!(title(sourced(given)).value, wanted);
    }
}
