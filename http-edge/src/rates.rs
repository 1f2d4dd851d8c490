//! How fast each caller may ask, by class of route: the generic cell rate algorithm (GCRA, as in ATM Forum TM 4.1) of
//! governor.
//!
//! A caller is known by a keyed hash of its owner or address, and as many are known at a time as the configuration says.
//! Those above share one rate until others, whose rates have recovered, are forgotten: a flood of callers costs constant
//! memory and leaves the rates of those who were there before it alone.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::clock::Clock;
use governor::middleware::StateInformationMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::{DashMapStateStore, ShrinkableKeyedStateStore};
use governor::state::{InMemoryState, NotKeyed, StateStore};
use governor::{Quota, RateLimiter};
use tandem_config::{Limits, Rate};
use tokio::time::Instant;

use crate::caller::Caller;
use crate::metrics;
use crate::problem::Problem;
use crate::router::Shared;

#[cfg(test)]
mod tests;

/// What is left of a rate (draft-ietf-httpapi-ratelimit-headers-10, section 4).
pub(crate) const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// The rate itself (the same draft, section 3).
pub(crate) const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// The window of every rate, in seconds.
const WINDOW_S: u32 = 60;
/// How often, at most, callers whose rates have recovered are looked for while there is no room for another.
const SWEEP_EVERY_MS: u64 = 1_000;
/// The bits of an IPv6 address that tell subscribers apart: a subscriber has a /64 at least (RFC 6177).
const IPV6_PREFIX: u128 = !0 << 64;

/// The address a connection comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// The classes of routes that the API has and will have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Read,
    Write,
    Bulk,
    Stream,
    ResumeFeedback,
    LinkedinFeedback,
    Checkout,
    ExportPdf,
    Analytics,
}

impl Class {
    /// The class of a route, by its method and the end of its template.
    fn of(method: &Method, template: &str) -> Self {
        let reads = method == Method::GET || method == Method::HEAD;
        match template.rsplit('/').next().unwrap_or_default() {
            "events" => Self::Stream,
            "resume-feedback-stream" => Self::ResumeFeedback,
            "linkedin-feedback-stream" => Self::LinkedinFeedback,
            "checkout" => Self::Checkout,
            "export-pdf" => Self::ExportPdf,
            "analytics" => Self::Analytics,
            "bulk" | "match-runs" if !reads => Self::Bulk,
            _ if reads => Self::Read,
            _ => Self::Write,
        }
    }
}

/// The time of tokio as governor reads it.
struct TokioClock(Instant);

impl Clock for TokioClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.0.elapsed().into()
    }
}

/// What one request leaves of a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Left {
    name: &'static str,
    rate: Rate,
    /// Requests that may still come at once.
    remaining: u32,
    /// Until another request may come; zero where one may now.
    wait: Duration,
}

/// The rates of as many callers as may be known, and one for all others.
struct Known {
    callers: DashMapStateStore<u64>,
    strangers: InMemoryState,
    most: usize,
}

impl StateStore for Known {
    type Key = u64;

    fn measure_and_replace<T, F, E>(&self, key: &u64, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        if self.callers.contains_key(key) || self.callers.len() < self.most {
            self.callers.measure_and_replace(key, measure)
        } else {
            self.strangers.measure_and_replace(&NotKeyed::NonKey, measure)
        }
    }
}

impl ShrinkableKeyedStateStore<u64> for Known {
    fn retain_recent(&self, drop_below: Nanos) {
        self.callers.retain_recent(drop_below);
    }

    fn len(&self) -> usize {
        self.callers.len()
    }

    fn is_empty(&self) -> bool {
        self.callers.is_empty()
    }
}

/// The rate of one class.
struct ClassLimit {
    name: &'static str,
    rate: Rate,
    limiter: RateLimiter<u64, Known, TokioClock, StateInformationMiddleware>,
    hasher: RandomState,
    most: usize,
    begun: Instant,
    /// When callers to forget were last looked for, in milliseconds after `begun`.
    swept: AtomicU64,
}

impl ClassLimit {
    /// `None` where there is no limit.
    fn new(name: &'static str, rate: Rate, most: usize) -> Option<Self> {
        let per_minute = NonZeroU32::new(rate.per_minute)?;
        let quota = Quota::per_minute(per_minute).allow_burst(NonZeroU32::new(rate.burst)?);
        let begun = Instant::now();
        let known =
            Known { callers: DashMapStateStore::default(), strangers: InMemoryState::default(), most };
        let limiter = RateLimiter::new(quota, known, TokioClock(begun));
        let (hasher, swept) = (RandomState::new(), AtomicU64::new(0));
        Some(Self { name, rate, limiter, hasher, most, begun, swept })
    }

    /// Takes one request of a caller off its rate.
    fn take(&self, caller: &str) -> Left {
        if self.limiter.len() >= self.most {
            self.sweep();
        }
        let key = self.hasher.hash_one(caller);
        let (remaining, wait) = match self.limiter.check_key(&key) {
            Ok(state) => (state.remaining_burst_capacity(), Duration::ZERO),
            Err(until) => (0, until.wait_time_from(self.begun.elapsed().into())),
        };
        Left { name: self.name, rate: self.rate, remaining, wait }
    }

    /// Forgets callers whose rates have recovered; to them nothing changes.
    fn sweep(&self) {
        let now = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let before = self.swept.load(Ordering::Relaxed);
        let due = now.saturating_sub(before) >= SWEEP_EVERY_MS;
        if due && self.swept.compare_exchange(before, now, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            self.limiter.retain_recent();
        }
    }
}

/// The rates of all classes.
pub(crate) struct Rates {
    read: Option<ClassLimit>,
    write: Option<ClassLimit>,
    bulk: Option<ClassLimit>,
    stream: Option<ClassLimit>,
    resume_feedback: Option<ClassLimit>,
    linkedin_feedback: Option<ClassLimit>,
    checkout: Option<ClassLimit>,
    export_pdf: Option<ClassLimit>,
    analytics: Option<ClassLimit>,
    login_failure: Option<ClassLimit>,
}

impl Rates {
    pub(crate) fn new(limits: &Limits) -> Self {
        let class = |name, rate| ClassLimit::new(name, rate, limits.callers);
        Self {
            read: class("read", limits.read),
            write: class("write", limits.write),
            bulk: class("bulk", limits.bulk),
            stream: class("stream", limits.stream),
            resume_feedback: class("resume_feedback", limits.resume_feedback),
            linkedin_feedback: class("linkedin_feedback", limits.linkedin_feedback),
            checkout: class("checkout", limits.checkout),
            export_pdf: class("export_pdf", limits.export_pdf),
            analytics: class("analytics", limits.analytics),
            login_failure: class("login_failure", limits.login_failure),
        }
    }

    const fn of(&self, class: Class) -> Option<&ClassLimit> {
        match class {
            Class::Read => self.read.as_ref(),
            Class::Write => self.write.as_ref(),
            Class::Bulk => self.bulk.as_ref(),
            Class::Stream => self.stream.as_ref(),
            Class::ResumeFeedback => self.resume_feedback.as_ref(),
            Class::LinkedinFeedback => self.linkedin_feedback.as_ref(),
            Class::Checkout => self.checkout.as_ref(),
            Class::ExportPdf => self.export_pdf.as_ref(),
            Class::Analytics => self.analytics.as_ref(),
        }
    }

    /// Counts credentials from this address that were refused.
    ///
    /// # Errors
    /// Too many were of late: then the refusal is the answer instead of what was wrong with them.
    fn failed_login(&self, address: Option<Peer>) -> Result<(), Problem> {
        let Some(limit) = &self.login_failure else { return Ok(()) };
        let left = limit.take(&address_key(address));
        if left.wait.is_zero() {
            return Ok(());
        }
        metrics::limited(left.name);
        Err(Problem::rate_limited(seconds(left.wait)))
    }
}

/// Holds a request to its caller's rate, and says on the answer what is left of it.
pub(crate) async fn limit(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let template = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let Some(limit) = shared.rates.of(Class::of(request.method(), template)) else {
        return next.run(request).await;
    };
    let left = limit.take(&caller_key(&request));
    let mut response = if left.wait.is_zero() {
        next.run(request).await
    } else {
        metrics::limited(left.name);
        Problem::rate_limited(seconds(left.wait)).into_response()
    };
    for (name, text) in left.headers() {
        if let Ok(value) = HeaderValue::from_str(&text) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// Counts refused credentials by address, and answers 429 instead of 401 once there were too many.
pub(crate) async fn watch_logins(
    State(shared): State<Arc<Shared>>,
    request: Request,
    next: Next,
) -> Response {
    let address = request.extensions().get::<Peer>().copied();
    let response = next.run(request).await;
    if response.status() == StatusCode::UNAUTHORIZED
        && let Err(problem) = shared.rates.failed_login(address)
    {
        return problem.into_response();
    }
    response
}

/// What names a caller: its owner, or its address where nobody has said who it is.
fn caller_key(request: &Request) -> String {
    match request.extensions().get::<Caller>() {
        Some(caller) => format!("owner {}", caller.owner.as_str()),
        None => address_key(request.extensions().get().copied()),
    }
}

fn address_key(address: Option<Peer>) -> String {
    match address {
        Some(Peer(IpAddr::V4(address))) => format!("address {address}"),
        Some(Peer(IpAddr::V6(address))) => match address.to_ipv4_mapped() {
            Some(address) => format!("address {address}"),
            None => format!("prefix {:x}", u128::from(address) & IPV6_PREFIX),
        },
        None => "nobody".to_owned(),
    }
}

impl Left {
    /// The headers that say so. The rate is that of a whole window; what remains is what may come at once.
    fn headers(&self) -> [(HeaderName, String); 2] {
        let Self { name, rate, remaining, wait } = self;
        let reset = if wait.is_zero() {
            let missing = u64::from(rate.burst.saturating_sub(*remaining));
            (missing * u64::from(WINDOW_S)).div_ceil(u64::from(rate.per_minute.max(1)))
        } else {
            seconds(*wait)
        };
        [
            (
                RATE_LIMIT_POLICY,
                format!("\"{name}\";q={};w={WINDOW_S};burst={}", rate.per_minute, rate.burst),
            ),
            (RATE_LIMIT, format!("\"{name}\";r={remaining};t={reset}")),
        ]
    }
}

/// Whole seconds, at least as long as `time` and at least one.
fn seconds(time: Duration) -> u64 {
    (time.as_secs() + u64::from(time.subsec_nanos() > 0)).max(1)
}
