//! The types that a resolved configuration has. Whoever holds a [`NodeConfig`] holds a valid one.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;
use serde::Deserialize;
use tandem_domain::score::{Category, Weights};
use tandem_domain::time::Month;
use toml::Value;

use crate::DEFAULT_TOML;
use crate::auth::Auth;
use crate::cluster::{Mesh, Objects, QueueEngine, RabbitMq, Secret, Store};
use crate::embedding::EmbeddingConfig;
use crate::layers::{ConfigError, Layers, Source};
use crate::limits::Limits;
use crate::quota::{Plans, Quota};
use crate::telemetry::Telemetry;
use crate::uploads::Uploads;

section! {
    /// A node's whole configuration; each key is explained in `default.toml`.
    NodeConfig {
        /// Who the node is.
        node: Node,
        /// The HTTP edge.
        edge: Edge,
        /// Who may ask.
        auth: Auth,
        /// Where rows lie.
        store: Store,
        /// Where originals lie.
        objects: Objects,
        /// What may be submitted.
        documents: Documents,
        /// Files sent by a signed URL.
        uploads: Uploads,
        /// Reading foreign bytes.
        parsing: Parsing,
        /// The encoder.
        embedding: EmbeddingConfig,
        /// The match index.
        index: Index,
        /// Retrieval and scoring.
        matching: Matching,
        /// Deliveries and leases.
        queue: Queue,
        /// Whether and how plans are kept.
        quota: Quota,
        /// Limits of rates.
        limits: Limits,
        /// The plans.
        plans: Plans,
        /// Other nodes.
        mesh: Mesh,
        /// Stopping.
        shutdown: Shutdown,
        /// Logging.
        log: Log,
        /// What else is told of the node's work.
        telemetry: Telemetry,
    }
}
section! {
    /// Who the node is.
    Node {
        /// Letters, digits and hyphens, 1..=40.
        name: String,
        /// Where everything durable lies.
        data_dir: PathBuf,
        /// At least one.
        roles: Vec<Role>,
    }
}
section! {
    /// The HTTP edge.
    Edge {
        /// Address and port; without accounts loopback only.
        listen: SocketAddr,
        /// Seconds, 1..=300.
        request_timeout_s: u64,
        /// Bytes, 1 KiB..=64 MiB.
        max_json_bytes: usize,
        /// 1..=65536.
        max_in_flight: usize,
        /// Origins of pages in browsers that may call; empty = none, `*` = any.
        allowed_origins: Vec<String>,
        /// Whose `X-Forwarded-For` is believed.
        trusted_proxies: Vec<IpNet>,
        /// Whether requests say which trace they belong to.
        trust_traceparent: bool,
        /// Seconds, 1..=300.
        header_timeout_s: u64,
        /// 16..=65536.
        max_connections: usize,
        /// 1..=65536.
        max_streams: usize,
        /// Bytes, 1 KiB..=16 GiB.
        max_bulk_bytes: u64,
        /// Where callers reach this node; empty = as each request says.
        public_url: String,
        /// What an outside workflow shows with its reports, at least 32 characters; empty = there are none.
        workflow_token: Secret,
    }
}
section! {
    /// What may be submitted.
    Documents {
        /// Bytes, 1 KiB..=64 MiB.
        max_bytes: u64,
        /// 1..=1024.
        workers: usize,
        /// 1..=65536.
        queue: usize,
    }
}
section! {
    /// Reading foreign bytes.
    Parsing {
        /// 0..=256; 0 = one per processor.
        workers: usize,
        /// Seconds, 1..=600.
        timeout_s: u64,
        /// 1..=1000000.
        recycle_after: u32,
        /// 1..=10000.
        max_pages: u32,
        /// A month or empty.
        as_of: String,
    }
}
section! {
    /// The match index.
    Index {
        /// 1..=1024.
        shards: u16,
        /// 1..=4096.
        batch: u32,
    }
}
section! {
    /// Retrieval and scoring.
    Matching {
        /// 10..=10000.
        pool: usize,
        /// 1..=1024.
        terms: usize,
        /// 0..=256; 0 = one per processor.
        bulk_workers: usize,
        /// 1..=256.
        interactive_workers: usize,
        /// They sum to 10000.
        weights: Weights,
    }
}
section! {
    /// Deliveries and leases.
    Queue {
        /// A table or a broker.
        engine: QueueEngine,
        /// Seconds, 10..=86400.
        visibility_timeout_s: u64,
        /// Seconds, 5..=3600, shorter than the visibility time-out.
        lease_s: u64,
        /// How the broker is reached.
        rabbitmq: RabbitMq,
    }
}
section! {
    /// Stopping.
    Shutdown {
        /// Seconds, 0..=25.
        drain_s: u64,
    }
}
section! {
    /// Logging.
    Log {
        /// A level or a filter.
        level: String,
        /// For people or for machines.
        format: LogFormat,
    }
}

/// What a node does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Answers the HTTP API.
    Edge,
    /// Takes documents in.
    Ingest,
    /// Reads them.
    Parse,
    /// Makes their vectors.
    Embed,
    /// Holds shards of the index.
    Index,
    /// Scores.
    Match,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 6] = [Self::Edge, Self::Ingest, Self::Parse, Self::Embed, Self::Index, Self::Match];

    /// The role's name, such as `parse`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Edge => "edge",
            Self::Ingest => "ingest",
            Self::Parse => "parse",
            Self::Embed => "embed",
            Self::Index => "index",
            Self::Match => "match",
        }
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

impl NodeConfig {
    /// Default, file, environment and command line, in this order; the later one wins.
    ///
    /// # Errors
    /// The first key that is unknown or does not fit.
    pub fn resolve(
        file: Option<&Path>,
        env: impl Iterator<Item = (String, String)>,
        overrides: &[(&str, Value)],
    ) -> Result<Self, ConfigError> {
        let mut layers = Layers::new(DEFAULT_TOML)?;
        if let Some(path) = file {
            let text = std::fs::read_to_string(path).map_err(|error| ConfigError::Unreadable {
                path: path.to_owned(),
                reason: error.to_string(),
            })?;
            layers.lay(&text, &Source::File(path.to_owned()))?;
        }
        layers.lay_env(env)?;
        for (key, value) in overrides {
            layers.set(key, value.clone(), &Source::CommandLine)?;
        }
        let config = Self::typed(&layers)?;
        config.check(&layers)?;
        Ok(config)
    }

    /// Deserializes section by section, so that an error names its key.
    fn typed(layers: &Layers) -> Result<Self, ConfigError> {
        Value::Table(layers.table.clone()).try_into().map_err(|error: toml::de::Error| {
            let key = first_bad_key(layers).unwrap_or_else(|| "configuration".to_owned());
            ConfigError::BadValue { from: layers.source(&key), key, reason: error.message().to_owned() }
        })
    }

    fn check(&self, layers: &Layers) -> Result<(), ConfigError> {
        let fail = |key: &str, reason: String| {
            Err(ConfigError::BadValue { from: layers.source(key), key: key.to_owned(), reason })
        };
        for (key, value, low, high) in self.ranges() {
            if !(low..=high).contains(&value) {
                return fail(key, format!("{value} is not in {low}..={high}"));
            }
        }
        let name = &self.node.name;
        if name.is_empty() || name.len() > 40 || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        {
            return fail("node.name", "expected 1 to 40 letters, digits and hyphens".to_owned());
        }
        self.check_cluster().or_else(|(key, reason)| fail(key, reason))?;
        self.check_quota().or_else(|(key, reason)| fail(key, reason))?;
        self.check_limits().or_else(|(key, reason)| fail(key, reason))?;
        self.check_edge().or_else(|(key, reason)| fail(key, reason))?;
        self.check_uploads().or_else(|(key, reason)| fail(key, reason))?;
        self.check_auth().or_else(|(key, reason)| fail(key, reason))?;
        self.check_telemetry().or_else(|(key, reason)| fail(key, reason))?;
        self.check_embedding().or_else(|(key, reason)| fail(key, reason))?;
        if self.queue.lease_s >= self.queue.visibility_timeout_s {
            return fail("queue.lease_s", "must be shorter than queue.visibility_timeout_s".to_owned());
        }
        if let Some(bad) = self.log.level.split(',').find(|directive| !is_directive(directive)) {
            let reason = format!(
                "`{bad}` is no level or filter: expected error, warn, info, debug, trace or off, or target=level"
            );
            return fail("log.level", reason);
        }
        if !self.parsing.as_of.is_empty() && self.parsing.as_of.parse::<Month>().is_err() {
            return fail("parsing.as_of", "expected a month such as 2026-11, or nothing".to_owned());
        }
        Ok(())
    }

    fn ranges(&self) -> [(&'static str, u64, u64, u64); 41] {
        let u = |n: usize| n as u64;
        const MIB: u64 = 1 << 20;
        let scylla = &self.store.scylla;
        [
            ("edge.request_timeout_s", self.edge.request_timeout_s, 1, 300),
            ("edge.max_json_bytes", u(self.edge.max_json_bytes), 1024, 64 * MIB),
            ("edge.max_in_flight", u(self.edge.max_in_flight), 1, 65_536),
            ("edge.header_timeout_s", self.edge.header_timeout_s, 1, 300),
            ("edge.max_connections", u(self.edge.max_connections), 16, 65_536),
            ("edge.max_streams", u(self.edge.max_streams), 1, 65_536),
            ("edge.max_bulk_bytes", self.edge.max_bulk_bytes, 1024, 16 * 1024 * MIB),
            ("auth.jwt.leeway_s", self.auth.jwt.leeway_s, 0, 300),
            ("documents.max_bytes", self.documents.max_bytes, 1024, 64 * MIB),
            ("documents.workers", u(self.documents.workers), 1, 1024),
            ("documents.queue", u(self.documents.queue), 1, 65_536),
            ("uploads.expires_min", self.uploads.expires_min, 1, 1_440),
            ("parsing.workers", u(self.parsing.workers), 0, 256),
            ("parsing.timeout_s", self.parsing.timeout_s, 1, 600),
            ("parsing.recycle_after", u64::from(self.parsing.recycle_after), 1, 1_000_000),
            ("parsing.max_pages", u64::from(self.parsing.max_pages), 1, 10_000),
            ("embedding.max_tokens", u(self.embedding.max_tokens), 8, 512),
            ("embedding.threads", u(self.embedding.threads), 0, 256),
            ("embedding.cache_days", self.embedding.cache_days, 0, 3_650),
            ("embedding.workers", u(self.embedding.workers), 0, 256),
            ("index.shards", u64::from(self.index.shards), 1, 1024),
            ("index.batch", u64::from(self.index.batch), 1, 4096),
            ("matching.pool", u(self.matching.pool), 10, 10_000),
            ("matching.terms", u(self.matching.terms), 1, 1024),
            ("matching.bulk_workers", u(self.matching.bulk_workers), 0, 256),
            ("matching.interactive_workers", u(self.matching.interactive_workers), 1, 256),
            ("queue.visibility_timeout_s", self.queue.visibility_timeout_s, 10, 86_400),
            ("queue.lease_s", self.queue.lease_s, 5, 3600),
            ("queue.rabbitmq.attempts", u64::from(self.queue.rabbitmq.attempts), 1, 1000),
            ("queue.rabbitmq.back_off_ms", self.queue.rabbitmq.back_off_ms, 1, 60_000),
            ("shutdown.drain_s", self.shutdown.drain_s, 0, 25),
            ("store.scylla.replication", u64::from(scylla.replication), 1, 9),
            ("store.scylla.connect_timeout_s", scylla.connect_timeout_s, 1, 300),
            ("store.scylla.attempts", u64::from(scylla.attempts), 1, 1000),
            ("store.scylla.back_off_ms", scylla.back_off_ms, 1, 60_000),
            ("store.scylla.request_timeout_ms", scylla.request_timeout_ms, 100, 60_000),
            ("store.scylla.conditional_timeout_ms", scylla.conditional_timeout_ms, 100, 60_000),
            ("store.scylla.concurrency", u(scylla.concurrency), 1, 65_536),
            ("mesh.hold_down_s", self.mesh.hold_down_s, 0, 3600),
            ("quota.period_s", self.quota.period_s, 1, 315_360_000),
            ("quota.block_pairs", self.quota.block_pairs, 1, 100_000_000),
        ]
    }

    /// Whether the node has this role.
    #[must_use]
    pub fn has(&self, role: Role) -> bool {
        self.node.roles.contains(&role)
    }

    /// The month that "present" means, where one is fixed.
    #[must_use]
    pub fn as_of(&self) -> Option<Month> {
        self.parsing.as_of.parse().ok()
    }
}

impl Edge {
    /// How long a request may take.
    #[must_use]
    pub const fn request_timeout(&self) -> Duration {
        Duration::from_secs(self.request_timeout_s)
    }

    /// How long a client may take for the head of a request.
    #[must_use]
    pub const fn header_timeout(&self) -> Duration {
        Duration::from_secs(self.header_timeout_s)
    }
}

/// `configured`, or the number of processors for 0.
#[must_use]
pub fn per_processor(configured: usize) -> NonZeroUsize {
    NonZeroUsize::new(configured)
        .or_else(|| std::thread::available_parallelism().ok())
        .unwrap_or(NonZeroUsize::MIN)
}

/// Whether a text is `level` or `target=level`.
fn is_directive(text: &str) -> bool {
    let (target, level) = text.trim().rsplit_once('=').unwrap_or(("any", text.trim()));
    let named = !target.is_empty() && target.chars().all(|c| c.is_ascii_alphanumeric() || "_:-".contains(c));
    named
        && matches!(
            level.to_ascii_lowercase().as_str(),
            "error" | "warn" | "info" | "debug" | "trace" | "off"
        )
}

/// Which key makes the whole table unreadable: the one without whose change it would be readable.
fn first_bad_key(layers: &Layers) -> Option<String> {
    let defaults = Layers::new(DEFAULT_TOML).ok()?;
    let weights: Vec<String> =
        Category::ALL.iter().map(|c| format!("matching.weights.{}", c.name())).collect();
    let sections = layers.table.iter().filter_map(|(name, value)| Some((name, value.as_table()?)));
    for (section, table) in sections {
        for (key, value) in table {
            let mut probe = defaults.table.clone();
            probe.get_mut(section)?.as_table_mut()?.insert(key.clone(), value.clone());
            if Value::Table(probe).try_into::<NodeConfig>().is_err() {
                let path = format!("{section}.{key}");
                let below = weights.iter().find(|w| layers.source(w) != Source::Default);
                return Some(below.filter(|w| w.starts_with(&path)).cloned().unwrap_or(path));
            }
        }
    }
    None
}
