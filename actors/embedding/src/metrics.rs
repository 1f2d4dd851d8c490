//! What is counted of embedding.

use std::sync::LazyLock;
use std::time::Duration;

use prometheus::{
    HistogramVec, IntCounterVec, exponential_buckets, register_histogram_vec, register_int_counter_vec,
};
use tandem_domain::task::Urgency;

#[expect(clippy::expect_used, reason = "a name registered twice is a defect that the first test run shows")]
static PIECES: LazyLock<IntCounterVec> = LazyLock::new(|| {
    register_int_counter_vec!(
        "tandem_embedding_pieces_total",
        "Chunks, windows and tokens that became vectors.",
        &["piece"]
    )
    .expect("the metric's name is unique")
});

#[expect(clippy::expect_used, reason = "a name registered twice is a defect that the first test run shows")]
static TEXTS: LazyLock<IntCounterVec> = LazyLock::new(|| {
    register_int_counter_vec!(
        "tandem_embedding_texts_total",
        "Texts that got a vector, by where it came from: the share of cache and repeated is the cache's hit rate.",
        &["source"]
    )
    .expect("the metric's name is unique")
});

/// A histogram by urgency whose first bound is `first` and whose others are twice the one before.
#[expect(clippy::expect_used, reason = "a name registered twice is a defect that the first test run shows")]
fn by_urgency(name: &str, help: &str, first: f64, bounds: usize) -> HistogramVec {
    let bounds = exponential_buckets(first, 2.0, bounds).expect("the bounds grow");
    register_histogram_vec!(name, help, &["urgency"], bounds).expect("the metric's name is unique")
}

static BATCH_TEXTS: LazyLock<HistogramVec> =
    LazyLock::new(|| by_urgency("tandem_embedding_batch_texts", "Texts of a batch.", 1.0, 11));
static BATCH_TOKENS: LazyLock<HistogramVec> =
    LazyLock::new(|| by_urgency("tandem_embedding_batch_tokens", "Tokens of a batch.", 16.0, 11));
static BATCH_SECONDS: LazyLock<HistogramVec> =
    LazyLock::new(|| by_urgency("tandem_embedding_batch_seconds", "Time of a batch.", 0.001, 13));
static WAIT_SECONDS: LazyLock<HistogramVec> = LazyLock::new(|| {
    by_urgency("tandem_embedding_wait_seconds", "Time that a text waits for its batch.", 0.001, 16)
});

const fn urgency_name(urgency: Urgency) -> &'static str {
    match urgency {
        Urgency::Interactive => "interactive",
        Urgency::Bulk => "bulk",
    }
}

/// Records a batch that was computed.
pub(crate) fn batch(urgency: Urgency, texts: usize, tokens: usize, taken: Duration) {
    let label = &[urgency_name(urgency)];
    BATCH_TEXTS.with_label_values(label).observe(texts as f64);
    BATCH_TOKENS.with_label_values(label).observe(tokens as f64);
    BATCH_SECONDS.with_label_values(label).observe(taken.as_secs_f64());
}

/// Records how long a text waited for its batch.
pub(crate) fn waited(urgency: Urgency, time: Duration) {
    WAIT_SECONDS.with_label_values(&[urgency_name(urgency)]).observe(time.as_secs_f64());
}

/// Where the vector of a text came from.
#[derive(Clone, Copy)]
pub(crate) enum Source {
    /// It was known.
    Cache,
    /// It was computed.
    Engine,
    /// Another text of the same document is the same.
    Repeated,
}

/// Records texts that got their vectors from `source`.
pub(crate) fn texts(source: Source, count: usize) {
    let label = match source {
        Source::Cache => "cache",
        Source::Engine => "engine",
        Source::Repeated => "repeated",
    };
    TEXTS.with_label_values(&[label]).inc_by(count as u64);
}

/// Records one embedded document.
pub(crate) fn embedded(chunks: usize, windows: usize, tokens: usize) {
    for (piece, count) in [("chunk", chunks), ("window", windows), ("token", tokens)] {
        PIECES.with_label_values(&[piece]).inc_by(count as u64);
    }
}
