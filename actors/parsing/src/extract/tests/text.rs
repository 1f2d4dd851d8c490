use super::*;
use tandem_domain::finding::FindingKind;

#[test]
fn every_usual_encoding_gives_the_same_text() {
    let text = "خبرة في Rust\nدمشق";
    let utf16 = |order: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(order).collect::<Vec<u8>>();
    let with_mark = |mark: &[u8], bytes: Vec<u8>| [mark, &bytes].concat();
    let arabic = encoding_rs::WINDOWS_1256.encode(text).0.into_owned();
    let samples = [
        text.as_bytes().to_vec(),
        with_mark(b"\xef\xbb\xbf", text.as_bytes().to_vec()),
        with_mark(b"\xff\xfe", utf16(u16::to_le_bytes)),
        with_mark(b"\xfe\xff", utf16(u16::to_be_bytes)),
        utf16(u16::to_le_bytes),
        utf16(u16::to_be_bytes),
        arabic,
    ];
    for (at, bytes) in samples.iter().enumerate() {
        assert_eq!(lines(bytes, "cv.txt"), ["خبرة في Rust", "دمشق"], "sample {at}");
    }
}

#[test]
fn accents_in_latin_1_are_not_taken_for_arabic() {
    assert_eq!(lines(b"Jos\xe9 Mu\xf1oz, d\xe9veloppeur", "cv.txt"), ["José Muñoz, développeur"]);
}

#[test]
fn a_few_foreign_bytes_in_a_long_text_are_characters_and_not_damage() {
    let text = format!("{} July 2023 \u{96} Present", "plain words ".repeat(200));
    let bytes: Vec<u8> = text.chars().map(|c| c as u8).collect();
    assert!(lines(&bytes, "cv.txt").concat().ends_with("July 2023 – Present"));
    let damaged = [text.replace('\u{96}', "–é–é–").as_bytes(), b"\xff"].concat();
    assert!(lines(&damaged, "cv.txt").concat().contains("–é–é–"), "one broken byte does not spoil UTF-8");
}

#[test]
fn bullets_pages_space_and_columns_are_kept_as_geometry() {
    let read = read(
        b"JANE DOE\r\n\r\n- Wrote Rust\r\nAcme Ltd          2019 - 2021\r\n-----\r\n\x0cPage two",
        "cv.txt",
    );
    let texts: Vec<&str> = read.lines.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(texts, ["JANE DOE", "Wrote Rust", "Acme Ltd\t2019 - 2021", "Page two"]);
    let bullets: Vec<bool> = read.lines.iter().map(|line| line.bullet).collect();
    assert_eq!(bullets, [false, true, false, false]);
    assert_eq!(read.lines.get(1).map(|line| line.space_above), Some(10));
    assert_eq!((read.pages, read.lines.last().map(|line| line.page)), (2, Some(2)));
    assert_eq!(read.text().lines().count(), 4);
}

#[test]
fn invisible_characters_are_reported_and_dropped() {
    let sample = "Ru\u{200B}st \u{202E}tsuR\u{202C} en\u{E0041}gineer\nآ\u{200F}ب تطـوير ﬁrst 𝐛𝐨𝐥𝐝";
    let read = read(sample.as_bytes(), "cv.txt");
    assert_eq!(read.text(), "Rust tsuR engineer\nآب تطوير first bold");
    for kind in [FindingKind::ZeroWidthCharacters, FindingKind::BidiControls, FindingKind::TagCharacters] {
        assert!(has(&read, kind), "{kind:?}");
    }
    assert!(read.lines.get(1).is_some_and(|line| line.rtl));
}

#[test]
fn an_icon_is_remembered_and_its_glyph_is_not() {
    let read = read("\u{F095} +963 11 555 0100\n\u{F0B7} Led a team\n\u{F0B7}\nAlone".as_bytes(), "cv.txt");
    let shapes: Vec<(&str, bool, bool)> =
        read.lines.iter().map(|line| (line.text.as_str(), line.icon_before, line.bullet)).collect();
    assert_eq!(
        shapes,
        [("+963 11 555 0100", true, false), ("Led a team", false, true), ("Alone", false, true)]
    );
}

#[test]
fn markdown_is_read_without_its_marks() {
    let sample = "---\nname: Amal\n---\n# Amal Haddad\n\n**Rust engineer** at _Acme_\n\nExperience\n----------\n\
                  1. Wrote `tokio` code, [docs](https://docs.example.org \"t\")\n* [x] Kept snake_case and 2 * 3\n\
                  | Skill | Years |\n|---|---|\n| Rust | 5 |\n<!-- hire me -->\nMail <amal@example.com><br>C\\+\\+ &amp; more\n\
                  [ref]: https://example.org\n";
    let read = read(sample.as_bytes(), "cv.md");
    let texts: Vec<&str> = read.lines.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "name: Amal",
            "Amal Haddad",
            "Rust engineer at Acme",
            "Experience",
            "Wrote tokio code, docs",
            "Kept snake_case and 2 * 3",
            "Skill\tYears",
            "Rust\t5",
            "Mail amal@example.com",
            "C++ & more"
        ]
    );
    let headings: Vec<u8> = read.lines.iter().map(|line| line.heading).collect();
    assert_eq!(headings.get(..5), Some([0, 1, 0, 2, 0].as_slice()));
    assert!(read.lines.get(4).is_some_and(|line| line.bullet));
    let links: Vec<(&str, Option<u32>)> =
        read.links.iter().map(|link| (link.uri.as_str(), link.line)).collect();
    assert_eq!(
        links,
        [
            ("https://docs.example.org", Some(4)),
            ("mailto:amal@example.com", Some(8)),
            ("https://example.org", None)
        ]
    );
    assert!(has(&read, FindingKind::HiddenText));
}

#[test]
fn the_bytes_decide_and_the_name_only_between_texts() {
    assert_eq!(sniff(b"# Title", "cv.md"), Ok(MediaKind::Markdown));
    assert_eq!(sniff(b"# Title", "cv"), Ok(MediaKind::Text));
    assert_eq!(sniff(b"\n<!DOCTYPE html><p>x", "cv.txt"), Ok(MediaKind::Html));
    assert_eq!(sniff(&samples::pdf(&[""]), "cv.txt"), Ok(MediaKind::Pdf));
    assert_eq!(sniff(&samples::docx(""), "cv.pdf"), Ok(MediaKind::Docx));
    assert_eq!(sniff(b" \n\t", "cv.txt"), Err(ExtractError::Empty));
    for (bytes, word) in [
        (b"\x89PNG\r\n\x1a\n0000".as_slice(), "PNG"),
        (b"\xff\xd8\xff\xe0 JFIF", "JPEG"),
        (b"RIFF0000WEBPVP8 ", "WebP"),
        (b"{\\rtf1 hello}", "RTF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1W\0o\0r\0d\0D\0o\0c\0u\0m\0e\0n\0t\0", ".doc"),
        (b"MZ\x90\0", "program"),
        (b"\x01\x02\x03\x00\x00\x05", "binary"),
    ] {
        let error = sniff(bytes, "cv.pdf").expect_err("no document");
        assert!(error.to_string().contains(word), "{error}");
        assert_eq!(error.code(), tandem_domain::error::ErrorCode::UnsupportedType);
    }
    let odt = samples::zip(&[("mimetype", "application/vnd.oasis.opendocument.text")]);
    assert!(sniff(&odt, "cv.odt").is_err_and(|error| error.to_string().contains("ODT")));
    let locked =
        [b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".as_slice(), b"E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0"]
            .concat();
    assert_eq!(sniff(&locked, "cv.docx"), Err(ExtractError::Encrypted));
}
