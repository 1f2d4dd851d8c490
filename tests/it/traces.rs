//! A request is followed from the edge to the last piece of its work, wherever that is done.

use std::fs;
use std::path::Path;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tandem_tests::client::{Answer, Client, Kind, text};
use tandem_tests::cluster::Cluster;
use tandem_tests::collector::{Collector, Span};
use tandem_tests::sandbox::Sandbox;
use tandem_tests::services::{self, Services};
use tandem_tests::{paths, poll};

use crate::secrets;

/// How long a run may take.
const RUN_WITHIN: Duration = Duration::from_secs(120);

/// What the sender's own part of each trace is.
const SENDER: &str = "b7ad6b7169203331";

const RESUME: &str =
    "# Amal Haddad\n\n## Experience\n\n**Rust engineer**, Example Ltd | 2019 - 2024\n\n- Built search.\n";

/// The trace of this number.
fn trace(number: u8) -> String {
    format!("0af7651916cd43dd8448eb211c8031{number:02x}")
}

/// A job, or a run, as a part of a trace.
fn post(client: &Client, path: &str, body: &Value, number: u8, flags: &str) -> Answer {
    let header = format!("00-{}-{SENDER}-{flags}", trace(number));
    let request = client.request(Method::POST, path).header("traceparent", header).json(body);
    client.send(request).unwrap()
}

/// The only span of this name below `parent` that came to a good end: what is tried again is several.
fn below<'a>(spans: &'a [Span], parent: &str, name: &str) -> &'a Span {
    let good = spans.iter().filter(|span| span.name == name && span.parent == parent && !span.failed);
    let found: Vec<&Span> = good.collect();
    let [span] = found[..] else { panic!("{} spans {name} below {parent} in {spans:#?}", found.len()) };
    span
}

/// Whether there is a span of each name that came to a good end.
fn has(spans: &[Span], names: &[&str]) -> bool {
    names.iter().all(|name| spans.iter().any(|span| span.name == *name && !span.failed))
}

/// What the way of a job is made of.
const WAY: [&str; 6] = ["POST /api/v1/jobs", "gateway", "ingestion", "parse", "extract", "embed"];

/// Checks the spans of a document that was taken in, read and embedded; gives those of its tasks.
fn expect_way_of_a_document(spans: &[Span], path: &str) -> [Span; 2] {
    let request = below(spans, SENDER, &format!("POST {path}"));
    assert_eq!(request.attributes["http.route"], path);
    assert_eq!(request.attributes["http.response.status_code"], "202");
    let gateways: Vec<&Span> =
        spans.iter().filter(|span| span.name == "gateway" && span.parent == request.id).collect();
    let intake = spans.iter().find(|span| span.name == "ingestion").unwrap();
    assert!(gateways.iter().any(|gateway| gateway.id == intake.parent), "{spans:#?}");
    let parse = below(spans, &intake.id, "parse");
    let extract = below(spans, &parse.id, "extract");
    let embed = below(spans, &parse.id, "embed");
    assert_eq!(extract.attributes["tandem.outcome"], "read");
    for task in [parse, embed] {
        assert_eq!(task.attributes["tandem.outcome"], "done");
        assert!(task.attributes["tandem.attempt"].parse::<u32>().unwrap() >= 1);
        assert_eq!(task.attributes["tandem.task"].len(), 36);
    }
    [parse.clone(), embed.clone()]
}

#[test]
fn a_request_is_followed_through_one_node() {
    if !paths::has_model("a_request_is_followed_through_one_node") {
        return;
    }
    let collector = Collector::start();
    let (name, endpoint) = collector.endpoint();
    let environment = [(name, endpoint.as_str()), ("TANDEM_LOG__FORMAT", "json")];
    let mut sandbox = Sandbox::start_with(&environment);
    let client = sandbox.client();

    let answer = post(&client, "/api/v1/jobs", &json!({ "text": "Rust engineer\n\n- Rust" }), 1, "01");
    let job = text(&answer.data(), "id");
    let told = answer.header("traceresponse").to_owned();
    client.expect_complete(Kind::Job, [&job]);
    let spans = collector.expect(&trace(1), |spans| has(spans, &WAY));
    expect_way_of_a_document(&spans, "/api/v1/jobs");
    let request = below(&spans, SENDER, "POST /api/v1/jobs");
    assert_eq!(told, format!("00-{}-{}-01", trace(1), request.id));

    let resume = client.accepted(Kind::Resume, "amal.md", RESUME.as_bytes());
    client.expect_complete(Kind::Resume, [&resume]);
    // Every item of a run is a part of it, and nothing is told of what its sender does not want to be.
    let run = json!({ "query": "job", "queries": [job], "top": 1 });
    let unsampled = post(&client, "/api/v1/match-runs", &run, 2, "00").data();
    let sampled = post(&client, "/api/v1/match-runs", &run, 3, "01").data();
    for run in [&unsampled, &sampled] {
        let path = format!("/api/v1/match-runs/{}", text(run, "id"));
        poll::until("the run is complete", RUN_WITHIN, || {
            (client.get(&path).data()["status"] == "complete").then_some(())
        });
    }
    let tasks =
        |spans: &[Span]| spans.iter().filter(|span| span.name == "match.bulk" && !span.failed).count();
    let spans =
        collector.expect(&trace(3), |spans| tasks(spans) == 2 && has(spans, &["POST /api/v1/match-runs"]));
    let filed =
        spans.iter().find(|span| span.name == "gateway" && has_below(&spans, span, "match.bulk")).unwrap();
    let whole = below(&spans, &filed.id, "match.bulk");
    below(&spans, &whole.id, "match.bulk");

    let metrics = client.get("/metrics").text;
    assert!(metrics.contains("tandem_spans_total{outcome=\"exported\"}"), "{metrics}");
    sandbox.stop();
    assert!(collector.spans().iter().all(|span| span.trace != trace(2)));
    // Every line of a request names its trace, also of one that nobody began elsewhere.
    let log = sandbox.said();
    let answered: Vec<&str> = log.lines().filter(|line| line.contains("\"request answered\"")).collect();
    assert!(answered.iter().all(|line| line.contains("\"trace_id\":\"")), "{answered:?}");
    for number in [1, 2, 3] {
        let named = format!("\"trace_id\":\"{}\"", trace(number));
        assert_eq!(answered.iter().filter(|line| line.contains(&named)).count(), 1, "{answered:#?}");
    }
    assert!(!log.contains("tandem_spans"), "spans are no lines of the log");
}

fn has_below(spans: &[Span], span: &Span, name: &str) -> bool {
    spans.iter().any(|other| other.parent == span.id && other.name == name)
}

/// What stands in the files of a folder, as text in lower case.
fn texts_in(folder: &Path) -> Vec<String> {
    let paths = fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path());
    paths
        .flat_map(|path| {
            if path.is_dir() {
                return texts_in(&path);
            }
            let bytes = fs::read(&path).unwrap_or_default();
            vec![String::from_utf8_lossy(&bytes).to_ascii_lowercase()]
        })
        .collect()
}

/// The way goes over a broker and other nodes; neither they nor whoever takes the spans get what is in documents.
#[test]
fn a_request_is_followed_through_three_nodes_and_nothing_private_goes_along() {
    let test = "a_request_is_followed_through_three_nodes_and_nothing_private_goes_along";
    if !services::are_there(test) || !paths::has_model(test) {
        return;
    }
    let collector = Collector::start();
    let services = Services::shared("traces");
    let roles = ["edge,ingest,match", "index,parse,embed", "index"];
    let mut cluster = Cluster::start_with(&services, &[collector.endpoint()], &roles);
    let client = cluster.client(0);
    let answer = post(&client, "/api/v1/jobs", &json!({ "text": "Rust engineer\n\n- Rust" }), 4, "01");
    let job = text(&answer.data(), "id");
    client.expect_complete(Kind::Job, [&job]);
    let spans = collector.expect(&trace(4), |spans| has(spans, &WAY));
    let tasks = expect_way_of_a_document(&spans, "/api/v1/jobs");
    assert_eq!(below(&spans, SENDER, "POST /api/v1/jobs").node, "node-0");
    assert!(tasks.iter().all(|task| task.node == "node-1"), "{tasks:?}");

    // Whoever matches holds no shards here and asks those who do.
    let run = json!({ "query": "job", "queries": [job], "top": 1 });
    drop(post(&client, "/api/v1/match-runs", &run, 5, "01").data());
    let spans = collector
        .expect(&trace(5), |spans| spans.iter().any(|span| span.name == "mesh/answer" && !span.failed));
    for answer in spans.iter().filter(|span| span.name == "mesh/answer") {
        assert_eq!(answer.attributes["tandem.peer"], "node-0");
        assert!(answer.node == "node-1" || answer.node == "node-2");
    }

    let log = cluster.node(0).said();
    let mut answered = log.lines().filter(|line| line.contains("request answered"));
    assert!(answered.any(|line| line.contains(&format!("trace_id={}", trace(4)))), "{log}");
    drop(secrets::provoke(&client));
    drop(secrets::failed(&client));
    // The broker keeps on disk whatever went through it, at least until this test ends: what is known to have gone
    // through is found there.
    let messages = texts_in(&services.broker());
    let stands_there = |text: &str| messages.iter().any(|file| file.contains(&text.to_lowercase()));
    assert!(stands_there(&trace(4)), "the messages are not where they were");
    for mark in secrets::MARKS {
        assert!(!stands_there(mark), "messages of the queue hold {mark:?}");
    }
    cluster.stop();
    secrets::expect_clean("the exported traces", &format!("{:#?}", collector.spans()));
}
