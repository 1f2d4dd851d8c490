//! What goes through the pipe: a header in postcard behind its length, then the bytes as they are; the reply in
//! postcard behind its length. Every length is bounded before anything is allocated.

use std::io;

use serde::{Deserialize, Serialize};
use tandem_domain::trace::TraceContext;

use crate::extract::{ExtractError, Extracted, Limits};

/// A header holds a file name and some numbers.
const MAX_HEADER_BYTES: usize = 64 << 10;
/// A document; the configured limit is lower.
const MAX_BODY_BYTES: u64 = 256 << 20;
/// Two million characters with their geometry take far less.
pub(super) const MAX_REPLY_BYTES: usize = 64 << 20;
/// Longer file names are cut: only their extension matters.
const MAX_NAME_CHARS: usize = 512;

/// What comes before a document's bytes.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Header {
    pub file_name: String,
    pub limits: Limits,
    pub bytes: u64,
    /// What the reading is a part of. A variable of the environment could not say it: a child reads many documents.
    pub trace: Option<TraceContext>,
}

/// A document to read.
#[derive(Debug)]
pub(super) struct Request {
    pub header: Header,
    pub body: Vec<u8>,
}

/// Length and header of a request.
pub(super) fn encode_header(
    file_name: &str,
    limits: &Limits,
    bytes: usize,
    trace: Option<TraceContext>,
) -> io::Result<Vec<u8>> {
    let skipped = file_name.chars().count().saturating_sub(MAX_NAME_CHARS);
    let file_name = file_name.chars().skip(skipped).collect();
    let header = Header { file_name, limits: limits.clone(), bytes: bytes as u64, trace };
    with_length(&header, MAX_HEADER_BYTES)
}

/// Length and reply.
pub(super) fn encode_reply(result: &Result<Extracted, ExtractError>) -> io::Result<Vec<u8>> {
    with_length(result, MAX_REPLY_BYTES).or_else(|_| {
        let error = ExtractError::LimitExceeded { what: "characters".to_owned() };
        with_length(&Err::<Extracted, _>(error), MAX_REPLY_BYTES)
    })
}

pub(super) fn header_length(length: [u8; 4]) -> io::Result<usize> {
    bounded(u64::from(u32::from_le_bytes(length)), MAX_HEADER_BYTES as u64)
}

pub(super) fn body_length(header: &Header) -> io::Result<usize> {
    bounded(header.bytes, MAX_BODY_BYTES)
}

pub(super) fn reply_length(length: [u8; 4]) -> io::Result<usize> {
    bounded(u64::from(u32::from_le_bytes(length)), MAX_REPLY_BYTES as u64)
}

pub(super) fn decode_header(bytes: &[u8]) -> io::Result<Header> {
    postcard::from_bytes(bytes).map_err(io::Error::other)
}

pub(super) fn decode_reply(bytes: &[u8]) -> io::Result<Result<Extracted, ExtractError>> {
    postcard::from_bytes(bytes).map_err(io::Error::other)
}

fn with_length(value: &impl Serialize, limit: usize) -> io::Result<Vec<u8>> {
    let mut out = postcard::to_extend(value, vec![0; 4]).map_err(io::Error::other)?;
    let length = out.len() - 4;
    let length = u32::try_from(length).ok().filter(|_| length <= limit);
    let length = length.ok_or_else(|| io::Error::other("frame over its limit"))?;
    if let Some(start) = out.get_mut(..4) {
        start.copy_from_slice(&length.to_le_bytes());
    }
    Ok(out)
}

fn bounded(length: u64, limit: u64) -> io::Result<usize> {
    let fits = usize::try_from(length).ok().filter(|_| length <= limit);
    fits.ok_or_else(|| io::Error::other("frame over its limit"))
}

#[cfg(test)]
mod tests;
