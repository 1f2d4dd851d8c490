//! `tandem serve`.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tandem_config::{ConfigError, NodeConfig, Role};
use tandem_http_edge::{EdgeState, Tokens};
use tandem_ports::Clock;
use tandem_runtime::Stopwatch;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use toml::Value;

use crate::cli::ServeArgs;
use crate::clock::SystemClock;
use crate::telemetry;
use crate::wiring::{self, Node};

/// How long the last spans may take at the end: with what the drain may take, less than a node may take to end.
const LAST_SPANS_LIMIT: Duration = Duration::from_secs(2);

/// Runs the node until it is asked to stop, or until a part of it comes down too often.
pub(crate) fn run(
    args: &ServeArgs,
    resolve: impl Fn(&[(&str, Value)]) -> Result<NodeConfig, ConfigError>,
) -> anyhow::Result<ExitCode> {
    let mut overrides = wiring::data_override(args.data.as_deref());
    if let Some(listen) = args.listen {
        overrides.push(("edge.listen", Value::String(listen.to_string())));
    }
    let config = resolve(&overrides)?;
    let exporter = telemetry::start_exporting(&config)?;
    raise_file_limit();
    wiring::block_on(async {
        let Some(exporter) = exporter else { return serve(&config).await };
        let exporting = exporter.begin();
        let served = serve(&config).await;
        // What the end itself is made of goes along.
        exporting.finish(LAST_SPANS_LIMIT).await;
        served
    })
}

/// Each connection and each file of the index is an open file, and the limit that a shell gives is meant for less.
fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum
        && let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })
    {
        tracing::warn!(%error, current = ?limit.current, "the limit of open files could not be raised");
    }
}

async fn serve(config: &NodeConfig) -> anyhow::Result<ExitCode> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let listener = TcpListener::bind(config.edge.listen)
        .await
        .with_context(|| format!("cannot listen on {}; is another node running?", config.edge.listen))?;
    let address = listener.local_addr()?;
    let listen = address.to_string();
    let node = tokio::select! {
        node = Node::start(config, &listen) => node?,
        _ = terminate.recv() => return Ok(stopped_early()),
        _ = interrupt.recv() => return Ok(stopped_early()),
    };
    let tokens = Tokens::new(&config.auth, Arc::new(|| SystemClock.now()))?.map(Arc::new);
    if let Some(tokens) = tokens.clone() {
        node.supervisor.spawner().spawn("auth/keys", async move { tokens.keep().await });
    }
    let state = EdgeState {
        gateway: node.gateway.clone(),
        config: config.edge.clone(),
        limits: config.limits.clone(),
        max_document_bytes: config.documents.max_bytes,
        weights: config.matching.weights,
        metrics: Arc::new(telemetry::metrics_text),
        version: env!("CARGO_PKG_VERSION"),
        accounts: config.auth.enabled,
        tokens,
        api: config.has(Role::Edge),
    };
    let (stop, mut stopped) = watch::channel(false);
    let served = tandem_http_edge::serve(listener, state, async move {
        // An error means that the sender is gone, which also means stop.
        let _gone = stopped.wait_for(|stop| *stop).await;
    });
    tokio::pin!(served);
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "listening on http://{address}");
    if !config.auth.enabled {
        tracing::info!("without accounts: whoever reaches this address is the owner `local`; see [auth]");
    }
    let escalated = tokio::select! {
        _ = terminate.recv() => None,
        _ = interrupt.recv() => None,
        result = &mut served => bail!("the edge ended by itself: {result:?}"),
        escalated = node.supervisor.escalated() => Some(escalated),
    };
    let limit = Duration::from_secs(config.shutdown.drain_s);
    let begun = Stopwatch::start();
    // Its edge goes on answering until others answer for its shards.
    if escalated.is_none() {
        node.hand_over(limit).await;
    }
    tracing::info!("stopping: finishing the work in hand");
    let limit = limit.saturating_sub(begun.elapsed());
    node.supervisor.drain().begin_within(limit);
    stop.send_replace(true);
    let begun = Stopwatch::start();
    let edge_down = tokio::time::timeout(limit, &mut served).await.is_ok();
    let report = node.shutdown(limit.saturating_sub(begun.elapsed())).await;
    tracing::info!(
        edge_down,
        finished = report.finished,
        given_back = report.given_back,
        abandoned = report.abandoned,
        "stopped"
    );
    match escalated {
        None => Ok(ExitCode::SUCCESS),
        Some(escalated) => {
            bail!("the actor {} came down too often: {}", escalated.name, escalated.reason)
        }
    }
}

/// A node that is asked to stop before it took any work has nothing to finish.
fn stopped_early() -> ExitCode {
    tracing::info!("stopped before the start was complete");
    ExitCode::SUCCESS
}
