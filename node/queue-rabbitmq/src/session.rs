//! One life of both connections. It ends once, for all its users, at the first fault.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use futures::StreamExt;
use futures::stream::BoxStream;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::tcp::OwnedTLSConfig;
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, Event};
use tandem_runtime::Stopwatch;
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::error::{RabbitError, bounded};
use crate::metrics;
use crate::options::{Broker, Limits};
use crate::topology::Topology;

/// Messages on their way at the same time: one on each channel, so that what the broker returns belongs to it for sure.
const PUBLISH_CHANNELS: usize = 8;
/// "Everything is in order", in AMQP.
const OK: u16 = 200;

/// Two connections and what was opened on them.
pub(crate) struct Session {
    id: u64,
    host: String,
    limits: Limits,
    publishing: Connection,
    consuming: Connection,
    /// One for each message on its way.
    permits: Semaphore,
    /// Channels with nothing on its way.
    idle: Mutex<Vec<Channel>>,
    /// Whether the broker reads nothing from the publishing connection.
    blocked: watch::Sender<bool>,
    ended: CancellationToken,
    reason: OnceLock<String>,
}

/// A new session and what its connections tell.
pub(crate) struct Opened {
    pub(crate) session: Arc<Session>,
    pub(crate) publishing: BoxStream<'static, Event>,
    pub(crate) consuming: BoxStream<'static, Event>,
}

/// A message.
pub(crate) struct Letter<'a> {
    pub(crate) exchange: &'a str,
    pub(crate) key: &'a str,
    pub(crate) body: &'a [u8],
    pub(crate) properties: BasicProperties,
}

impl Session {
    /// Connects twice and declares the topology.
    pub(crate) async fn open(
        id: u64,
        broker: &Broker,
        limits: Limits,
        topology: &Topology,
        tls: &OwnedTLSConfig,
    ) -> Result<Opened, RabbitError> {
        let publishing = connect(broker, &limits, tls, "tandem publishing").await?;
        let told_publishing = publishing.events_listener().boxed();
        let consuming = connect(broker, &limits, tls, "tandem consuming").await?;
        let told_consuming = consuming.events_listener().boxed();
        // A blocked broker reads nothing from a connection that publishes: everything else goes over the other one.
        let host = broker.host.clone();
        let channel = bounded(&host, "opening a channel", limits.declare, consuming.create_channel()).await?;
        topology.declare(&channel, &host, &limits).await?;
        bounded(&host, "closing a channel", limits.close, channel.close(OK, "done".into())).await?;
        let session = Arc::new(Self {
            id,
            host,
            limits,
            publishing,
            consuming,
            permits: Semaphore::new(PUBLISH_CHANNELS),
            idle: Mutex::default(),
            blocked: watch::Sender::new(false),
            ended: CancellationToken::new(),
            reason: OnceLock::new(),
        });
        Ok(Opened { session, publishing: told_publishing, consuming: told_consuming })
    }

    pub(crate) const fn id(&self) -> u64 {
        self.id
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Ends the session for everybody; the first reason stays.
    pub(crate) fn end(&self, reason: &str) {
        if self.reason.set(reason.to_owned()).is_ok() {
            tracing::warn!(host = self.host, reason, "session with rabbitmq ends");
        }
        self.ended.cancel();
    }

    pub(crate) fn is_ended(&self) -> bool {
        self.ended.is_cancelled()
    }

    /// Waits for the end.
    pub(crate) async fn ended(&self) {
        self.ended.cancelled().await;
    }

    pub(crate) fn reason(&self) -> RabbitError {
        let reason = self.reason.get().map_or("it was closed", String::as_str);
        RabbitError::Ended(format!("{}: {reason}", self.host))
    }

    /// What a connection told.
    pub(crate) fn told(&self, event: Option<Event>) {
        match event {
            Some(Event::ConnectionBlocked(reason)) => {
                tracing::warn!(host = self.host, reason, "rabbitmq takes no messages");
                self.set_blocked(true);
            }
            Some(Event::ConnectionUnblocked) => {
                tracing::info!(host = self.host, "rabbitmq takes messages again");
                self.set_blocked(false);
            }
            Some(Event::Error(error)) => self.end(&error.to_string()),
            None => self.end("a connection was closed"),
            // Connected, and the flow of channels, which lapin keeps to by itself.
            Some(_) => {}
        }
    }

    /// Says whether the broker takes messages. Both connections of a session tell it.
    pub(crate) fn set_blocked(&self, blocked: bool) {
        let changed = self.blocked.send_if_modified(|now| std::mem::replace(now, blocked) != blocked);
        if changed {
            metrics::blocked(blocked);
        }
    }

    /// A new channel of the consuming connection. The session ends if there is none.
    pub(crate) async fn channel(&self) -> Result<Channel, RabbitError> {
        self.step("opening a channel", self.consuming.create_channel()).await
    }

    /// A step on the consuming connection; a fault or its limit ends the session.
    pub(crate) async fn step<T>(
        &self,
        step: &'static str,
        work: impl Future<Output = lapin::Result<T>>,
    ) -> Result<T, RabbitError> {
        let limit = self.limits.declare;
        self.or_end(self.unless_ended(bounded(&self.host, step, limit, work)).await)
    }

    /// Acknowledges; `false` if it was settled already or its channel is gone.
    pub(crate) async fn ack(&self, acker: &lapin::Acker) -> Result<bool, RabbitError> {
        let ack = acker.ack(lapin::options::BasicAckOptions::default());
        let ack = bounded(&self.host, "acknowledging", self.limits.ack, ack);
        self.or_end(self.unless_ended(ack).await)
    }

    /// Sends a message and waits until the broker has it for sure. Not in time: the session ends.
    pub(crate) async fn publish(&self, letter: Letter<'_>, deadline: Instant) -> Result<(), RabbitError> {
        let late =
            || RabbitError::Late { host: self.host.clone(), step: "publishing", limit: self.limits.publish };
        if *self.blocked.borrow() || self.publishing.status().blocked() {
            return Err(self.is_blocked());
        }
        let permit = timeout_at(deadline, self.permits.acquire()).await.map_err(|_| late())?;
        let _permit = permit.map_err(|_| self.reason())?;
        let sent = async {
            tokio::select! {
                biased;
                sent = timeout_at(deadline, self.send(letter)) => sent.unwrap_or_else(|_| Err(late())),
                // Its channel is dropped: what it carries may still arrive.
                () = self.becomes_blocked() => Err(self.is_blocked()),
            }
        };
        let sent = self.unless_ended(sent).await;
        if matches!(sent, Err(RabbitError::Blocked { .. })) { sent } else { self.or_end(sent) }
    }

    async fn send(&self, letter: Letter<'_>) -> Result<(), RabbitError> {
        let broken = |error: lapin::Error| RabbitError::broker(&self.host, "publishing", &error);
        let idle = self.idle().pop().filter(|channel| channel.status().connected());
        let channel = match idle {
            Some(channel) => channel,
            None => {
                let channel = self.publishing.create_channel().await.map_err(broken)?;
                channel.confirm_select(ConfirmSelectOptions::default()).await.map_err(broken)?;
                channel
            }
        };
        let options = BasicPublishOptions { mandatory: true, immediate: false };
        let stopwatch = Stopwatch::start();
        let confirm = channel
            .basic_publish(letter.exchange.into(), letter.key.into(), options, letter.body, letter.properties)
            .await
            .map_err(broken)?;
        let (reason, check) = match confirm.await.map_err(broken)? {
            Confirmation::Ack(None) => {
                metrics::confirmed(stopwatch.elapsed());
                self.idle().push(channel);
                return Ok(());
            }
            Confirmation::Ack(Some(_)) => {
                ("no queue takes the message", "check that nobody deletes its queues")
            }
            Confirmation::Nack(_) => ("the broker refused the message", "check whether the queue is full"),
            Confirmation::NotRequested => ("the broker confirmed nothing", "look into the broker's log"),
        };
        Err(RabbitError::Broker {
            host: self.host.clone(),
            step: "publishing",
            reason: reason.to_owned(),
            check,
        })
    }

    fn is_blocked(&self) -> RabbitError {
        RabbitError::Blocked { host: self.host.clone() }
    }

    async fn becomes_blocked(&self) {
        let mut blocked = self.blocked.subscribe();
        while !*blocked.borrow_and_update() {
            if blocked.changed().await.is_err() {
                return;
            }
        }
    }

    async fn unless_ended<T>(
        &self,
        work: impl Future<Output = Result<T, RabbitError>>,
    ) -> Result<T, RabbitError> {
        tokio::select! {
            biased;
            () = self.ended() => Err(self.reason()),
            done = work => done,
        }
    }

    fn or_end<T>(&self, done: Result<T, RabbitError>) -> Result<T, RabbitError> {
        done.inspect_err(|error| self.end(&error.to_string()))
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Channel>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes a channel of the consuming connection; what it holds unsettled is delivered again.
    pub(crate) async fn close_channel(&self, channel: &Channel) {
        if self.is_ended() {
            return;
        }
        let close = channel.close(OK, "done".into());
        if let Err(error) = bounded(&self.host, "closing a channel", self.limits.close, close).await {
            self.end(&error.to_string());
        }
    }

    /// Says good-bye where anybody listens still.
    pub(crate) async fn close(&self) {
        self.idle().clear();
        let limit = self.limits.close;
        let (consuming, publishing) = futures::join!(
            bounded(&self.host, "closing", limit, self.consuming.close(OK, "bye".into())),
            bounded(&self.host, "closing", limit, self.publishing.close(OK, "bye".into())),
        );
        for error in [consuming, publishing].into_iter().filter_map(Result::err) {
            tracing::debug!(%error, "a connection was not closed in order");
        }
    }
}

async fn connect(
    broker: &Broker,
    limits: &Limits,
    tls: &OwnedTLSConfig,
    name: &str,
) -> Result<Connection, RabbitError> {
    let properties = ConnectionProperties::default().with_connection_name(name.into());
    let connecting = async {
        let runtime = lapin::runtime::default_runtime()?;
        Connection::connect_uri_with_config(broker.uri.clone(), properties, tls.clone(), runtime).await
    };
    bounded(&broker.host, "connecting", limits.connect, connecting).await
}
