//! Input that was made to break a reader: every call must end in a value.

use proptest::prelude::*;

use super::samples::{docx, paragraph, pdf, shown};
use super::*;

/// One good document of every kind.
fn good() -> Vec<(&'static str, Vec<u8>)> {
    let page = shown(&[(50.0, 700.0, 12.0, "Amal Haddad"), (50.0, 680.0, 10.0, "Engineer")]);
    vec![
        ("cv.pdf", pdf(&[&page, &page])),
        ("cv.docx", docx(&format!("{}<w:tbl><w:tr><w:tc>{}</w:tc></w:tr></w:tbl>", paragraph("Amal"), paragraph("Rust")))),
        ("cv.html", b"<!doctype html><html><body><h1>Amal</h1><table><tr><td>a<td>b</table><ul><li>x</ul></body></html>".to_vec()),
        ("cv.md", b"# Amal\n\n- **Rust** [x](https://example.org)\n\n| a | b |\n".to_vec()),
        ("cv.txt", "Amal Haddad\nمهندسة\n\x0cRust".as_bytes().to_vec()),
    ]
}

#[test]
fn every_good_document_is_read() {
    for (name, bytes) in good() {
        assert!(read(&bytes, name).text().starts_with("Amal"), "{name}");
    }
}

#[test]
fn a_document_cut_anywhere_ends_in_a_value() {
    for (name, bytes) in good() {
        for step in 0..50 {
            let cut = bytes.get(..bytes.len() * step / 50).unwrap();
            if let Ok(read) = extract(cut, name, &Limits::default()) {
                assert!(read.lines.iter().all(|line| !line.text.is_empty()), "{name} cut at {}", cut.len());
            }
        }
    }
}

#[test]
fn a_document_with_changed_bytes_ends_in_a_value() {
    for (name, bytes) in good() {
        for at in (0..bytes.len()).step_by((bytes.len() / 60).max(1)) {
            for value in [0, 0xFF, b'<', b'9'] {
                let mut changed = bytes.clone();
                changed[at] = value;
                if let Ok(read) = extract(&changed, name, &Limits::default()) {
                    assert!(read.pages > 0, "{name} with {value} at {at}");
                }
            }
        }
    }
}

#[test]
fn a_large_text_is_refused_by_its_size() {
    let bytes = vec![b'a'; 50 << 20];
    let error = extract(&bytes, "cv.txt", &Limits::default());
    assert_eq!(error, Err(ExtractError::TooLarge { bytes: 50 << 20, limit: 10 << 20 }));
}

#[test]
fn many_characters_and_many_lines_end_in_a_limit() {
    let long = "x".repeat(9 << 20);
    assert!(matches!(
        extract(long.as_bytes(), "cv.txt", &Limits::default()),
        Err(ExtractError::LimitExceeded { .. })
    ));
    let short = "x\n".repeat(60_000);
    assert!(matches!(
        extract(short.as_bytes(), "cv.txt", &Limits::default()),
        Err(ExtractError::LimitExceeded { .. })
    ));
}

#[test]
fn lines_of_marks_alone_take_linear_time() {
    for mark in ["[", "![", "<", "*", "`", "[a](", "&", "<!--", "_a"] {
        let sample = mark.repeat(200_000 / mark.len());
        // The assertion is that this ends: quadratic scans of these lines take minutes.
        let result = extract(sample.as_bytes(), "cv.md", &Limits::default());
        assert!(!matches!(result, Err(ExtractError::Corrupt { .. })), "{mark}");
    }
}

#[test]
fn messages_hold_nothing_of_the_document() {
    let secret = "Salma-Secret";
    for name in ["cv.pdf", "cv.docx"] {
        let start: &[u8] = if name == "cv.pdf" { b"%PDF-1.7\n" } else { b"PK\x03\x04word/document.xml" };
        let bytes = [start, secret.as_bytes()].concat();
        let error = extract(&bytes, name, &Limits::default()).expect_err("broken");
        assert!(!error.to_string().contains(secret) && !format!("{error:?}").contains(secret));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..2_000), kind in 0..5_usize) {
        let starts: [(&str, &[u8]); 5] =
            [("a.pdf", b"%PDF-1.7\n"), ("a.docx", b"PK\x03\x04word/document.xml"), ("a.html", b"<html>"), ("a.md", b""), ("a.txt", b"")];
        let (name, start) = starts[kind];
        let bytes = [start, &bytes].concat();
        if let Ok(read) = extract(&bytes, name, &Limits::default()) {
            prop_assert!(read.lines.iter().all(|line| !line.text.contains('\n') && !line.text.trim().is_empty()));
        }
    }

    #[test]
    fn arbitrary_markup_never_panics(parts in prop::collection::vec("<[a-z]{1,4}( style='[a-z:0-9;-]{0,20}')?>|</[a-z]{1,4}>|[ \\PC]{0,10}|&[a-z#0-9]{0,5};|\\*\\*|\\[", 0..80)) {
        let text = parts.concat();
        for name in ["a.html", "a.md"] {
            if let Ok(read) = extract(text.as_bytes(), name, &Limits::default()) {
                prop_assert_eq!(read.text().split('\n').count(), read.lines.len().max(1));
            }
        }
        let body = docx(&text);
        if let Ok(read) = extract(&body, "a.docx", &Limits::default()) {
            prop_assert!(!read.text().is_empty());
        }
    }

    #[test]
    fn arbitrary_positions_never_panic_and_keep_every_letter(
        rows in prop::collection::vec((0.0..580_f32, 10.0..790_f32, 4.0..30_f32, "[a-z]{1,8}"), 1..60)
    ) {
        let rows: Vec<(f32, f32, f32, &str)> = rows.iter().map(|(x, y, s, t)| (*x, *y, *s, t.as_str())).collect();
        if let Ok(read) = extract(&pdf(&[&shown(&rows)]), "a.pdf", &Limits::default()) {
            let letters = read.lines.iter().flat_map(|line| line.text.chars()).filter(|c| c.is_alphabetic()).count();
            let sent: usize = rows.iter().map(|(_, _, _, text)| text.len()).sum();
            // Text drawn twice at one place counts once, and a letter o may be a bullet: nothing is invented.
            prop_assert!(letters <= sent);
        }
    }
}
