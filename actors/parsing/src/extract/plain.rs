//! Plain text in whatever encoding it came.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE, WINDOWS_1252, WINDOWS_1256};

use super::collect::Collector;
use super::{ExtractError, Extracted, Limits, Line, MediaKind};

/// How many bytes decide about UTF-16 without a byte order mark.
const UTF16_WINDOW: usize = 4_096;
/// That many spaces inside a line separate columns.
const COLUMN_SPACES: usize = 3;
/// Tenths of a line height of one blank line.
const BLANK_LINE: u16 = 10;
/// Text with broken sequences is still UTF-8 when it has so many whole ones for each of them.
const WHOLE_PER_BROKEN: usize = 4;

pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Extracted, ExtractError> {
    let text = decode(bytes);
    let mut collector = Collector::new(limits);
    let mut page = 1;
    let mut space_above = 0_u16;
    // A form feed ends a page; it stands at a line's start or end.
    for (index, sheet) in text.split('\u{0C}').enumerate() {
        if index > 0 {
            page += 1;
        }
        if page > limits.pages {
            return Err(ExtractError::limit("pages"));
        }
        for row in sheet.split(is_line_break) {
            let line = Line { text: columns(row), page, space_above, ..Line::default() };
            if row.trim().is_empty() {
                space_above = space_above.saturating_add(BLANK_LINE);
            } else if collector.push(line)?.is_some() {
                space_above = 0;
            }
        }
    }
    collector.finish(MediaKind::Text, page, None)
}

/// Decodes text: byte order mark, UTF-16 by its zero bytes, UTF-8, then windows-1256 (Arabic) or windows-1252.
pub(super) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return unix_breaks(encoding.decode_without_bom_handling(bytes.get(mark..).unwrap_or_default()).0);
    }
    if let Some(order) = utf16_order(bytes) {
        return unix_breaks(order.decode_without_bom_handling(bytes).0);
    }
    let (utf8, broken) = encoding_rs::UTF_8.decode_without_bom_handling(bytes);
    let replaced = utf8.chars().filter(|c| *c == '\u{FFFD}').count();
    let whole = utf8.chars().filter(|c| !c.is_ascii()).count() - replaced;
    let text = if !broken || whole >= replaced * WHOLE_PER_BROKEN {
        utf8
    } else if looks_arabic(bytes) {
        WINDOWS_1256.decode_without_bom_handling(bytes).0
    } else {
        WINDOWS_1252.decode_without_bom_handling(bytes).0
    };
    unix_breaks(text)
}

/// UTF-16 without a mark: one byte of each pair is nearly always 0 (Latin, space) or 6 (Arabic).
pub(super) fn utf16_order(bytes: &[u8]) -> Option<&'static Encoding> {
    if let Some((encoding, _)) = Encoding::for_bom(bytes) {
        return (encoding != encoding_rs::UTF_8).then_some(encoding);
    }
    let window = bytes.get(..UTF16_WINDOW).unwrap_or(bytes);
    let pairs = window.len() / 2;
    let high = |byte: u8| matches!(byte, 0 | 6);
    let (mut little, mut big, mut zeros) = (0, 0, 0);
    for pair in window.chunks_exact(2) {
        if let [first, second] = *pair {
            little += usize::from(high(second) && !high(first));
            big += usize::from(high(first) && !high(second));
            zeros += usize::from(first == 0 || second == 0);
        }
    }
    if pairs < 4 || zeros * 20 < pairs {
        return None;
    }
    if little * 10 >= pairs * 8 {
        Some(UTF_16LE)
    } else if big * 10 >= pairs * 8 {
        Some(UTF_16BE)
    } else {
        None
    }
}

/// Arabic words are runs of high bytes; accents of the Latin scripts stand alone between ASCII letters.
fn looks_arabic(bytes: &[u8]) -> bool {
    let letter = |byte: u8| byte >= 0xC0 || matches!(byte, 0x81 | 0x8D | 0x8E | 0x90);
    let (mut letters, mut joined) = (0_usize, 0_usize);
    let mut previous = false;
    for &byte in bytes {
        let here = letter(byte);
        letters += usize::from(here);
        joined += usize::from(here && previous);
        previous = here;
    }
    joined * 2 > letters
}

fn unix_breaks(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.contains('\r') { Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n")) } else { text }
}

fn is_line_break(c: char) -> bool {
    matches!(c, '\n' | '\u{0B}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Wide runs of spaces inside a line are columns: they become a tab.
fn columns(row: &str) -> String {
    let mut out = String::with_capacity(row.len());
    let mut spaces = 0;
    for c in row.trim_end().chars() {
        if c == ' ' {
            spaces += 1;
            continue;
        }
        if spaces > 0 {
            out.push(if spaces >= COLUMN_SPACES && !out.is_empty() { '\t' } else { ' ' });
            spaces = 0;
        }
        out.push(c);
    }
    out
}
