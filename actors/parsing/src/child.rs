//! Extraction in a child process, so that foreign bytes never run in the process that holds keys and data.
//!
//! [`child_main`] is the child: it limits itself, then answers documents until its input or its parent ends.
//! [`ExtractPool`] is the parent's side: a bounded number of children, each killed when its time is over.

mod frame;
mod pool;
mod sandbox;

use std::io::{self, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::process::getppid;
use tandem_domain::trace::TraceContext;

use crate::extract::{ExtractError, Extracted, Limits, extract};
use frame::Request;

pub use pool::{ExtractPool, ExtractPoolOptions};

/// Stack of the thread that reads documents: nested structures of some formats are walked by recursion.
const STACK_BYTES: usize = 64 << 20;
/// How often a child looks whether its parent still lives. Between two documents the end of its input tells it at once.
/// (Linux' parent death signal is no help: it comes when the *thread* that started the child ends.)
const PARENT_CHECK: Duration = Duration::from_secs(1);

/// The child's main function: limits itself and answers documents on standard input and output.
///
/// Ends with success when the input ends, with failure when the pipe breaks or the parent is gone.
pub fn child_main() -> ExitCode {
    serve(extract)
}

/// [`child_main`] with another reader, for tests of the pool.
pub fn serve(
    read: impl Fn(&[u8], &str, &Limits) -> Result<Extracted, ExtractError> + Send + 'static,
) -> ExitCode {
    std::panic::set_hook(Box::new(move |panic| {
        // The place only: a panic's message may quote the document.
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        report(&format!("panic at {place}"));
    }));
    if let Err(error) = sandbox::limit_resources() {
        report(&format!("resource limits are not in force: {error}"));
    }
    let parent = getppid();
    let (working, ended) = sync_channel::<()>(0);
    let work = move || {
        // Falls when the thread ends, whichever way.
        let _working = working;
        // After the thread exists, so that starting threads can be denied too.
        if let Err(error) = sandbox::deny_system_calls() {
            report(&format!("system calls are not filtered: {error}"));
        }
        answer_all(&read)
    };
    let worker = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(work);
    while ended.recv_timeout(PARENT_CHECK) == Err(RecvTimeoutError::Timeout) {
        if getppid() != parent {
            return ExitCode::FAILURE;
        }
    }
    match worker.map(std::thread::JoinHandle::join) {
        Ok(Ok(Ok(()))) => ExitCode::SUCCESS,
        Ok(Ok(Err(error))) => {
            report(&format!("pipe: {:?}", error.kind()));
            ExitCode::FAILURE
        }
        Ok(Err(_)) | Err(_) => ExitCode::FAILURE,
    }
}

/// What the child reads at the moment is a part of.
static TRACE: Mutex<Option<TraceContext>> = Mutex::new(None);

fn reading(trace: Option<TraceContext>) {
    *TRACE.lock().unwrap_or_else(PoisonError::into_inner) = trace;
}

/// Writes a line to standard error, which is the parent's.
fn report(text: &str) {
    let trace = *TRACE.lock().unwrap_or_else(PoisonError::into_inner);
    let trace = trace.map(|context| format!(" trace_id={}", context.trace)).unwrap_or_default();
    // Nobody is left to tell when standard error is closed too.
    drop(writeln!(io::stderr(), "tandem extract: {text}{trace}"));
}

fn answer_all(read: &impl Fn(&[u8], &str, &Limits) -> Result<Extracted, ExtractError>) -> io::Result<()> {
    let mut input = io::stdin().lock();
    let mut output = io::stdout().lock();
    while let Some(request) = next_request(&mut input)? {
        if let Err(error) = sandbox::allow_more_time() {
            report(&format!("processor time is not limited: {error}"));
        }
        let Request { header, body } = request;
        reading(header.trace);
        let result = catch_unwind(AssertUnwindSafe(|| read(&body, &header.file_name, &header.limits)));
        let result = result.unwrap_or_else(|_| {
            Err(ExtractError::Corrupt {
                format: "document".to_owned(),
                reason: "its structure broke the reader".to_owned(),
            })
        });
        reading(None);
        output.write_all(&frame::encode_reply(&result)?)?;
        output.flush()?;
    }
    Ok(())
}

/// The next document; `None` when the parent closed the pipe between two documents.
fn next_request(input: &mut impl Read) -> io::Result<Option<Request>> {
    let mut length = [0; 4];
    // The first byte tells an end between documents from one within.
    if input.read(length.get_mut(..1).unwrap_or_default())? == 0 {
        return Ok(None);
    }
    input.read_exact(length.get_mut(1..).unwrap_or_default())?;
    let mut header = vec![0; frame::header_length(length)?];
    input.read_exact(&mut header)?;
    let header = frame::decode_header(&header)?;
    let mut body = vec![0; frame::body_length(&header)?];
    input.read_exact(&mut body)?;
    Ok(Some(Request { header, body }))
}
