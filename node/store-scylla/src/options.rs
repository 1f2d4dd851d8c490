//! What the caller decides.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tandem_ports::Clock;

use crate::error::ScyllaError;

/// How many copies of each row are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replication {
    /// As many in every data center.
    Factor(u8),
    /// As many in each named data center.
    PerDatacenter(Vec<(String, u8)>),
}

/// How a cluster is reached.
#[derive(Clone)]
pub struct ScyllaOptions {
    /// `host:port` of some nodes; the others are found through them.
    pub nodes: Vec<String>,
    /// The keyspace: a lower-case letter, then at most 47 lower-case letters, digits and underscores.
    pub keyspace: String,
    /// Copies of each row; used when the keyspace is made.
    pub replication: Replication,
    /// Whether a commit log guards the keyspace; used when it is made. False is for tests alone.
    pub durable_writes: bool,
    /// The limit of one attempt to connect, and of preparing all statements.
    pub connect_timeout: Duration,
    /// The limit of a read or an unconditional write.
    pub request_timeout: Duration,
    /// The limit of a conditional write: above the servers' own, so that a server gives up before its client does.
    pub conditional_timeout: Duration,
    /// Attempts to connect, at least 1.
    pub attempts: u32,
    /// The wait after attempt n is n times this.
    pub back_off: Duration,
    /// Requests in flight, at least 1.
    pub concurrency: usize,
    /// The time, and operation ids.
    pub clock: Arc<dyn Clock>,
}

impl ScyllaOptions {
    /// The usual keyspace.
    pub const KEYSPACE: &str = "tandem";
    /// The usual limit of one attempt to connect.
    pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
    /// The usual limit of a request.
    pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
    /// The usual limit of a conditional write.
    pub const CONDITIONAL_TIMEOUT: Duration = Duration::from_secs(8);
    /// The usual number of attempts.
    pub const ATTEMPTS: u32 = 5;
    /// The usual step of the back-off.
    pub const BACK_OFF: Duration = Duration::from_secs(1);
    /// The usual number of requests in flight.
    pub const CONCURRENCY: usize = 256;
    /// The longest name of a keyspace, which servers set.
    const MAX_KEYSPACE: usize = 48;

    /// The usual options for these nodes.
    #[must_use]
    pub fn new(nodes: Vec<String>, clock: Arc<dyn Clock>) -> Self {
        Self {
            nodes,
            keyspace: Self::KEYSPACE.to_owned(),
            replication: Replication::Factor(3),
            durable_writes: true,
            connect_timeout: Self::CONNECT_TIMEOUT,
            request_timeout: Self::REQUEST_TIMEOUT,
            conditional_timeout: Self::CONDITIONAL_TIMEOUT,
            attempts: Self::ATTEMPTS,
            back_off: Self::BACK_OFF,
            concurrency: Self::CONCURRENCY,
            clock,
        }
    }

    /// Checks what becomes part of a statement's text.
    pub(crate) fn validate(&self) -> Result<(), ScyllaError> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let name = &self.keyspace;
        let begins = name.starts_with(|c: char| c.is_ascii_lowercase());
        if !begins || name.len() > Self::MAX_KEYSPACE || !name.chars().all(plain) {
            return Err(ScyllaError::Options("the keyspace's name is not valid".to_owned()));
        }
        if self.nodes.is_empty() {
            return Err(ScyllaError::Options("no node is named".to_owned()));
        }
        if let Replication::PerDatacenter(centers) = &self.replication {
            let named = |name: &str| {
                !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
            };
            if centers.is_empty() || !centers.iter().all(|(name, _)| named(name)) {
                return Err(ScyllaError::Options("a data center's name is not valid".to_owned()));
            }
        }
        Ok(())
    }

    /// The statement that makes the keyspace.
    pub(crate) fn create_keyspace(&self) -> String {
        let copies = match &self.replication {
            Replication::Factor(factor) => format!("'replication_factor': {factor}"),
            Replication::PerDatacenter(centers) => {
                let each: Vec<String> = centers.iter().map(|(name, n)| format!("'{name}': {n}")).collect();
                each.join(", ")
            }
        };
        format!(
            "CREATE KEYSPACE IF NOT EXISTS {} WITH replication = {{'class': 'NetworkTopologyStrategy', {copies}}} \
             AND durable_writes = {}",
            self.keyspace, self.durable_writes
        )
    }
}

impl fmt::Debug for ScyllaOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScyllaOptions")
            .field("nodes", &self.nodes)
            .field("keyspace", &self.keyspace)
            .field("replication", &self.replication)
            .finish_non_exhaustive()
    }
}
