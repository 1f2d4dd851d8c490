//! The hostile files.

use std::io::{Cursor, Write};

use rand::Rng;
use rand::rngs::StdRng;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Uncompressed size of the bomb's one part.
const BOMB_BYTES: usize = 400 << 20;
/// Size of the long text.
const LONG_BYTES: usize = 50 << 20;

/// A file, and the codes of which it must end in one.
pub(super) struct Hostile {
    pub(super) name: &'static str,
    pub(super) bytes: Vec<u8>,
    pub(super) codes: &'static [&'static str],
}

pub(super) fn hostile_files(rng: &mut StdRng) -> Vec<Hostile> {
    let file = |name, bytes, codes| Hostile { name, bytes, codes };
    let mut noise = b"%PDF-1.7\n".to_vec();
    noise.extend((0..50_000).map(|_| rng.random::<u8>()));
    vec![
        file("empty.pdf", Vec::new(), &["EMPTY_DOCUMENT"]),
        file("empty.txt", Vec::new(), &["EMPTY_DOCUMENT"]),
        file("blank.txt", b" \r\n\t \n".repeat(50), &["EMPTY_DOCUMENT", "NO_TEXT"]),
        file("noise.pdf", noise, &["CORRUPT_DOCUMENT", "NO_TEXT", "LIMIT_EXCEEDED"]),
        file("bomb.docx", bomb(), &["LIMIT_EXCEEDED", "CORRUPT_DOCUMENT"]),
        file("long.txt", b"ten bytes\n".repeat(LONG_BYTES / 10), &["PAYLOAD_TOO_LARGE"]),
        file("picture.pdf", picture(), &["UNSUPPORTED_TYPE"]),
        file("secret.pdf", encrypted_pdf(), &["ENCRYPTED_DOCUMENT"]),
        file(
            "program.docx",
            [b"\x7fELF".as_slice(), &[0; 4096]].concat(),
            &["UNSUPPORTED_TYPE", "CORRUPT_DOCUMENT"],
        ),
        file("archive.docx", other_zip(), &["UNSUPPORTED_TYPE", "CORRUPT_DOCUMENT"]),
        file(
            "deep.html",
            [b"<!doctype html>".to_vec(), b"<div>".repeat(200_000)].concat(),
            &["LIMIT_EXCEEDED", "NO_TEXT", "CORRUPT_DOCUMENT"],
        ),
    ]
}

/// A DOCX whose body is 400 MiB of one letter.
fn bomb() -> Vec<u8> {
    const TYPES: &str = r#"<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>"#;
    const RELATIONS: &str = r#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>"#;
    const BODY: &str = r#"<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>"#;
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (part, text) in
        [("[Content_Types].xml", TYPES), ("_rels/.rels", RELATIONS), ("word/document.xml", BODY)]
    {
        zip.start_file(part, options).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    let block = vec![b'A'; 1 << 20];
    for _ in 0..BOMB_BYTES / block.len() {
        zip.write_all(&block).unwrap();
    }
    zip.write_all(b"</w:t></w:r></w:p></w:body></w:document>").unwrap();
    let bytes = zip.finish().unwrap().into_inner();
    assert!(bytes.len() < 10 << 20, "a bomb is small on the outside");
    bytes
}

/// A ZIP archive that is no document.
fn other_zip() -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    zip.start_file("notes.txt", options).unwrap();
    zip.write_all(b"not a document").unwrap();
    zip.finish().unwrap().into_inner()
}

/// The beginning of a PNG: signature, header of one pixel, end.
fn picture() -> Vec<u8> {
    let mut png =
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00".to_vec();
    png.extend(b"\x1f\x15\xc4\x89\x00\x00\x00\x00IEND\xaeB`\x82");
    png
}

/// A PDF of one page that asks for a password (ISO 32000-1, section 7.6): no password fits its digests, the empty one
/// included, which is all that a reader without the password can find out.
fn encrypted_pdf() -> Vec<u8> {
    let digest = "5a".repeat(32);
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R \
         /Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>"
            .to_owned(),
        "<< /Length 32 >>\nstream\n0123456789abcdef0123456789abcdef\nendstream".to_owned(),
        format!("<< /Filter /Standard /V 2 /R 3 /Length 128 /P -3904 /O <{digest}> /U <{digest}> >>"),
    ];
    let mut pdf = "%PDF-1.6\n".to_owned();
    let mut places = Vec::new();
    for (number, object) in (1..).zip(&objects) {
        places.push(pdf.len());
        pdf.push_str(&format!("{number} 0 obj\n{object}\nendobj\n"));
    }
    let table = pdf.len();
    pdf.push_str(&format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1));
    for place in places {
        pdf.push_str(&format!("{place:010} 00000 n \n"));
    }
    pdf.push_str(&format!(
        "trailer\n<< /Size {} /Root 1 0 R /Encrypt 5 0 R /ID [<{digest}> <{digest}>] >>\nstartxref\n{table}\n%%EOF\n",
        objects.len() + 1
    ));
    pdf.into_bytes()
}
