//! What every request passes on its way to a handler, and its answer on the way back.
//!
//! It is a single future around the whole router rather than a layer per concern around each route: what follows is read
//! from top to bottom in the order in which a request meets it, and costs little more than the handler alone.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use futures::future::poll_immediate;
use tandem_domain::error::ErrorCode;
use tandem_domain::trace::TraceContext;
use tokio::time::{Instant, timeout_at};
use tower::{Layer, Service, ServiceExt, service_fn};
use tracing::Instrument;

use crate::auth::callers;
use crate::limits::Place;
use crate::metrics::{self, InFlight, RouteMetrics};
use crate::problem::{self, Problem};
use crate::rates::{CallerKey, Class, ClassLimit, Left, Peer};
use crate::request_id::{RequestId, X_REQUEST_ID};
use crate::rights::{Right, right_of};
use crate::router::Shared;
use crate::trace::RequestTrace;
use crate::{compression, etag, forwarded, headers};

/// What a handler may know of its request beside what its sender says.
#[derive(Debug, Clone)]
pub(crate) struct Passage {
    pub(crate) id: RequestId,
    /// When it must be answered.
    pub(crate) deadline: Instant,
    /// What its work is a part of.
    pub(crate) trace: TraceContext,
}

/// What is known of a route before anybody asks for it.
pub(crate) struct Route {
    /// Such as `/api/v1/resumes/{id}`.
    template: String,
    /// Whether it is the API's: its callers have rates, as many are admitted as there is room for, and its answers have
    /// tags. Probes and operators are answered also when the node is full.
    of_api: bool,
    metrics: RouteMetrics,
    /// What it asks of its callers, by method.
    rights: [Option<Right>; metrics::METHODS.len()],
}

impl Route {
    pub(crate) fn new(template: &str, of_api: bool) -> Self {
        let rights = metrics::METHODS
            .map(|name| Method::from_bytes(name.as_bytes()).ok().and_then(|name| right_of(&name, template)));
        Self { template: template.to_owned(), of_api, metrics: RouteMetrics::of(template), rights }
    }

    /// What stands for the route of a request that no route takes.
    pub(crate) fn none() -> Self {
        let rights = [None; metrics::METHODS.len()];
        Self { template: String::new(), of_api: false, metrics: RouteMetrics::of_none(), rights }
    }

    pub(crate) fn template(&self) -> &str {
        &self.template
    }

    /// What a method of it asks of its caller; `None` = it has no such method.
    pub(crate) fn right(&self, method: &Method) -> Option<Right> {
        self.rights.get(metrics::method_index(method)).copied().flatten()
    }
}

/// The routes behind their door.
#[derive(Clone)]
pub(crate) struct Door {
    pub(crate) shared: Arc<Shared>,
    pub(crate) router: Router,
}

impl Door {
    /// Names, counts and times the request; gives failures their body, and every answer what browsers and caches need.
    pub(crate) async fn answer(self, mut request: Request) -> Response {
        let Self { shared, router } = self;
        let (begun, in_flight) = (Instant::now(), InFlight::begin());
        let route = shared.route_of(&request);
        let method = metrics::method_index(request.method());
        let (uri, encodings) = (request.uri().clone(), compression::accepted(request.headers()));
        forwarded::locate(&mut request, &shared.edge.config.trusted_proxies);
        let id = RequestId::of(request.headers());
        let trace = RequestTrace::of(request.headers(), shared.edge.config.trust_traceparent);
        let deadline = begun + shared.edge.config.request_timeout();
        request.extensions_mut().insert(Passage { id: id.clone(), deadline, trace: trace.own });
        let (name, label) = (metrics::METHODS[method], route.metrics.label());
        let span = tracing::info_span!(
            "request", request_id = %id, trace_id = %trace.own.trace, method = name, route = label
        );
        let answered = async {
            let answering = trace.answering(name, label, begun);
            let response = match &shared.cors {
                None => guarded(&shared, route, deadline, router, request).await,
                Some(cors) => {
                    let guarded = service_fn(|request| {
                        guarded(&shared, route, deadline, router.clone(), request).map(Ok)
                    });
                    let answered: Result<_, Infallible> =
                        Box::pin(cors.layer(guarded).oneshot(request)).await;
                    answered.unwrap_or_else(|never| match never {})
                }
            };
            route.metrics.answered(method, response.status(), begun.elapsed());
            answering.ended(response.status());
            let response = problem::rendered(response, id.as_str(), uri.path());
            tracing::info!(status = response.status().as_u16(), "request answered");
            response
        };
        let mut response = answered.instrument(span).await;
        drop(in_flight);
        headers::secure(response.headers_mut());
        response.headers_mut().insert(X_REQUEST_ID, id.into_header());
        trace.tell(response.headers_mut());
        // What is not for every request is boxed, so that the future of all of them stays small.
        if compression::is_worth_it(&response) {
            response = Box::pin(compression::compressed(encodings, response)).await;
        }
        response
    }
}

/// Ends a request at its deadline with 504, whatever it waits for, and answers one whose handler panicked with 500. The
/// panic's text is not repeated: it may quote a document.
async fn guarded(
    shared: &Shared,
    route: &Route,
    deadline: Instant,
    mut router: Router,
    mut request: Request,
) -> Response {
    let handled = async {
        let mut ticket = Ticket::default();
        let response = match ticket.enter(shared, route, &mut request).await {
            Ok(()) => router.call(request).await.unwrap_or_else(|never| match never {}),
            Err(refused) => refused,
        };
        ticket.leave(shared, response).await
    };
    match AssertUnwindSafe(in_time(deadline, handled)).catch_unwind().await {
        Ok(Some(response)) => response,
        Ok(None) => Problem::plain(ErrorCode::Timeout).into_response(),
        Err(_) => {
            tracing::error!("a request handler panicked");
            Problem::plain(ErrorCode::Internal).into_response()
        }
    }
}

/// What a future comes to; `None` = it takes too long. Only what must be waited for costs a timer.
async fn in_time<T>(deadline: Instant, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    match poll_immediate(future.as_mut()).await {
        Some(done) => Some(done),
        None => timeout_at(deadline, future).await.ok(),
    }
}

/// What is kept of a request until its answer comes back.
#[derive(Default)]
struct Ticket<'a> {
    peer: Option<Peer>,
    rate: Option<(&'a ClassLimit, Left)>,
    place: Option<Place>,
    /// The tags that a reader of the API names.
    known: Option<Vec<HeaderValue>>,
}

impl<'a> Ticket<'a> {
    /// Finds out who asks and whether they may; on routes of the API, holds them to their rate, and refuses with 503 when
    /// as many requests as may be are being answered: nobody waits in a queue for a place.
    ///
    /// # Errors
    /// The refusal.
    async fn enter(
        &mut self,
        shared: &'a Shared,
        route: &Route,
        request: &mut Request,
    ) -> Result<(), Response> {
        if route.template.is_empty() {
            return Ok(());
        }
        self.peer = request.extensions().get::<Peer>().copied();
        callers::authenticate(shared, route, request).await?;
        if !route.of_api {
            return Ok(());
        }
        if let Some(limit) = shared.rates.of(Class::of(request.method(), &route.template)) {
            let left = limit.take(CallerKey::of(request.extensions()));
            self.rate = Some((limit, left));
            if let Some(problem) = limit.refusal(left) {
                return Err(problem.into_response());
            }
        }
        let Ok(permit) = Arc::clone(&shared.permits).try_acquire_owned() else {
            return Err(Problem::plain(ErrorCode::Overloaded).into_response());
        };
        let place = self.place.insert(Place::new(permit));
        request.extensions_mut().insert(place.clone());
        self.known = etag::named(request);
        Ok(())
    }

    /// Gives the answer its tag and says what is left of the rate. Too many refused credentials from one address are
    /// answered with 429 instead of 401.
    async fn leave(self, shared: &Shared, response: Response) -> Response {
        drop(self.place);
        if response.status() == StatusCode::UNAUTHORIZED
            && let Err(problem) = shared.rates.failed_login(self.peer)
        {
            return problem.into_response();
        }
        let mut response = match self.known {
            Some(known) => Box::pin(etag::tag(known, response)).await,
            None => response,
        };
        if let Some((limit, left)) = self.rate {
            limit.tell(left, response.headers_mut());
        }
        response
    }
}
