//! The table of routes, and what every request passes on its way to one of them.

use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use tandem_config::Edge;
use tandem_domain::score::Weights;
use tandem_messages::GatewayHandle;
use tokio::sync::Semaphore;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::problem::Problem;
use crate::routes::{documents, health, matches, runs};
use crate::{limits, metrics, request_id};

/// Everything the edge works with.
#[derive(Clone)]
pub struct EdgeState {
    /// The door into the actors.
    pub gateway: GatewayHandle,
    /// Deadline and limits.
    pub config: Edge,
    /// The largest file that may be submitted, in bytes (`documents.max_bytes`).
    pub max_document_bytes: u64,
    /// The weights of matches and runs that name none (`matching.weights`).
    pub weights: Weights,
    /// Gives the text of `/metrics` in Prometheus' text format 0.0.4.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
    /// The version of the binary, shown by `/livez`.
    pub version: &'static str,
    /// Whether the API is answered here (the role `edge`), or only what operators and probes ask.
    pub api: bool,
}

/// What the handlers share.
pub(crate) struct Shared {
    pub(crate) edge: EdgeState,
    /// One permit per request that may be answered at a time.
    pub(crate) permits: Arc<Semaphore>,
}

/// The edge as a service: every route with every layer. It binds nothing and starts nothing.
pub fn app(edge: EdgeState) -> Router {
    let permits = Arc::new(Semaphore::new(edge.config.max_in_flight.min(Semaphore::MAX_PERMITS)));
    let serves = edge.api;
    let shared = Arc::new(Shared { edge, permits });
    let admit = from_fn_with_state(Arc::clone(&shared), limits::admit);
    let api = if serves { Router::from(api()).route_layer(admit) } else { Router::new() };
    api.merge(operator())
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .fallback(async || Problem::no_route())
        .layer(from_fn_with_state(Arc::clone(&shared), limits::end_in_time))
        .layer(from_fn(limits::catch_panics))
        .layer(from_fn(metrics::observe))
        .layer(from_fn(request_id::identify))
        .with_state(shared)
}

/// The routes of the API: admitted up to `edge.max_in_flight`, refused above it.
pub(crate) fn api() -> OpenApiRouter<Arc<Shared>> {
    OpenApiRouter::default()
        .routes(routes!(documents::submit_resume, documents::list_resumes))
        .routes(routes!(documents::get_resume))
        .routes(routes!(documents::submit_job, documents::list_jobs))
        .routes(routes!(documents::get_job))
        .routes(routes!(matches::create_match, matches::list_matches))
        .routes(routes!(matches::get_match))
        .routes(routes!(runs::create_match_run))
        .routes(routes!(runs::get_match_run))
        .routes(routes!(runs::get_match_run_results))
        .routes(routes!(runs::cancel_match_run))
}

/// The routes of operators and probes: answered also when the node is full.
pub(crate) fn operator() -> OpenApiRouter<Arc<Shared>> {
    OpenApiRouter::default()
        .routes(routes!(health::healthz))
        .routes(routes!(health::livez))
        .routes(routes!(health::readyz))
        .routes(routes!(health::status))
        .routes(routes!(health::ping))
        .routes(routes!(health::metrics))
        .routes(routes!(health::openapi))
}
