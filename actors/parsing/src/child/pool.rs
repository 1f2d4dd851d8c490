//! The parent's side: a bounded number of children, one document at a time in each.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tandem_ports::trace;
use tandem_runtime::{Span, SpanKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::frame;
use crate::extract::{ExtractError, Extracted, Limits};

/// How long a child may take to be gone after its pipe broke or it was killed.
const END_WITHIN: Duration = Duration::from_secs(2);
/// Environment variables that a child keeps; the others may hold secrets.
const KEPT_VARIABLES: &[&str] = &["PATH", "LD_LIBRARY_PATH", "SystemRoot"];

/// How children are started and when they end.
#[derive(Debug, Clone)]
pub struct ExtractPoolOptions {
    /// The program to start, usually the running binary itself.
    pub program: PathBuf,
    /// Its arguments, such as `extract --child`.
    pub args: Vec<OsString>,
    /// Children at the same time; 0 counts as 1.
    pub size: usize,
    /// Wall time for one document, from the first byte sent to the last one received.
    pub wall: Duration,
    /// Documents after which a child is replaced, so that nothing piles up in it.
    pub recycle_after: u32,
    /// Bounds of one extraction.
    pub limits: Limits,
}

impl ExtractPoolOptions {
    /// The usual pool: two children, 30 seconds a document, replaced after 200.
    #[must_use]
    pub fn new(program: PathBuf, args: Vec<OsString>) -> Self {
        let wall = Duration::from_secs(30);
        Self { program, args, size: 2, wall, recycle_after: 200, limits: Limits::default() }
    }
}

/// A pool of reading processes. Dropping it kills them.
#[derive(Debug)]
pub struct ExtractPool {
    options: ExtractPoolOptions,
    seats: Semaphore,
    idle: Mutex<Vec<Seat>>,
}

/// A child between or within documents. Dropping it kills the process.
#[derive(Debug)]
struct Seat {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
    served: u32,
}

impl ExtractPool {
    /// A pool without children; they are started when documents come.
    #[must_use]
    pub fn new(options: ExtractPoolOptions) -> Self {
        let seats = Semaphore::new(options.size.max(1));
        Self { options, seats, idle: Mutex::new(Vec::new()) }
    }

    /// Reads a document in a child; waits while all children are busy.
    ///
    /// Cancel-safe: a child whose answer nobody waits for is killed and never used again.
    ///
    /// A child that dies is replaced once: its death may have come from outside, as when a service manager stops every
    /// process of the service or the machine runs out of memory.
    ///
    /// # Errors
    /// What the child answered; `Timeout` after the wall or processor time, `OutOfMemory` and `Killed` when two
    /// children died of the document, `Unavailable` when none can be started, when they were told to end, or when the
    /// pool is closed.
    pub async fn extract(&self, file_name: &str, bytes: Bytes) -> Result<Extracted, ExtractError> {
        let size = bytes.len() as u64;
        if size > self.options.limits.file_bytes {
            // Not worth a trip through the pipe.
            return Err(ExtractError::TooLarge { bytes: size, limit: self.options.limits.file_bytes });
        }
        let _permit = self.seats.acquire().await.map_err(|_| unavailable("it is shutting down"))?;
        let span = Span::begin("extract", SpanKind::Client);
        let answer = span.run(self.extract_at_once(file_name, bytes)).await;
        span.end(answer.as_ref().map_or("failed", |_| "read"), answer.is_err());
        answer
    }

    async fn extract_at_once(&self, file_name: &str, bytes: Bytes) -> Result<Extracted, ExtractError> {
        let seat = match self.take_idle() {
            Some(seat) => seat,
            None => Seat::start(&self.options)?,
        };
        let first = match self.read_in(seat, file_name, &bytes).await {
            Ok(answer) => return answer,
            Err(Death::OutOfTime) => return Err(ExtractError::Timeout),
            Err(death) => death,
        };
        tracing::warn!(death = ?first, "a reading process died, the document is read again");
        if self.seats.is_closed() {
            return Err(unavailable("it is shutting down"));
        }
        match self.read_in(Seat::start(&self.options)?, file_name, &bytes).await {
            Ok(answer) => answer,
            Err(second) => Err(blame(first, second)),
        }
    }

    /// What this child answers within the wall time.
    async fn read_in(
        &self,
        mut seat: Seat,
        file_name: &str,
        bytes: &[u8],
    ) -> Result<Result<Extracted, ExtractError>, Death> {
        let exchange = seat.exchange(file_name, &self.options.limits, bytes);
        match timeout(self.options.wall, exchange).await {
            Ok(Ok(answer)) => {
                self.give_back(seat);
                Ok(answer)
            }
            Ok(Err(_)) => Err(seat.post_mortem().await),
            Err(_) => {
                seat.kill().await;
                Ok(Err(ExtractError::Timeout))
            }
        }
    }

    /// Children that wait for a document.
    #[must_use]
    pub fn idle(&self) -> usize {
        self.lock().len()
    }

    /// Kills the idle children and starts no more; documents under way end as they would have.
    pub async fn close(&self) {
        self.seats.close();
        let idle = std::mem::take(&mut *self.lock());
        for mut seat in idle {
            seat.kill().await;
        }
    }

    /// An idle child that still lives.
    fn take_idle(&self) -> Option<Seat> {
        let mut idle = self.lock();
        while let Some(mut seat) = idle.pop() {
            if matches!(seat.child.try_wait(), Ok(None)) {
                return Some(seat);
            }
        }
        None
    }

    fn give_back(&self, mut seat: Seat) {
        seat.served += 1;
        if seat.served < self.options.recycle_after && !self.seats.is_closed() {
            self.lock().push(seat);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Seat>> {
        // The list is whole at every moment, also after a panic.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    fn start(options: &ExtractPoolOptions) -> Result<Self, ExtractError> {
        let mut command = Command::new(&options.program);
        command
            .args(&options.args)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        // An interrupt from the keyboard goes to the terminal's whole group: it is for the parent, who ends its children
        // when their documents are read.
        #[cfg(unix)]
        command.process_group(0);
        command.envs(KEPT_VARIABLES.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
        let mut child = command.spawn().map_err(|_| unavailable("its process cannot be started"))?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(input), Some(output)) => Ok(Self { child, input, output, served: 0 }),
            _ => Err(unavailable("its process has no pipes")),
        }
    }

    /// Sends a document and takes the answer. An error means that the pipe broke.
    async fn exchange(
        &mut self,
        file_name: &str,
        limits: &Limits,
        bytes: &[u8],
    ) -> io::Result<Result<Extracted, ExtractError>> {
        let header = frame::encode_header(file_name, limits, bytes.len(), trace::current())?;
        self.input.write_all(&header).await?;
        self.input.write_all(bytes).await?;
        self.input.flush().await?;
        let mut length = [0; 4];
        self.output.read_exact(&mut length).await?;
        let mut reply = vec![0; frame::reply_length(length)?];
        self.output.read_exact(&mut reply).await?;
        frame::decode_reply(&reply)
    }

    async fn kill(&mut self) {
        // Already gone is as good.
        drop(self.child.start_kill());
        drop(timeout(END_WITHIN, self.child.wait()).await);
    }

    /// Why a child went away in the middle of a document.
    async fn post_mortem(&mut self) -> Death {
        match timeout(END_WITHIN, self.child.wait()).await {
            Ok(Ok(status)) => Death::of(status),
            Ok(Err(_)) | Err(_) => {
                self.kill().await;
                Death::Other
            }
        }
    }
}

/// How a child went away in the middle of a document, if not by this pool's hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Death {
    /// Its processor time was used up.
    OutOfTime,
    /// Somebody told it to end, which has nothing to do with the document.
    ToldToEnd,
    /// A failed allocation aborts; the kernel's own remedy, and an impatient operator's, is SIGKILL.
    OutOfMemory,
    /// Anything else, such as a fault of the reader.
    Other,
}

impl Death {
    #[cfg(unix)]
    fn of(status: ExitStatus) -> Self {
        use std::os::unix::process::ExitStatusExt;

        match status.signal() {
            Some(libc::SIGXCPU) => Self::OutOfTime,
            Some(libc::SIGINT | libc::SIGTERM | libc::SIGHUP) => Self::ToldToEnd,
            Some(libc::SIGABRT | libc::SIGKILL) => Self::OutOfMemory,
            Some(_) | None => Self::Other,
        }
    }

    #[cfg(not(unix))]
    fn of(_: ExitStatus) -> Self {
        Self::Other
    }
}

/// What two deaths in a row say: it is the document's fault, unless one of them came from outside.
fn blame(first: Death, second: Death) -> ExtractError {
    match (first, second) {
        (_, Death::OutOfTime) => ExtractError::Timeout,
        (Death::ToldToEnd, _) | (_, Death::ToldToEnd) => unavailable("its processes were told to end"),
        (_, Death::OutOfMemory) => ExtractError::OutOfMemory,
        (_, Death::Other) => ExtractError::Killed,
    }
}

fn unavailable(reason: &str) -> ExtractError {
    ExtractError::Unavailable { reason: reason.to_owned() }
}

#[cfg(all(test, unix))]
mod tests;
