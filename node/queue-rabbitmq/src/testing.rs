//! Real brokers for tests: the one that everybody shares, and brokers of a test's own.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use lapin::options::{ExchangeDeleteOptions, QueueDeleteOptions};
use lapin::{Channel, Connection, ConnectionProperties};
use tandem_domain::ids::TaskId;
use tandem_domain::task::TaskRef;
use tandem_ports::testsuite::{ManualClock, samples};
use tandem_runtime::Spawner;
use tempfile::TempDir;

use crate::topology::Topology;
use crate::{RabbitOptions, RabbitQueue, Shape};

/// How long a test waits for what must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The port for TLS, counted from the broker's first.
const TLS: u16 = 3;

static PREFIXES: AtomicU64 = AtomicU64::new(0);
static BROKERS: AtomicU64 = AtomicU64::new(0);

/// The URL of the shared broker; `None`, said loudly, when there is none.
pub(crate) fn broker() -> Option<String> {
    let url = std::env::var("TANDEM_TEST_AMQP_URL").unwrap_or_default();
    if !url.is_empty() {
        return Some(url);
    }
    let needs = "it needs TANDEM_TEST_AMQP_URL; deploy/local/rabbitmq.sh start prints one";
    let required = std::env::var("TANDEM_REQUIRE_SERVICES").is_ok_and(|value| value == "1");
    assert!(!required, "{needs}");
    eprintln!("SKIPPED: {needs}");
    None
}

/// Options with a prefix that nobody else has.
pub(crate) fn options(url: &str) -> RabbitOptions {
    let clock = Arc::new(ManualClock::new(1));
    let number = PREFIXES.fetch_add(1, Ordering::Relaxed);
    RabbitOptions {
        prefix: format!("test.{}.{number}.{}.", std::process::id(), uuid::Uuid::now_v7().simple()),
        shape: Shape { ladder: vec![Duration::from_secs(4)], ..Shape::default() },
        ..RabbitOptions::new(vec![url.to_owned()], clock, Spawner::default())
    }
}

pub(crate) async fn connect(url: &str) -> RabbitQueue {
    RabbitQueue::connect(options(url)).await.unwrap()
}

pub(crate) fn key(number: u64) -> TaskRef {
    TaskRef { owner: samples::owner("alice"), id: TaskId::from_uuid(samples::uuid("task", number)) }
}

/// A connection that is nobody's but the test's.
pub(crate) async fn by_hand(url: &str) -> (Connection, Channel) {
    let connection = Connection::connect(url, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    (connection, channel)
}

/// Takes everything of one prefix off the broker.
pub(crate) async fn wipe(url: &str, topology: &Topology) {
    let (_connection, channel) = by_hand(url).await;
    for queue in topology.all() {
        channel.queue_delete(queue.into(), QueueDeleteOptions::default()).await.unwrap();
    }
    for exchange in [topology.work_exchange(), topology.dead_exchange()] {
        channel.exchange_delete(exchange.into(), ExchangeDeleteOptions::default()).await.unwrap();
    }
}

/// A broker that a test may stop, kill and starve.
pub(crate) struct OwnBroker {
    dir: TempDir,
    port: u16,
}

impl OwnBroker {
    pub(crate) fn start() -> Self {
        let this = Self::prepare();
        this.start_again();
        this
    }

    /// One that also listens for TLS, with cert.pem and key.pem of a folder.
    pub(crate) fn start_with_tls(certificates: &Path) -> Self {
        let this = Self::prepare();
        let file = |name: &str| certificates.join(name).display().to_string();
        let config = format!(
            "listeners.ssl.1 = 127.0.0.1:{}\nssl_options.cacertfile = {}\nssl_options.certfile = {}\n\
             ssl_options.keyfile = {}\nssl_options.verify = verify_none\n",
            this.port + TLS,
            file("ca.pem"),
            file("cert.pem"),
            file("key.pem"),
        );
        std::fs::write(this.dir.path().join("rabbitmq.conf"), config).unwrap();
        this.start_again();
        this
    }

    /// One that does not run yet.
    pub(crate) fn prepare() -> Self {
        let dir = TempDir::new().unwrap();
        // Below the ports that the system gives out by itself, three more behind it.
        let free = |port: &u16| (*port..=port + TLS).all(|p| TcpListener::bind(("127.0.0.1", p)).is_ok());
        // Each broker of this process looks in a range of its own.
        let range = u16::try_from(BROKERS.fetch_add(1, Ordering::Relaxed)).unwrap() * 100;
        let first = 20_000 + u16::try_from(std::process::id() % 10).unwrap() * 1_000 + range;
        let port = (first..first + 100).step_by(10).find(free).unwrap();
        Self { dir, port }
    }

    pub(crate) fn url(&self) -> String {
        format!("amqp://guest:guest@127.0.0.1:{}/%2f", self.port)
    }

    /// For the port with TLS, under this name of the machine.
    pub(crate) fn tls_url(&self, host: &str) -> String {
        format!("amqps://guest:guest@{host}:{}/%2f", self.port + TLS)
    }

    pub(crate) fn start_again(&self) {
        self.script(&["start", "--port", &self.port.to_string()], &[]);
    }

    /// Sends a signal to the broker: `TERM`, `KILL`, `STOP` or `CONT`.
    pub(crate) fn signal(&self, signal: &str) {
        let pid = std::fs::read_to_string(self.dir.path().join("pid")).unwrap();
        let sent = Command::new("kill").args([&format!("-{signal}"), pid.trim()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits until the broker's process is gone.
    pub(crate) fn stopped(&self) {
        self.script(&["stop"], &[]);
    }

    pub(crate) fn ctl(&self, arguments: &[&str]) {
        self.script(&["ctl"], arguments);
    }

    fn script(&self, command: &[&str], behind: &[&str]) {
        let script = repository().join("deploy/local/rabbitmq.sh");
        let mut call = Command::new(script);
        call.args(command).arg("--dir").arg(self.dir.path()).arg("--").args(behind);
        // Into files: the broker inherits what it is given, and a pipe would stay open as long as it lives.
        let log = std::fs::File::create(self.dir.path().join("script.log")).unwrap();
        let end = call.stdout(log.try_clone().unwrap()).stderr(log).status().unwrap();
        let said = std::fs::read_to_string(self.dir.path().join("script.log")).unwrap();
        assert!(end.success(), "{command:?} {behind:?}: {said}");
    }
}

impl Drop for OwnBroker {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return self.stopped();
        }
        let script = repository().join("deploy/local/rabbitmq.sh");
        let stopped = Command::new(script).args(["stop", "--dir"]).arg(self.dir.path()).status();
        eprintln!("broker of the failed test stopped: {stopped:?}");
    }
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}
