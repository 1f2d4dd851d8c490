//! The format of a file by its bytes.

use aho_corasick::AhoCorasick;

use super::{ExtractError, MediaKind};

/// The PDF header may stand anywhere in the first KiB (ISO 32000-1, annex H.3.4.1).
const PDF_HEADER_WINDOW: usize = 1_024;
/// How far into a file mark-up is looked for.
const MARKUP_WINDOW: usize = 4_096;
/// How many bytes decide between text and binary.
const TEXT_WINDOW: usize = 16_384;
/// Control bytes per thousand that text may hold.
const CONTROL_PER_MILLE: usize = 20;

/// Prefix and name of formats that are recognized in order to be refused by name.
const REFUSED: &[(&[u8], &str)] = &[
    (b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF87a", "a GIF image"),
    (b"GIF89a", "a GIF image"),
    (b"II*\0", "a TIFF image"),
    (b"MM\0*", "a TIFF image"),
    (b"8BPS", "a Photoshop image"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\0", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"\xca\xfe\xba\xbe", "a program"),
    (b"SQLite format 3\0", "a database"),
    (b"%!PS", "a PostScript file"),
    (b"ID3", "an audio file"),
    (b"OggS", "an audio file"),
    (b"\x1aE\xdf\xa3", "a video file"),
    (b"{\\rtf", "an RTF document; save it as DOCX or PDF"),
];

const OLE: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

/// Names the format of a file by its bytes; the name only decides between the text formats.
///
/// # Errors
/// `Empty`; `Encrypted` for an Office file behind a password; `UnsupportedType` with the real
/// type for everything that is not read here, also when its name says otherwise.
pub fn sniff(bytes: &[u8], file_name: &str) -> Result<MediaKind, ExtractError> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(ExtractError::Empty);
    }
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        return sniff_zip(bytes);
    }
    if bytes.starts_with(OLE) {
        return Err(sniff_ole(bytes));
    }
    if let Some(found) = refused(bytes) {
        return Err(ExtractError::unsupported(found));
    }
    if contains(head(bytes, PDF_HEADER_WINDOW), b"%PDF") {
        return Ok(MediaKind::Pdf);
    }
    if !looks_like_text(bytes) {
        return Err(ExtractError::unsupported("a binary file of an unknown kind"));
    }
    Ok(text_kind(bytes, file_name))
}

fn sniff_zip(bytes: &[u8]) -> Result<MediaKind, ExtractError> {
    const NAMES: [(&str, &str); 6] = [
        ("word/document", ""),
        ("application/vnd.oasis.opendocument.text", "an ODT document; save it as DOCX or PDF"),
        ("xl/workbook", "a spreadsheet"),
        ("ppt/presentation", "a presentation"),
        ("application/epub+zip", "an e-book"),
        ("META-INF/MANIFEST.MF", "a Java archive"),
    ];
    let Ok(searcher) = AhoCorasick::new(NAMES.iter().map(|(name, _)| name)) else {
        return Err(ExtractError::unsupported("a ZIP archive"));
    };
    let mut best: Option<usize> = None;
    for hit in searcher.find_iter(bytes) {
        let index = hit.pattern().as_usize();
        if index == 0 {
            return Ok(MediaKind::Docx);
        }
        best = Some(best.map_or(index, |known| known.min(index)));
    }
    let found = best.and_then(|index| NAMES.get(index)).map_or("a ZIP archive", |(_, found)| found);
    Err(ExtractError::unsupported(found))
}

fn sniff_ole(bytes: &[u8]) -> ExtractError {
    if contains(bytes, &utf16le("EncryptedPackage")) {
        ExtractError::Encrypted
    } else if contains(bytes, &utf16le("WordDocument")) {
        ExtractError::unsupported("an old Word document (.doc); save it as DOCX or PDF")
    } else {
        ExtractError::unsupported("an old Office file; save it as DOCX or PDF")
    }
}

fn refused(bytes: &[u8]) -> Option<&'static str> {
    if let Some((_, found)) = REFUSED.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Some(found);
    }
    if bytes.starts_with(b"RIFF") {
        return Some(if bytes.get(8..12) == Some(b"WEBP") { "a WebP image" } else { "a media file" });
    }
    if bytes.get(4..8) == Some(b"ftyp") {
        let image = matches!(bytes.get(8..11), Some(b"hei" | b"mif" | b"avi"));
        return Some(if image { "a HEIF image" } else { "a video file" });
    }
    // Two letters alone would refuse texts that begin with "BM": its reserved bytes must be zero.
    if bytes.starts_with(b"BM") && bytes.get(6..10) == Some(&[0; 4]) {
        return Some("a BMP image");
    }
    None
}

fn text_kind(bytes: &[u8], file_name: &str) -> MediaKind {
    let extension = file_name.rsplit_once('.').map(|(_, end)| end.to_ascii_lowercase()).unwrap_or_default();
    match extension.as_str() {
        "html" | "htm" | "xhtml" => MediaKind::Html,
        "md" | "markdown" => MediaKind::Markdown,
        _ if is_html(bytes) => MediaKind::Html,
        _ => MediaKind::Text,
    }
}

fn is_html(bytes: &[u8]) -> bool {
    let start = super::plain::decode(head(bytes, MARKUP_WINDOW)).to_ascii_lowercase();
    let start = start.trim_start();
    start.starts_with('<')
        && ["<!doctype html", "<html", "<head", "<body"].iter().any(|tag| start.contains(tag))
}

fn looks_like_text(bytes: &[u8]) -> bool {
    let window = head(bytes, TEXT_WINDOW);
    if super::plain::utf16_order(window).is_some() {
        return true;
    }
    let control = |byte: &&u8| matches!(byte, 0..=8 | 14..=26 | 28..=31 | 127);
    let controls = window.iter().filter(control).count();
    controls * 1_000 <= window.len() * CONTROL_PER_MILLE && !contains(window, &[0, 0])
}

fn head(bytes: &[u8], length: usize) -> &[u8] {
    bytes.get(..length).unwrap_or(bytes)
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    AhoCorasick::new([needle]).is_ok_and(|searcher| searcher.is_match(bytes))
}

fn utf16le(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}
