//! What probes and operators ask.

use std::sync::{Arc, LazyLock};

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use tandem_messages::health::{GetHealth, Health};
use tandem_messages::status::GetStatus;

use crate::answer;
use crate::caller::Call;
use crate::docs;
use crate::dto::all;
use crate::dto::envelope::Envelope;
use crate::dto::health::{Check, Healthz, HealthzData, Live, Ping, PingData, Ready};
use crate::dto::status::Status;
use crate::openapi::{self, Probes};
use crate::problem::Problem;
use crate::router::Shared;

/// The media type of Prometheus' text format.
const PROMETHEUS_TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Whether the node works
///
/// Looks at the parts that every request needs, the store among them. A node that drains still works.
#[utoipa::path(
    get, path = "/healthz", tag = "operation",
    responses((status = 200, body = Healthz, description = "It works"), Probes),
)]
pub(crate) async fn healthz(call: Call) -> Result<Response, Problem> {
    let Health { checks, .. } = call.ask(GetHealth).await?;
    if checks.iter().any(|check| !check.ok) {
        return Err(Problem::not_ready(all(checks)));
    }
    let status = "ok";
    Ok(Json(Healthz { status, data: HealthzData { status }, error: () }).into_response())
}

/// Whether the process runs
#[utoipa::path(
    get, path = "/livez", tag = "operation",
    responses((status = 200, body = Envelope<Live>, description = "It runs"), Probes),
)]
pub(crate) async fn livez(State(shared): State<Arc<Shared>>) -> Response {
    answer::ok(Live { status: "live", version: shared.edge.version })
}

/// Whether the node takes work now
#[utoipa::path(
    get, path = "/readyz", tag = "operation",
    responses((status = 200, body = Envelope<Ready>, description = "It does"), Probes),
)]
pub(crate) async fn readyz(call: Call) -> Result<Response, Problem> {
    let Health { ready, checks } = call.ask(GetHealth).await?;
    let checks: Vec<Check> = all(checks);
    if ready { Ok(answer::ok(Ready { status: "ready", checks })) } else { Err(Problem::not_ready(checks)) }
}

/// Nodes, shards and queues
///
/// The cluster as this node sees it; a single machine is a cluster of one.
#[utoipa::path(
    get, path = "/status", tag = "operation",
    responses((status = 200, body = Envelope<Status>, description = "How the cluster stands"), Probes),
)]
pub(crate) async fn status(call: Call) -> Result<Response, Problem> {
    Ok(answer::ok(Status::from(call.ask(GetStatus).await?)))
}

/// Answer a ping
#[utoipa::path(
    get, path = "/api/v1/health/ping", tag = "operation",
    responses((status = 200, body = Ping, description = "Pong"), Probes),
)]
pub(crate) async fn ping() -> Response {
    // What is asked for most and never changes is made once.
    static PONG: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let message = "pong";
        serde_json::to_vec(&Ping { message, data: PingData { message }, error: () }).unwrap_or_default()
    });
    ([(header::CONTENT_TYPE, "application/json")], PONG.as_slice()).into_response()
}

/// Metrics in Prometheus' text format
#[utoipa::path(
    get, path = "/metrics", tag = "operation",
    responses((status = 200, body = String, content_type = "text/plain", description = "The metrics"), Probes),
)]
pub(crate) async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    ([(header::CONTENT_TYPE, PROMETHEUS_TEXT)], (shared.edge.metrics)()).into_response()
}

/// This description
#[utoipa::path(
    get, path = "/openapi.json", tag = "operation",
    responses((status = 200, body = Object, content_type = "application/json", description = "OpenAPI 3.1"), Probes),
)]
pub(crate) async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], openapi::json()).into_response()
}

/// This description as a page
#[utoipa::path(
    get, path = "/docs", tag = "operation",
    responses((status = 200, body = String, content_type = "text/html", description = "The page"), Probes),
)]
pub(crate) async fn docs() -> Response {
    let headers =
        [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CONTENT_SECURITY_POLICY, docs::POLICY)];
    (headers, docs::page()).into_response()
}
