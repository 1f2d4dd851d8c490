//! The table of routes, and what every request passes on its way to one of them.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use tandem_config::{Edge, Limits};
use tandem_domain::score::Weights;
use tandem_messages::GatewayHandle;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower_http::cors::CorsLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::token::Tokens;
use crate::door::{Door, Route};
use crate::headers;
use crate::problem::Problem;
use crate::rates::Rates;
use crate::routes::{
    accounts, audit, bulk, callbacks, documents, events, health, matches, models, quota, removal, runs,
    uploads, users, versions,
};

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
    /// Which pages of other origins may call; `None` = none, and they are told nothing.
    pub(crate) cors: Option<CorsLayer>,
    /// Every route that is answered here.
    routes: matchit::Router<Route>,
    no_route: Route,
    /// Told when the node stops.
    pub(crate) stopping: CancellationToken,
}

impl Shared {
    /// The route that takes a request.
    pub(crate) fn route_of(&self, request: &Request) -> &Route {
        self.routes.at(request.uri().path()).map_or(&self.no_route, |matched| matched.value)
    }
}

/// The edge as a service: every route behind its door. It binds nothing and starts nothing.
pub fn app(edge: EdgeState) -> Router {
    app_until(edge, CancellationToken::new())
}

/// The edge, whose streams of events end when `stopping` is told.
pub(crate) fn app_until(edge: EdgeState, stopping: CancellationToken) -> Router {
    let door = door_until(edge, stopping);
    Router::new().fallback(move |request: Request| door.answer(request))
}

/// The same without a router around it.
pub(crate) fn door_until(edge: EdgeState, stopping: CancellationToken) -> Door {
    let permits = |count: usize| Arc::new(Semaphore::new(count.min(Semaphore::MAX_PERMITS)));
    let (mut router, of_operators) = operator().split_for_parts();
    let mut parts = vec![(of_operators, false)];
    if edge.api {
        let (api, of_api) = api().split_for_parts();
        router = router.merge(api);
        parts.push((of_api, true));
    }
    let mut routes = matchit::Router::new();
    for (openapi, is_api) in parts {
        for template in openapi.paths.paths.into_keys() {
            let route = Route::new(&template, is_api);
            routes
                .insert(template, route)
                .expect("axum takes these templates, and matches with the same library");
        }
    }
    let shared = Arc::new(Shared {
        permits: permits(edge.config.max_in_flight),
        streams: permits(edge.config.max_streams),
        uploads: permits(bulk::MAX_UPLOADS),
        rates: Rates::new(&edge.limits),
        cors: headers::cors(&edge.config.allowed_origins),
        routes,
        no_route: Route::none(),
        stopping,
        edge,
    });
    let router = router
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .fallback(async || Problem::no_route())
        .with_state(Arc::clone(&shared));
    Door { shared, router }
}

/// The routes of the API: admitted up to `edge.max_in_flight`, refused above it.
pub(crate) fn api() -> OpenApiRouter<Arc<Shared>> {
    OpenApiRouter::default()
        .routes(routes!(documents::submit_resume, documents::list_resumes))
        .routes(routes!(uploads::upload_resume))
        .routes(routes!(uploads::complete_upload))
        .routes(routes!(uploads::send_upload))
        .routes(routes!(documents::resume_from_text))
        .routes(routes!(documents::get_resume))
        .routes(routes!(documents::get_redacted_resume))
        .routes(routes!(removal::remove_resume))
        .routes(routes!(versions::submit_resume_version, versions::list_resume_versions))
        .routes(routes!(versions::get_resume_version))
        .routes(routes!(documents::submit_job, documents::list_jobs))
        .routes(routes!(documents::get_job))
        .routes(routes!(removal::remove_job))
        .routes(routes!(versions::submit_job_version, versions::list_job_versions))
        .routes(routes!(versions::get_job_version))
        .routes(routes!(versions::refine_job))
        .routes(routes!(callbacks::resume_callback))
        .routes(routes!(callbacks::job_callback))
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
        .routes(routes!(audit::list_audit))
        .routes(routes!(users::export_user))
        .routes(routes!(users::erase_user))
}

/// The routes of operators and probes: answered also when the node is full.
pub(crate) fn operator() -> OpenApiRouter<Arc<Shared>> {
    OpenApiRouter::default()
        .routes(routes!(health::healthz))
        .routes(routes!(health::livez))
        .routes(routes!(health::readyz))
        .routes(routes!(health::status))
        .routes(routes!(models::get_models))
        .routes(routes!(models::move_models))
        .routes(routes!(models::roll_back_models))
        .routes(routes!(models::end_move))
        .routes(routes!(health::ping))
        .routes(routes!(health::metrics))
        .routes(routes!(health::openapi))
        .routes(routes!(health::docs))
}
