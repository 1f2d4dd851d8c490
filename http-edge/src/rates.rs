//! How fast each caller may ask, by class of route: the generic cell rate algorithm (GCRA, as in ATM Forum TM 4.1) of
//! governor.
//!
//! A caller is known by a keyed hash of its owner or address, and as many are known at a time as the configuration says.
//! Those above share one rate until others, whose rates have recovered, are forgotten: a flood of callers costs constant
//! memory and leaves the rates of those who were there before it alone.

use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method};
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
    pub(crate) fn of(method: &Method, template: &str) -> Self {
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
pub(crate) struct Left {
    /// Requests that may still come at once.
    remaining: u32,
    /// Until another request may come; zero where one may now.
    wait: Duration,
}

/// The rates of as many callers as may be known, and one for all others.
struct Known {
    callers: Arc<DashMapStateStore<u64>>,
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
pub(crate) struct ClassLimit {
    name: &'static str,
    rate: Rate,
    /// The header that says the rate.
    policy: Option<HeaderValue>,
    /// Those of `limiter`.
    callers: Arc<DashMapStateStore<u64>>,
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
        let callers = Arc::new(DashMapStateStore::default());
        let known = Known { callers: Arc::clone(&callers), strangers: InMemoryState::default(), most };
        let limiter = RateLimiter::new(quota, known, TokioClock(begun));
        let (hasher, swept) = (RandomState::new(), AtomicU64::new(0));
        let policy = format!("\"{name}\";q={};w={WINDOW_S};burst={}", rate.per_minute, rate.burst);
        let policy = HeaderValue::try_from(policy).ok();
        Some(Self { name, rate, policy, callers, limiter, hasher, most, begun, swept })
    }

    /// Takes one request of a caller off its rate.
    pub(crate) fn take(&self, caller: CallerKey<'_>) -> Left {
        let key = self.hasher.hash_one(caller);
        if !self.callers.contains_key(&key) && self.callers.len() >= self.most {
            self.sweep();
        }
        match self.limiter.check_key(&key) {
            Ok(state) => Left { remaining: state.remaining_burst_capacity(), wait: Duration::ZERO },
            Err(until) => Left { remaining: 0, wait: until.wait_time_from(self.begun.elapsed().into()) },
        }
    }

    /// The refusal of a request that came too early.
    pub(crate) fn refusal(&self, left: Left) -> Option<Problem> {
        if left.wait.is_zero() {
            return None;
        }
        metrics::limited(self.name);
        Some(Problem::rate_limited(seconds(left.wait)))
    }

    /// Says on an answer what is left. The policy is the rate of a whole window; what remains is what may come at once.
    pub(crate) fn tell(&self, left: Left, headers: &mut HeaderMap) {
        let Left { remaining, wait } = left;
        let reset = if wait.is_zero() {
            let missing = u64::from(self.rate.burst.saturating_sub(remaining));
            (missing * u64::from(WINDOW_S)).div_ceil(u64::from(self.rate.per_minute.max(1)))
        } else {
            seconds(wait)
        };
        let text = format!("\"{}\";r={remaining};t={reset}", self.name);
        if let (Some(policy), Ok(left)) = (self.policy.clone(), HeaderValue::try_from(text)) {
            headers.insert(RATE_LIMIT_POLICY, policy);
            headers.insert(RATE_LIMIT, left);
        }
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

    pub(crate) const fn of(&self, class: Class) -> Option<&ClassLimit> {
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
    pub(crate) fn failed_login(&self, address: Option<Peer>) -> Result<(), Problem> {
        let Some(limit) = &self.login_failure else { return Ok(()) };
        limit.refusal(limit.take(CallerKey::at(address))).map_or(Ok(()), Err)
    }
}

/// What names a caller: its owner, or its address where nobody has said who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum CallerKey<'a> {
    Owner(&'a str),
    Address(Ipv4Addr),
    /// A subscriber's part of an IPv6 address.
    Prefix(u128),
    Nobody,
}

impl<'a> CallerKey<'a> {
    /// Whoever a request is known to come from.
    pub(crate) fn of(extensions: &'a Extensions) -> Self {
        match extensions.get::<Caller>() {
            Some(caller) => Self::Owner(caller.owner.as_str()),
            None => Self::at(extensions.get().copied()),
        }
    }

    fn at(address: Option<Peer>) -> Self {
        match address {
            Some(Peer(IpAddr::V4(address))) => Self::Address(address),
            Some(Peer(IpAddr::V6(address))) => match address.to_ipv4_mapped() {
                Some(address) => Self::Address(address),
                None => Self::Prefix(u128::from(address) & IPV6_PREFIX),
            },
            None => Self::Nobody,
        }
    }
}

/// Whole seconds, at least as long as `time` and at least one.
fn seconds(time: Duration) -> u64 {
    (time.as_secs() + u64::from(time.subsec_nanos() > 0)).max(1)
}
