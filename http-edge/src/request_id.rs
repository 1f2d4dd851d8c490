//! The name of a request: taken from its sender or made here, on every log line and every answer.

use std::fmt;
use std::sync::Arc;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument;
use uuid::Uuid;

use crate::{metrics, problem};

/// The header that carries it, both ways.
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The longest id that is taken from a sender, in characters.
pub(crate) const MAX_LEN: usize = 128;

/// 1 to [`MAX_LEN`] printable ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestId(Arc<str>);

impl RequestId {
    /// The sender's id if it is fit to be logged, else a new one.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let sent = headers.get(X_REQUEST_ID).and_then(|value| value.to_str().ok());
        match sent.filter(|id| is_fit(id)) {
            Some(id) => Self(id.into()),
            None => Self(Uuid::now_v7().to_string().into()),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_fit(id: &str) -> bool {
    (1..=MAX_LEN).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic() || b == b' ')
}

/// Names the request, opens its span, and puts the name on the answer; failures get their body here.
pub(crate) async fn identify(mut request: Request, next: Next) -> Response {
    let id = RequestId::of(request.headers());
    let instance = request.uri().path().to_owned();
    let (method, route) = (metrics::method_label(request.method()), metrics::route_label(&request));
    let span = tracing::info_span!("request", request_id = %id, method, route = &*route);
    request.extensions_mut().insert(id.clone());
    let answer = async move {
        let mut response = problem::rendered(next.run(request).await, id.as_str(), &instance);
        if let Ok(value) = HeaderValue::from_str(id.as_str()) {
            response.headers_mut().insert(X_REQUEST_ID, value);
        }
        tracing::info!(status = response.status().as_u16(), "request answered");
        response
    };
    answer.instrument(span).await
}
