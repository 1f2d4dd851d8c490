//! Answers that a reader may have already (RFC 9110, section 13.1.2).

use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use tandem_domain::error::ErrorCode;
use tandem_domain::ids::ContentDigest;

use crate::problem::Problem;

/// A reader may keep an answer, but must ask each time whether it still holds.
const REVALIDATE: HeaderValue = HeaderValue::from_static("private, no-cache");

/// The tags that a reader names; `None` where its request is no `GET`.
pub(crate) fn named(request: &Request) -> Option<Vec<HeaderValue>> {
    let gets = request.method() == Method::GET;
    gets.then(|| request.headers().get_all(header::IF_NONE_MATCH).iter().cloned().collect())
}

/// Tags what a `GET` is answered with by its content, and answers 304 to a reader that names the tag. Streams have no tag.
///
/// The tag is weak, as the same answer may be sent compressed.
pub(crate) async fn tag(known: Vec<HeaderValue>, response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let whole = body.size_hint().exact().and_then(|size| usize::try_from(size).ok());
    let (StatusCode::OK, Some(size)) = (parts.status, whole) else {
        return Response::from_parts(parts, body);
    };
    let Ok(bytes) = to_bytes(body, size).await else {
        return axum::response::IntoResponse::into_response(Problem::plain(ErrorCode::Internal));
    };
    let tag = format!("W/\"{}\"", ContentDigest::of(&bytes));
    let is_known = names(&known, &tag);
    let Ok(value) = HeaderValue::from_str(&tag) else {
        return Response::from_parts(parts, bytes.into());
    };
    parts.headers.insert(header::ETAG, value);
    parts.headers.insert(header::CACHE_CONTROL, REVALIDATE);
    if !is_known {
        return Response::from_parts(parts, bytes.into());
    }
    parts.status = StatusCode::NOT_MODIFIED;
    forget_content(&mut parts.headers);
    Response::from_parts(parts, Body::empty())
}

/// Whether a tag is among those that a reader names; the comparison is the weak one.
fn names(known: &[HeaderValue], tag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().strip_prefix("W/").unwrap_or(tag.trim()).to_owned();
    let texts = known.iter().filter_map(|value| value.to_str().ok());
    texts.flat_map(|text| text.split(',')).any(|named| named.trim() == "*" || opaque(named) == opaque(tag))
}

fn forget_content(headers: &mut HeaderMap) {
    headers.remove(header::CONTENT_LENGTH);
    headers.remove(header::CONTENT_TYPE);
}
