//! The pool against real children: this program starts itself with `--child`.

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use bytes::Bytes;
use rustix::process::{Pid, Signal, getpgid, kill_process};
use tandem_domain::trace::TraceContext;
use tandem_parsing::child::{ExtractPool, ExtractPoolOptions, serve};
use tandem_parsing::extract::{ExtractError, Extracted, Limits, extract};
use tandem_ports::trace::within;

/// A document of this name and the path of a file is read for as long as the file is there.
const WHILE: &str = "while:";
/// How long the checks wait for what must come.
const PATIENCE: Duration = Duration::from_secs(30);
/// From one look at the system's processes to the next.
const GLANCE: Duration = Duration::from_millis(5);

const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

const DOCUMENT: &[u8] = b"Amal Haddad\nRust engineer\n2019 - 2024 Example Ltd";

fn main() -> ExitCode {
    if std::env::args().any(|arg| arg == "--child") {
        return serve(read_or_misbehave);
    }
    if std::env::args().any(|arg| arg == "--parent") {
        return be_a_parent();
    }
    if std::env::args().any(|arg| arg == "--traced") {
        return be_a_traced_parent();
    }
    // Test runners list and filter; there is one check here and it always runs.
    if std::env::args().any(|arg| arg == "--list") {
        return ExitCode::SUCCESS;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(check_all());
    ExitCode::SUCCESS
}

/// The real reader, except for documents that name a misdeed.
fn read_or_misbehave(bytes: &[u8], name: &str, limits: &Limits) -> Result<Extracted, ExtractError> {
    if let Some(marker) = name.strip_prefix(WHILE) {
        while Path::new(marker).exists() {
            std::thread::sleep(GLANCE);
        }
        return extract(bytes, "cv.txt", limits);
    }
    match name {
        "memory" => {
            let mut held: Vec<Vec<u8>> = Vec::new();
            loop {
                held.push(vec![1; 64 << 20]);
            }
        }
        "hang" => loop {
            std::thread::park();
        },
        "abort" => std::process::exit(3),
        "panic" => panic!("a panic that quotes the document"),
        "escape" => Err(escape()),
        _ => extract(bytes, name, limits),
    }
}

/// A program with a child that is busy for ever.
fn be_a_parent() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let hanging = runtime
        .block_on(async { pool(1, PATIENCE * 10, 100).extract("hang", Bytes::from_static(DOCUMENT)).await });
    panic!("a hanging document was read: {hanging:?}");
}

/// A program whose child panics as a part of [`TRACEPARENT`].
fn be_a_traced_parent() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let pool = pool(1, PATIENCE, 100);
    let extract = |name| pool.extract(name, Bytes::from_static(DOCUMENT));
    runtime.block_on(async {
        let untraced = extract("panic").await;
        assert!(untraced.is_err(), "{untraced:?}");
        let traced = within(TraceContext::parse(TRACEPARENT.as_bytes()), extract("panic")).await;
        assert!(traced.is_err(), "{traced:?}");
    });
    ExitCode::SUCCESS
}

/// Tries what the sandbox denies; the answer lists what succeeded.
fn escape() -> ExtractError {
    let mut done = Vec::new();
    if std::net::TcpStream::connect("127.0.0.1:9")
        .is_err_and(|e| e.kind() != std::io::ErrorKind::PermissionDenied)
    {
        done.push("network");
    }
    if std::fs::File::create("escaped").is_ok() {
        done.push("write");
    }
    if std::process::Command::new("true").spawn().is_ok() {
        done.push("program");
    }
    if std::thread::Builder::new().spawn(|| ()).is_ok() {
        done.push("thread");
    }
    ExtractError::UnsupportedType { found: format!("[{}]", done.join(" ")) }
}

fn pool(size: usize, wall: Duration, recycle_after: u32) -> ExtractPool {
    let program = std::env::current_exe().expect("this program has a path");
    let options = ExtractPoolOptions::new(program, vec!["--child".into()]);
    ExtractPool::new(ExtractPoolOptions { size, wall, recycle_after, ..options })
}

async fn check_all() {
    children_are_reused_and_replaced().await;
    a_document_that_never_ends_is_stopped().await;
    misdeeds_cost_one_document_each().await;
    the_sandbox_holds().await;
    a_child_says_of_which_trace_it_speaks();
    many_documents_share_few_children().await;
    if cfg!(target_os = "linux") {
        a_child_is_in_a_group_of_its_own().await;
        a_document_survives_one_death_of_its_child().await;
        two_deaths_tell_whose_fault_it_was().await;
        a_child_does_not_outlive_its_parent().await;
    }
    an_abandoned_child_is_not_used_again().await;
    a_closed_pool_refuses().await;
    a_missing_program_is_named().await;
}

async fn reads(pool: &ExtractPool) {
    let read = pool.extract("cv.txt", Bytes::from_static(DOCUMENT)).await.expect("a plain document is read");
    assert_eq!(read.lines.len(), 3);
    assert_eq!(read.text().as_bytes(), DOCUMENT);
}

async fn children_are_reused_and_replaced() {
    let pool = pool(1, Duration::from_secs(30), 3);
    for served in 1..=7 {
        reads(&pool).await;
        assert_eq!(pool.idle(), usize::from(served % 3 != 0), "after {served} documents");
    }
}

async fn a_document_that_never_ends_is_stopped() {
    let short = pool(1, Duration::from_millis(300), 100);
    let result = short.extract("hang", Bytes::from_static(DOCUMENT)).await;
    assert_eq!(result, Err(ExtractError::Timeout));
    assert_eq!(short.idle(), 0);
}

async fn misdeeds_cost_one_document_each() {
    let pool = pool(1, Duration::from_secs(30), 100);
    let bad = |name| pool.extract(name, Bytes::from_static(DOCUMENT));
    assert_eq!(bad("memory").await, Err(ExtractError::OutOfMemory));
    reads(&pool).await;
    assert_eq!(bad("abort").await, Err(ExtractError::Killed));
    reads(&pool).await;
    let panicked = bad("panic").await;
    assert!(matches!(panicked, Err(ExtractError::Corrupt { .. })), "{panicked:?}");
    assert_eq!(pool.idle(), 1, "a panic does not cost the child");
    reads(&pool).await;
    let large = Bytes::from(vec![b'a'; 11 << 20]);
    assert!(matches!(pool.extract("big.txt", large).await, Err(ExtractError::TooLarge { .. })));
}

fn a_child_says_of_which_trace_it_speaks() {
    let mut parent = Command::new(std::env::current_exe().expect("this program has a path"));
    let output = parent.arg("--traced").output().expect("the program can be started");
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    let panics: Vec<&str> = said.lines().filter(|line| line.contains("panic at")).collect();
    let [untraced, traced] = &panics[..] else { panic!("{said}") };
    assert!(!untraced.contains("trace_id"), "{said}");
    assert!(traced.ends_with("trace_id=0af7651916cd43dd8448eb211c80319c"), "{said}");
}

async fn the_sandbox_holds() {
    let pool = pool(1, Duration::from_secs(30), 100);
    let result = pool.extract("escape", Bytes::from_static(DOCUMENT)).await;
    if cfg!(target_os = "linux") {
        assert_eq!(result, Err(ExtractError::UnsupportedType { found: "[]".to_owned() }));
    }
}

async fn many_documents_share_few_children() {
    let pool = pool(3, Duration::from_secs(30), 100);
    let texts: Vec<String> =
        (0..50).map(|n| format!("Document number {n}\n{}", "word ".repeat(n * 200))).collect();
    let reads = texts.iter().map(|text| pool.extract("cv.txt", Bytes::from(text.clone())));
    let results = futures::future::join_all(reads).await;
    for (text, result) in texts.iter().zip(results) {
        let read = result.expect("every document is read");
        assert_eq!(read.lines.first().map(|line| line.text.as_str()), text.lines().next());
    }
    assert!((1..=3).contains(&pool.idle()), "{} children", pool.idle());
}

async fn an_abandoned_child_is_not_used_again() {
    let pool = pool(1, Duration::from_secs(30), 100);
    reads(&pool).await;
    assert_eq!(pool.idle(), 1);
    let hanging = pool.extract("hang", Bytes::from_static(DOCUMENT));
    assert!(tokio::time::timeout(Duration::from_millis(200), hanging).await.is_err());
    assert_eq!(pool.idle(), 0);
    reads(&pool).await;
}

async fn a_closed_pool_refuses() {
    let pool = pool(2, Duration::from_secs(30), 100);
    reads(&pool).await;
    pool.close().await;
    assert_eq!(pool.idle(), 0);
    let refused = pool.extract("cv.txt", Bytes::from_static(DOCUMENT)).await;
    assert!(matches!(refused, Err(ExtractError::Unavailable { .. })), "{refused:?}");
}

async fn a_missing_program_is_named() {
    let options = ExtractPoolOptions::new("/nonexistent/reader".into(), Vec::new());
    let refused = ExtractPool::new(options).extract("cv.txt", Bytes::from_static(DOCUMENT)).await;
    assert!(matches!(refused, Err(ExtractError::Unavailable { .. })), "{refused:?}");
}

/// The living children of a process, as Linux lists them.
fn children_of(parent: u32) -> Vec<Pid> {
    let processes = std::fs::read_dir("/proc").expect("processes are listed");
    let ids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
    ids.filter(|id| parent_of(*id) == Some(parent)).filter_map(Pid::from_raw).collect()
}

/// The parent of a process that lives and is not only waiting to be buried.
fn parent_of(id: i32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name before it is in parentheses and may hold anything.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    fields.next().filter(|state| *state != "Z")?;
    fields.next()?.parse().ok()
}

/// What `look` finds, looked for until it is there.
async fn found<T>(what: &str, look: impl Fn() -> Option<T>) -> T {
    let looking = async {
        loop {
            if let Some(found) = look() {
                return found;
            }
            tokio::time::sleep(GLANCE).await;
        }
    };
    tokio::time::timeout(PATIENCE, looking).await.unwrap_or_else(|_| panic!("not there in time: {what}"))
}

/// A child of this process that is none of `known` and has become the program that reads: one that is killed before
/// that was never started.
async fn new_child(known: &[Pid]) -> Pid {
    let reads = |child: &Pid| {
        let line = std::fs::read(format!("/proc/{}/cmdline", child.as_raw_nonzero())).unwrap_or_default();
        line.split(|byte| *byte == 0).any(|word| word == b"--child")
    };
    let is_new = |child: &Pid| !known.contains(child) && reads(child);
    found("a child", || children_of(std::process::id()).into_iter().find(is_new)).await
}

async fn a_child_is_in_a_group_of_its_own() {
    let known = children_of(std::process::id());
    let pool = pool(1, PATIENCE, 100);
    reads(&pool).await;
    let child = new_child(&known).await;
    assert_eq!(getpgid(Some(child)), Ok(child), "an interrupt from the keyboard does not reach it");
}

/// Reads a document whose children are killed by these signals, one after the other, while they read.
async fn read_under(signals: &[Signal]) -> Result<Extracted, ExtractError> {
    let folder = tempfile::tempdir().expect("a folder");
    let marker = folder.path().join("marker");
    std::fs::write(&marker, b"").expect("a marker");
    let mut known = children_of(std::process::id());
    let pool = pool(1, PATIENCE, 100);
    let name = format!("{WHILE}{}", marker.display());
    let killing = async {
        for signal in signals {
            let child = new_child(&known).await;
            known.push(child);
            kill_process(child, *signal).expect("the child is there");
        }
        if signals.len() < 2 {
            new_child(&known).await;
        }
        std::fs::remove_file(&marker).expect("the marker is there");
    };
    let (read, ()) = futures::join!(pool.extract(&name, Bytes::from_static(DOCUMENT)), killing);
    read
}

async fn a_document_survives_one_death_of_its_child() {
    // Whoever starts the tests in the background may have them ignore INT and HUP.
    for signal in [Signal::TERM, Signal::KILL, Signal::ABORT] {
        let read = read_under(&[signal]).await.expect("another child reads it");
        assert_eq!(read.text().as_bytes(), DOCUMENT);
    }
}

async fn two_deaths_tell_whose_fault_it_was() {
    assert_eq!(read_under(&[Signal::KILL, Signal::KILL]).await, Err(ExtractError::OutOfMemory));
    for signals in [[Signal::TERM, Signal::TERM], [Signal::TERM, Signal::KILL]] {
        let read = read_under(&signals).await;
        assert!(matches!(read, Err(ExtractError::Unavailable { .. })), "{read:?}");
    }
}

async fn a_child_does_not_outlive_its_parent() {
    let program = std::env::current_exe().expect("this program has a path");
    let mut parent = Command::new(program).arg("--parent").spawn().expect("a parent");
    let look = || children_of(parent.id()).into_iter().find(|child| getpgid(Some(*child)) == Ok(*child));
    let child = found("the busy child", look).await;
    parent.kill().expect("the parent is there");
    parent.wait().expect("the parent ends");
    let gone = || parent_of(child.as_raw_nonzero().get()).is_none().then_some(());
    found("the child's end", gone).await;
}
