//! The command line, run as a person would run it.

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

use crate::paths;
use crate::poll::{self, Deadline};
use crate::process::{self, Watch};
use crate::slots::Slot;

/// How long any command may take.
const LIMIT: Duration = Duration::from_secs(180);

/// What `present` means in the sample's résumés.
pub const AS_OF: &str = "2026-11";

/// `tandem` without the configuration of whoever runs the tests.
pub(crate) fn command() -> Command {
    let mut command = Command::new(paths::tandem());
    for (name, _) in std::env::vars_os().filter(|(name, _)| is_configuration(name)) {
        command.env_remove(name);
    }
    // Its children stay in its group, so that those it leaves behind are found.
    command.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn is_configuration(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name == "TANDEM_CONFIG" || (name.starts_with("TANDEM_") && name.contains("__"))
}

/// What a command did.
#[derive(Debug)]
pub struct Output {
    /// Its exit code; -1 when a signal ended it.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// The most resident memory of all its processes together, in bytes.
    pub peak_memory: u64,
    /// Seconds of processor time of all its processes.
    pub cpu_seconds: f64,
    /// Seconds on the clock.
    pub wall_seconds: f64,
}

impl Output {
    /// Itself, if the command ended well.
    ///
    /// # Panics
    /// With everything the command said, if it did not.
    #[must_use]
    pub fn expect_success(self) -> Self {
        assert_eq!(self.code, 0, "tandem failed\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        self
    }
}

/// Runs `tandem` with these arguments.
///
/// # Panics
/// When it takes too long, panics, or leaves children behind.
#[must_use]
pub fn run<A: Into<OsString>>(arguments: impl IntoIterator<Item = A>) -> Output {
    run_with(&[], arguments)
}

/// The same with these environment variables.
///
/// # Panics
/// See [`run`].
#[must_use]
pub fn run_with<A: Into<OsString>>(
    environment: &[(&str, &str)],
    arguments: impl IntoIterator<Item = A>,
) -> Output {
    let _slot = Slot::take();
    let mut command = command();
    command.args(arguments.into_iter().map(Into::into)).envs(environment.iter().copied());
    let begun = Deadline::after(LIMIT);
    let mut child = command.spawn().expect("tandem can be started");
    let watch = Watch::group(child.id());
    let (stdout, stderr) = (drained(child.stdout.take()), drained(child.stderr.take()));
    let cpu_seconds = ended(&mut child);
    let wall_seconds = begun.elapsed().as_secs_f64();
    let status = child.wait().expect("a process can be waited for");
    process::expect_group_gone(child.id());
    let text = |thread: JoinHandle<Vec<u8>>| {
        String::from_utf8(thread.join().expect("reading a pipe does not panic")).expect("tandem speaks UTF-8")
    };
    let (stdout, stderr) = (text(stdout), text(stderr));
    assert!(!stderr.contains("panicked at"), "tandem panicked\n{stderr}");
    let peak_memory = watch.peak_memory();
    Output { code: status.code().unwrap_or(-1), stdout, stderr, peak_memory, cpu_seconds, wall_seconds }
}

/// Waits for the end of a process without reaping it, so that its processor time can still be read.
fn ended(child: &mut Child) -> f64 {
    let pid = Pid::from_child(child);
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    let deadline = Deadline::after(LIMIT);
    poll::until("tandem ends", LIMIT * 2, || {
        if deadline.passed() {
            child.kill().expect("a child can be killed");
            panic!("tandem did not end within {LIMIT:?}");
        }
        waitid(WaitId::Pid(pid), options).expect("a child can be waited for").map(drop)
    });
    process::of(child.id()).map_or(0.0, |process| process.cpu_seconds)
}

fn drained(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<Vec<u8>> {
    let mut pipe = pipe.expect("the pipe was asked for");
    thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).expect("a pipe can be read");
        bytes
    })
}

/// Runs `tandem match` over two folders, as of the sample's month, with further arguments.
///
/// # Panics
/// See [`run`].
#[must_use]
pub fn run_match(jobs: &Path, resumes: &Path, data: &Path, more: &[&str]) -> Output {
    let mut arguments: Vec<OsString> = vec!["match".into(), "--jobs".into(), jobs.into()];
    arguments.extend(["--resumes".into(), resumes.into(), "--data".into(), data.into()]);
    arguments.extend(["--as-of".into(), AS_OF.into()]);
    arguments.extend(more.iter().map(OsString::from));
    run(arguments)
}
