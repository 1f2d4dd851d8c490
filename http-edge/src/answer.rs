//! Successes on the wire.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::dto::envelope::Envelope;

/// 200 with the data in their envelope.
pub(crate) fn ok<T: Serialize>(data: T) -> Response {
    Json(Envelope { data, error: () }).into_response()
}

/// The data in their envelope, with the place where the resource can be seen.
pub(crate) fn at<T: Serialize>(status: StatusCode, location: &str, data: T) -> Response {
    let mut response = ok(data);
    *response.status_mut() = status;
    if let Ok(value) = HeaderValue::from_str(location) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    response
}
