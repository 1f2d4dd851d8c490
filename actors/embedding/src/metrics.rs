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

/// Records one embedded document.
pub(crate) fn embedded(chunks: usize, windows: usize, tokens: usize) {
    for (piece, count) in [("chunk", chunks), ("window", windows), ("token", tokens)] {
        PIECES.with_label_values(&[piece]).inc_by(count as u64);
    }
}
