//! The shape of every failure.

use serde::Serialize;
use utoipa::ToSchema;

use super::envelope::null;
use super::health::Check;

/// A failure (RFC 9457), with the members that earlier clients look for beside those of the standard.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody {
    /// Names the kind of failure.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// The kind of failure in a few words.
    pub(crate) title: String,
    /// The HTTP status.
    pub(crate) status: u16,
    /// What is wrong with this request.
    pub(crate) detail: String,
    /// The path that was asked for.
    pub(crate) instance: String,
    /// Always null.
    #[schema(schema_with = null)]
    pub(crate) data: (),
    /// Always false.
    pub(crate) ok: bool,
    /// The code in lower case.
    pub(crate) error: String,
    /// The code.
    #[serde(rename = "errorCode")]
    pub(crate) error_code: String,
    /// A sentence for people.
    pub(crate) message: String,
    /// The request's id, as in the header `x-request-id`.
    #[serde(rename = "requestId")]
    pub(crate) request_id: String,
    /// Whether the same request may succeed later.
    pub(crate) retryable: bool,
    /// Health only: what was looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) checks: Option<Vec<Check>>,
}
