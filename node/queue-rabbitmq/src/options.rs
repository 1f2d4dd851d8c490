//! How the queue reaches its broker and what it builds there.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use lapin::tcp::OwnedTLSConfig;
use lapin::uri::AMQPUri;
use tandem_ports::Clock;
use tandem_runtime::Spawner;

use crate::error::RabbitError;

/// The longest prefix, in bytes; names in AMQP end at 255.
const PREFIX_MOST: usize = 64;
/// The most brokers that are tried.
const URLS_MOST: usize = 16;
/// The most steps of the ladder.
const STEPS_MOST: usize = 16;
/// The largest CA file in bytes.
const CA_MOST: u64 = 1 << 20;
/// How a certificate begins in PEM.
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----";
/// Either side takes the other for gone after twice this long without a word.
const HEARTBEAT_SECONDS: u16 = 10;

/// What the queue needs to know.
#[derive(Clone)]
pub struct RabbitOptions {
    /// `amqp[s]://user:password@host[:port]/vhost` of each broker of one cluster, 1..=16; tried in turn.
    pub urls: Vec<String>,
    /// A PEM file with the certificates of those who vouch for the brokers, for URLs of the scheme amqps. The machine's own
    /// are trusted besides. `None` = these alone.
    pub ca_file: Option<PathBuf>,
    /// Before each name on the broker, so that several systems can share it; at most 64 of `a-z 0-9 . _ -`.
    pub prefix: String,
    /// What is built on the broker.
    pub shape: Shape,
    /// How long each step may take.
    pub limits: Limits,
    /// Attempts to open the first session, 1 or more: a broker may be starting too. Later ones are opened for ever.
    pub attempts: u32,
    /// The wait after attempt n is n times this.
    pub back_off: Duration,
    /// The time that dead letters carry.
    pub clock: Arc<dyn Clock>,
    /// Runs the supervisor of the session.
    pub spawner: Spawner,
}

/// What is built on the broker. It is part of the topology: queues that exist with another shape are refused, so a change
/// needs another prefix or new names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// The steps of delayed deliveries, ascending, whole milliseconds, 1..=16 of them. A delay waits for the first step
    /// that is not shorter, or for the last.
    pub ladder: Vec<Duration>,
    /// Returns of one message, by consumers that died, after which it is put aside. A session that ends counts for every
    /// message that it had been sent, so it is high: the task's row finds real poison sooner.
    pub delivery_limit: u32,
    /// The most messages of one queue; more are refused to their publishers.
    pub most: u32,
}

impl Default for Shape {
    fn default() -> Self {
        let ladder = [5, 30, 120, 600, 3600].map(Duration::from_secs).to_vec();
        Self { ladder, delivery_limit: 50, most: 5_000_000 }
    }
}

/// How long each step may take; longer ends the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// One connection.
    pub connect: Duration,
    /// One declaration, subscription or count.
    pub declare: Duration,
    /// A message and its confirmation; the wait for a session included.
    pub publish: Duration,
    /// An acknowledgement.
    pub ack: Duration,
    /// An orderly end of a connection or a channel.
    pub close: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let [connect, declare, publish, ack, close] = [10, 10, 10, 5, 2].map(Duration::from_secs);
        Self { connect, declare, publish, ack, close }
    }
}

impl RabbitOptions {
    /// The usual prefix (none), shape and limits; one attempt.
    #[must_use]
    pub fn new(urls: Vec<String>, clock: Arc<dyn Clock>, spawner: Spawner) -> Self {
        let (shape, limits) = (Shape::default(), Limits::default());
        let (attempts, back_off) = (1, Duration::from_secs(1));
        Self { urls, ca_file: None, prefix: String::new(), shape, limits, attempts, back_off, clock, spawner }
    }

    /// How the brokers prove who they are. Reads the file, which is small: once, at the start.
    pub(crate) fn tls(&self) -> Result<OwnedTLSConfig, RabbitError> {
        let Some(file) = &self.ca_file else { return Ok(OwnedTLSConfig::default()) };
        let refuse = |reason: String| {
            RabbitError::Options(format!("the CA file {} of RabbitMQ {reason}", file.display()))
        };
        let read = std::fs::metadata(file).and_then(|about| match about.len() {
            0..=CA_MOST => std::fs::read_to_string(file),
            _ => Err(std::io::ErrorKind::FileTooLarge.into()),
        });
        let pem = read.map_err(|error| refuse(format!("cannot be read: {error}")))?;
        if !pem.contains(CERTIFICATE) {
            return Err(refuse("holds no certificate in PEM".to_owned()));
        }
        Ok(OwnedTLSConfig { identity: None, cert_chain: Some(pem) })
    }

    /// The parsed brokers, if all options can be used.
    pub(crate) fn brokers(&self) -> Result<Vec<Broker>, RabbitError> {
        let refuse = |reason: String| Err(RabbitError::Options(reason));
        if self.urls.is_empty() || self.urls.len() > URLS_MOST {
            return refuse(format!("1..={URLS_MOST} URLs of RabbitMQ are needed"));
        }
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-');
        if self.prefix.len() > PREFIX_MOST || !self.prefix.chars().all(allowed) {
            return refuse(format!("the prefix takes at most {PREFIX_MOST} characters of a-z 0-9 . _ -"));
        }
        let ladder = &self.shape.ladder;
        let odd = |step: &Duration| step.is_zero() || !step.subsec_nanos().is_multiple_of(1_000_000);
        if ladder.is_empty()
            || ladder.len() > STEPS_MOST
            || ladder.iter().any(odd)
            || !ladder.is_sorted_by(|a, b| a < b)
        {
            return refuse(format!(
                "the ladder takes 1..={STEPS_MOST} ascending steps of whole milliseconds"
            ));
        }
        let parse = |(index, url): (usize, &String)| {
            let form = "amqp://user:password@host:port/vhost";
            // What the parser says may repeat the URL, and so the password.
            Broker::parse(url, self.limits.connect).ok_or_else(|| {
                RabbitError::Options(format!("URL {} of RabbitMQ is not of the form {form}", index + 1))
            })
        };
        self.urls.iter().enumerate().map(parse).collect()
    }
}

impl fmt::Debug for RabbitOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts: Vec<String> = self.brokers().unwrap_or_default().into_iter().map(|b| b.host).collect();
        f.debug_struct("RabbitOptions")
            .field("hosts", &hosts)
            .field("ca_file", &self.ca_file)
            .field("prefix", &self.prefix)
            .field("shape", &self.shape)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// A broker's address. Its `Debug` is not derived: the address holds a password.
#[derive(Clone)]
pub(crate) struct Broker {
    pub(crate) uri: AMQPUri,
    /// `host:port`, for messages.
    pub(crate) host: String,
}

impl Broker {
    fn parse(url: &str, limit: Duration) -> Option<Self> {
        let mut uri: AMQPUri = url.parse().ok()?;
        uri.query.heartbeat = Some(uri.query.heartbeat.unwrap_or(HEARTBEAT_SECONDS));
        uri.query.connection_timeout = u64::try_from(limit.as_millis()).ok();
        let host = format!("{}:{}", uri.authority.host, uri.authority.port);
        Some(Self { uri, host })
    }
}
