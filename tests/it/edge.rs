//! The contract of the edge, kept by the real program: many documents in one request, events, rates, and clients that
//! mean harm.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use reqwest::Method;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::{Value, json};
use tandem_tests::client::{Client, Kind, text};
use tandem_tests::process::Watch;
use tandem_tests::sandbox::Sandbox;
use tandem_tests::{paths, poll, sample};

/// The most resident memory of a node whatever its clients do, in bytes.
const MEMORY: u64 = 600 << 20;
/// Connections that say nothing, if this process may open as many.
const IDLE: usize = 10_000;
/// Documents of a bulk upload that takes a while.
const MANY: usize = 200;
/// Files that other tests of this process have open at the same time.
const OTHERS: u64 = 500;

/// How many connections this process can hold: its limit of open files is raised as far as that goes.
fn most_connections() -> usize {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).unwrap();
    let files = limit.maximum.map_or(usize::MAX, |files| files.saturating_sub(OTHERS) as usize);
    assert!(files > 2_000, "with {files} open files there is nothing to show");
    files.min(IDLE)
}

fn lines_of(client: &Client, path: &str, key: &str, body: String) -> Vec<Value> {
    let request = client.request(Method::POST, path).header("content-type", "application/x-ndjson");
    let answer = client.send(request.header("idempotency-key", key).body(body)).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn fields(events: &str, name: &str) -> Vec<String> {
    events.lines().filter_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned()).collect()
}

#[test]
fn documents_are_taken_by_the_line_and_followed_by_events() {
    if !paths::has_model("documents_are_taken_by_the_line_and_followed_by_events") {
        return;
    }
    let mut sandbox = Sandbox::start();
    let client = sandbox.client();
    let mut body: Vec<String> = (0..50)
        .map(|n| json!({"text": format!("Sample Person {n}\n\nSkills\n- Rust\n- Python")}).to_string())
        .collect();
    body[7] = "{broken".to_owned();
    let first = lines_of(&client, "/api/v1/resumes/bulk", "once", body.join("\n"));
    let failed: Vec<_> = first.iter().filter(|line| !line["error"].is_null()).collect();
    assert_eq!((first.len(), failed.len()), (50, 1));
    assert_eq!(
        (&failed[0]["line"], &failed[0]["error"]["errorCode"]),
        (&json!(8), &json!("VALIDATION_ERROR"))
    );
    let again = lines_of(&client, "/api/v1/resumes/bulk", "once", body.join("\n"));
    for (line, before) in again.iter().zip(&first) {
        assert_eq!(line["data"]["id"], before["data"]["id"], "the same lines are the same documents");
    }

    let id = text(&first[0]["data"], "id");
    let events = client.get(&format!("/api/v1/resumes/{id}/events")).text;
    assert_eq!(fields(&events, "event:").last().map(String::as_str), Some("settled"), "{events}");
    let last = fields(&events, "id:").pop().unwrap();
    assert_eq!(last, "1.indexed");
    let path = format!("/api/v1/resumes/{id}/events");
    let seen = client.request(Method::GET, &path).header("last-event-id", &last);
    assert_eq!(client.send(seen).unwrap().status, 204);

    let job = client.post("/api/v1/jobs", &json!({"text": "Rust engineer\n\nRequirements\n- Rust"})).data();
    let run = json!({"query": "job", "queries": [text(&job, "id")], "top": 5});
    let run = text(&client.post("/api/v1/match-runs", &run).data(), "id");
    let events = client.get(&format!("/api/v1/match-runs/{run}/events")).text;
    let told: Value = serde_json::from_str(fields(&events, "data:").last().unwrap()).unwrap();
    assert_eq!((text(&told, "id"), text(&told, "status")), (run.clone(), "complete".to_owned()));
    let rows = client.get(&format!("/api/v1/match-runs/{run}/results"));
    assert_eq!(rows.status, 200);

    let key = |body: Value| {
        let request = client.request(Method::POST, "/api/v1/match-runs").header("idempotency-key", "run");
        client.send(request.json(&body)).unwrap()
    };
    let spec = json!({"query": "job", "queries": [text(&job, "id")], "top": 5});
    let (one, same) = (key(spec.clone()), key(spec.clone()));
    assert_eq!((one.status, text(&one.data(), "id")), (202, text(&same.data(), "id")));
    let mut other = spec;
    other["top"] = json!(6);
    let refused = key(other);
    assert_eq!((refused.status, refused.error_code().as_str()), (422, "IDEMPOTENCY_KEY_REUSED"));
    sandbox.stop();
}

#[test]
fn whoever_waits_does_not_stand_behind_a_bulk_upload() {
    if !paths::has_model("whoever_waits_does_not_stand_behind_a_bulk_upload") {
        return;
    }
    let mut sandbox = Sandbox::start();
    let client = sandbox.client();
    let texts = sample::generated(MANY);
    let line = |text: &String| json!({ "text": text }).to_string();
    let body = texts.iter().map(line).collect::<Vec<_>>().join("\n");
    assert_eq!(lines_of(&client, "/api/v1/resumes/bulk", "many", body).len(), MANY);

    let waiting_now = || {
        let resumes = client.all(Kind::Resume);
        resumes.iter().filter(|resume| text(resume, "status") != "complete").count()
    };
    let job = client.accepted_text(Kind::Job, "Rust engineer\n\nRequirements\n- Rust");
    assert_eq!(text(&client.settled(Kind::Job, &job), "status"), "complete");
    let waiting = waiting_now();
    assert!(waiting > MANY / 2, "{waiting} of {MANY} wait while the job can be searched");

    // What is handed in again by somebody who waits leaves the others behind as well.
    let last = client.accepted_text(Kind::Resume, texts.last().unwrap());
    assert_eq!(text(&client.settled(Kind::Resume, &last), "status"), "complete");
    let waiting = waiting_now();
    assert!(waiting > MANY / 4, "{waiting} of {MANY} wait while the last of them can be searched");
    let metrics = client.get("/metrics").text;
    assert!(metrics.contains("tandem_stage_seconds_count{kind=\"embed.bulk\""), "{metrics}");
    sandbox.stop();
}

#[test]
fn a4_rates_are_configuration() {
    if !paths::has_model("a4_rates_are_configuration") {
        return;
    }
    let rate = [("TANDEM_LIMITS__READ__PER_MINUTE", "1"), ("TANDEM_LIMITS__READ__BURST", "3")];
    let mut sandbox = Sandbox::start_with(&rate);
    let client = sandbox.client();
    let statuses: Vec<u16> = (0..4).map(|_| client.get("/api/v1/resumes").status).collect();
    assert_eq!(statuses, [200, 200, 200, 429]);
    assert_eq!(client.get("/api/v1/jobs").error_code(), "RATE_LIMITED");
    assert_eq!(client.get("/readyz").status, 200, "probes have no rate");
    assert!(client.get("/metrics").text.contains("tandem_http_limited_total{class=\"read\"} 2"));
    sandbox.stop();
}

#[test]
fn ten_thousand_idle_connections_keep_nobody_out() {
    if !paths::has_model("ten_thousand_idle_connections_keep_nobody_out") {
        return;
    }
    let mut sandbox = Sandbox::start();
    let address = sandbox.address().unwrap().replace("http://", "");
    let watch = Watch::group(sandbox.pid());
    let (mut idle, mut answered) = (Vec::new(), 0);
    let most = most_connections();
    for number in 0..most {
        let mut stream = TcpStream::connect(&address).unwrap();
        // Every other one dribbles the head of a request.
        if number % 2 == 0 {
            stream.write_all(b"GET /api/v1/resumes HTTP/1.1\r\nhost: tan").unwrap();
        }
        idle.push(stream);
        if number % 500 == 0 {
            // A connection of its own: one that rests between two requests may be closed in favor of another.
            assert_eq!(sandbox.client().get("/api/v1/health/ping").status, 200);
            answered += 1;
        }
    }
    assert_eq!(answered, most.div_ceil(500));
    poll::until("the idle connections are closed", Duration::from_secs(60), || {
        idle.retain_mut(|stream| {
            stream.set_nonblocking(true).unwrap();
            // What is closed has an end, or an error where the node did not read all that was sent.
            stream.read(&mut [0; 512]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
        });
        idle.is_empty().then_some(())
    });
    assert_eq!(sandbox.client().get("/api/v1/health/ping").status, 200);
    assert!(watch.peak_memory() < MEMORY, "the node took {} MiB", watch.peak_memory() >> 20);
    sandbox.stop();
}
