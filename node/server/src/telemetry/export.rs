//! Sends spans to a collector, in batches, beside everything else that the node does. Nothing waits for it: while the
//! collector is away or slow, spans wait in a queue that has a bound, and what finds no room there is counted and dropped.

use std::error::Error;
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use reqwest::header::CONTENT_TYPE;
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode};
use tandem_config::NodeConfig;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::metrics;
use super::otlp::{encode, node};

#[cfg(test)]
mod tests;

/// The most spans in one request.
const BATCH: usize = 512;
/// How long a span waits for others to be sent with.
const EVERY: Duration = Duration::from_secs(1);
/// The wait before a batch is sent again; doubles.
const AGAIN_FIRST: Duration = Duration::from_secs(1);
const AGAIN_MOST: Duration = Duration::from_secs(30);

/// What sends spans, once it runs.
pub(crate) struct Exporter {
    spans: Receiver<Span>,
    client: Client,
    endpoint: String,
    resource: Resource,
    /// The collector did not take the last batch, which was said.
    failing: bool,
    stop: watch::Receiver<bool>,
    stopping: watch::Sender<bool>,
}

/// What became of a batch.
enum Sent {
    Taken,
    /// Sending it again would be in vain.
    Refused(StatusCode),
    Away(String),
}

impl Exporter {
    /// An exporter to the configured collector, and where to put spans for it. Nothing is sent yet.
    ///
    /// # Errors
    /// When this machine can make no connections, such as for want of certificates.
    pub(super) fn new(config: &NodeConfig) -> anyhow::Result<(Self, Sender<Span>)> {
        let otlp = &config.telemetry.otlp;
        // reqwest asks for it and panics without. An error says that there is one.
        rustls::crypto::ring::default_provider().install_default().ok();
        let client = Client::builder()
            .timeout(otlp.timeout())
            .redirect(Policy::none())
            .build()
            .context("no connection can be made to telemetry.otlp.endpoint")?;
        let (sender, spans) = channel(otlp.queue);
        let (stopping, stop) = watch::channel(false);
        let (endpoint, resource) = (otlp.endpoint.clone(), node(&config.node.name));
        Ok((Self { spans, client, endpoint, resource, failing: false, stop, stopping }, sender))
    }

    /// Sends from now on, on the executor of the caller.
    pub(crate) fn begin(self) -> Exporting {
        let stopping = self.stopping.clone();
        let mut running = JoinSet::new();
        running.spawn(self.run());
        Exporting { stopping, running }
    }

    async fn run(mut self) {
        loop {
            let batch = self.batch().await;
            let sent = batch.is_empty() || self.send(batch).await;
            if *self.stop.borrow() && (self.spans.is_empty() || !sent) {
                metrics::spans(metrics::UNSENT, self.spans.len());
                return;
            }
        }
    }

    /// What is to be sent next. It may be nothing when the node ends.
    async fn batch(&mut self) -> Vec<Span> {
        let mut batch = Vec::new();
        let (spans, mut stop) = (&mut self.spans, self.stop.clone());
        let full = async {
            spans.recv_many(&mut batch, BATCH).await;
            let more = async {
                while batch.len() < BATCH {
                    let room = BATCH - batch.len();
                    spans.recv_many(&mut batch, room).await;
                }
            };
            // Whether it is full or not, it is sent.
            drop(timeout(EVERY, more).await);
        };
        tokio::select! {
            () = full => {}
            _ = stop.wait_for(|stopping| *stopping) => {}
        }
        while batch.len() < BATCH
            && let Ok(span) = self.spans.try_recv()
        {
            batch.push(span);
        }
        batch
    }

    /// Sends a batch until the collector answers, or the node ends; whether it answered.
    async fn send(&mut self, batch: Vec<Span>) -> bool {
        let number = batch.len();
        let body = Bytes::from(encode(&self.resource, batch));
        let mut wait = AGAIN_FIRST;
        loop {
            let is_last = *self.stop.borrow();
            match self.post(body.clone()).await {
                Sent::Taken => {
                    metrics::spans(metrics::EXPORTED, number);
                    if std::mem::take(&mut self.failing) {
                        tracing::info!("the collector takes spans again");
                    }
                    return true;
                }
                Sent::Refused(status) => {
                    metrics::spans(metrics::REFUSED, number);
                    self.complain(&status.to_string());
                    return true;
                }
                Sent::Away(reason) => self.complain(&reason),
            }
            if is_last {
                metrics::spans(metrics::UNSENT, number);
                return false;
            }
            tokio::select! {
                () = sleep(wait) => {}
                _ = self.stop.wait_for(|stopping| *stopping) => {}
            }
            wait = AGAIN_MOST.min(wait * 2);
        }
    }

    async fn post(&self, body: Bytes) -> Sent {
        let request =
            self.client.post(&self.endpoint).header(CONTENT_TYPE, "application/x-protobuf").body(body);
        match request.send().await {
            Ok(answer) if answer.status().is_success() => Sent::Taken,
            Ok(answer) if is_for_now(answer.status()) => Sent::Away(answer.status().to_string()),
            Ok(answer) => Sent::Refused(answer.status()),
            Err(error) => Sent::Away(innermost(&error)),
        }
    }

    /// Once for as long as it lasts.
    fn complain(&mut self, reason: &str) {
        if !std::mem::replace(&mut self.failing, true) {
            tracing::warn!(reason, "the collector takes no spans");
        }
    }
}

/// What may be sent again (OTLP specification, section "Retryable Response Codes").
const fn is_for_now(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 502 | 503 | 504)
}

/// The cause of an error of reqwest, which itself says little but the address.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// An exporter that runs.
pub(crate) struct Exporting {
    stopping: watch::Sender<bool>,
    running: JoinSet<()>,
}

impl Exporting {
    /// Sends what waits, at most for `limit`.
    pub(crate) async fn finish(mut self, limit: Duration) {
        self.stopping.send_replace(true);
        if timeout(limit, self.running.join_next()).await.is_err() {
            tracing::debug!("the collector was too slow for the last spans");
        }
    }
}
