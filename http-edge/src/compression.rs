//! Answers that are sent compressed to those who take them so.

use std::convert::Infallible;
use std::future::ready;

use axum::body::{Body, HttpBody};
use axum::http::{HeaderMap, HeaderValue, Request, header};
use axum::response::Response;
use tower::{Layer, ServiceExt, service_fn};
use tower_http::compression::CompressionLayer;

/// What is worth it, in bytes: anything smaller fits into one packet as it is.
const LEAST: u64 = 1_024;

/// Which encodings a reader takes (RFC 9110, section 12.5.3): every line of the header.
pub(crate) fn accepted(headers: &HeaderMap) -> Vec<HeaderValue> {
    headers.get_all(header::ACCEPT_ENCODING).iter().cloned().collect()
}

/// Whether an answer is worth it: it is large, or nobody knows how large it becomes.
pub(crate) fn is_worth_it(response: &Response) -> bool {
    response.body().size_hint().exact().is_none_or(|size| size >= LEAST)
}

/// Compresses an answer in the first way that its reader takes, and says to caches that it differs from reader to reader.
pub(crate) async fn compressed(accepted: Vec<HeaderValue>, response: Response) -> Response {
    let mut request = Request::new(());
    for encoding in accepted {
        request.headers_mut().append(header::ACCEPT_ENCODING, encoding);
    }
    // It is asked for once.
    let mut response = Some(response);
    let answer = service_fn(|_| ready(Ok(response.take().unwrap_or_default())));
    let compressed: Result<_, Infallible> = CompressionLayer::new().layer(answer).oneshot(request).await;
    compressed.unwrap_or_else(|never| match never {}).map(Body::new)
}
