//! Health on the wire.

use serde::Serialize;
use tandem_messages::health::HealthCheck;
use utoipa::ToSchema;

use super::envelope::{constant, null};

/// One part that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Check {
    /// The part.
    #[schema(examples("store"))]
    pub(crate) name: String,
    /// Whether it answered as it should.
    pub(crate) ok: bool,
    /// For people.
    pub(crate) note: String,
}

impl From<HealthCheck> for Check {
    fn from(check: HealthCheck) -> Self {
        let HealthCheck { name, ok, note } = check;
        Self { name, ok, note }
    }
}

/// Well. The status stands both alone and in the envelope, for probes of either kind.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Healthz {
    /// Always `ok`.
    #[schema(schema_with = ok)]
    pub(crate) status: &'static str,
    /// The same in the envelope.
    pub(crate) data: HealthzData,
    /// Always null.
    #[schema(schema_with = null)]
    pub(crate) error: (),
}

/// What [`Healthz`] says, in the envelope.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HealthzData {
    /// Always `ok`.
    #[schema(schema_with = ok)]
    pub(crate) status: &'static str,
}

fn ok() -> utoipa::openapi::schema::Object {
    constant("ok")
}

/// An answer to a ping. The message stands both alone and in the envelope, for clients of either kind.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Ping {
    /// Always `pong`.
    #[schema(schema_with = pong)]
    pub(crate) message: &'static str,
    /// The same in the envelope.
    pub(crate) data: PingData,
    /// Always null.
    #[schema(schema_with = null)]
    pub(crate) error: (),
}

/// What [`Ping`] says, in the envelope.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PingData {
    /// Always `pong`.
    #[schema(schema_with = pong)]
    pub(crate) message: &'static str,
}

fn pong() -> utoipa::openapi::schema::Object {
    constant("pong")
}

/// The process runs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Live {
    /// Always `live`.
    #[schema(examples("live"))]
    pub(crate) status: &'static str,
    /// The version of the binary.
    #[schema(examples("0.1.0"))]
    pub(crate) version: &'static str,
}

/// The node takes work.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Ready {
    /// Always `ready`.
    #[schema(examples("ready"))]
    pub(crate) status: &'static str,
    /// What was looked at.
    pub(crate) checks: Vec<Check>,
}
