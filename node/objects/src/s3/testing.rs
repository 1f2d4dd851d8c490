//! Servers for tests: the one that everybody shares, one of a test's own, and one that says what the test wants.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tempfile::TempDir;

use crate::S3Options;

/// How long a test waits for what must come.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

static SERVERS: AtomicU16 = AtomicU16::new(0);

/// The options for the shared server, under a prefix that nobody else has; `None`, said loudly, when there is none.
pub(super) fn shared() -> Option<S3Options> {
    let url = std::env::var("TANDEM_TEST_S3_URL").unwrap_or_default();
    if !url.is_empty() {
        return Some(options(&url));
    }
    let needs = "it needs TANDEM_TEST_S3_URL; deploy/local/s3.sh start prints one";
    let required = std::env::var("TANDEM_REQUIRE_SERVICES").is_ok_and(|value| value == "1");
    assert!(!required, "{needs}");
    eprintln!("SKIPPED: {needs}");
    None
}

/// The options of `scheme://key:secret@host/bucket`.
pub(super) fn options(url: &str) -> S3Options {
    let form = "TANDEM_TEST_S3_URL has the form http://key:secret@host:port/bucket";
    let (scheme, rest) = url.split_once("://").expect(form);
    let (who, place) = rest.rsplit_once('@').expect(form);
    let (key, secret) = who.split_once(':').expect(form);
    let (host, bucket) = place.split_once('/').expect(form);
    S3Options {
        endpoint: Some(format!("{scheme}://{host}")),
        public_endpoint: None,
        region: "auto".to_owned(),
        bucket: bucket.to_owned(),
        prefix: format!("test/{}/", uuid::Uuid::now_v7().simple()),
        access_key_id: key.to_owned(),
        secret_access_key: secret.to_owned(),
        path_style: true,
        allow_http: true,
        connect_timeout: S3Options::CONNECT_TIMEOUT,
        request_timeout: S3Options::REQUEST_TIMEOUT,
        retries: S3Options::RETRIES,
    }
}

/// A server that a test may kill.
pub(super) struct OwnServer {
    dir: TempDir,
    port: u16,
}

impl OwnServer {
    pub(super) fn start() -> Self {
        let dir = TempDir::new().unwrap();
        // Below the ports that the system gives out by itself; each server of this process in a range of its own.
        let process = u16::try_from(std::process::id() % 100).unwrap() * 20;
        let first = 17_000 + process + SERVERS.fetch_add(1, Ordering::Relaxed) * 5;
        let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
        let port = (first..first + 5).find(free).unwrap();
        let this = Self { dir, port };
        this.start_again();
        this
    }

    pub(super) fn options(&self) -> S3Options {
        options(&format!("http://tandem:tandem-secret@127.0.0.1:{}/originals", self.port))
    }

    /// Where the server keeps its buckets.
    pub(super) fn folder(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    pub(super) fn start_again(&self) {
        assert!(self.script(&["start", "--port", &self.port.to_string()]), "the server starts");
    }

    /// Ends the server's process without a warning.
    pub(super) fn kill(&self) {
        let pid = std::fs::read_to_string(self.dir.path().join("pid")).unwrap();
        assert!(Command::new("kill").args(["-KILL", pid.trim()]).status().unwrap().success());
        assert!(self.script(&["stop"]), "the server is gone");
    }

    fn script(&self, command: &[&str]) -> bool {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
        let mut call = Command::new(repository.join("deploy/local/s3.sh"));
        call.args(command).arg("--dir").arg(self.dir.path());
        // Into a file: the server inherits what it is given, and a pipe would stay open as long as it lives.
        let log = std::fs::File::create(self.dir.path().join("script.log")).unwrap();
        call.stdout(log.try_clone().unwrap()).stderr(log).status().unwrap().success()
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        if !self.script(&["stop"]) {
            eprintln!("a server of a test was not stopped");
        }
    }
}

/// A server that gives these answers, one for each request, and then closes its port; its options, with few retries.
pub(super) fn canned(answers: &[(&str, &str)]) -> S3Options {
    let answers: Vec<String> = answers.iter().map(|(status, body)| answer(status, body)).collect();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            read_request(&mut stream);
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    let url = format!("http://key:hunter2@127.0.0.1:{port}/originals");
    S3Options { request_timeout: Duration::from_secs(5), ..options(&url) }
}

/// The same over TLS, with cert.pem and key.pem of a folder, for 127.0.0.1. One that hangs up is nobody's fault.
pub(super) fn canned_over_tls(answers: &[(&str, &str)], folder: &Path) -> S3Options {
    let answers: Vec<String> = answers.iter().map(|(status, body)| answer(status, body)).collect();
    let certificate = CertificateDer::from_pem_file(folder.join("cert.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(folder.join("key.pem")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let (listener, config) = (TcpListener::bind("127.0.0.1:0").unwrap(), Arc::new(config));
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for answer in answers {
            let (stream, _) = listener.accept().unwrap();
            let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream);
            let shaken = stream.conn.complete_io(&mut stream.sock);
            if shaken.is_ok() {
                read_request(&mut stream);
                stream.write_all(answer.as_bytes()).unwrap();
                stream.conn.send_close_notify();
                stream.flush().unwrap();
            }
        }
    });
    let url = format!("https://key:hunter2@127.0.0.1:{port}/originals");
    S3Options { request_timeout: Duration::from_secs(5), allow_http: false, ..options(&url) }
}

fn answer(status: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nETag: \"e\"\r\nLast-Modified: Wed, 01 Jan 2025 00:00:00 GMT\r\nConnection: close\r\n\r\n{body}"
    )
}

fn read_request(stream: &mut impl Read) {
    let (mut seen, mut byte) = (Vec::new(), [0_u8; 1]);
    while !seen.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
        seen.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&seen).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.trim().parse().unwrap())];
    stream.read_exact(&mut body).unwrap();
}
