//! Failures on the wire: one shape for all of them, and the one place where a code becomes an HTTP status.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tandem_domain::document::Failure;
use tandem_domain::error::ErrorCode;

use crate::dto::health::Check;
use crate::dto::problem::ProblemBody;

/// The media type of failures (RFC 9457).
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";
/// How to say who asks (RFC 6750, section 3).
const CHALLENGE: HeaderValue = HeaderValue::from_static("Bearer realm=\"tandem\"");
/// When to ask again after a refusal that passes by itself, in seconds.
const RETRY_AFTER_S: u64 = 1;

/// A request's failure. It is rendered by [`crate::door`], which knows the request's id and path.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    code: ErrorCode,
    detail: String,
    checks: Option<Vec<Check>>,
    retry_after_s: u64,
}

/// What a code means in HTTP and to people.
pub(crate) struct Meaning {
    pub(crate) status: StatusCode,
    pub(crate) title: &'static str,
    pub(crate) message: &'static str,
}

const fn meaning(status: StatusCode, title: &'static str, message: &'static str) -> Meaning {
    Meaning { status, title, message }
}

/// The meaning of each code.
pub(crate) const fn meaning_of(code: ErrorCode) -> Meaning {
    use StatusCode as S;
    match code {
        ErrorCode::Validation => {
            meaning(S::BAD_REQUEST, "Invalid request", "Something in your request needs a tweak.")
        }
        ErrorCode::NotFound => meaning(S::NOT_FOUND, "Not found", "We could not find what you asked for."),
        ErrorCode::MethodNotAllowed => {
            meaning(S::METHOD_NOT_ALLOWED, "Method not allowed", "This cannot be done here.")
        }
        ErrorCode::Conflict => {
            meaning(S::CONFLICT, "Conflict", "It is there already in another form, or has moved on.")
        }
        ErrorCode::TooLarge => {
            meaning(S::PAYLOAD_TOO_LARGE, "Too large", "This is larger than what we can take.")
        }
        ErrorCode::UnsupportedType => {
            meaning(S::UNSUPPORTED_MEDIA_TYPE, "Unsupported type", "We cannot read this type of file.")
        }
        ErrorCode::EmptyDocument => {
            meaning(S::UNPROCESSABLE_ENTITY, "Empty document", "There is nothing in this document.")
        }
        ErrorCode::CorruptDocument => {
            meaning(S::UNPROCESSABLE_ENTITY, "Damaged document", "This document is damaged.")
        }
        ErrorCode::EncryptedDocument => {
            meaning(S::UNPROCESSABLE_ENTITY, "Encrypted document", "This document asks for a password.")
        }
        ErrorCode::NoText => {
            meaning(S::UNPROCESSABLE_ENTITY, "No text", "We found no text that we can read in this document.")
        }
        ErrorCode::LimitExceeded => {
            meaning(S::UNPROCESSABLE_ENTITY, "Limit exceeded", "This document is more than we can read.")
        }
        ErrorCode::NotReady => {
            meaning(S::CONFLICT, "Not ready", "What this needs is not ready yet. Try again in a moment.")
        }
        ErrorCode::Cancelled => meaning(S::CONFLICT, "Cancelled", "This was cancelled."),
        ErrorCode::Timeout => {
            meaning(S::GATEWAY_TIMEOUT, "Timeout", "This took longer than expected. Please try again.")
        }
        ErrorCode::Unavailable => meaning(
            S::SERVICE_UNAVAILABLE,
            "Unavailable",
            "We cannot do this right now. Try again in a moment.",
        ),
        ErrorCode::Overloaded => {
            meaning(S::SERVICE_UNAVAILABLE, "Overloaded", "We are very busy. Try again in a moment.")
        }
        ErrorCode::Internal => {
            meaning(S::INTERNAL_SERVER_ERROR, "Internal error", "Something went wrong on our side.")
        }
        ErrorCode::UpgradeRequired => meaning(
            S::PAYMENT_REQUIRED,
            "Upgrade required",
            "Annual free match limit reached. Upgrade to Pro for unlimited matches.",
        ),
        ErrorCode::RateLimited => {
            meaning(S::TOO_MANY_REQUESTS, "Too many requests", "You're moving fast! Try again in a moment.")
        }
        ErrorCode::AuthRequired => meaning(S::UNAUTHORIZED, "Not logged in", "Please log in to continue."),
        ErrorCode::Forbidden => meaning(S::FORBIDDEN, "Not allowed", "You may not do this."),
        ErrorCode::KeyReused => meaning(
            S::UNPROCESSABLE_ENTITY,
            "Idempotency key reused",
            "This Idempotency-Key belongs to another request.",
        ),
    }
}

/// Whether a reason speaks of Tandem's inside: then it goes to the log, and people get the general message.
const fn is_internal(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::Timeout | ErrorCode::Unavailable | ErrorCode::Overloaded | ErrorCode::Internal)
}

impl Problem {
    pub(crate) fn new(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), checks: None, retry_after_s: RETRY_AFTER_S }
    }

    /// A problem that says no more than its code does.
    pub(crate) fn plain(code: ErrorCode) -> Self {
        Self::new(code, meaning_of(code).message)
    }

    /// Whether the same request may succeed later.
    pub(crate) const fn retryable(&self) -> bool {
        self.code.retryable()
    }

    pub(crate) fn validation(detail: impl Into<String>) -> Self {
        Self::new(ErrorCode::Validation, detail)
    }

    pub(crate) fn too_large(limit: u64) -> Self {
        Self::new(ErrorCode::TooLarge, format!("the limit is {limit} bytes"))
    }

    pub(crate) fn no_route() -> Self {
        Self::new(ErrorCode::NotFound, "there is no such route; /openapi.json lists them all")
    }

    pub(crate) fn method_not_allowed() -> Self {
        let detail = "this route does not take this method; the Allow header lists those it takes";
        Self::new(ErrorCode::MethodNotAllowed, detail)
    }

    pub(crate) fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(ErrorCode::AuthRequired, detail)
    }

    pub(crate) fn rate_limited(retry_after_s: u64) -> Self {
        let detail = format!("too many requests; the next one may come in {retry_after_s} s");
        Self { retry_after_s, ..Self::new(ErrorCode::RateLimited, detail) }
    }

    pub(crate) fn not_ready(checks: Vec<Check>) -> Self {
        Self { checks: Some(checks), ..Self::new(ErrorCode::Unavailable, "the node does not take work now") }
    }

    /// The problem of an answer that nobody here made, such as a framework's own refusal.
    fn of_status(status: StatusCode) -> Self {
        let code = match status {
            StatusCode::UNAUTHORIZED => ErrorCode::AuthRequired,
            StatusCode::FORBIDDEN => ErrorCode::Forbidden,
            StatusCode::NOT_FOUND => ErrorCode::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => ErrorCode::MethodNotAllowed,
            StatusCode::PAYLOAD_TOO_LARGE => ErrorCode::TooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => ErrorCode::UnsupportedType,
            StatusCode::GATEWAY_TIMEOUT => ErrorCode::Timeout,
            StatusCode::TOO_MANY_REQUESTS => ErrorCode::RateLimited,
            StatusCode::SERVICE_UNAVAILABLE => ErrorCode::Unavailable,
            other if other.is_client_error() => ErrorCode::Validation,
            _ => ErrorCode::Internal,
        };
        Self::plain(code)
    }

    /// The problem as it is sent.
    pub(crate) fn into_body(self, request_id: &str, instance: &str) -> ProblemBody {
        let Meaning { status, title, message } = meaning_of(self.code);
        let error = self.code.as_str().to_ascii_lowercase();
        // Which of a plan's limits is reached is what people must be told.
        let message = if self.code == ErrorCode::UpgradeRequired { self.detail.as_str() } else { message };
        let message = message.to_owned();
        ProblemBody {
            kind: format!("urn:tandem:problem:{error}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: self.detail,
            instance: instance.to_owned(),
            data: (),
            ok: false,
            error,
            error_code: self.code.as_str().to_owned(),
            message,
            request_id: request_id.to_owned(),
            retryable: self.code.retryable(),
            checks: self.checks,
        }
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        let Failure { code, reason } = failure;
        if !is_internal(code) {
            return Self::new(code, reason);
        }
        if code == ErrorCode::Internal {
            tracing::error!(error = %reason, "a request met a defect");
        } else {
            tracing::warn!(code = code.as_str(), error = %reason, "a request could not be answered");
        }
        Self::plain(code)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = meaning_of(self.code).status.into_response();
        if self.code.retryable() && self.code != ErrorCode::Timeout {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(self.retry_after_s));
        }
        if self.code == ErrorCode::AuthRequired {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, CHALLENGE);
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// Gives a failed answer its body. An answer that went well is left as it is.
pub(crate) fn rendered(mut response: Response, request_id: &str, instance: &str) -> Response {
    let status = response.status();
    let problem = match response.extensions_mut().remove::<Problem>() {
        Some(problem) => problem,
        None if status.is_client_error() || status.is_server_error() => Problem::of_status(status),
        None => return response,
    };
    let body = problem.into_body(request_id, instance);
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
    *response.body_mut() = serde_json::to_vec(&body).unwrap_or_default().into();
    response
}
