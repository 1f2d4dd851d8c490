//! Logs and metrics of the process.

use std::io::stderr;

use prometheus::{Encoder, TextEncoder};
use tandem_config::{Log, LogFormat};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

use self::redact::Redacting;

mod redact;

/// What libraries may say unless the configuration names them: some tell of every connection.
const LIBRARIES: &str = "ractor=warn,scylla=warn,lapin=warn";
/// What the mesh's library may say whatever the configuration says: on finer levels it writes down what nodes ask one
/// another, and with that what is in documents.
const MESH: &str = "ractor_cluster=error";

/// Starts logging to standard error. A second call changes nothing.
///
/// # Errors
/// When the filter of the configuration is not one.
pub(crate) fn start(log: &Log) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(format!("{LIBRARIES},{},{MESH}", log.level))
        .map_err(|error| anyhow::anyhow!("`log.level` is not a level or filter: {error}"))?;
    let lines = fmt().with_env_filter(filter).with_writer(Redacting(stderr)).with_target(true);
    let started = match log.format {
        LogFormat::Text => lines.with_ansi(false).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    if started.is_err() {
        tracing::debug!("logging was started before");
    }
    Ok(())
}

/// All metrics of the process in the Prometheus text format 0.0.4.
pub(crate) fn metrics_text() -> String {
    let mut text = Vec::new();
    if let Err(error) = TextEncoder::new().encode(&prometheus::gather(), &mut text) {
        tracing::error!(%error, "metrics could not be encoded");
    }
    String::from_utf8_lossy(&text).into_owned()
}
