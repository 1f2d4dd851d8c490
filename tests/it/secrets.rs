//! What people hand in stays out of logs, metrics and errors.

use std::io::{Cursor, Write};

use reqwest::Method;
use serde_json::json;
use tandem_tests::client::{Answer, Client, Kind, text};
use tandem_tests::paths;
use tandem_tests::sandbox::Sandbox;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Texts that stand in documents and requests and nowhere else.
const MARKS: [&str; 7] = [
    "Quizzaciously Fnordheim",
    "fnordheim.q@example.org",
    "+1 212 555 0199",
    "555 0199",
    "xylophonic-underwater-basketweaving",
    "tok_5f2b8c1e9d7a4630",
    "hunter2-in-a-header",
];

fn resume() -> String {
    format!(
        "# {}\n\n{} · {}\n\n## Experience\n\n**Loom & Sons** | {} | 2019 - Present\n\n- Keeps the password {}.\n",
        MARKS[0], MARKS[1], MARKS[2], MARKS[4], MARKS[5]
    )
}

/// Requests that go well and requests that do not; every answer that is an error.
fn provoke(client: &Client) -> Vec<Answer> {
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
fn failed(client: &Client) -> Vec<String> {
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
        let mut sandbox =
            Sandbox::start_with(&[("TANDEM_LOG__LEVEL", "trace"), ("TANDEM_LOG__FORMAT", format)]);
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
    }
}

fn expect_clean(what: &str, text: &str) {
    for mark in MARKS {
        let found = text.lines().find(|line| line.to_lowercase().contains(&mark.to_lowercase()));
        assert!(found.is_none(), "{what} holds {mark:?}:\n{}", found.unwrap_or_default());
    }
}
