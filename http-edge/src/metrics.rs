//! What the edge counts: rate, errors and duration per route. Labels are templates of routes, never paths.

use std::sync::{LazyLock, OnceLock};
use std::time::Duration;

use axum::http::{Method, StatusCode};
use prometheus::{
    Histogram, HistogramVec, IntCounter, IntCounterVec, IntGauge, register_histogram_vec,
    register_int_counter_vec, register_int_gauge,
};

/// The label of requests that no route takes.
const NO_ROUTE: &str = "none";
/// The labels of methods. Those outside RFC 9110 and RFC 5789, which somebody made up, share the last one, so that
/// labels stay few.
pub(crate) const METHODS: [&str; 10] =
    ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT", "other"];
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
pub(crate) struct InFlight;

impl InFlight {
    pub(crate) fn begin() -> Self {
        IN_FLIGHT.inc();
        Self
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        IN_FLIGHT.dec();
    }
}

/// The metrics of one route, looked up by their labels once.
pub(crate) struct RouteMetrics {
    label: String,
    seconds: Histogram,
    /// Answers with 200, by method: what is counted most.
    ok: [OnceLock<IntCounter>; METHODS.len()],
}

impl RouteMetrics {
    /// Those of a route, by its template such as `/api/v1/resumes/{id}`.
    pub(crate) fn of(template: &str) -> Self {
        let seconds = DURATION.with_label_values(&[template]);
        Self { label: template.to_owned(), seconds, ok: Default::default() }
    }

    /// Those of all requests that no route takes.
    pub(crate) fn of_none() -> Self {
        Self::of(NO_ROUTE)
    }

    pub(crate) fn label(&self) -> &str {
        &self.label
    }

    /// Counts and times an answer to a method of [`METHODS`].
    pub(crate) fn answered(&self, method: usize, status: StatusCode, time: Duration) {
        self.seconds.observe(time.as_secs_f64());
        let name = METHODS.get(method).copied().unwrap_or_default();
        let counter = || REQUESTS.with_label_values(&[&*self.label, name, status.as_str()]);
        match self.ok.get(method).filter(|_| status == StatusCode::OK) {
            Some(ok) => ok.get_or_init(counter).inc(),
            None => counter().inc(),
        }
    }
}

/// Where a method stands in [`METHODS`].
pub(crate) fn method_index(method: &Method) -> usize {
    METHODS.iter().position(|known| *known == method.as_str()).unwrap_or(METHODS.len() - 1)
}

/// Counts a request that was refused because its caller sent too many.
pub(crate) fn limited(class: &'static str) {
    LIMITED.with_label_values(&[class]).inc();
}
