//! The ends of everything: how many requests are answered at a time, how much a body holds.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use bytes::Bytes;
use tokio::sync::OwnedSemaphorePermit;

use crate::decode;
use crate::problem::Problem;

/// What a multipart body may hold beside its file, in bytes.
pub(crate) const ENVELOPE_BYTES: u64 = 64 * 1024;

/// A place among the requests that are answered at a time; an answer that goes on after its handler keeps it.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    _permit: Arc<OwnedSemaphorePermit>,
}

impl Place {
    pub(crate) fn new(permit: OwnedSemaphorePermit) -> Self {
        Self { _permit: Arc::new(permit) }
    }
}

/// Refuses a body by its declared length, before a byte of it is read, and bounds what is read of any other, after it is
/// decoded.
pub(crate) fn bound_body(request: &mut Request, limit: u64) -> Result<(), Problem> {
    refuse_declared(request, limit)?;
    decode::decode(request)?;
    DefaultBodyLimit::max(usize::try_from(limit).unwrap_or(usize::MAX)).apply(request);
    Ok(())
}

/// Refuses a body by its declared length.
pub(crate) fn refuse_declared(request: &Request, limit: u64) -> Result<(), Problem> {
    let declared = declared_length(request.headers());
    if declared.is_some_and(|length| length > limit) { Err(Problem::too_large(limit)) } else { Ok(()) }
}

/// Reads a body of at most `limit` bytes.
pub(crate) async fn read_body(mut request: Request, limit: u64) -> Result<Bytes, Problem> {
    bound_body(&mut request, limit)?;
    Bytes::from_request(request, &()).await.map_err(|rejection| {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            Problem::too_large(limit)
        } else {
            Problem::validation("the body ended early")
        }
    })
}

fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
