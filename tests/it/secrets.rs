//! What people hand in stays out of logs, metrics, errors and exported traces. That it stays out of messages is looked at
//! where there is a broker, in `traces`.

use std::collections::BTreeSet;
use std::io::{Cursor, Write};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tandem_tests::client::{Answer, Client, Kind, text};
use tandem_tests::collector::Collector;
use tandem_tests::paths;
use tandem_tests::sandbox::Sandbox;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Texts that stand in documents and requests and nowhere else.
pub(super) const MARKS: [&str; 7] = [
    "Quizzaciously Fnordheim",
    "fnordheim.q@example.org",
    "+1 212 555 0199",
    "555 0199",
    "xylophonic-underwater-basketweaving",
    "tok_5f2b8c1e9d7a4630",
    "hunter2-in-a-header",
];

/// How long an answer is read.
const PATIENCE: Duration = Duration::from_secs(3);

fn resume() -> String {
    format!(
        "# {}\n\n{} · {}\n\n## Experience\n\n**Loom & Sons** | {} | 2019 - Present\n\n- Keeps the password {}.\n",
        MARKS[0], MARKS[1], MARKS[2], MARKS[4], MARKS[5]
    )
}

/// Requests that go well and requests that do not; every answer that is an error.
pub(super) fn provoke(client: &Client) -> Vec<Answer> {
    let resume = resume();
    let id = client.accepted(Kind::Resume, &format!("{}.md", MARKS[0]), resume.as_bytes());
    let job =
        client.accepted_text(Kind::Job, &format!("Weaver\n\nRequirements\n- {}\n- {}", MARKS[4], MARKS[1]));
    client.expect_complete(Kind::Resume, [&id]);
    client.expect_complete(Kind::Job, [&job]);
    // What was handed in is what its owner sees; that nobody else does is what is tested here.
    assert!(client.document(Kind::Resume, &id).to_string().contains(MARKS[1]));
    drop(client.match_pair(&id, &job));
    drop(client.run("job", &[&job], 10));

    let post = |path: &str| client.request(Method::POST, path);
    let in_json = |path: &str, body: String| {
        let request = post(path).header("content-type", "application/json").body(body);
        client.send(request).unwrap()
    };
    let mut errors = vec![
        in_json("/api/v1/jobs", format!("{{\"text\": \"{}", resume.replace('\n', " "))),
        in_json("/api/v1/jobs", json!({ "text": [resume] }).to_string()),
        in_json("/api/v1/jobs", json!({ "text": "ok", MARKS[1]: 1 }).to_string()),
        in_json("/api/v1/jobs", json!({ "text": "", "title": resume.repeat(20) }).to_string()),
        in_json("/api/v1/matches", json!({ "resumeId": MARKS[1], "jobId": MARKS[5] }).to_string()),
        in_json("/api/v1/match-runs", json!({ "query": MARKS[1], "queries": [] }).to_string()),
        in_json(
            "/api/v1/match-runs",
            json!({ "query": "job", "queries": [], "candidates": MARKS[1] }).to_string(),
        ),
        client.send(post("/api/v1/resumes").body(resume.clone())).unwrap(),
        client.submit(Kind::Resume, &format!("{}.exe", MARKS[0]), format!("MZ\0\0{resume}").as_bytes()),
        client.get(&format!("/api/v1/resumes?limit={}", MARKS[5])),
        client.get(&format!("/api/v1/resumes?token={}", MARKS[5])),
    ];
    let with_token = client.request(Method::GET, "/api/v1/resumes/nobody");
    let with_token = with_token.bearer_auth(MARKS[5]).header("x-api-key", MARKS[6]);
    errors.push(client.send(with_token).unwrap());
    errors
}

/// Documents that come to nothing: the reasons why.
pub(super) fn failed(client: &Client) -> Vec<String> {
    let pdf = format!("%PDF-1.7\n1 0 obj << /Type /Catalog /Title ({}) >>\n{}\nendobj", MARKS[0], resume());
    let files =
        [(format!("{}.pdf", MARKS[0]), pdf.into_bytes()), (format!("{}.docx", MARKS[0]), broken_docx())];
    let reason = |(name, bytes): &(String, Vec<u8>)| {
        let answer = client.submit(Kind::Resume, name, bytes);
        if answer.status >= 400 {
            return answer.text;
        }
        let document = client.settled(Kind::Resume, &text(&answer.data(), "id"));
        assert_eq!(text(&document, "status"), "failed", "{name} is read");
        document["failure"].to_string()
    };
    files.iter().map(reason).collect()
}

/// A DOCX whose one part is no XML.
fn broken_docx() -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    zip.start_file("word/document.xml", options).unwrap();
    zip.write_all(format!("<w:document><w:{} {}=\n{}", MARKS[4], MARKS[5], resume()).as_bytes()).unwrap();
    zip.finish().unwrap().into_inner()
}

#[test]
fn invariant_9_logs_metrics_and_errors_hold_nothing_private() {
    if !paths::has_model("invariant_9_logs_metrics_and_errors_hold_nothing_private") {
        return;
    }
    for format in ["text", "json"] {
        let collector = Collector::start();
        let (name, endpoint) = collector.endpoint();
        let more = [("TANDEM_LOG__LEVEL", "trace"), ("TANDEM_LOG__FORMAT", format), (name, &endpoint)];
        let mut sandbox = Sandbox::start_with(&more);
        let client = sandbox.client();
        let errors = provoke(&client);
        for error in &errors {
            assert!((400..500).contains(&error.status), "{}: {}", error.status, error.text);
            assert!(!error.error_code().is_empty());
            expect_clean("an error", &error.text);
        }
        for reason in failed(&client) {
            expect_clean("the reason of a failure", &reason);
        }
        expect_clean("the metrics", &client.get("/metrics").text);
        sandbox.stop();
        let log = sandbox.said();
        assert!(log.contains("request answered"), "the log is not where it was");
        assert!(log.contains("TRACE"), "the log is not at its finest level");
        expect_clean("the log", &log);
        expect_clean_traces(&collector);
    }
}

fn expect_clean_traces(collector: &Collector) {
    let spans = collector.spans();
    let names: BTreeSet<&str> = spans.iter().map(|span| span.name.as_str()).collect();
    for name in ["POST /api/v1/resumes", "gateway", "ingestion", "parse", "extract", "embed"] {
        assert!(names.contains(name), "no spans of {name} among {names:?}");
    }
    expect_clean("the exported traces", &format!("{spans:#?}"));
}

pub(super) fn expect_clean(what: &str, text: &str) {
    for mark in MARKS {
        let found = text.lines().find(|line| line.to_lowercase().contains(&mark.to_lowercase()));
        assert!(found.is_none(), "{what} holds {mark:?}:\n{}", found.unwrap_or_default());
    }
}

/// Fills a schema: every text is marked, every id is a document's, every choice is its first one.
fn filled(api: &Value, schema: &Value, id: &str) -> Value {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.strip_prefix("#/components/schemas/")) {
        return filled(api, &api["components"]["schemas"][name], id);
    }
    for choice in ["oneOf", "anyOf", "allOf"] {
        let choices = schema[choice].as_array().into_iter().flatten();
        if let Some(one) = choices.into_iter().find(|one| one["type"] != "null") {
            return filled(api, one, id);
        }
    }
    if let Some(first) = schema["enum"].get(0) {
        return first.clone();
    }
    let kinds = schema["type"].as_array();
    let kind = kinds.and_then(|kinds| kinds.iter().find(|kind| **kind != "null")).unwrap_or(&schema["type"]);
    match kind.as_str() {
        Some("object") => {
            let fields = schema["properties"].as_object().into_iter().flatten();
            fields.map(|(name, schema)| (name.clone(), filled(api, schema, id))).collect()
        }
        Some("array") => json!([filled(api, &schema["items"], id)]),
        Some("integer" | "number") => json!(1),
        Some("boolean") => json!(true),
        Some(_) | None if schema["format"] == "uuid" => json!(id),
        Some(_) | None => json!(MARKS.join(" ")),
    }
}

/// A path and query in which every parameter has a value.
fn address(path: &str, operation: &Value, value: &str) -> String {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let (mut path, mut query) = (path.to_owned(), Vec::new());
    for parameter in parameters {
        let name = text(parameter, "name");
        match parameter["in"].as_str() {
            Some("path") => path = path.replace(&format!("{{{name}}}"), value),
            Some("query") => query.push(format!("{name}={value}")),
            _ => {}
        }
    }
    if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
}

/// Asks one operation in every way: with bodies that fit and that do not, with marks where ids belong, in the query and
/// in headers; every answer that is an error.
fn drive(client: &Client, api: &Value, method: &str, path: &str, operation: &Value, id: &str) -> Vec<Answer> {
    let mark = MARKS[1];
    let bodies: Vec<(String, String)> = operation["requestBody"]["content"]
        .as_object()
        .into_iter()
        .flatten()
        .flat_map(|(media, content)| {
            let fits = filled(api, &content["schema"], id).to_string();
            let broken = format!("{{\"{mark}\": \"{}", MARKS[5]);
            let unknown = json!({ MARKS[3]: MARKS[4] }).to_string();
            [fits, broken, unknown].map(|body| (media.clone(), body))
        })
        .collect();
    let none = [(String::new(), String::new())];
    let bodies = if bodies.is_empty() { &none[..] } else { &bodies[..] };
    let plain = path.replace("{owner}", "local");
    let addresses = [
        plain.replace("{id}", id).replace("{version}", "1"),
        address(path, operation, &mark.replace('@', "%40")),
        format!("{}?token={}", plain.replace("{id}", id).replace("{version}", "1"), MARKS[5]),
    ];
    let mut answers = Vec::new();
    for (media, body) in bodies {
        for address in &addresses {
            let mut request = client.request(method.to_uppercase().parse().unwrap(), address);
            request = request.header("user-agent", MARKS[5]).header("cookie", MARKS[6]);
            request = request.header("idempotency-key", MARKS[5]);
            if !media.is_empty() {
                let media =
                    if media.starts_with("multipart/") { "multipart/form-data; boundary=x" } else { media };
                request = request.header("content-type", media).body(body.clone());
            }
            // A stream of events goes on until its reader goes away.
            if let Ok(answer) = client.send(request.timeout(PATIENCE)) {
                answers.push(answer);
            }
        }
    }
    answers.retain(|answer| answer.status >= 400);
    answers
}

/// Every route of the node's own description is driven, so that a new one cannot be forgotten.
#[test]
fn invariant_9_every_route_keeps_what_it_is_given_to_itself() {
    if !paths::has_model("invariant_9_every_route_keeps_what_it_is_given_to_itself") {
        return;
    }
    let collector = Collector::start();
    let (name, endpoint) = collector.endpoint();
    let more = [("TANDEM_LOG__LEVEL", "trace"), ("TANDEM_LOG__FORMAT", "json"), (name, &endpoint)];
    let unlimited =
        ["READ", "WRITE", "BULK", "STREAM"].map(|class| format!("TANDEM_LIMITS__{class}__PER_MINUTE"));
    let unlimited = unlimited.each_ref().map(|name| (name.as_str(), "0"));
    let mut sandbox = Sandbox::start_with(&[&more[..], &unlimited].concat());
    let client = sandbox.client();
    let api = client.get("/openapi.json").json();
    let id = client.accepted(Kind::Resume, &format!("{}.md", MARKS[0]), resume().as_bytes());
    client.expect_complete(Kind::Resume, [&id]);
    let mut routes: Vec<(&String, &String, &Value)> = api["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| {
            item.as_object().unwrap().iter().map(move |(method, one)| (path, method, one))
        })
        .collect();
    // What erases comes last.
    routes.sort_by_key(|(path, method, _)| (*method == "delete", path.contains("/users/")));
    assert!(routes.len() > 30, "the description names {} routes", routes.len());
    for (path, method, operation) in routes {
        for answer in drive(&client, &api, method, path, operation, &id) {
            expect_clean(&format!("an error of {method} {path}"), &answer.text);
        }
    }
    expect_clean("the metrics", &client.get("/metrics").text);
    expect_clean("the audit log", &client.get("/api/v1/audit").text);
    sandbox.stop();
    expect_clean("the log", &sandbox.said());
    expect_clean_traces(&collector);
}
