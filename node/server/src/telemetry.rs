//! Logs, metrics and traces of the process.

use std::io::stderr;

use prometheus::{Encoder, TextEncoder};
use tandem_config::{Log, LogFormat, NodeConfig};
use tandem_domain::trace::SPANS;
use tracing::Subscriber;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt, registry};

use self::redact::Redacting;

pub(crate) use export::Exporter;

mod redact;

mod export;
mod metrics;
mod otlp;
mod spans;

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
    // One filter for everything: what it leaves out costs next to nothing.
    if registry().with(filter(log)?).with(lines(log)).try_init().is_err() {
        tracing::debug!("logging was started before");
    }
    Ok(())
}

/// Starts logging for a command that shows its progress by itself: notes of its node that are no warnings would only be
/// in the way.
///
/// # Errors
/// As [`start`].
pub(crate) fn start_quietly(log: &Log) -> anyhow::Result<()> {
    let level = if log.level == "info" { "warn".to_owned() } else { log.level.clone() };
    start(&Log { level, ..log.clone() })
}

/// Starts logging as [`start`] does, and with it the export of spans where one is configured.
///
/// # Errors
/// When the filter of the configuration is not one, or this machine can make no connections.
pub(crate) fn start_exporting(config: &NodeConfig) -> anyhow::Result<Option<Exporter>> {
    let otlp = &config.telemetry.otlp;
    if otlp.endpoint.is_empty() {
        return start(&config.log).map(|()| None);
    }
    let (exporter, spans) = Exporter::new(config)?;
    let lines = lines(&config.log).with_filter(filter(&config.log)?);
    if registry().with(lines).with(spans::layer(spans, otlp.sample)).try_init().is_err() {
        tracing::debug!("logging was started before");
    }
    Ok(Some(exporter))
}

/// What is written down. Spans that ended are told to whoever exports them and are no lines.
fn filter(log: &Log) -> anyhow::Result<EnvFilter> {
    EnvFilter::try_new(format!("{LIBRARIES},{},{MESH},{SPANS}=off", log.level))
        .map_err(|error| anyhow::anyhow!("`log.level` is not a level or filter: {error}"))
}

fn lines<S>(log: &Log) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let lines = fmt::layer().with_writer(Redacting(stderr)).with_target(true);
    match log.format {
        LogFormat::Text => lines.with_ansi(false).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    }
}

/// All metrics of the process in the Prometheus text format 0.0.4.
pub(crate) fn metrics_text() -> String {
    let mut text = Vec::new();
    if let Err(error) = TextEncoder::new().encode(&prometheus::gather(), &mut text) {
        tracing::error!(%error, "metrics could not be encoded");
    }
    String::from_utf8_lossy(&text).into_owned()
}
