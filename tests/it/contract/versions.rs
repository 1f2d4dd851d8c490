//! Versions of documents, and what an outside workflow reports.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tandem_tests::client::{Answer, Client, list, number, text};
use tandem_tests::sandbox::Sandbox;
use tandem_tests::{paths, poll};

use super::resources::{JOB, RESUME, matched, of_row, pair};

/// How long a version may take, behind the documents of other rows.
const READ_WITHIN: Duration = Duration::from_secs(120);
/// The variable of a node that takes reports, and what whoever reports shows.
const VARIABLE: &str = "TANDEM_EDGE__WORKFLOW_TOKEN";
const TOKEN: &str = "a-token-of-a-workflow-in-a-test-0123456789";

/// Waits until this version is the one that is searched.
fn searched(client: &Client, path: &str, version: i64) -> Value {
    poll::until("the version is searched", READ_WITHIN, || {
        let found = client.get(path).data();
        assert_ne!(text(&found, "status"), "failed", "{found}");
        (number(&found, "version") == version && text(&found, "status") == "complete").then_some(found)
    })
}

pub(super) fn s3_a_new_version_takes_the_place_of_the_one_before(client: &Client) {
    let (resume, job) = pair(client, "s3 versions");
    let path = format!("/api/v1/resumes/{resume}");
    let before = matched(client, &resume, &job);
    assert_eq!(number(&before["summary"]["receipt"], "resume_version"), 1);

    let newer = of_row("s3 versions, the second", &RESUME.replace("Python, SQL", "Rust, SQL"));
    let post = |content: &str| client.post(&format!("{path}/versions"), &json!({"text": content}));
    let submitted = post(&newer);
    assert_eq!(
        (submitted.status, number(&submitted.data(), "submitted_version")),
        (202, 2),
        "{}",
        submitted.text
    );
    assert_eq!(text(&submitted.data(), "embedding_status"), "indexed", "the one before is still found");
    let found = searched(client, &path, 2);
    assert!(found["parsed"]["skills"].to_string().contains("\"rust\""), "{found}");
    for content in [newer, of_row("s3 versions", RESUME)] {
        let again = post(&content);
        assert_eq!((again.status, &again.data()["duplicate"]), (200, &json!(true)));
    }

    let versions = client.get(&format!("{path}/versions")).data();
    let shown: Vec<(i64, bool, String)> = list(&versions, "items")
        .iter()
        .map(|v| (number(v, "version"), v["active"] == json!(true), text(v, "embedding_status")))
        .collect();
    let indexed = || "indexed".to_owned();
    assert_eq!(shown, [(2, true, indexed()), (1, false, indexed())]);
    let first = client.get(&format!("{path}/versions/1")).data();
    assert!(first["parsed"]["skills"].to_string().contains("\"python\""), "{first}");
    let none = client.get(&format!("{path}/versions/3"));
    assert_eq!((none.status, none.error_code().as_str()), (404, "NOT_FOUND"));

    let after = matched(client, &resume, &job);
    assert_eq!(number(&after["summary"]["receipt"], "resume_version"), 2);
    assert!(number(&after, "score") < number(&before, "score"), "what it was found by is gone");
    let removed = client.send(client.request(Method::DELETE, &path)).unwrap();
    assert_eq!(removed.data()["removed"], json!({"originals": 2, "versions": 2}), "{}", removed.text);
    assert_eq!(client.get(&format!("{path}/versions/1")).status, 404);
}

pub(super) fn s5_a_refined_job_is_queued_again_and_keeps_its_result(client: &Client) {
    let (resume, job) = pair(client, "s5 refined");
    let result = matched(client, &resume, &job);
    let path = format!("/api/v1/jobs/{job}");
    let words = json!({"customInstructions": "Mind the leadership.", "desired_output_lang": "ar"});
    let refined = client.post(&format!("{path}/refine"), &words);
    assert_eq!(
        (refined.status, text(&refined.data(), "status").as_str()),
        (202, "queued"),
        "{}",
        refined.text
    );
    let found = searched(client, &path, 2);
    let shown = ["custom_instructions", "desired_output_lang"].map(|name| text(&found, name));
    assert_eq!(shown, ["Mind the leadership.", "ar"]);
    assert_eq!(text(&found["result"], "id"), text(&result, "id"));
    let bad = client.post(&format!("{path}/refine"), &json!({"jd_lang": "de"}));
    assert_eq!((bad.status, bad.error_code().as_str()), (400, "VALIDATION_ERROR"));
}

fn report(client: &Client, kind: &str, token: Option<&str>, body: &Value) -> Answer {
    let path = format!("/api/v1/callbacks/n8n/{kind}");
    let mut request = client.request(Method::POST, &path).json(body);
    if let Some(token) = token {
        request = request.header("x-workflow-token", token);
    }
    client.send(request).unwrap()
}

pub(super) fn s4_without_a_token_there_are_no_callbacks(client: &Client) {
    for kind in ["resume", "job"] {
        let refused = report(client, kind, Some(TOKEN), &json!({}));
        assert_eq!((refused.status, refused.error_code().as_str()), (404, "NOT_FOUND"));
    }
}

#[test]
fn s4_a_workflow_reports_texts_under_its_token() {
    if !paths::has_model("s4_a_workflow_reports_texts_under_its_token") {
        return;
    }
    let mut sandbox = Sandbox::start_with(&[(VARIABLE, TOKEN)]);
    let client = sandbox.client();
    let (resume, job) = pair(&client, "s4");
    let resume_text = of_row("s4, read by a workflow", RESUME);
    let resume_report =
        json!({"resume_id": resume, "raw_text": resume_text, "parsed_json": {"name": "Tamsin"}});
    let job_report = json!({"jobId": job, "job_description": of_row("s4, fetched by a workflow", JOB)});
    for token in [None, Some("a-wrong-token-of-a-workflow-0123456789012")] {
        let refused = report(&client, "resume", token, &resume_report);
        assert_eq!((refused.status, refused.error_code().as_str()), (401, "AUTH_REQUIRED"));
    }
    for (kind, path, body) in [("resume", "resumes", &resume_report), ("job", "jobs", &job_report)] {
        let taken = report(&client, kind, Some(TOKEN), body);
        assert_eq!((taken.status, number(&taken.data(), "submitted_version")), (202, 2), "{}", taken.text);
        drop(searched(&client, &format!("/api/v1/{path}/{}", text(&taken.data(), "id")), 2));
        let again = report(&client, kind, Some(TOKEN), body);
        assert_eq!((again.status, &again.data()["duplicate"]), (200, &json!(true)), "{}", again.text);
    }
    sandbox.stop();
    assert!(!sandbox.said().contains(TOKEN), "nobody reads it in the log");
}
