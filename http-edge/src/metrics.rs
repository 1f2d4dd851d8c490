//! What the edge counts: rate, errors and duration per route. Labels are templates of routes, never paths.

use std::sync::LazyLock;

use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use prometheus::{
    HistogramVec, IntCounterVec, IntGauge, register_histogram_vec, register_int_counter_vec,
    register_int_gauge,
};
use tokio::time::Instant;

/// The label of requests that no route takes.
const NO_ROUTE: &str = "none";
/// The label of methods outside RFC 9110 and RFC 5789.
const OTHER_METHOD: &str = "other";
/// Bounds of the histogram of answers, in seconds.
const SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 15.0, 60.0];
/// Each metric is registered once, here: a second registration of its name is a defect found by any test.
const ONCE: &str = "metric names of the edge are registered once per process";

static REQUESTS: LazyLock<IntCounterVec> = LazyLock::new(|| {
    let labels = &["route", "method", "status"];
    register_int_counter_vec!("tandem_http_requests_total", "Answered requests", labels).expect(ONCE)
});
static DURATION: LazyLock<HistogramVec> = LazyLock::new(|| {
    let help = "Time until an answer began";
    register_histogram_vec!("tandem_http_seconds", help, &["route"], SECONDS.to_vec()).expect(ONCE)
});
static IN_FLIGHT: LazyLock<IntGauge> = LazyLock::new(|| {
    register_int_gauge!("tandem_http_in_flight", "Requests that are being answered").expect(ONCE)
});

static LIMITED: LazyLock<IntCounterVec> = LazyLock::new(|| {
    let help = "Requests refused because their caller sent too many";
    register_int_counter_vec!("tandem_http_limited_total", help, &["class"]).expect(ONCE)
});

/// Counts down also when the client goes away and the answer is dropped.
struct InFlight;

impl InFlight {
    fn begin() -> Self {
        IN_FLIGHT.inc();
        Self
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        IN_FLIGHT.dec();
    }
}

/// Counts and times a request.
pub(crate) async fn observe(request: Request, next: Next) -> Response {
    let _in_flight = InFlight::begin();
    let (method, route) = (method_label(request.method()), route_label(&request));
    let begun = Instant::now();
    let response = next.run(request).await;
    DURATION.with_label_values(&[&*route]).observe(begun.elapsed().as_secs_f64());
    REQUESTS.with_label_values(&[&*route, method, response.status().as_str()]).inc();
    response
}

/// The template of the matched route, such as `/api/v1/resumes/{id}`.
pub(crate) fn route_label(request: &Request) -> String {
    let matched = request.extensions().get::<MatchedPath>();
    matched.map_or(NO_ROUTE, MatchedPath::as_str).to_owned()
}

/// The method's name; methods that somebody made up share one label, so that labels stay few.
pub(crate) fn method_label(method: &Method) -> &'static str {
    const KNOWN: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or(OTHER_METHOD)
}

/// Counts a request that was refused because its caller sent too many.
pub(crate) fn limited(class: &'static str) {
    LIMITED.with_label_values(&[class]).inc();
}
