//! The ends of everything: how long a request takes, how many are answered at a time, how much a body holds.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, FromRequest, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::FutureExt;
use tandem_domain::error::ErrorCode;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use crate::decode;
use crate::problem::Problem;
use crate::router::Shared;

/// What a multipart body may hold beside its file, in bytes.
pub(crate) const ENVELOPE_BYTES: u64 = 64 * 1024;

/// When a request must be answered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline(pub(crate) Instant);

/// A place among the requests that are answered at a time; an answer that goes on after its handler keeps it.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    _permit: Arc<OwnedSemaphorePermit>,
}

/// Ends a request at its deadline with 504, whatever it waits for.
pub(crate) async fn end_in_time(
    State(shared): State<Arc<Shared>>,
    mut request: Request,
    next: Next,
) -> Response {
    let end = Instant::now() + shared.edge.config.request_timeout();
    request.extensions_mut().insert(Deadline(end));
    match tokio::time::timeout_at(end, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::plain(ErrorCode::Timeout).into_response(),
    }
}

/// Answers a request whose handler panicked with 500. The panic's text is not repeated: it may quote a document.
pub(crate) async fn catch_panics(request: Request, next: Next) -> Response {
    match AssertUnwindSafe(next.run(request)).catch_unwind().await {
        Ok(response) => response,
        Err(_) => {
            tracing::error!("a request handler panicked");
            Problem::plain(ErrorCode::Internal).into_response()
        }
    }
}

/// Refuses a request with 503 when as many as may be are being answered: nobody waits in a queue for a place.
pub(crate) async fn admit(State(shared): State<Arc<Shared>>, mut request: Request, next: Next) -> Response {
    let Ok(permit) = Arc::clone(&shared.permits).try_acquire_owned() else {
        return Problem::plain(ErrorCode::Overloaded).into_response();
    };
    let place = Place { _permit: Arc::new(permit) };
    request.extensions_mut().insert(place.clone());
    let response = next.run(request).await;
    drop(place);
    response
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
