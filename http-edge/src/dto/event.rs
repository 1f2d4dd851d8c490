//! Server-sent events on the wire.

use serde::Serialize;
use utoipa::ToSchema;

/// What an event says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EventKind {
    /// The resource has come further.
    Progress,
    /// The resource stays as it is now; this is the last event.
    Settled,
}

impl EventKind {
    /// As it is sent.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Progress => "progress",
            Self::Settled => "settled",
        }
    }
}

/// One event of a stream, by the names of its fields (HTML, section 9.2.6).
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes what axum writes field by field")]
pub(crate) struct ResourceEvent {
    /// What it says.
    pub(crate) event: EventKind,
    /// How far the resource has come; hand it back as `Last-Event-ID`.
    pub(crate) id: String,
    /// The resource as it stands then, in JSON on one line.
    #[schema(content_media_type = "application/json")]
    pub(crate) data: String,
}
