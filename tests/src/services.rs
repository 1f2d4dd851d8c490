//! Real servers of a test's own: a broker and a database that may be broken without harm to anybody else's.

use std::fs;
use std::io::Write;
use std::ops::Deref;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::paths;
use crate::slots::AllSlots;

/// The first port of the first test; below the ports that systems give out by themselves.
const FIRST_PORT: u16 = 21_000;
/// Between the ports of two tests.
const PORTS_EACH: u16 = 10;

/// Whether this machine is set up for tests on real servers: `make services` has run, or they are required. Where it is
/// not, says loudly that `test` is skipped.
///
/// # Panics
/// Never.
#[must_use]
pub fn are_there(test: &str) -> bool {
    let set = |name: &str| std::env::var(name).is_ok_and(|value| !value.is_empty());
    if std::env::var("TANDEM_REQUIRE_SERVICES").is_ok_and(|value| value == "1") || set("CQL_NODES") {
        return true;
    }
    let line = format!("\nSKIPPED {test}: there are no real servers on this machine; run `make services`\n");
    // Written past the capture of test output, so that it is seen when everything is well.
    std::io::stderr().write_all(line.as_bytes()).expect("standard error takes text");
    false
}

/// A RabbitMQ and a Cassandra for one test at a time.
#[derive(Debug)]
pub struct Services {
    servers: Servers,
    /// The folder of servers that are this test's alone; dropping it stops them.
    own: Option<TempDir>,
    /// Sets this test's data apart from those of others on the same servers; empty = there are no others.
    name: String,
    // Servers and three nodes are more than the machine has to spare beside other tests.
    _slots: AllSlots,
}

/// The servers themselves; threads of a test may break them while others use them.
#[derive(Debug, Clone)]
pub struct Servers {
    folder: PathBuf,
    cassandra_nodes: u16,
    cassandra_port: u16,
    amqp_url: String,
    s3_port: u16,
}

/// The servers of all tests that break none, with what stops them when this process has ended, however it ends.
static SHARED: OnceLock<(Servers, Child)> = OnceLock::new();

impl Servers {
    fn start(folder: &Path, number: u16, cassandra_nodes: u16) -> Self {
        let cassandra_port = FIRST_PORT + number * PORTS_EACH;
        let amqp_port = cassandra_port + 3_000;
        let (amqp_url, s3_port) = (String::new(), amqp_port + 3_000);
        let folder = folder.to_owned();
        let mut servers = Self { folder, cassandra_nodes, cassandra_port, amqp_url, s3_port };
        servers.start_cassandra();
        let port = amqp_port.to_string();
        let said = script("rabbitmq.sh", &["start", "--port", &port], &servers.broker());
        servers.amqp_url = said.trim().to_owned();
        servers
    }

    /// Starts the broker, if it does not run.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start_broker(&self) {
        drop(script("rabbitmq.sh", &["start"], &self.broker()));
    }

    /// Stops the broker in good order.
    ///
    /// # Panics
    /// When it does not stop.
    pub fn stop_broker(&self) {
        drop(script("rabbitmq.sh", &["stop"], &self.broker()));
    }

    /// Kills the broker where it stands.
    ///
    /// # Panics
    /// When it does not run.
    pub fn kill_broker(&self) {
        kill(&self.broker().join("pid"));
    }

    /// Kills a node of the database where it stands; nodes are numbered from 1.
    ///
    /// # Panics
    /// When it does not run.
    pub fn kill_cassandra(&self, node: u16) {
        kill(&self.database().join(format!("node{node}/pid")));
    }

    /// Starts what does not run of the database.
    ///
    /// # Panics
    /// When a node does not start.
    pub fn start_cassandra(&self) {
        let (nodes, port) = (self.cassandra_nodes.to_string(), self.cassandra_port.to_string());
        let arguments = ["start", "--nodes", nodes.as_str(), "--port", port.as_str()];
        drop(script("cassandra.sh", &arguments, &self.database()));
    }

    /// The folder with everything of the broker, its messages included.
    #[must_use]
    pub fn broker(&self) -> PathBuf {
        self.folder.join("rabbitmq")
    }

    fn buckets(&self) -> PathBuf {
        self.folder.join("s3")
    }

    fn database(&self) -> PathBuf {
        self.folder.join("cassandra")
    }
}

/// Waits in a process of its own for the end of this one, then stops the servers in `folder` and removes it.
fn keeper(folder: &Path) -> Child {
    let script = "cat; for server in rabbitmq s3 cassandra; do \"$0/$server.sh\" stop --dir \"$1/$server\"; done; rm -rf \"$1\"";
    let mut command = Command::new("bash");
    command.args(["-c", script]).arg(paths::repository().join("deploy/local")).arg(folder);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    command.spawn().expect("bash can be started")
}

impl Services {
    /// Starts servers that the test may break; `test` is a number that no other test of this program has, for its ports,
    /// 1 or more.
    ///
    /// # Panics
    /// When one does not start.
    #[must_use]
    pub fn start(test: u16, cassandra_nodes: u16) -> Self {
        let slots = AllSlots::take();
        let own = tempfile::tempdir().expect("a folder can be made");
        let servers = Servers::start(own.path(), test, cassandra_nodes);
        Self { servers, own: Some(own), name: String::new(), _slots: slots }
    }

    /// Servers that this test shares with others, with a keyspace and queues of its own, told apart by `name`: letters.
    ///
    /// # Panics
    /// When one does not start.
    #[must_use]
    pub fn shared(name: &str) -> Self {
        let slots = AllSlots::take();
        let (servers, _) = SHARED.get_or_init(|| {
            let folder = tempfile::tempdir().expect("a folder can be made").keep();
            let keeper = keeper(&folder);
            (Servers::start(&folder, 0, 1), keeper)
        });
        Self { servers: servers.clone(), own: None, name: name.to_owned(), _slots: slots }
    }

    /// What sets this test's data apart; empty = it has the servers for itself.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where the database is reached: `host:port` of each node.
    #[must_use]
    pub fn cql_nodes(&self) -> String {
        let node = |number: u16| format!("127.0.0.{number}:{}", self.servers.cassandra_port);
        (1..=self.servers.cassandra_nodes).map(node).collect::<Vec<_>>().join(",")
    }

    /// How many nodes the database has.
    #[must_use]
    pub const fn cassandra_nodes(&self) -> u16 {
        self.servers.cassandra_nodes
    }

    /// Where the broker is reached.
    #[must_use]
    pub fn amqp_url(&self) -> &str {
        &self.servers.amqp_url
    }

    /// Starts a server of S3's API with a bucket; the configuration of a node that keeps its originals there.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start_bucket(&self) -> Vec<(&'static str, String)> {
        let url =
            script("s3.sh", &["start", "--port", &self.servers.s3_port.to_string()], &self.servers.buckets());
        let parts = || {
            let (scheme, rest) = url.trim().split_once("://")?;
            let (keys, place) = rest.split_once('@')?;
            Some((scheme, keys.split_once(':')?, place.split_once('/')?))
        };
        let (scheme, (key, secret), (host, bucket)) =
            parts().expect("the script prints a URL with keys and bucket");
        vec![
            ("TANDEM_OBJECTS__ENGINE", "s3".to_owned()),
            ("TANDEM_OBJECTS__S3__ENDPOINT", format!("{scheme}://{host}")),
            ("TANDEM_OBJECTS__S3__BUCKET", bucket.to_owned()),
            ("TANDEM_OBJECTS__S3__REGION", "us-east-1".to_owned()),
            ("TANDEM_OBJECTS__S3__ACCESS_KEY_ID", key.to_owned()),
            ("TANDEM_OBJECTS__S3__SECRET_ACCESS_KEY", secret.to_owned()),
            ("TANDEM_OBJECTS__S3__ALLOW_HTTP", "true".to_owned()),
        ]
    }
}

impl Deref for Services {
    type Target = Servers;

    fn deref(&self) -> &Servers {
        &self.servers
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        if self.own.is_none() {
            return;
        }
        let Servers { folder, .. } = &self.servers;
        for name in ["rabbitmq", "s3", "cassandra"] {
            let (program, folder) = (format!("{name}.sh"), folder.join(name));
            if std::thread::panicking() {
                // The test has failed already: nothing is added by what stopping may say.
                drop(command(&program, &["stop"], &folder).output());
            } else {
                drop(script(&program, &["stop"], &folder));
            }
        }
    }
}

fn kill(pid_file: &Path) {
    let text = fs::read_to_string(pid_file).expect("a server that runs has a pid");
    let pid = text.trim().parse().ok().and_then(Pid::from_raw).expect("a pid is a number");
    kill_process(pid, Signal::KILL).expect("a server that runs can be killed");
}

fn command(name: &str, arguments: &[&str], folder: &Path) -> Command {
    let mut command = Command::new(paths::repository().join("deploy/local").join(name));
    command.args(arguments).arg("--dir").arg(folder);
    command
}

/// Runs a script of `deploy/local` on a folder; what it printed.
fn script(name: &str, arguments: &[&str], folder: &Path) -> String {
    let output = command(name, arguments, folder).output().expect("a script can be started");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{name} {} failed\n{}\n{}",
        arguments.join(" "),
        text(&output.stdout),
        text(&output.stderr)
    );
    text(&output.stdout)
}
