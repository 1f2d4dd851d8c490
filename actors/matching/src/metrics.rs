//! What is counted of matching.

use std::sync::LazyLock;

use prometheus::{IntCounter, register_int_counter};

#[expect(clippy::expect_used, reason = "a name registered twice is a defect that the first test run shows")]
static PAIRS: LazyLock<IntCounter> = LazyLock::new(|| {
    register_int_counter!("tandem_matching_pairs_scored_total", "Pairs that the scorer scored in rankings.")
        .expect("the metric's name is unique")
});

#[expect(clippy::expect_used, reason = "a name registered twice is a defect that the first test run shows")]
static CHANGES: LazyLock<IntCounter> = LazyLock::new(|| {
    register_int_counter!("tandem_index_changes_total", "Changes of the log that were applied to shards.")
        .expect("the metric's name is unique")
});

/// Records scored pairs.
pub(crate) fn scored(pairs: usize) {
    PAIRS.inc_by(pairs as u64);
}

/// Records applied changes.
pub(crate) fn indexed(changes: usize) {
    CHANGES.inc_by(changes as u64);
}
