//! What is counted of matching.

use std::sync::LazyLock;

use prometheus::{
    Histogram, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, register_histogram, register_int_counter,
    register_int_counter_vec, register_int_gauge, register_int_gauge_vec,
};
use tandem_domain::run::ScoredPair;
use tandem_ports::documents::LogPosition;

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

#[expect(clippy::expect_used, reason = "a name registered twice is a defect that the first test run shows")]
static PEERS: LazyLock<IntCounterVec> = LazyLock::new(|| {
    register_int_counter_vec!(
        "tandem_matching_peer_asks_total",
        "Questions about shards to other nodes, by outcome.",
        &["outcome"]
    )
    .expect("the metric's name is unique")
});

#[expect(clippy::expect_used, reason = "a name registered twice is a defect that the first test run shows")]
static SHARDS: LazyLock<IntGauge> = LazyLock::new(|| {
    register_int_gauge!("tandem_index_shards", "Shards of the index that this node holds.")
        .expect("the metric's name is unique")
});

#[expect(clippy::expect_used, reason = "a name registered twice is a defect that the first test run shows")]
static SEEN: LazyLock<IntGaugeVec> = LazyLock::new(|| {
    let help = "The position of the change log that a shard of this node has come to.";
    register_int_gauge_vec!("tandem_index_seen", help, &["shard"]).expect("the metric's name is unique")
});

#[expect(clippy::expect_used, reason = "a name registered twice is a defect that the first test run shows")]
static SECOND: LazyLock<IntGaugeVec> = LazyLock::new(|| {
    let help = "The same of a shard of the model that the corpus is moved to or from.";
    register_int_gauge_vec!("tandem_index_second_seen", help, &["shard"])
        .expect("the metric's name is unique")
});

#[expect(clippy::expect_used, reason = "a name registered twice is a defect that the first test run shows")]
static SCORES: LazyLock<Histogram> = LazyLock::new(|| {
    let bounds = (1..=10).map(|tenth| f64::from(tenth) * 1_000.0).collect();
    register_histogram!("tandem_matching_score", "Scores of the pairs that were kept, 0 to 10000.", bounds)
        .expect("the metric's name is unique")
});

/// Records the scores of pairs that are kept as results.
pub(crate) fn kept<'a>(pairs: impl IntoIterator<Item = &'a ScoredPair>) {
    pairs.into_iter().for_each(|pair| SCORES.observe(pair.score.total.points() as f64));
}

/// Records how far a shard has come, of the model that serves or of the other one.
pub(crate) fn seen(shard: u16, serves: bool, position: LogPosition) {
    let gauges = if serves { &SEEN } else { &SECOND };
    gauges.with_label_values(&[&shard.to_string()]).set(i64::try_from(position.0).unwrap_or(i64::MAX));
}

/// Records that the node holds a shard no longer, so that nobody takes it for one that lags.
pub(crate) fn let_go(shard: u16, serves: bool) {
    let gauges = if serves { &SEEN } else { &SECOND };
    // It has none yet if it was let go before its first look at the log.
    gauges.remove_label_values(&[&shard.to_string()]).ok();
}

/// Records a question to another node.
pub(crate) fn asked_peer(answered: bool) {
    PEERS.with_label_values(&[if answered { "answered" } else { "failed" }]).inc();
}

/// Records how many shards the node holds.
pub(crate) fn holds(shards: usize) {
    SHARDS.set(shards as i64);
}

/// Records scored pairs.
pub(crate) fn scored(pairs: usize) {
    PAIRS.inc_by(pairs as u64);
}

/// Records applied changes.
pub(crate) fn indexed(changes: usize) {
    CHANGES.inc_by(changes as u64);
}
