//! What is counted of files taken in.

use std::sync::LazyLock;

use prometheus::{IntCounter, IntCounterVec, register_int_counter, register_int_counter_vec};
use tandem_domain::document::{DocumentKind, Failure};
use tandem_messages::documents::SubmittedDocument;

#[expect(clippy::expect_used, reason = "a name registered twice is a defect that the first test run shows")]
static DOCUMENTS: LazyLock<IntCounterVec> = LazyLock::new(|| {
    register_int_counter_vec!(
        "tandem_ingestion_documents_total",
        "Files submitted, by kind and outcome.",
        &["kind", "outcome"]
    )
    .expect("the metric's name is unique")
});

#[expect(clippy::expect_used, reason = "a name registered twice is a defect that the first test run shows")]
static BYTES: LazyLock<IntCounter> = LazyLock::new(|| {
    register_int_counter!("tandem_ingestion_bytes_total", "Bytes of files that were kept.")
        .expect("the metric's name is unique")
});

/// Records how one submission ended.
pub(crate) fn submitted(kind: DocumentKind, result: &Result<SubmittedDocument, Failure>) {
    let outcome = match result {
        Ok(done) if done.duplicate => "duplicate",
        Ok(done) => {
            BYTES.inc_by(done.document.at(done.version).map_or(0, |version| version.size));
            "accepted"
        }
        Err(failure) => failure.code.as_str(),
    };
    DOCUMENTS.with_label_values(&[kind.name(), outcome]).inc();
}

#[expect(clippy::expect_used, reason = "a name registered twice is a defect that the first test run shows")]
static UPLOADS: LazyLock<IntCounterVec> = LazyLock::new(|| {
    register_int_counter_vec!(
        "tandem_ingestion_uploads_total",
        "Uploads by a signed URL that were opened, sent to an edge and completed, by outcome.",
        &["step", "outcome"]
    )
    .expect("the metric's name is unique")
});

#[expect(clippy::expect_used, reason = "a name registered twice is a defect that the first test run shows")]
static SWEPT: LazyLock<IntCounter> = LazyLock::new(|| {
    register_int_counter!(
        "tandem_ingestion_uploads_swept_total",
        "Objects of uploads that were removed after their time."
    )
    .expect("the metric's name is unique")
});

/// Records how one step of an upload ended.
pub(crate) fn upload<T>(step: &'static str, result: &Result<T, Failure>) {
    let outcome = result.as_ref().map_or_else(|failure| failure.code.as_str(), |_| "ok");
    UPLOADS.with_label_values(&[step, outcome]).inc();
}

/// Records an object that was swept.
pub(crate) fn swept() {
    SWEPT.inc();
}
