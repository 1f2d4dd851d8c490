//! Small documents of every kind, built in code.

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// A PDF of one page per content stream, with Helvetica as `/F1` and its bold face as `/F2`.
pub(super) fn pdf(pages: &[&str]) -> Vec<u8> {
    pdf_with(pages, "")
}

/// [`pdf`] with more entries in every page's dictionary.
pub(super) fn pdf_with(pages: &[&str], page_entries: &str) -> Vec<u8> {
    let kids: Vec<String> = (0..pages.len()).map(|at| format!("{} 0 R", 5 + at * 2)).collect();
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        format!("<< /Type /Pages /Kids [{}] /Count {} >>", kids.join(" "), pages.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_owned(),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>".to_owned(),
    ];
    for (at, content) in pages.iter().enumerate() {
        let stream = 6 + at * 2;
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents {stream} 0 R \
             /Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> {page_entries} >>"
        ));
        objects.push(format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()));
    }
    assemble(&objects, "")
}

/// A PDF that asks for a password nobody knows.
pub(super) fn encrypted_pdf() -> Vec<u8> {
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [] /Count 0 >>".to_owned(),
        format!("<< /Filter /Standard /V 2 /R 3 /Length 128 /P -4 /O <{0}> /U <{0}> >>", "5a".repeat(32)),
    ];
    assemble(
        &objects,
        "/Encrypt 3 0 R /ID [<00112233445566778899aabbccddeeff> <00112233445566778899aabbccddeeff>]",
    )
}

fn assemble(objects: &[String], trailer: &str) -> Vec<u8> {
    let mut out = b"%PDF-1.7\n".to_vec();
    let mut offsets = Vec::new();
    for (at, object) in objects.iter().enumerate() {
        offsets.push(out.len());
        out.extend(format!("{} 0 obj\n{object}\nendobj\n", at + 1).bytes());
    }
    let start = out.len();
    out.extend(format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).bytes());
    for offset in offsets {
        out.extend(format!("{offset:010} 00000 n \n").bytes());
    }
    let size = objects.len() + 1;
    out.extend(
        format!("trailer\n<< /Size {size} /Root 1 0 R {trailer} >>\nstartxref\n{start}\n%%EOF\n").bytes(),
    );
    out
}

/// `Tj` operators at positions: x, baseline, size, text.
pub(super) fn shown(rows: &[(f32, f32, f32, &str)]) -> String {
    rows.iter()
        .map(|(x, y, size, text)| format!("BT /F1 {size} Tf 1 0 0 1 {x} {y} Tm ({text}) Tj ET\n"))
        .collect()
}

/// A DOCX whose body is `body`, with the parts that Word writes.
pub(super) fn docx(body: &str) -> Vec<u8> {
    docx_with(body, &[])
}

/// [`docx`] with more parts, or other content for the usual ones.
pub(super) fn docx_with(body: &str, parts: &[(&str, &str)]) -> Vec<u8> {
    const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006";
    const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let rels =
        |entries: &str| format!("<Relationships xmlns=\"{PACKAGE}/relationships\">{entries}</Relationships>");
    let root = rels(&format!(
        "<Relationship Id=\"r1\" Type=\"{OFFICE}/officeDocument\" Target=\"word/document.xml\"/>"
    ));
    let document = rels(&format!(
        "<Relationship Id=\"s\" Type=\"{OFFICE}/styles\" Target=\"styles.xml\"/>\
         <Relationship Id=\"h\" Type=\"{OFFICE}/header\" Target=\"header1.xml\"/>\
         <Relationship Id=\"l\" Type=\"{OFFICE}/hyperlink\" Target=\"https://github.com/amal-example\" TargetMode=\"External\"/>"
    ));
    let styles = "<w:styles><w:style w:type=\"paragraph\" w:styleId=\"H\"><w:name w:val=\"heading 2\"/>\
                  <w:rPr><w:b/><w:sz w:val=\"28\"/></w:rPr></w:style>\
                  <w:style w:type=\"paragraph\" w:styleId=\"Sub\"><w:name w:val=\"Mine\"/><w:basedOn w:val=\"H\"/></w:style></w:styles>";
    let body = format!(
        "<?xml version=\"1.0\"?><w:document xmlns:w=\"w\" xmlns:r=\"r\"><w:body>{body}</w:body></w:document>"
    );
    let usual = [
        ("[Content_Types].xml", "<Types/>"),
        ("_rels/.rels", root.as_str()),
        ("word/_rels/document.xml.rels", document.as_str()),
        ("word/styles.xml", styles),
        ("word/document.xml", body.as_str()),
    ];
    let usual = usual.into_iter().filter(|(name, _)| !parts.iter().any(|(other, _)| other == name));
    zip(&usual.chain(parts.iter().copied()).collect::<Vec<_>>())
}

/// An archive of texts.
pub(super) fn zip(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in parts {
        // OpenDocument stores its type uncompressed, so that it can be recognized.
        let stored =
            if *name == "mimetype" { CompressionMethod::Stored } else { CompressionMethod::Deflated };
        writer.start_file(*name, SimpleFileOptions::default().compression_method(stored)).unwrap();
        writer.write_all(text.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A paragraph of one run.
pub(super) fn paragraph(text: &str) -> String {
    format!("<w:p><w:r><w:t>{text}</w:t></w:r></w:p>")
}
