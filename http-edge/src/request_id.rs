//! The name of a request: taken from its sender or made here, on every log line and every answer.

use std::fmt;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use uuid::{Builder, NoContext, Timestamp, Uuid};

/// The header that carries it, both ways.
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The longest id that is taken from a sender, in characters.
pub(crate) const MAX_LEN: usize = 128;

/// 1 to [`MAX_LEN`] printable ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestId(HeaderValue);

impl RequestId {
    /// The sender's id if it is fit to be logged, else a new one.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        match headers.get(X_REQUEST_ID).filter(|id| is_fit(id.as_bytes())) {
            Some(id) => Self(id.clone()),
            None => {
                let mut text = Uuid::encode_buffer();
                let text = made().as_hyphenated().encode_lower(&mut text);
                Self(HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static("none")))
            }
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    /// As it stands on an answer.
    pub(crate) fn into_header(self) -> HeaderValue {
        self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A new one. It tells requests apart and nothing else: somebody may guess it, so the system is not asked for randomness.
fn made() -> Uuid {
    let (seconds, nanos) = Timestamp::now(NoContext).to_unix();
    let [random @ .., _, _, _, _, _, _] = fastrand::u128(..).to_be_bytes();
    Builder::from_unix_timestamp_millis(seconds * 1000 + u64::from(nanos / 1_000_000), &random).into_uuid()
}

fn is_fit(id: &[u8]) -> bool {
    (1..=MAX_LEN).contains(&id.len()) && id.iter().all(|b| b.is_ascii_graphic() || *b == b' ')
}
