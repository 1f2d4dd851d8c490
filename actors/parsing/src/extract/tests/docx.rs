use super::samples::{docx, docx_with, paragraph, zip};
use super::*;
use tandem_domain::finding::FindingKind;

#[test]
fn headings_lists_breaks_and_links_are_read() {
    let body = "<w:p><w:pPr><w:pStyle w:val=\"Sub\"/></w:pPr><w:r><w:t>Experience</w:t></w:r></w:p>\
        <w:p><w:pPr><w:numPr><w:numId w:val=\"1\"/></w:numPr></w:pPr><w:r><w:rPr><w:b/></w:rPr><w:t xml:space=\"preserve\">Rust </w:t></w:r>\
        <w:r><w:t>&amp; Go</w:t><w:tab/><w:t>2019</w:t><w:br/><w:t>second</w:t></w:r></w:p>\
        <w:p><w:hyperlink r:id=\"l\"><w:r><w:t>GitHub</w:t></w:r></w:hyperlink>\
        <w:r><w:fldChar w:fldCharType=\"begin\"/><w:instrText> HYPERLINK \"https://a.example\" </w:instrText>\
        <w:fldChar w:fldCharType=\"separate\"/><w:t> site</w:t><w:fldChar w:fldCharType=\"end\"/></w:r></w:p>";
    let read = read(&docx(body), "cv.docx");
    assert_eq!(read.text(), "Experience\nRust & Go\t2019\nsecond\nGitHub site");
    let first = read.lines.first().unwrap();
    assert_eq!((first.heading, first.bold, first.size), (2, true, 140));
    let bullets: Vec<bool> = read.lines.iter().map(|line| line.bullet).collect();
    assert_eq!(bullets, [false, true, false, false]);
    let links: Vec<(&str, Option<u32>)> =
        read.links.iter().map(|link| (link.uri.as_str(), link.line)).collect();
    assert_eq!(links, [("https://github.com/amal-example", Some(3)), ("https://a.example", Some(3))]);
}

#[test]
fn hidden_and_deleted_text_is_not_read() {
    let run = |props: &str, text: &str| format!("<w:r><w:rPr>{props}</w:rPr><w:t>{text}</w:t></w:r>");
    let body = format!(
        "<w:p>{}{}{}{}{}<w:del><w:r><w:delText>gone</w:delText></w:r></w:del><w:ins>{}</w:ins></w:p>",
        run("", "Seen"),
        run("<w:vanish/>", "vanished"),
        run("<w:color w:val=\"FFFFFF\"/>", "white"),
        run("<w:sz w:val=\"2\"/>", "tiny"),
        run("<w:color w:val=\"FFFFFF\"/><w:shd w:fill=\"1F3864\"/>", " light"),
        run("", " new"),
    );
    let read = read(&docx(&body), "cv.docx");
    assert_eq!(read.text(), "Seen light new");
    assert!(has(&read, FindingKind::HiddenText) && has(&read, FindingKind::TinyText));
}

#[test]
fn data_tables_become_rows_and_layout_tables_become_blocks() {
    let cell = |text: &[&str]| {
        let paragraphs: String = text.iter().map(|text| paragraph(text)).collect();
        format!("<w:tc><w:tcPr/>{paragraphs}</w:tc>")
    };
    let row = |cells: &[String]| format!("<w:tr>{}</w:tr>", cells.concat());
    let data = format!(
        "<w:tbl>{}{}</w:tbl>",
        row(&[cell(&["Rust"]), cell(&["5 years"])]),
        row(&[cell(&["Go"]), cell(&["2"])])
    );
    let side = cell(&["Contact", "amal@example.com", "Damascus", "Skills"]);
    let layout =
        format!("<w:tbl>{}</w:tbl>", row(&[side, cell(&["Experience", "Acme", "Built things", "2019"])]));
    let body = format!("{data}{layout}{}", paragraph("After"));
    let read = read(&docx(&body), "cv.docx");
    let shape: Vec<(&str, u32)> = read.lines.iter().map(|line| (line.text.as_str(), line.block)).collect();
    let block = |text: &str| shape.iter().find(|(line, _)| *line == text).map(|(_, block)| *block);
    assert_eq!(shape.first(), Some(&("Rust\t5 years", 0)));
    assert_eq!(block("Contact"), block("Skills"));
    assert_ne!(block("Contact"), block("Experience"));
    assert_ne!(block("Experience"), block("After"));
    assert_eq!(shape.last().map(|(text, _)| *text), Some("After"));
}

#[test]
fn headers_and_text_boxes_are_read_once() {
    let header = format!("<w:hdr>{}</w:hdr>", paragraph("Amal Haddad"));
    let text_box = format!("<w:txbxContent>{}</w:txbxContent>", paragraph("Sidebar"));
    let body = format!(
        "<w:p><w:r><w:t>Main</w:t><mc:AlternateContent><mc:Choice><w:drawing>{text_box}</w:drawing></mc:Choice>\
         <mc:Fallback><w:pict>{text_box}</w:pict></mc:Fallback></mc:AlternateContent></w:r></w:p>"
    );
    let read = read(&docx_with(&body, &[("word/header1.xml", &header)]), "cv.docx");
    assert_eq!(read.text(), "Amal Haddad\nMain\nSidebar");
    let blocks: Vec<u32> = read.lines.iter().map(|line| line.block).collect();
    assert!(blocks.is_sorted_by(|a, b| a < b), "{blocks:?}");
}

#[test]
fn a_cut_document_keeps_what_came_before_and_says_so() {
    let body = "<w:p><w:r><w:t>Before</w:t></w:r></w:p><w:p><w:r><w:t>half";
    let parts = [("word/document.xml", body)];
    let read = read(&docx_with("", &parts), "cv.docx");
    assert_eq!(read.text(), "Before\nhalf");
    assert!(has(&read, FindingKind::Damaged));
}

#[test]
fn bombs_and_depth_end_in_a_limit() {
    let bomb = paragraph(&"A".repeat(2 << 20));
    let limits = Limits { part_bytes: 1 << 20, ..Limits::default() };
    let small = docx(&bomb);
    assert!(small.len() < 64 << 10, "{} bytes packed", small.len());
    assert!(matches!(extract(&small, "cv.docx", &limits), Err(ExtractError::LimitExceeded { .. })));
    let deep = format!("{}{}", "<w:sdt>".repeat(500), "</w:sdt>".repeat(500));
    assert!(matches!(
        extract(&docx(&deep), "cv.docx", &Limits::default()),
        Err(ExtractError::LimitExceeded { .. })
    ));
}

#[test]
fn entities_are_not_expanded() {
    let body = "<!DOCTYPE w:document [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]><w:document><w:body><w:p><w:r>\
                <w:t>x&b;&#65;&lt;y</w:t></w:r></w:p></w:body></w:document>";
    assert_eq!(lines(&docx_with("", &[("word/document.xml", body)]), "cv.docx"), ["xA<y"]);
}

#[test]
fn an_archive_without_a_text_is_corrupt() {
    let archive = zip(&[("word/document2.xml", "<a/>")]);
    assert!(matches!(extract(&archive, "cv.docx", &Limits::default()), Err(ExtractError::Corrupt { .. })));
}
