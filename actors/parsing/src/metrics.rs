//! What is counted of parsing.

use std::sync::LazyLock;

use prometheus::{IntCounterVec, register_int_counter_vec};
use tandem_domain::document::MediaKind;
use tandem_domain::error::ErrorCode;

#[expect(clippy::expect_used, reason = "a name registered twice is a defect that the first test run shows")]
static DOCUMENTS: LazyLock<IntCounterVec> = LazyLock::new(|| {
    register_int_counter_vec!(
        "tandem_parsing_documents_total",
        "Documents read, by format, and documents given up, by error code.",
        &["outcome"]
    )
    .expect("the metric's name is unique")
});

#[expect(clippy::expect_used, reason = "a name registered twice is a defect that the first test run shows")]
static TEXT: LazyLock<IntCounterVec> = LazyLock::new(|| {
    register_int_counter_vec!(
        "tandem_parsing_text_bytes_total",
        "Bytes of visible text, by format.",
        &["format"]
    )
    .expect("the metric's name is unique")
});

/// Records a document that was read.
pub(crate) fn parsed(media: MediaKind, text_bytes: usize) {
    DOCUMENTS.with_label_values(&[media.extension()]).inc();
    TEXT.with_label_values(&[media.extension()]).inc_by(text_bytes as u64);
}

/// Records a document that was given up.
pub(crate) fn failed(code: ErrorCode) {
    DOCUMENTS.with_label_values(&[code.as_str()]).inc();
}
