//! What browsers are told: which pages of other origins may call, and what they must not do with an answer.

use std::time::Duration;

use axum::http::header::Entry;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::caller::IDEMPOTENCY_KEY;
use crate::rates::{RATE_LIMIT, RATE_LIMIT_POLICY};
use crate::request_id::X_REQUEST_ID;
use crate::trace::{TRACEPARENT, TRACERESPONSE};

/// How long a browser may remember what it was allowed.
const MAX_AGE: Duration = Duration::from_secs(600);
/// What is said to every browser and cache where an answer does not say it itself. An answer of the API is no page: it is
/// not shown in frames, has no links to follow, and what a page needs beside that it says in its own head. They are few,
/// so that the map of most answers need not grow for them: that costs more than all the rest.
const SAFE: [(HeaderName, HeaderValue); 3] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
];

/// Lets pages of these origins call; `*` stands for any. None: nothing is said, so that the browser keeps to its own rule
/// and lets no other in.
pub(crate) fn cors(origins: &[String]) -> Option<CorsLayer> {
    if origins.is_empty() {
        return None;
    }
    let origin = if origins.iter().any(|origin| origin == "*") {
        AllowOrigin::any()
    } else {
        AllowOrigin::list(origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok()))
    };
    let (key, api_key) = (HeaderName::from_static(IDEMPOTENCY_KEY), HeaderName::from_static("x-api-key"));
    let last_event_id = HeaderName::from_static("last-event-id");
    let cors = CorsLayer::new()
        .allow_origin(origin)
        .allow_methods([Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([
            header::ACCEPT,
            header::AUTHORIZATION,
            header::CONTENT_ENCODING,
            header::CONTENT_TYPE,
            header::IF_NONE_MATCH,
            X_REQUEST_ID,
            TRACEPARENT,
            key,
            api_key,
            last_event_id,
        ])
        .expose_headers([
            header::ETAG,
            header::LOCATION,
            header::RETRY_AFTER,
            RATE_LIMIT,
            RATE_LIMIT_POLICY,
            X_REQUEST_ID,
            TRACERESPONSE,
        ])
        .max_age(MAX_AGE);
    Some(cors)
}

/// Says to browsers what is safe wherever an answer does not say it itself.
pub(crate) fn secure(headers: &mut HeaderMap) {
    for (name, value) in SAFE {
        if let Entry::Vacant(place) = headers.entry(name) {
            place.insert(value);
        }
    }
}
