//! A cluster of its own for a test: real nodes that share a broker, a database and a folder of originals.

use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::client::{Client, list, text};
use crate::sandbox::Sandbox;
use crate::services::Services;
use crate::{cli, poll};

/// Shards of the index.
pub const SHARDS: u16 = 16;
/// What a node does unless it is told otherwise.
pub const ALL_ROLES: &str = "edge,ingest,parse,embed,index,match";
/// How long the nodes may take to find one another and to share the shards out.
const SHARED_OUT_WITHIN: Duration = Duration::from_secs(180);

/// Nodes that make one cluster.
#[derive(Debug)]
pub struct Cluster {
    nodes: Vec<Sandbox>,
    folder: TempDir,
    environment: Vec<(String, String)>,
    mesh_ports: Vec<u16>,
}

impl Cluster {
    /// A cluster of so many nodes, all of them ready, each shard held by two of them.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    pub fn start(services: &Services, nodes: usize) -> Self {
        Self::start_with(services, &[], &vec![ALL_ROLES; nodes])
    }

    /// The same with a configuration of the test's own for all nodes, and with these roles for each. At least two nodes
    /// hold shards.
    ///
    /// # Panics
    /// See [`Cluster::start`].
    #[must_use]
    pub fn start_with(services: &Services, more: &[(&str, String)], roles: &[&str]) -> Self {
        let nodes = roles.len();
        let folder = tempfile::tempdir().expect("a folder can be made");
        let mut environment = environment(services, folder.path());
        environment.extend(more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        let borrowed: Vec<(&str, &str)> =
            environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        drop(cli::run_with(&borrowed, ["migrate"]).expect_success());
        let mesh = folder.path().join("mesh");
        drop(
            cli::run(["certs".as_ref(), "ca".as_ref(), "--dir".as_ref(), mesh.as_os_str()]).expect_success(),
        );
        let mut cluster = Self { nodes: Vec::new(), folder, environment, mesh_ports: free_ports(nodes) };
        for (number, roles) in roles.iter().enumerate() {
            cluster.add(number, roles);
        }
        for node in &mut cluster.nodes {
            node.spawn();
        }
        cluster.expect_shared_out();
        cluster
    }

    fn add(&mut self, number: usize, roles: &str) {
        let mesh = self.folder.path().join("mesh");
        let name = format!("node-{number}");
        let arguments =
            ["certs", "node", "--host", "127.0.0.1", &name, "--dir"].map(std::ffi::OsString::from);
        let arguments = arguments.into_iter().chain([mesh.clone().into_os_string()]);
        drop(cli::run(arguments).expect_success());
        let file = |name: &str| mesh.join(name).to_string_lossy().into_owned();
        let address = |port: &u16| format!("127.0.0.1:{port}");
        let others = self.mesh_ports.iter().enumerate().filter(|(other, _)| *other != number);
        let seeds: Vec<String> = others.map(|(_, port)| address(port)).collect();
        let own = [
            ("TANDEM_NODE__NAME", name.clone()),
            ("TANDEM_NODE__ROLES", roles.to_owned()),
            ("TANDEM_MESH__LISTEN", address(&self.mesh_ports[number])),
            ("TANDEM_MESH__SEEDS", seeds.join(",")),
            ("TANDEM_MESH__CA", file("ca.pem")),
            ("TANDEM_MESH__CERT", file(&format!("{name}.pem"))),
            ("TANDEM_MESH__KEY", file(&format!("{name}.key"))),
            ("TANDEM_MESH__COOKIE_FILE", file("cookie")),
        ];
        let all: Vec<(&str, &str)> =
            (self.environment.iter().map(|(name, value)| (name.as_str(), value.as_str())))
                .chain(own.iter().map(|(name, value)| (*name, value.as_str())))
                .collect();
        self.nodes.push(Sandbox::empty(&all));
    }

    /// How many nodes there are, whether they run or not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// A node; nodes are numbered from 0.
    ///
    /// # Panics
    /// When there is none of this number.
    #[must_use]
    pub fn node(&mut self, number: usize) -> &mut Sandbox {
        &mut self.nodes[number]
    }

    /// The folder of what the nodes share, such as originals.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A client of a node that runs.
    ///
    /// # Panics
    /// When it does not listen.
    #[must_use]
    pub fn client(&self, number: usize) -> Client {
        self.nodes[number].client()
    }

    /// The environment of a command on this cluster.
    #[must_use]
    pub fn environment(&self) -> Vec<(&str, &str)> {
        self.environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    /// Waits until every node is ready.
    ///
    /// # Panics
    /// When one does not become so.
    pub fn expect_ready(&mut self) {
        for node in &mut self.nodes {
            drop(node.expect_ready());
        }
    }

    /// Waits until every node is ready and sees every node, and each shard is held by exactly two that are up to date.
    ///
    /// # Panics
    /// When that does not come to be.
    pub fn expect_shared_out(&mut self) {
        let clients: Vec<Client> = self.nodes.iter_mut().map(Sandbox::expect_ready).collect();
        let nodes = clients.len();
        for client in clients {
            poll::until_ok("every shard has its owners", SHARED_OUT_WITHIN, || {
                let status = client.try_get("/status").map_err(|error| error.to_string())?;
                if status.status != 200 {
                    return Err(status.text);
                }
                let status = status.data();
                let seen = list(&status, "nodes").len();
                let owned = list(&status, "shards").iter().all(|shard| up_to_date(shard) == nodes.min(2));
                if seen == nodes && owned { Ok(()) } else { Err(status.to_string()) }
            });
        }
    }

    /// Asks every node to stop and waits until all have.
    ///
    /// # Panics
    /// When one does not end well.
    pub fn stop(mut self) {
        for node in &mut self.nodes {
            node.stop();
        }
    }
}

/// How many nodes hold a shard; 0 while one of them builds it or lags.
fn up_to_date(shard: &Value) -> usize {
    let owners = list(shard, "owners");
    let current =
        |owner: &Value| owner["caughtUp"] == true && owner["lag"] == 0 && !text(owner, "node").is_empty();
    if owners.iter().all(current) { owners.len() } else { 0 }
}

fn environment(services: &Services, folder: &Path) -> Vec<(String, String)> {
    let objects = folder.join("objects").to_string_lossy().into_owned();
    let copies = services.cassandra_nodes().to_string();
    let shards = SHARDS.to_string();
    let apart = match services.name() {
        "" => Vec::new(),
        name => vec![
            ("TANDEM_STORE__SCYLLA__KEYSPACE".to_owned(), format!("tandem_{name}")),
            ("TANDEM_QUEUE__RABBITMQ__PREFIX".to_owned(), format!("{name}.")),
        ],
    };
    let shared = [
        ("TANDEM_STORE__ENGINE", "scylla"),
        ("TANDEM_STORE__SCYLLA__NODES", &services.cql_nodes()),
        ("TANDEM_STORE__SCYLLA__REPLICATION", &copies),
        ("TANDEM_QUEUE__ENGINE", "rabbitmq"),
        ("TANDEM_QUEUE__RABBITMQ__URLS", services.amqp_url()),
        // What a node that died had in hand is taken by another after this long.
        ("TANDEM_QUEUE__LEASE_S", "5"),
        ("TANDEM_OBJECTS__FOLDER", &objects),
        ("TANDEM_OBJECTS__SHARED", "true"),
        ("TANDEM_INDEX__SHARDS", &shards),
        ("TANDEM_MESH__HOLD_DOWN_S", "5"),
        ("TANDEM_EMBEDDING__THREADS", "1"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    apart.into_iter().chain(shared).collect()
}

/// Ports that nobody listens on now.
fn free_ports(number: usize) -> Vec<u16> {
    let held: Vec<TcpListener> =
        (0..number).map(|_| TcpListener::bind("127.0.0.1:0").expect("a port can be had")).collect();
    held.iter().map(|held| held.local_addr().expect("it has an address").port()).collect()
}
