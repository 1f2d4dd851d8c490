//! What the edge costs a request: `/api/v1/health/ping` of the whole edge, with accounts and rates on, beside a bare
//! axum handler that answers the same bytes.
//!
//! Both are served by the same loop with the same time-outs and limits of connections (`bare`); what `axum::serve` costs,
//! which has none of them, stands beside it. No log is kept, as the bare handler keeps none.
//!
//! `make bench-edge` prints a table, writes `target/bench/edge.json` and fails if the edge answers less than
//! [`LEAST`] of what the bare handler does. Each server is a process of its own with one thread, in turns with the
//! others; what is compared is its processor time per request, which the client has no part in.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a bench measures time, reports to a person and may stop at any failure"
)]

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use axum::Router;
use axum::http::header;
use axum::routing::get;
use futures::FutureExt;
use serde_json::{Value, json};
use tandem_config::{NodeConfig, Rate};
use tandem_domain::account::{KeyText, Role, User};
use tandem_domain::document::Failure;
use tandem_domain::error::ErrorCode;
use tandem_domain::ids::KeyId;
use tandem_domain::time::Timestamp;
use tandem_http_edge::EdgeState;
use tandem_messages::accounts::KeyAccess;
use tandem_messages::{Context, Gateway, GatewayHandle, Reply, Request};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use uuid::Uuid;

/// The part of the bare handler's requests per second that the whole edge must answer.
const LEAST: f64 = 0.9;
/// Turns, and how long each server is asked in one.
const ROUNDS: usize = 7;
const LENGTH: Duration = Duration::from_millis(1_500);
/// Connections of the client, each with one request at a time.
const CONNECTIONS: usize = 8;
/// `USER_HZ` of proc(5).
const TICKS_PER_SECOND: f64 = 100.0;
const PING: &str = "/api/v1/health/ping";
/// A route with everything: whose key it is is asked of the gateway, the caller has a rate, the answer a tag.
const ACCOUNT: &str = "/api/v1/account";
const PONG: &str = r#"{"message":"pong","data":{"message":"pong"},"error":null}"#;

fn key() -> KeyText {
    KeyText::from_random(&[7; 32])
}

/// Knows every key and nothing else.
struct Keys;

#[async_trait]
impl Gateway for Keys {
    async fn answer(&self, request: Request, _: Context) -> Result<Reply, Failure> {
        let Request::IdentifyKey(_) = request else {
            return Err(Failure { code: ErrorCode::NotFound, reason: "nothing".to_owned() });
        };
        let user = User {
            tenant: "acme".parse().unwrap(),
            owner: "bench".parse().unwrap(),
            role: Role::Employer,
            plan: None,
            disabled: false,
            created_at: Timestamp::from_millis(0),
        };
        Ok(Reply::IdentifyKey(KeyAccess {
            user,
            scopes: Role::Employer.scopes(),
            key: KeyId::from_uuid(Uuid::nil()),
        }))
    }
}

fn edge() -> EdgeState {
    let config = NodeConfig::resolve(None, std::iter::empty(), &[]).unwrap();
    let mut limits = config.limits;
    // Held to, and never reached.
    limits.read = Rate { per_minute: u32::MAX, burst: u32::MAX };
    EdgeState {
        gateway: GatewayHandle::new(Arc::new(Keys)),
        config: config.edge,
        limits,
        max_document_bytes: 1 << 20,
        weights: config.matching.weights,
        metrics: Arc::new(String::new),
        version: "0",
        accounts: true,
        tokens: None,
        api: true,
    }
}

fn bare() -> Router {
    let pong = async || ([(header::CONTENT_TYPE, "application/json")], PONG);
    Router::new().route(PING, get(pong))
}

/// Serves until standard input ends.
fn serve(kind: &str) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("{}", listener.local_addr().unwrap());
        let (told, stop) = tokio::sync::oneshot::channel::<()>();
        thread::spawn(move || {
            std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
            drop(told);
        });
        let stop = async { drop(stop.await) };
        match kind {
            "edge" => tandem_http_edge::serve(listener, edge(), stop).await.unwrap(),
            "bare" => {
                let (app, stopping) = (bare(), CancellationToken::new());
                let app = move |request| app.clone().oneshot(request).map(Result::unwrap);
                tandem_http_edge::serve_with(listener, &edge().config, stopping, stop, app).await.unwrap();
            }
            _ => axum::serve(listener, bare()).with_graceful_shutdown(stop).await.unwrap(),
        }
    });
}

struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(kind: &str) -> Self {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["serve", kind]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut address = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
        Self { child, address: address.trim().to_owned() }
    }

    /// Seconds of processor time so far.
    fn cpu(&self) -> f64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let (_, rest) = stat.rsplit_once(") ").unwrap();
        // utime and stime, the 14th and 15th field.
        let ticks = rest.split(' ').skip(11).take(2).map(|field| field.parse::<f64>().unwrap());
        ticks.sum::<f64>() / TICKS_PER_SECOND
    }

    /// Asks for a while: processor time per request in microseconds, and requests per second.
    fn measure(&self, path: &str) -> [f64; 2] {
        let (before, began) = (self.cpu(), Instant::now());
        let clients: Vec<_> = (0..CONNECTIONS)
            .map(|_| {
                let (address, path) = (self.address.clone(), path.to_owned());
                thread::spawn(move || ask(&address, &path, began + LENGTH))
            })
            .collect();
        let requests: u32 = clients.into_iter().map(|client| client.join().unwrap()).sum();
        let requests = f64::from(requests);
        [(self.cpu() - before) * 1e6 / requests, requests / began.elapsed().as_secs_f64()]
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        self.child.wait().unwrap();
    }
}

/// One connection, one request after the other; how many were answered with 200.
fn ask(address: &str, path: &str, end: Instant) -> u32 {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nhost: bench\r\nx-api-key: {}\r\n\r\n", key().as_str());
    let (mut answer, mut done) = ([0; 4096], 0);
    while Instant::now() < end {
        stream.write_all(head.as_bytes()).unwrap();
        let mut filled = 0;
        // Every answer here ends with the brace of its JSON, and comes at once.
        while filled == 0 || answer[filled - 1] != b'}' {
            filled += stream.read(&mut answer[filled..]).unwrap();
        }
        assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer[..filled]));
        assert!(path != PING || answer[..filled].ends_with(PONG.as_bytes()));
        done += 1;
    }
    done
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

fn compare() -> Value {
    let [bare, axum, edge] = ["bare", "axum_serve", "edge"].map(Server::start);
    let cases = [
        ("bare", &bare, PING),
        ("axum_serve", &axum, PING),
        ("edge", &edge, PING),
        ("edge_with_key", &edge, ACCOUNT),
    ];
    let mut all: [Vec<[f64; 2]>; 4] = Default::default();
    for round in 0..=ROUNDS {
        for ((_, server, path), numbers) in cases.iter().zip(&mut all) {
            let measured = server.measure(path);
            // The first round only warms up.
            if round > 0 {
                numbers.push(measured);
            }
        }
    }
    let of = |case: usize, number: usize| all[case].iter().map(move |one| one[number]).collect::<Vec<_>>();
    let against = |case: usize, number: usize| {
        let pairs = all[0].iter().zip(&all[case]).map(|(bare, one)| (bare[number], one[number]));
        // Time per request and requests per time are the inverse of each other.
        median(pairs.map(|(bare, one)| if number == 0 { bare / one } else { one / bare }).collect())
    };
    let report = |(case, (name, ..)): (usize, &(&str, &Server, &str))| {
        let figures = json!({
            "cpu_microseconds": median(of(case, 0)),
            "requests_per_second": median(of(case, 1)),
            "ratio_by_cpu": against(case, 0),
            "ratio_by_wall": against(case, 1),
        });
        ((*name).to_owned(), figures)
    };
    Value::Object(cases.iter().enumerate().map(report).collect())
}

fn main() {
    if let [_, serves, kind] = &env::args().collect::<Vec<_>>()[..]
        && serves == "serve"
    {
        return serve(kind);
    }
    let report = compare();
    println!("{:<14} {:>14} {:>12} {:>10} {:>10}", "", "CPU-us/request", "requests/s", "by CPU", "by wall");
    for (name, figures) in report.as_object().unwrap() {
        let number = |key: &str| figures[key].as_f64().unwrap();
        println!(
            "{name:<14} {:>14.2} {:>12.0} {:>10.3} {:>10.3}",
            number("cpu_microseconds"),
            number("requests_per_second"),
            number("ratio_by_cpu"),
            number("ratio_by_wall")
        );
    }
    // Beside the build, wherever that lies: `target/release/deps/overhead` -> `target/bench`.
    let program = env::current_exe().unwrap();
    let folder: PathBuf = program.ancestors().nth(3).unwrap().join("bench");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("edge.json"), format!("{report:#}\n")).unwrap();
    let ratio = report["edge"]["ratio_by_cpu"].as_f64().unwrap();
    assert!(ratio >= LEAST, "the edge answers {ratio:.3} of what a bare handler does, not {LEAST}");
}
