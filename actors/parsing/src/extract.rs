//! From the bytes of a file to the text that a reader of it would see.
//!
//! [`sniff`] names the format by its bytes, [`extract`] reads it. Both are pure: no clock, no
//! network, no file. Foreign bytes belong into a child process (see [`crate::child`]); `sniff`
//! alone is safe to call anywhere, because it only compares prefixes.

mod clean;
mod collect;
mod docx;
mod error;
mod html;
mod markdown;
mod pdf;
mod plain;
mod sniff;
mod types;

pub use error::ExtractError;
pub use sniff::sniff;
pub use types::{Extracted, JobPostingLd, Limits, Line, Link, MediaKind};

#[cfg(test)]
mod tests;

/// Reads a document into its visible lines.
///
/// `file_name` only decides between the text formats (Markdown, HTML, plain). Lines come in
/// reading order; hidden text is counted in `findings` and is part of nothing else.
///
/// # Errors
/// Every [`ExtractError`] except `Timeout`, `OutOfMemory` and `Killed`, which only the child
/// process knows.
pub fn extract(bytes: &[u8], file_name: &str, limits: &Limits) -> Result<Extracted, ExtractError> {
    let size = bytes.len() as u64;
    if size > limits.file_bytes {
        return Err(ExtractError::TooLarge { bytes: size, limit: limits.file_bytes });
    }
    let media = sniff(bytes, file_name)?;
    let extracted = match media {
        MediaKind::Pdf => pdf::read(bytes, limits),
        MediaKind::Docx => docx::read(bytes, limits),
        MediaKind::Html => html::read(bytes, limits),
        MediaKind::Markdown => markdown::read(bytes, limits),
        MediaKind::Text => plain::read(bytes, limits),
    }?;
    // A page of JSON-LD without a body still says what a job is.
    if extracted.lines.is_empty() && extracted.job_posting.is_none() {
        return Err(ExtractError::NoText { pages: extracted.pages });
    }
    Ok(extracted)
}
