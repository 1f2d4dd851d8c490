//! The pool against real children: this program starts itself with `--child`.

use std::process::ExitCode;
use std::time::Duration;

use bytes::Bytes;
use tandem_parsing::child::{ExtractPool, ExtractPoolOptions, serve};
use tandem_parsing::extract::{ExtractError, Extracted, Limits, extract};

const DOCUMENT: &[u8] = b"Amal Haddad\nRust engineer\n2019 - 2024 Example Ltd";

fn main() -> ExitCode {
    if std::env::args().any(|arg| arg == "--child") {
        return serve(read_or_misbehave);
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
    many_documents_share_few_children().await;
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
