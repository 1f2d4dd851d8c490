//! What is counted of embedding.

use std::sync::LazyLock;

use prometheus::{IntCounterVec, register_int_counter_vec};

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
