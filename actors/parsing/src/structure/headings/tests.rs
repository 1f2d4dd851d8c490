use super::*;
use crate::extract::Line;

fn kinds(lines: &[(&str, bool)], kind: DocumentKind) -> Vec<(usize, SectionKind)> {
    let lines: Vec<Line> = lines
        .iter()
        .map(|(text, bold)| Line { text: (*text).to_owned(), bold: *bold, ..Line::default() })
        .collect();
    find(&View::new(&lines), kind).into_iter().map(|heading| (heading.row, heading.kind)).collect()
}

#[test]
fn known_phrases_head_in_both_languages() {
    let found = kinds(
        &[
            ("WORK EXPERIENCE", false),
            ("Acme", false),
            ("E D U C A T I O N", false),
            ("المهارات:", false),
            ("الخبرات العملية", true),
        ],
        DocumentKind::Resume,
    );
    let expected = [
        (0, SectionKind::Work),
        (2, SectionKind::Education),
        (3, SectionKind::Skills),
        (4, SectionKind::Work),
    ];
    assert_eq!(found, expected);
}

#[test]
fn one_wrong_letter_and_joined_headings_are_understood() {
    let found = kinds(
        &[("Carrier Objective", true), ("Education & Certifications", true), ("Nursing Experience", true)],
        DocumentKind::Resume,
    );
    assert_eq!(found, [(0, SectionKind::Summary), (1, SectionKind::Education), (2, SectionKind::Work)]);
    assert!(
        is_one_off("experience", "experiense") && is_one_off("skills", "skill") && is_one_off("form", "from")
    );
    assert!(!is_one_off("skill", "skull s") && !is_one_off("abc", "abc"));
}

#[test]
fn sentences_are_no_headings() {
    let found = kinds(
        &[("I have experience in sales.", false), ("Experience with Rust and 5 years", false)],
        DocumentKind::Resume,
    );
    assert_eq!(found, []);
}

#[test]
fn a_job_names_its_parts_in_its_own_words() {
    let found = kinds(
        &[
            ("What you'll do at Acme", true),
            ("What you must bring", true),
            ("Bonus points:", true),
            ("Nice to have", true),
        ],
        DocumentKind::Job,
    );
    let expected = [
        (0, SectionKind::Responsibilities),
        (1, SectionKind::Requirements),
        (2, SectionKind::Preferred),
        (3, SectionKind::Preferred),
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_column_of_labels_heads_what_stands_beside_it() {
    let found = kinds(
        &[
            ("Experience\tTeacher – School – 2015 – 2018", false),
            ("Education\tB.Sc.", false),
            ("Skills\tMoodle", false),
        ],
        DocumentKind::Resume,
    );
    let expected = [(0, SectionKind::Work), (1, SectionKind::Education), (2, SectionKind::Skills)];
    assert_eq!(found, expected);
}
