//! The part of a configuration that is about more than one machine: where rows, originals and tasks lie, and the mesh.

use std::collections::BTreeSet;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Deserialize;

use crate::node_config::{NodeConfig, Role};

section! {
    /// Where rows lie.
    Store {
        /// A file or a cluster.
        engine: StoreEngine,
        /// How the cluster is reached.
        scylla: Scylla,
    }
}
section! {
    /// How ScyllaDB or Cassandra is reached.
    Scylla {
        /// `host:port`, at least one.
        nodes: Vec<String>,
        /// The keyspace.
        keyspace: String,
        /// Copies, 1..=9.
        replication: u8,
        /// Seconds, 1..=300.
        connect_timeout_s: u64,
        /// 1..=1000.
        attempts: u32,
        /// Milliseconds, 1..=60000.
        back_off_ms: u64,
        /// Milliseconds, 100..=60000.
        request_timeout_ms: u64,
        /// Milliseconds, 100..=60000.
        conditional_timeout_ms: u64,
        /// 1..=65536.
        concurrency: usize,
    }
}
section! {
    /// Where originals lie.
    Objects {
        /// A folder or a bucket.
        engine: ObjectsEngine,
        /// A folder; empty = inside the data folder.
        folder: PathBuf,
        /// Whether every node sees the same folder.
        shared: bool,
        /// How the bucket is reached.
        s3: S3,
    }
}
section! {
    /// How a bucket is reached.
    S3 {
        /// A URL; empty = Amazon's.
        endpoint: String,
        /// A URL; empty = the same.
        public_endpoint: String,
        /// The region.
        region: String,
        /// The bucket.
        bucket: String,
        /// Before each key.
        prefix: String,
        /// Who.
        access_key_id: Secret,
        /// The proof.
        secret_access_key: Secret,
        /// Whether the bucket is part of the path.
        path_style: bool,
        /// Whether an endpoint without TLS is accepted.
        allow_http: bool,
    }
}
section! {
    /// How RabbitMQ is reached.
    RabbitMq {
        /// URLs of the brokers, with passwords.
        urls: Vec<Secret>,
        /// A PEM file; empty = none besides the machine's own.
        ca: PathBuf,
        /// Before each name on the broker.
        prefix: String,
        /// 1..=1000.
        attempts: u32,
        /// Milliseconds, 1..=60000.
        back_off_ms: u64,
    }
}
section! {
    /// Other nodes.
    Mesh {
        /// Address and port; empty = no mesh.
        listen: String,
        /// `host:port`; empty = `listen`.
        advertise: String,
        /// `host:port` each.
        seeds: Vec<String>,
        /// A PEM file.
        ca: PathBuf,
        /// A PEM file.
        cert: PathBuf,
        /// A PEM file.
        key: PathBuf,
        /// A file.
        cookie_file: PathBuf,
        /// Seconds, 0..=3600.
        hold_down_s: u64,
    }
}

/// Where rows lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoreEngine {
    /// In a file of this machine.
    Embedded,
    /// In ScyllaDB or Cassandra.
    Scylla,
}

/// What carries tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueueEngine {
    /// A table of the file.
    Embedded,
    /// A broker.
    Rabbitmq,
}

/// Where originals lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectsEngine {
    /// In a folder.
    Folder,
    /// In a bucket.
    S3,
}

/// A text that no log line may show.
#[derive(Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The text itself: for the one who needs it, never for a message.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"...\"")
    }
}

/// What does not fit: the key and the reason.
type Misfit = (&'static str, String);

impl NodeConfig {
    /// What the parts of a cluster ask of one another.
    pub(crate) fn check_cluster(&self) -> Result<(), Misfit> {
        let fail = |key, reason: &str| Err((key, reason.to_owned()));
        let roles: BTreeSet<Role> = self.node.roles.iter().copied().collect();
        if roles.is_empty() || roles.len() != self.node.roles.len() {
            return fail("node.roles", "expected at least one role, each once");
        }
        let one_machine = self.store.engine == StoreEngine::Embedded;
        if one_machine != (self.queue.engine == QueueEngine::Embedded) {
            let reason = "set store.engine = \"scylla\" and queue.engine = \"rabbitmq\" together, or neither";
            return fail("queue.engine", reason);
        }
        if one_machine && roles.len() != Role::ALL.len() {
            return fail("node.roles", "one machine has every role: nobody else could have the others");
        }
        if one_machine && !self.mesh.listen.is_empty() {
            return fail("mesh.listen", "a mesh needs store.engine = \"scylla\"");
        }
        if !one_machine && self.objects.engine == ObjectsEngine::Folder && !self.objects.shared {
            let reason = "a node of a cluster keeps originals where every node finds them: set \
                          objects.engine = \"s3\", or shared = true if the folder is the same for all";
            return fail("objects.shared", reason);
        }
        if self.objects.engine == ObjectsEngine::S3 && self.objects.s3.bucket.is_empty() {
            return fail("objects.s3.bucket", "objects.engine = \"s3\" needs a bucket");
        }
        if self.store.scylla.nodes.is_empty() {
            return fail("store.scylla.nodes", "expected at least one host:port");
        }
        if self.queue.rabbitmq.urls.is_empty() {
            return fail("queue.rabbitmq.urls", "expected at least one URL");
        }
        self.check_mesh()
    }

    fn check_mesh(&self) -> Result<(), Misfit> {
        let mesh = &self.mesh;
        if mesh.listen.is_empty() {
            let searches_others = self.has(Role::Match) && !self.has(Role::Index);
            let reason = "a node with the role \"match\" and without \"index\" needs a mesh to search";
            return if searches_others { Err(("mesh.listen", reason.to_owned())) } else { Ok(()) };
        }
        let address = mesh.listen.parse::<SocketAddr>();
        if address.as_ref().is_ok_and(|address| address.ip().is_unspecified()) && mesh.advertise.is_empty() {
            let reason = "other nodes cannot reach this node under an address of all interfaces: say which with mesh.advertise";
            return Err(("mesh.advertise", reason.to_owned()));
        }
        if address.is_err() {
            let reason = "expected an address and a port, such as 0.0.0.0:7080";
            return Err(("mesh.listen", reason.to_owned()));
        }
        let files = [
            ("mesh.ca", &mesh.ca),
            ("mesh.cert", &mesh.cert),
            ("mesh.key", &mesh.key),
            ("mesh.cookie_file", &mesh.cookie_file),
        ];
        let missing = files.into_iter().find(|(_, file)| file.as_os_str().is_empty());
        let reason = "a mesh needs this file: `tandem certs --help` says how it is made";
        missing.map_or(Ok(()), |(key, _)| Err((key, reason.to_owned())))
    }
}
