//! A node in a process of its own. It takes commands as lines and answers each with a line that begins with `@`.

use std::io::BufRead;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tandem_domain::trace::TraceContext;
use tandem_ports::trace;
use tandem_runtime::Supervisor;
use tandem_runtime::mesh::{Cookie, Mesh, MeshLimits, MeshOptions, MeshTls, NodeName, PeerService};
use uuid::Uuid;

/// The most bytes of a question and of an answer.
pub(crate) const MOST: usize = 256 * 1024;

/// What a node is started with, in the variable of this name.
pub(crate) const VARIABLE: &str = "TANDEM_TEST_MESH_NODE";

/// A node's settings, as they stand in the variable, separated by blanks.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) name: String,
    pub(crate) port: u16,
    /// The host and ports of the seeds.
    pub(crate) seeds: Vec<String>,
    /// The folder with the certificates of the node's authority.
    pub(crate) authority: PathBuf,
    pub(crate) cookie: PathBuf,
}

impl Settings {
    pub(crate) fn encode(&self) -> String {
        let Self { name, port, seeds, authority, cookie } = self;
        format!("{name} {port} {} {} {}", seeds.join(","), authority.display(), cookie.display())
    }

    fn decode(text: &str) -> Self {
        let parts: Vec<&str> = text.split(' ').collect();
        let [name, port, seeds, authority, cookie] = parts[..] else { panic!("not settings: {text}") };
        Self {
            name: name.to_owned(),
            port: port.parse().unwrap(),
            seeds: seeds.split(',').map(str::to_owned).collect(),
            authority: authority.into(),
            cookie: cookie.into(),
        }
    }

    fn options(&self) -> MeshOptions {
        let file = |end: &str| self.authority.join(format!("{}.{end}", self.name));
        MeshOptions {
            node: NodeName::new(&self.name).unwrap(),
            boot: Uuid::now_v7(),
            listen: ([127, 0, 0, 1], self.port).into(),
            advertise: format!("127.0.0.1:{}", self.port),
            seeds: self.seeds.clone(),
            tls: MeshTls { ca: self.authority.join("ca.pem"), cert: file("pem"), key: file("key") },
            cookie: Cookie::read(&self.cookie).unwrap(),
            limits: MeshLimits { serving: 8, body: MOST, bytes: 32 * MOST, ..MeshLimits::default() },
        }
    }
}

/// Does what the first byte of a request says.
struct Service;

#[async_trait]
impl PeerService for Service {
    async fn answer(&self, from: NodeName, request: Bytes, _deadline: Duration) -> Bytes {
        match request.first() {
            Some(b'p') => panic!("on purpose"),
            Some(b's') => {
                tokio::time::sleep(Duration::from_secs(20)).await;
                request
            }
            Some(b'b') => Bytes::from(vec![b'b'; MOST + 1]),
            Some(b'f') => Bytes::from(from.to_string()),
            Some(b't') => Bytes::from(trace::current().map(|at| at.trace.to_string()).unwrap_or_default()),
            Some(_) | None => request,
        }
    }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
pub(crate) async fn run() {
    let Ok(settings) = std::env::var(VARIABLE) else { return };
    let settings = Settings::decode(&settings);
    let supervisor = Supervisor::start(&settings.name).await.unwrap();
    let mesh = Mesh::start(&supervisor, settings.options(), Arc::new(Service)).await.unwrap();
    say("ready");
    let (lines, mut commands) = tokio::sync::mpsc::channel::<String>(1_024);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(()) = lines.blocking_send(line.unwrap()) else { return };
        }
    });
    while let Some(line) = commands.recv().await {
        let (mesh, supervisor) = (mesh.clone(), supervisor.clone());
        let mut command = Box::pin(async move { say(&obey(&line, &mesh, &supervisor).await) });
        // Begun here, so that what is asked is on its way before the next command is looked at.
        if futures::poll!(&mut command).is_pending() {
            tokio::spawn(command);
        }
    }
}

#[expect(clippy::print_stdout, reason = "this is how a node answers")]
fn say(line: &str) {
    println!("@{line}");
}

/// `<number> <command> <arguments>`; the answer begins with the number.
async fn obey(line: &str, mesh: &Mesh, supervisor: &tandem_runtime::SupervisorHandle) -> String {
    let mut words = line.split(' ');
    let mut word = || words.next().unwrap_or_default();
    let (number, command) = (word(), word());
    let answer = match command {
        "members" => {
            let members = mesh.members().borrow().clone();
            let shown = members.iter().map(|member| {
                let state = String::from_utf8_lossy(&member.state);
                format!("{}/{}/{}/{state}", member.node, member.boot, member.advertise)
            });
            shown.collect::<Vec<_>>().join(" ")
        }
        "ask" => {
            let (peer, kind, size) = (NodeName::new(word()).unwrap(), word(), word());
            let deadline = Duration::from_millis(word().parse().unwrap());
            let request = vec![kind.as_bytes()[0]; size.parse().unwrap()];
            match mesh.ask(&peer, request.into(), deadline).await {
                Ok(answer) if kind == "f" => format!("from {}", String::from_utf8_lossy(&answer)),
                Ok(answer) => {
                    assert!(answer.iter().all(|byte| *byte == kind.as_bytes()[0]));
                    format!("ok {}", answer.len())
                }
                Err(error) => format!("{error:?}"),
            }
        }
        "trace" => {
            let (peer, trace) = (NodeName::new(word()).unwrap(), TraceContext::parse(word().as_bytes()));
            let ask = mesh.ask(&peer, Bytes::from_static(b"t"), Duration::from_secs(5));
            String::from_utf8_lossy(&trace::within(trace, ask).await.unwrap()).into_owned()
        }
        "announce" => format!("{:?}", mesh.announce(word().to_owned().into())),
        "kill" => supervisor.kill(word()).to_string(),
        "leave" => {
            mesh.leave().await;
            supervisor.actors().len().to_string()
        }
        other => panic!("{other} is no command"),
    };
    format!("{number} {answer}")
}
