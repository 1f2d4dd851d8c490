use super::samples::{encrypted_pdf, pdf, pdf_with, shown};
use super::*;
use tandem_domain::finding::FindingKind;

#[test]
fn lines_sizes_and_space_come_from_positions() {
    let content =
        "BT /F2 20 Tf 50 700 Td (Amal Haddad) Tj /F1 10 Tf 0 -30 Td (Rust) Tj 25 0 Td (engineer) Tj ET";
    let read = read(&pdf(&[content]), "cv.pdf");
    assert_eq!(read.text(), "Amal Haddad\nRust engineer");
    let first = read.lines.first().unwrap();
    assert_eq!((first.size, first.bold, first.page), (200, true, 1));
    assert!(read.lines.get(1).is_some_and(|line| line.space_above > 0 && !line.bold));
}

#[test]
fn two_columns_are_read_one_after_the_other() {
    let mut rows =
        vec![(50.0, 740.0, 18.0, "Amal Haddad and a title that crosses the whole page width here")];
    let side = ["Contact", "amal@example.com", "Damascus", "Skills", "Rust", "Go"];
    let main = [
        "Experience at Acme as an engineer",
        "Built a thing that other people use",
        "Fixed another one",
        "Led it",
    ];
    rows.extend(side.iter().enumerate().map(|(at, text)| (50.0, 700.0 - 17.0 * at as f32, 10.0, *text)));
    rows.extend(main.iter().enumerate().map(|(at, text)| (250.0, 695.0 - 23.0 * at as f32, 10.0, *text)));
    let read = read(&pdf(&[&shown(&rows)]), "cv.pdf");
    let texts: Vec<&str> = read.lines.iter().skip(1).map(|line| line.text.as_str()).collect();
    assert_eq!(texts, [side.as_slice(), main.as_slice()].concat());
    let blocks: Vec<u32> = read.lines.iter().map(|line| line.block).collect();
    assert_eq!(blocks, [0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2]);
}

#[test]
fn dates_at_the_right_margin_stay_with_their_line() {
    let mut rows = Vec::new();
    for (at, (title, dates)) in
        [("Engineer", "2019 - 2021"), ("Developer", "2015 - 2019"), ("Intern", "2014 - 2015")]
            .into_iter()
            .enumerate()
    {
        let y = 700.0 - 60.0 * at as f32;
        rows.extend([(50.0, y, 10.0, title), (480.0, y, 10.0, dates)]);
        rows.push((50.0, y - 13.0, 10.0, "Acme Limited, Damascus"));
        rows.push((50.0, y - 26.0, 10.0, "Wrote programs in Rust"));
    }
    let lines = lines(&pdf(&[&shown(&rows)]), "cv.pdf");
    assert_eq!(lines.first().map(String::as_str), Some("Engineer | 2019 - 2021"));
    assert_eq!(lines.get(6).map(String::as_str), Some("Intern | 2014 - 2015"));
}

#[test]
fn fake_bold_and_spaced_letters_read_as_words() {
    let twice = shown(&[(50.0, 700.0, 12.0, "Summary"), (50.3, 700.0, 12.0, "Summary")]);
    let read = read(&pdf(&[&twice]), "cv.pdf");
    assert_eq!((read.text().as_str(), read.lines.first().map(|line| line.bold)), ("Summary", Some(true)));
    // Helvetica's widths, each letter set off by 2 points.
    let widths = [9.4, 7.8, 7.2, 6.7, 0.0, 6.7, 7.2, 7.2, 0.0, 6.7, 6.7, 2.8, 5.6, 5.6];
    let mut x = 50.0;
    let mut letters: Vec<(f32, f32, f32, String)> = Vec::new();
    for (c, width) in "WORK AND SKILL".chars().zip(widths) {
        if c != ' ' {
            letters.push((x, 700.0, 10.0, c.to_string()));
        }
        x += if c == ' ' { 5.0 } else { width + 2.0 };
    }
    let rows: Vec<(f32, f32, f32, &str)> =
        letters.iter().map(|(x, y, s, c)| (*x, *y, *s, c.as_str())).collect();
    assert_eq!(lines(&pdf(&[&shown(&rows)]), "cv.pdf"), ["WORK AND SKILL"]);
}

#[test]
fn text_that_nobody_sees_is_counted_and_not_read() {
    let content = "BT /F1 12 Tf 50 700 Td (Seen by everybody who looks) Tj ET\n\
        1 1 1 rg BT /F1 12 Tf 50 650 Td (white) Tj ET\n\
        0.1 0.2 0.4 rg 0 500 600 100 re f 1 1 1 rg BT /F1 12 Tf 50 550 Td (Light on dark) Tj ET\n\
        0 g BT /F1 1 Tf 50 450 Td (tiny) Tj ET BT /F1 12 Tf 50 900 Td (above) Tj ET\n\
        BT 3 Tr /F1 12 Tf 50 400 Td (ghost) Tj ET";
    let read = read(&pdf(&[content]), "cv.pdf");
    assert_eq!(read.text(), "Seen by everybody who looks\nLight on dark");
    let kinds = [
        FindingKind::HiddenText,
        FindingKind::TinyText,
        FindingKind::OffPageText,
        FindingKind::InvisibleRenderMode,
    ];
    for kind in kinds {
        assert!(has(&read, kind), "{kind:?} in {:?}", read.findings);
    }
}

#[test]
fn links_find_their_lines() {
    let annotations = "/Annots [<< /Type /Annot /Subtype /Link /Rect [50 695 120 712] \
                       /A << /S /URI /URI (https://github.com/amal-example) >> >>]";
    let page = shown(&[(50.0, 720.0, 10.0, "Amal Haddad"), (50.0, 700.0, 10.0, "GitHub profile")]);
    let read = read(&pdf_with(&[&page], annotations), "cv.pdf");
    assert_eq!(read.links, [Link { uri: "https://github.com/amal-example".to_owned(), line: Some(1) }]);
}

#[test]
fn a_column_that_goes_on_keeps_its_block() {
    let page = |word: &str| {
        shown(&[(50.0, 700.0, 10.0, word), (50.0, 680.0, 10.0, "Something of the same width on both")])
    };
    let (first, second) = (page("One"), page("Two"));
    let read = read(&pdf(&[&first, &second]), "cv.pdf");
    let shape: Vec<(u32, u32)> = read.lines.iter().map(|line| (line.page, line.block)).collect();
    assert_eq!((shape, read.pages), (vec![(1, 0), (1, 0), (2, 0), (2, 0)], 2));
}

#[test]
fn locked_empty_and_long_documents_are_named() {
    let limits = Limits { pages: 2, ..Limits::default() };
    assert_eq!(extract(&encrypted_pdf(), "cv.pdf", &limits), Err(ExtractError::Encrypted));
    assert_eq!(extract(&pdf(&["0 0 m"]), "cv.pdf", &limits), Err(ExtractError::NoText { pages: 1 }));
    let pages = extract(&pdf(&["", "", ""]), "cv.pdf", &limits);
    assert_eq!(pages, Err(ExtractError::LimitExceeded { what: "pages".to_owned() }));
    let broken = extract(b"%PDF-1.7\nnothing else", "cv.pdf", &limits);
    assert!(matches!(broken, Err(ExtractError::Corrupt { .. } | ExtractError::NoText { .. })), "{broken:?}");
}
