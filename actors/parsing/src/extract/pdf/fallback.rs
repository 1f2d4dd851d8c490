//! The second reader: lopdf's plain text, without geometry, for files in which the first finds nothing at all.

use lopdf::Document;

use super::super::collect::Collector;
use super::super::{ExtractError, Limits, Line};

/// Text of all pages, line by line; gives the number of pages.
pub(super) fn read(bytes: &[u8], limits: &Limits, out: &mut Collector) -> Result<u32, ExtractError> {
    let damaged = |_| ExtractError::corrupt(super::FORMAT, "its structure cannot be read");
    let document = Document::load_mem(bytes).map_err(damaged)?;
    if document.is_encrypted() {
        return Err(ExtractError::Encrypted);
    }
    let pages = document.get_pages();
    if pages.len() as u64 > u64::from(limits.pages) {
        return Err(ExtractError::limit("pages"));
    }
    for (at, number) in pages.keys().enumerate() {
        // A page that cannot be read leaves the others.
        let text = document.extract_text(&[*number]).unwrap_or_default();
        let page = u32::try_from(at + 1).unwrap_or(u32::MAX);
        for row in text.lines() {
            out.push(Line { text: row.to_owned(), page, block: page, ..Line::default() })?;
        }
    }
    Ok(u32::try_from(pages.len()).unwrap_or(u32::MAX))
}
