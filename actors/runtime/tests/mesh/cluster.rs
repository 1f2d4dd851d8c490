//! Nodes as child processes, and what the tests say to them.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use tandem_runtime::certs;
use tandem_runtime::mesh::NodeName;
use tempfile::TempDir;

use crate::node::{Settings, VARIABLE};

/// How long anything may take that has no limit of its own.
pub(crate) const PATIENCE: Duration = Duration::from_secs(15);

/// Makes certificates and a cookie, and starts nodes with them.
pub(crate) struct Cluster {
    folder: TempDir,
}

/// A member, as a node shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) node: String,
    pub(crate) boot: String,
    pub(crate) state: String,
}

pub(crate) struct Node {
    pub(crate) settings: Settings,
    child: Child,
    input: Mutex<(ChildStdin, u64)>,
    answers: Arc<(Mutex<HashMap<String, String>>, Condvar)>,
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Polls until it holds.
pub(crate) fn until(what: &str, limit: Duration, holds: impl Fn() -> bool) {
    let end = Instant::now() + limit;
    while !holds() {
        assert!(Instant::now() < end, "not within {limit:?}: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A folder with an authority, and certificates of these nodes.
pub(crate) fn authority(folder: &Path, nodes: &[&str]) -> PathBuf {
    std::fs::create_dir_all(folder).unwrap();
    certs::make_ca(folder).unwrap();
    for node in nodes {
        certs::make_node_cert(
            folder,
            &NodeName::new(*node).unwrap(),
            &["127.0.0.1", "localhost"].map(str::to_owned),
        )
        .unwrap();
    }
    folder.to_owned()
}

impl Cluster {
    /// With certificates for these nodes.
    pub(crate) fn new(nodes: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        authority(folder.path(), nodes);
        certs::make_cookie(folder.path()).unwrap();
        Self { folder }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Settings of a node that looks for others at `seed`, or is the seed itself.
    pub(crate) fn settings(&self, name: &str, seed: Option<&Node>) -> Settings {
        let port = free_port();
        let seed = seed.map_or(port, |node| node.settings.port);
        Settings {
            name: name.to_owned(),
            port,
            seeds: vec![format!("127.0.0.1:{seed}")],
            authority: self.path().to_owned(),
            cookie: self.path().join(certs::COOKIE),
        }
    }

    pub(crate) fn start(&self, name: &str, seed: Option<&Node>) -> Node {
        Node::start(self.settings(name, seed))
    }

    /// Three nodes that know only the first one, once each sees all.
    pub(crate) fn three(&self) -> [Node; 3] {
        let a = self.start("a", None);
        let nodes = [self.start("b", Some(&a)), self.start("c", Some(&a))];
        let [b, c] = nodes;
        let nodes = [a, b, c];
        until_they_see(&nodes, &["a", "b", "c"], PATIENCE);
        nodes
    }
}

/// Waits until each of these nodes sees these members.
pub(crate) fn until_they_see<'a>(
    nodes: impl IntoIterator<Item = &'a Node>,
    members: &[&str],
    limit: Duration,
) {
    let end = Instant::now() + limit;
    for node in nodes {
        let left = end.saturating_duration_since(Instant::now());
        until(&format!("{} sees {members:?}", node.settings.name), left, || node.sees() == members);
    }
}

impl Node {
    pub(crate) fn start(settings: Settings) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "a_node", "--ignored", "--nocapture", "--test-threads", "1"])
            .env(VARIABLE, settings.encode())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let answers = Arc::new((Mutex::new(HashMap::new()), Condvar::new()));
        let (shared, output) = (Arc::clone(&answers), BufReader::new(child.stdout.take().unwrap()));
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                // The test harness of the child writes onto the same line.
                let Some((_, answer)) = line.split_once('@') else { continue };
                let (number, text) = answer.split_once(' ').unwrap_or((answer, ""));
                shared.0.lock().unwrap().insert(number.to_owned(), text.to_owned());
                shared.1.notify_all();
            }
        });
        let input = Mutex::new((child.stdin.take().unwrap(), 0));
        let node = Self { settings, child, input, answers };
        node.answer_to("ready", PATIENCE).expect("the node is up");
        node
    }

    /// Begins a command; its number gets the answer.
    pub(crate) fn begin(&self, command: &str) -> String {
        let mut input = self.input.lock().unwrap();
        input.1 += 1;
        let number = input.1.to_string();
        writeln!(input.0, "{number} {command}").unwrap();
        number
    }

    pub(crate) fn answer_to(&self, number: &str, limit: Duration) -> Option<String> {
        let (answers, changed) = &*self.answers;
        let waiting = |answers: &mut HashMap<String, String>| !answers.contains_key(number);
        let (mut answers, _) = changed.wait_timeout_while(answers.lock().unwrap(), limit, waiting).unwrap();
        answers.remove(number)
    }

    pub(crate) fn tell(&self, command: &str) -> String {
        let number = self.begin(command);
        self.answer_to(&number, PATIENCE).unwrap_or_else(|| panic!("no answer to {command}"))
    }

    pub(crate) fn members(&self) -> Vec<Shown> {
        let shown = self.tell("members");
        let members = shown.split(' ').map(|member| {
            let parts: Vec<&str> = member.split('/').collect();
            let [node, boot, _, state] = parts[..] else { panic!("not a member: {member}") };
            Shown { node: node.to_owned(), boot: boot.to_owned(), state: state.to_owned() }
        });
        members.collect()
    }

    /// The names of the members.
    pub(crate) fn sees(&self) -> Vec<String> {
        self.members().into_iter().map(|member| member.node).collect()
    }

    pub(crate) fn member(&self, name: &str) -> Option<Shown> {
        self.members().into_iter().find(|member| member.node == name)
    }

    /// Asks a peer to send so many bytes back.
    pub(crate) fn echo(&self, peer: &str, size: usize) -> String {
        self.tell(&format!("ask {peer} e {size} 5000"))
    }

    pub(crate) fn signal(&self, signal: &str) {
        let done = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(done.success());
    }

    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
