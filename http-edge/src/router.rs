//! The table of routes, and what every request passes on its way to one of them.

use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use ipnet::IpNet;
use tandem_config::{Edge, Limits};
use tandem_domain::score::Weights;
use tandem_messages::GatewayHandle;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower_http::compression::CompressionLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::callers;
use crate::auth::token::Tokens;
use crate::problem::Problem;
use crate::rates::Rates;
use crate::routes::{accounts, bulk, documents, events, health, matches, quota, removal, runs};
use crate::{etag, forwarded, headers, limits, metrics, rates, request_id};

/// Everything the edge works with.
#[derive(Clone)]
pub struct EdgeState {
    /// The door into the actors.
    pub gateway: GatewayHandle,
    /// Deadline and limits.
    pub config: Edge,
    /// How fast each caller may ask.
    pub limits: Limits,
    /// The largest file that may be submitted, in bytes (`documents.max_bytes`).
    pub max_document_bytes: u64,
    /// The weights of matches and runs that name none (`matching.weights`).
    pub weights: Weights,
    /// Gives the text of `/metrics` in Prometheus' text format 0.0.4.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
    /// The version of the binary, shown by `/livez`.
    pub version: &'static str,
    /// Whether callers must say who they are.
    pub accounts: bool,
    /// Which tokens are believed; `None` = API keys alone open anything.
    pub tokens: Option<Arc<Tokens>>,
    /// Whether the API is answered here (the role `edge`), or only what operators and probes ask.
    pub api: bool,
}

/// What the handlers share.
pub(crate) struct Shared {
    pub(crate) edge: EdgeState,
    /// One permit per request that may be answered at a time.
    pub(crate) permits: Arc<Semaphore>,
    /// One permit per stream of events.
    pub(crate) streams: Arc<Semaphore>,
    /// One permit per bulk upload.
    pub(crate) uploads: Arc<Semaphore>,
    pub(crate) rates: Rates,
    /// Told when the node stops.
    pub(crate) stopping: CancellationToken,
}

/// The edge as a service: every route with every layer. It binds nothing and starts nothing.
pub fn app(edge: EdgeState) -> Router {
    app_until(edge, CancellationToken::new())
}

/// The edge, whose streams of events end when `stopping` is told.
pub(crate) fn app_until(edge: EdgeState, stopping: CancellationToken) -> Router {
    let permits = Arc::new(Semaphore::new(edge.config.max_in_flight.min(Semaphore::MAX_PERMITS)));
    let serves = edge.api;
    let streams = Arc::new(Semaphore::new(edge.config.max_streams.min(Semaphore::MAX_PERMITS)));
    let uploads = Arc::new(Semaphore::new(bulk::MAX_UPLOADS));
    let proxies: Arc<[IpNet]> = edge.config.trusted_proxies.clone().into();
    let cors = headers::cors(&edge.config.allowed_origins);
    let rates = Rates::new(&edge.limits);
    let shared = Arc::new(Shared { edge, permits, streams, uploads, rates, stopping });
    let admit = from_fn_with_state(Arc::clone(&shared), limits::admit);
    let limit = from_fn_with_state(Arc::clone(&shared), rates::limit);
    let authenticate = from_fn_with_state(Arc::clone(&shared), callers::authenticate);
    let logins = from_fn_with_state(Arc::clone(&shared), rates::watch_logins);
    let api = if serves {
        Router::from(api())
            .route_layer(from_fn(etag::tag))
            .route_layer(admit)
            .route_layer(limit)
            .route_layer(authenticate.clone())
            .route_layer(logins.clone())
    } else {
        Router::new()
    };
    let operator = Router::from(operator()).route_layer(authenticate).route_layer(logins);
    api.merge(operator)
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .fallback(async || Problem::no_route())
        .layer(from_fn_with_state(Arc::clone(&shared), limits::end_in_time))
        .layer(from_fn(limits::catch_panics))
        .layer(cors)
        .layer(from_fn(metrics::observe))
        .layer(from_fn(request_id::identify))
        .layer(from_fn_with_state(proxies, forwarded::locate))
        .layer(from_fn(headers::secure))
        .layer(CompressionLayer::new())
        .with_state(shared)
}

/// The routes of the API: admitted up to `edge.max_in_flight`, refused above it.
pub(crate) fn api() -> OpenApiRouter<Arc<Shared>> {
    OpenApiRouter::default()
        .routes(routes!(documents::submit_resume, documents::list_resumes))
        .routes(routes!(documents::upload_resume))
        .routes(routes!(documents::resume_from_text))
        .routes(routes!(documents::get_resume))
        .routes(routes!(documents::get_redacted_resume))
        .routes(routes!(removal::remove_resume))
        .routes(routes!(documents::submit_job, documents::list_jobs))
        .routes(routes!(documents::get_job))
        .routes(routes!(removal::remove_job))
        .routes(routes!(matches::create_match, matches::list_matches))
        .routes(routes!(matches::get_match))
        .routes(routes!(runs::create_match_run))
        .routes(routes!(runs::get_match_run))
        .routes(routes!(runs::get_match_run_results))
        .routes(routes!(runs::cancel_match_run))
        .routes(routes!(events::run_events))
        .routes(routes!(events::resume_events))
        .routes(routes!(events::job_events))
        .routes(routes!(bulk::submit_resumes))
        .routes(routes!(bulk::submit_jobs))
        .routes(routes!(quota::get_quota))
        .routes(routes!(accounts::get_account))
        .routes(routes!(accounts::list_keys, accounts::create_key))
        .routes(routes!(accounts::revoke_key))
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
        .routes(routes!(health::docs))
}
