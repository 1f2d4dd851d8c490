//! A node of its own for a test: a real `tandem serve` on a fresh data folder and a free port.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStderr, ExitStatus};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::cli::{AS_OF, command};
use crate::client::Client;
use crate::slots::Slot;
use crate::{poll, process};

/// How long a node may take until it takes work. Starting is measured by a bench; this only ends a wait in vain.
const READY_WITHIN: Duration = Duration::from_secs(180);
/// Starts of a node that ends for want of its servers.
const STARTS: usize = 10;
/// The bound that the configuration promises for a stop.
const STOPS_WITHIN: Duration = Duration::from_secs(30);
/// Lines of standard error that a failure repeats.
const LAST_LINES: usize = 60;
/// What no node may ever say.
const NEVER_SAID: [&str; 2] = ["panicked at", "leaked"];
/// Before the address, in the line that says where a node listens.
const LISTENING: &str = "listening on ";

/// A data folder with at most one node on it. Dropping it kills the node and fails the test if the node ended by
/// itself, panicked, or left child processes behind.
#[derive(Debug)]
pub struct Sandbox {
    node: Option<Node>,
    environment: Vec<(String, String)>,
    said: String,
    // Behind the node, so that the folder goes after the process.
    folder: TempDir,
    _slot: Slot,
}

#[derive(Debug)]
struct Node {
    child: Child,
    said: Arc<Mutex<String>>,
    reader: JoinHandle<()>,
}

impl Sandbox {
    /// A node that is ready for work.
    ///
    /// # Panics
    /// When it does not become ready.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same with these environment variables.
    ///
    /// # Panics
    /// See [`Sandbox::start`].
    #[must_use]
    pub fn start_with(environment: &[(&str, &str)]) -> Self {
        let mut sandbox = Self::empty(environment);
        sandbox.spawn();
        sandbox.expect_ready();
        sandbox
    }

    /// A data folder without a node.
    ///
    /// # Panics
    /// When no folder can be made.
    #[must_use]
    pub fn empty(environment: &[(&str, &str)]) -> Self {
        let mut all = vec![("TANDEM_PARSING__AS_OF".to_owned(), AS_OF.to_owned())];
        all.extend(environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let folder = tempfile::tempdir().expect("a folder can be made");
        Self { node: None, environment: all, said: String::new(), folder, _slot: Slot::take() }
    }

    /// Starts a process on the folder and does not wait for anything.
    ///
    /// # Panics
    /// When there is one already.
    pub fn spawn(&mut self) {
        assert!(self.node.is_none(), "one process at a time");
        let mut command = command();
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(self.data());
        command.envs(self.environment.iter().cloned());
        let mut child = command.spawn().expect("tandem can be started");
        drop(child.stdout.take());
        let said = Arc::new(Mutex::new(String::new()));
        let stderr = child.stderr.take().expect("standard error was asked for");
        let reader = thread::spawn({
            let said = Arc::clone(&said);
            move || listen(stderr, &said)
        });
        self.node = Some(Node { child, said, reader });
    }

    /// Waits until the node takes work and gives a client for it.
    ///
    /// # Panics
    /// When it does not within three minutes, or ends.
    pub fn expect_ready(&mut self) -> Client {
        let ready = self.ready_unless_ended();
        ready.unwrap_or_else(|| panic!("the node ended at its start\n{}", self.last_words()))
    }

    /// Waits until the node takes work or has ended.
    fn ready_unless_ended(&mut self) -> Option<Client> {
        let what = "the node becomes ready";
        let client = poll::until(what, READY_WITHIN, || match self.address() {
            Some(address) => Some(Some(Client::new(&address))),
            None => self.has_ended().then_some(None),
        })?;
        poll::until(what, READY_WITHIN, || match client.try_get("/readyz") {
            Ok(answer) if answer.status == 200 => Some(Some(client.clone())),
            _ => self.has_ended().then_some(None),
        })
    }

    /// Starts the node and waits until it takes work; should it end for want of its servers, it is started again, as by
    /// whatever runs it elsewhere.
    ///
    /// # Panics
    /// When it still ends after ten starts.
    pub fn start_again(&mut self) {
        for _ in 0..STARTS {
            self.spawn();
            if self.ready_unless_ended().is_some() {
                return;
            }
            self.bury();
        }
        panic!("the node ends at each start\n{}", self.last_words());
    }

    /// A client for the node.
    ///
    /// # Panics
    /// When there is no node that listens.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::new(&self.address().expect("the node listens"))
    }

    /// Where the node listens, such as `http://127.0.0.1:8080`, once it has said so.
    #[must_use]
    pub fn address(&self) -> Option<String> {
        let said = self.node.as_ref()?.said();
        let (_, rest) = said.split_once(LISTENING)?;
        // The line is whole; in a log of JSON a quote ends the address.
        let (line, _) = rest.split_once('\n')?;
        line.split(|c: char| c.is_whitespace() || c == '"').next().map(str::to_owned)
    }

    /// The data folder.
    #[must_use]
    pub fn data(&self) -> &Path {
        self.folder.path()
    }

    /// The process's id, which is also its group's.
    ///
    /// # Panics
    /// When there is no process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.node.as_ref().expect("there is a node").child.id()
    }

    /// Everything that the nodes of this sandbox have written to standard error.
    #[must_use]
    pub fn said(&self) -> String {
        let now = self.node.as_ref().map(Node::said).unwrap_or_default();
        format!("{}{now}", self.said)
    }

    /// Asks the node to stop and waits until it has.
    ///
    /// # Panics
    /// When it does not end with exit code 0 within 30 seconds, or leaves children behind.
    pub fn stop(&mut self) {
        self.ask_to_stop();
        let status = self.ended_within(STOPS_WITHIN);
        assert_eq!(status.code(), Some(0), "the node did not end well: {status}\n{}", self.last_words());
    }

    /// Sends SIGTERM.
    ///
    /// # Panics
    /// When there is no process.
    pub fn ask_to_stop(&self) {
        self.signal(Signal::TERM);
    }

    /// Waits until the process has ended by itself or by a signal.
    ///
    /// # Panics
    /// When it has not within `limit`, or leaves children behind.
    pub fn ended_within(&mut self, limit: Duration) -> ExitStatus {
        let node = self.node.as_mut().expect("there is a node");
        let status =
            poll::until("the node ends", limit, || node.child.try_wait().expect("a child can be asked"));
        self.bury();
        status
    }

    /// Kills the process where it stands (SIGKILL) and waits for its children to notice.
    ///
    /// # Panics
    /// When it had ended by itself before, or children stay.
    pub fn kill(&mut self) {
        let ended = self.has_ended();
        let last_words = self.last_words();
        let node = self.node.as_mut().expect("there is a node");
        node.child.kill().expect("a child can be killed");
        node.child.wait().expect("a child can be waited for");
        self.bury();
        assert!(!ended, "the node ended by itself\n{last_words}");
    }

    /// Stops the process where it stands (SIGSTOP): it keeps its connections and says nothing any more.
    ///
    /// # Panics
    /// When there is no process.
    pub fn freeze(&mut self) {
        self.signal(Signal::STOP);
    }

    /// Lets a frozen process go on, or starts one where there is none, and waits until it takes work.
    ///
    /// # Panics
    /// When it does not.
    pub fn revive(&mut self) {
        if self.node.is_some() {
            self.signal(Signal::CONT);
        } else {
            self.spawn();
        }
        drop(self.expect_ready());
    }

    fn signal(&self, signal: Signal) {
        let node = self.node.as_ref().expect("there is a node");
        kill_process(Pid::from_child(&node.child), signal).expect("a child can be signaled");
    }

    /// Whether the process has ended.
    pub fn has_ended(&mut self) -> bool {
        self.node.as_mut().is_none_or(|node| !matches!(node.child.try_wait(), Ok(None)))
    }

    fn bury(&mut self) {
        let Some(node) = self.node.take() else { return };
        let pid = node.child.id();
        process::expect_group_gone(pid);
        // The pipe ends with the last process that holds it.
        node.reader.join().expect("reading a pipe does not panic");
        let said = node.said.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.said.push_str(&said);
        for words in NEVER_SAID {
            assert!(!said.contains(words), "the node said `{words}`\n{}", last_lines(&said));
        }
    }

    /// The end of what the node has said, for a failure's message.
    #[must_use]
    pub fn last_words(&self) -> String {
        last_lines(&self.said())
    }
}

impl Node {
    fn said(&self) -> String {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn listen(stderr: ChildStderr, said: &Mutex<String>) {
    let mut lines = BufReader::new(stderr);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        said.lock().unwrap_or_else(PoisonError::into_inner).push_str(&String::from_utf8_lossy(&line));
        line.clear();
    }
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let skipped = lines.len().saturating_sub(LAST_LINES);
    format!("--- its last words\n{}", lines.get(skipped..).unwrap_or_default().join("\n"))
}

impl Drop for Sandbox {
    #[allow(clippy::print_stderr, reason = "the node's last words belong to the report of a failed test")]
    fn drop(&mut self) {
        if self.node.is_none() {
            return;
        }
        if thread::panicking() {
            eprintln!("{}", self.last_words());
            if let Some(node) = &mut self.node {
                // The test has failed already; nothing more can be said about the process.
                drop(node.child.kill());
                drop(node.child.wait());
            }
            return;
        }
        self.kill();
    }
}
