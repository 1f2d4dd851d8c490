//! JSON bodies in, with errors that name the field and never quote a value.

use std::sync::Arc;

use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use tandem_domain::error::ErrorCode;

use crate::limits;
use crate::problem::Problem;
use crate::router::Shared;

/// The longest name of an unknown field that is repeated to the sender, in characters.
const MAX_REPEATED: usize = 64;

/// The body of a request, read from JSON of at most `edge.max_json_bytes`.
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Arc<Shared>> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, shared: &Arc<Shared>) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            let detail = "send the body with `Content-Type: application/json`";
            return Err(Problem::new(ErrorCode::UnsupportedType, detail));
        }
        let limit = shared.edge.config.max_json_bytes as u64;
        parse(&limits::read_body(request, limit).await?).map(Self)
    }
}

/// The media type of a request without its parameters, lower case.
pub(crate) fn media_type(headers: &HeaderMap) -> String {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// `application/json` and the types built on it (RFC 6839).
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let media = media_type(headers);
    media == "application/json" || (media.starts_with("application/") && media.ends_with("+json"))
}

/// Reads a whole JSON text that is one object. Serde would take a list of the fields' values as well.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    if matches!(body.trim_ascii_start().first(), Some(b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n'))
    {
        return Err(Problem::validation("the body: expected a JSON object"));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| Problem::validation(describe(&error.path().to_string(), error.inner())))?;
    deserializer.end().map_err(|error| Problem::validation(describe(".", &error)))?;
    Ok(value)
}

/// Says what is wrong and where. Serde's own messages quote the value they found, which may be a résumé: only what was
/// expected is taken from them.
fn describe(path: &str, error: &serde_json::Error) -> String {
    if error.classify() != Category::Data {
        return format!("the body is not valid JSON: line {}, column {}", error.line(), error.column());
    }
    let text = error.to_string();
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message);
    if let Some(rest) = text.strip_prefix("unknown field `") {
        let (name, expected) = rest.rsplit_once("`, expected ").unwrap_or((rest, "another"));
        let name = if is_plain(name) { name } else { "…" };
        return format!("unknown field `{name}`: expected {expected}");
    }
    if text.starts_with("missing field") || text.starts_with("duplicate field") {
        return if path == "." { text.to_owned() } else { format!("field `{path}`: {text}") };
    }
    let quotes = ["invalid type: ", "invalid value: ", "invalid length ", "unknown variant `"];
    let message = if quotes.iter().any(|prefix| text.starts_with(prefix)) {
        match text.rsplit_once("expected ").map_or("another value", |(_, expected)| expected) {
            "u16" | "u32" | "u64" | "i32" => "expected a whole number in range".to_owned(),
            expected => format!("expected {expected}"),
        }
    } else {
        text.to_owned()
    };
    if path == "." { format!("the body: {message}") } else { format!("field `{path}`: {message}") }
}

/// Whether a name from outside is short and plain enough to be repeated.
pub(crate) fn is_plain(name: &str) -> bool {
    (1..=MAX_REPEATED).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
}
