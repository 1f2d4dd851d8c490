//! What is counted of the export of spans.

use std::sync::LazyLock;

use prometheus::{IntCounterVec, register_int_counter_vec};

/// The collector took them.
pub(super) const EXPORTED: &str = "exported";
/// Too many waited.
pub(super) const FULL: &str = "full";
/// The collector did not want them.
pub(super) const REFUSED: &str = "refused";
/// The node ended before the collector took them.
pub(super) const UNSENT: &str = "unsent";

#[expect(clippy::expect_used, reason = "the name is registered once per process: a second time is a defect")]
static SPANS: LazyLock<IntCounterVec> = LazyLock::new(|| {
    register_int_counter_vec!(
        "tandem_spans_total",
        "Finished spans of traces that are exported, by what became of them",
        &["outcome"]
    )
    .expect("the metric is registered once")
});

/// Records what became of so many spans.
pub(super) fn spans(outcome: &'static str, number: usize) {
    SPANS.with_label_values(&[outcome]).inc_by(number as u64);
}

/// How many spans came to this.
#[cfg(test)]
pub(super) fn spans_of(outcome: &'static str) -> u64 {
    SPANS.with_label_values(&[outcome]).get()
}
