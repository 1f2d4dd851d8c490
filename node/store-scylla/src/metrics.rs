//! What is counted of the store. Labels are kinds of requests and outcomes; never an id.

use std::sync::LazyLock;

use prometheus::{
    HistogramVec, IntCounter, IntCounterVec, register_histogram_vec, register_int_counter,
    register_int_counter_vec,
};
use tandem_ports::StoreError;
use tokio::time::Instant;

use crate::cells::Written;
use crate::store::Conditional;

/// Bounds of the time of a request, in seconds; a conditional write may take 8.
const SECONDS: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 8.0];

/// Each metric is registered once, here: a second registration of its name is a defect found by any test.
const ONCE: &str = "metric names of the store are registered once per process";

macro_rules! metric {
    ($name:ident: $type:ty = $make:expr) => {
        static $name: LazyLock<$type> = LazyLock::new(|| $make.expect(ONCE));
    };
}

metric!(REQUESTS: IntCounterVec = register_int_counter_vec!(
    "tandem_store_requests_total", "Requests to the database by outcome", &["kind", "outcome"]));
metric!(SECONDS_TAKEN: HistogramVec = register_histogram_vec!(
    "tandem_store_request_seconds", "Time of a request to the database", &["kind"], SECONDS.to_vec()));
metric!(RETRIES: IntCounter = register_int_counter!(
    "tandem_store_conditional_retries_total", "Conditional writes sent again under the same operation"));
metric!(RESOLVED: IntCounterVec = register_int_counter_vec!(
    "tandem_store_unknowns_total", "Writes without an answer, by what reading back found", &["found"]));

/// What is asked of the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Read,
    /// A read that first completes every conditional write that was begun.
    SerialRead,
    Write,
    Conditional,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::SerialRead => "serial_read",
            Self::Write => "write",
            Self::Conditional => "conditional",
        }
    }
}

fn record(kind: Kind, outcome: &str, begun: Instant) {
    REQUESTS.with_label_values(&[kind.name(), outcome]).inc();
    SECONDS_TAKEN.with_label_values(&[kind.name()]).observe(begun.elapsed().as_secs_f64());
}

fn failure(error: &StoreError) -> &'static str {
    match error {
        StoreError::Unavailable(_) => "unavailable",
        StoreError::Timeout => "timeout",
        StoreError::Full(_) => "full",
        StoreError::Corrupt { .. } => "corrupt",
        StoreError::Newer { .. } => "newer",
    }
}

/// Records a read or an unconditional write.
pub(crate) fn requested<T>(kind: Kind, end: &Result<T, StoreError>, begun: Instant) {
    record(kind, end.as_ref().err().map_or("done", failure), begun);
}

/// Records a conditional write.
pub(crate) fn judged(end: &Result<Conditional, StoreError>, begun: Instant) {
    let outcome = match end {
        Ok(Conditional::Applied) => "applied",
        Ok(Conditional::Refused) => "refused",
        Ok(Conditional::Unknown) => "unknown",
        Err(error) => failure(error),
    };
    record(Kind::Conditional, outcome, begun);
}

/// Records a conditional write that is sent again.
pub(crate) fn retried() {
    RETRIES.inc();
}

/// Records what became of a write of a cell one of whose answers was missing.
pub(crate) fn resolved(end: &Result<Written, StoreError>) {
    let found = match end {
        Ok(Written::Done) => "done",
        Ok(Written::Other(_)) => "refused",
        Ok(Written::Unknown) | Err(_) => "unknown",
    };
    RESOLVED.with_label_values(&[found]).inc();
}

/// Missing answers that reading back found so.
#[cfg(test)]
pub(crate) fn found(what: &str) -> u64 {
    RESOLVED.with_label_values(&[what]).get()
}
