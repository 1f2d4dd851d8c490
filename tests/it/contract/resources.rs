//! Documents and matches.

use std::time::Duration;

use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use tandem_tests::client::{Answer, Client, Kind, list, number, text};
use tandem_tests::poll;

/// How long a pair may wait to be scored, behind the documents of other rows.
const SCORED_WITHIN: Duration = Duration::from_secs(180);

pub(super) const RESUME: &str = "# Tamsin Rookwood
Data Engineer
tamsin.rookwood@example.com | +44 20 5555 0199 | 4 Mill Lane, Leeds LS1 4AP

## Summary
Tamsin Rookwood builds pipelines in Python. Write to tamsin.rookwood@example.com.

## Experience
Data Engineer, Larch Analytics, Leeds, 2019 - 2023
- Rookwood's team moved 40 jobs to Apache Airflow.

## Skills
Python, SQL, Apache Airflow

## Personal details
Date of birth: 1 May 1990
";

pub(super) const JOB: &str = "Data Engineer

Requirements
- 3 years of Python
- SQL
";

/// A text that no other row has.
pub(super) fn of_row(row: &str, content: &str) -> String {
    format!("{content}\nReference {row}\n")
}

fn post(client: &Client, path: &str, body: &Value) -> Answer {
    let answer = client.post(path, body);
    assert_eq!(answer.status, 202, "{}", answer.text);
    answer
}

fn complete(client: &Client, kind: Kind, submitted: &Answer) -> Value {
    let settled = client.settled(kind, &text(&submitted.data(), "id"));
    assert_eq!(text(&settled, "status"), "complete", "{settled}");
    settled
}

fn is_listed(client: &Client, path: &str, id: &str) -> bool {
    let page = client.get(&format!("{path}?limit=1000")).data();
    list(&page, "items").iter().any(|item| item["id"] == id)
}

fn skills(document: &Value) -> Vec<&str> {
    list(&document["parsed"], "skills").iter().filter_map(|skill| skill["id"].as_str()).collect()
}

pub(super) fn l1_resumes_are_queued_listed_and_shown_with_their_skills(client: &Client) {
    let submitted = client.submit(Kind::Resume, "tamsin.md", of_row("l1", RESUME).as_bytes());
    assert_eq!(submitted.status, 202, "{}", submitted.text);
    assert_eq!(text(&submitted.data(), "status"), "queued");
    assert!(is_listed(client, "/api/v1/resumes", &text(&submitted.data(), "id")));
    let resume = complete(client, Kind::Resume, &submitted);
    assert_eq!(resume["parsed"]["profile"]["basics"]["name"]["value"], "Tamsin Rookwood");
    assert!(skills(&resume).contains(&"python"), "{resume}");
}

pub(super) fn l2_jobs_come_as_json_or_as_a_file_and_show_their_requirements(client: &Client) {
    let body = json!({"title": "Data Engineer", "text": of_row("l2", JOB)});
    let as_json = post(client, "/api/v1/jobs", &body);
    let as_file = client.submit(Kind::Job, "job.txt", of_row("l2 as a file", JOB).as_bytes());
    assert_eq!(as_file.status, 202, "{}", as_file.text);
    for submitted in [as_json, as_file] {
        assert!(is_listed(client, "/api/v1/jobs", &text(&submitted.data(), "id")));
        let job = complete(client, Kind::Job, &submitted);
        let requirements = &job["parsed"]["profile"]["requirements"];
        assert!(
            list(requirements, "skills").iter().any(|skill| skill["any_of"][0]["id"] == "python"),
            "{job}"
        );
    }
}

/// The ids of a résumé and a job of this row that can be matched.
pub(super) fn pair(client: &Client, row: &str) -> (String, String) {
    let resume = client.accepted_text(Kind::Resume, &of_row(row, RESUME));
    let job = client.accepted_text(Kind::Job, &of_row(row, JOB));
    client.expect_complete(Kind::Resume, [&resume]);
    client.expect_complete(Kind::Job, [&job]);
    (resume, job)
}

/// Asks for a match and waits for it.
pub(super) fn matched(client: &Client, resume: &str, job: &str) -> Value {
    let queued = post(client, "/api/v1/matches", &json!({"resumeId": resume, "jobId": job})).data();
    let path = format!("/api/v1/matches/{}", text(&queued, "id"));
    poll::until("the pair is scored", SCORED_WITHIN, || {
        let found = client.get(&path).data();
        (text(&found, "status") == "complete").then_some(found)
    })
}

pub(super) fn l3_a_match_is_queued_and_ends_with_its_summary(client: &Client) {
    let (resume, job) = pair(client, "l3");
    let found = matched(client, &resume, &job);
    assert_eq!((text(&found, "resumeId"), text(&found, "jobId")), (resume, job));
    assert!(number(&found, "score") > 0 && found["summary"].is_object(), "{found}");
    assert!(is_listed(client, "/api/v1/matches", &text(&found, "id")));
}

pub(super) fn s2_languages_are_kept_and_found_out(client: &Client) {
    let arabic = of_row("s2", "مهندس بيانات\n\nالمتطلبات\n- خبرة ثلاث سنوات في Python\n- إجادة SQL");
    let body = json!({"text": arabic, "jd_lang": "ar", "resumeLang": "en", "desired_output_lang": "en"});
    let submitted = post(client, "/api/v1/jobs", &body);
    let job = complete(client, Kind::Job, &submitted);
    let kept = ["jd_lang", "resume_lang", "desired_output_lang"].map(|name| text(&job, name));
    assert_eq!(kept, ["ar", "en", "en"]);
    assert_eq!(text(&job["parsed"]["profile"], "language"), "ar");
    let refused = client.post("/api/v1/jobs", &json!({"text": "x", "jd_lang": "de"}));
    assert_eq!((refused.status, refused.error_code().as_str()), (400, "VALIDATION_ERROR"));
}

pub(super) fn s3_resumes_come_as_text_or_as_a_file_and_say_when_they_are_indexed(client: &Client) {
    let body = json!({"title": "Mine", "raw_text": of_row("s3", RESUME), "language": "en"});
    let from_text = post(client, "/api/v1/resumes/from-text", &body);
    let part = Part::bytes(of_row("s3 as a file", RESUME).into_bytes()).file_name("tamsin.md");
    let form = Form::new().part("file", part).text("title", "Mine").text("resume_lang", "en");
    let uploaded =
        client.send(client.request(Method::POST, "/api/v1/resumes/upload").multipart(form)).unwrap();
    for submitted in [from_text, uploaded] {
        assert_eq!(submitted.status, 202, "{}", submitted.text);
        assert_eq!(text(&submitted.data(), "embedding_status"), "pending");
        let resume = complete(client, Kind::Resume, &submitted);
        let shown = ["embedding_status", "title", "resume_lang"].map(|name| text(&resume, name));
        assert_eq!(shown, ["indexed", "Mine", "en"]);
        assert_eq!(number(&resume, "version"), 1);
    }
}

pub(super) fn s3_a_resume_is_shown_without_whose_it_is(client: &Client) {
    let submitted = client.submit(Kind::Resume, "rookwood.md", of_row("redacted", RESUME).as_bytes());
    let id = text(&complete(client, Kind::Resume, &submitted), "id");
    let shown = client.get(&format!("/api/v1/resumes/{id}/redacted?include=text"));
    let resume = shown.data();
    assert!(list(&resume, "skills").iter().any(|skill| skill["id"] == "python"), "{resume}");
    for person in ["Tamsin", "ookwood", "example.com", "5555", "Mill Lane", "LS1", "1990"] {
        assert!(!shown.text.contains(person), "{person}: {}", shown.text);
    }
    assert!(shown.text.contains("builds pipelines in Python"), "{}", shown.text);
    let job = client.accepted_text(Kind::Job, &of_row("redacted", JOB));
    let refused = client.get(&format!("/api/v1/resumes/{job}/redacted"));
    assert_eq!((refused.status, refused.error_code().as_str()), (404, "NOT_FOUND"));
}

pub(super) fn s5_a_job_has_a_title_keeps_instructions_and_shows_its_latest_result(client: &Client) {
    let body = json!({
        "description": of_row("s5", JOB), "company": "Larch Analytics", "customInstructions": "Mind the team.",
    });
    let submitted = post(client, "/api/v1/jobs", &body);
    assert_eq!(text(&submitted.data(), "status"), "queued");
    let job = complete(client, Kind::Job, &submitted);
    let shown = ["title", "company", "custom_instructions"].map(|name| text(&job, name));
    assert_eq!(shown, ["Data Engineer", "Larch Analytics", "Mind the team."]);
    assert_eq!(job.get("result"), Some(&Value::Null));
    let resume = client.accepted_text(Kind::Resume, &of_row("s5", RESUME));
    client.expect_complete(Kind::Resume, [&resume]);
    let id = text(&job, "id");
    let found = matched(client, &resume, &id);
    let result = client.document(Kind::Job, &id)["result"].take();
    assert_eq!(
        (text(&result, "id"), number(&result, "score")),
        (text(&found, "id"), number(&found, "score"))
    );
}

pub(super) fn s5_a_posting_of_schema_org_is_a_job(client: &Client) {
    let posting = json!({
        "@context": "https://schema.org", "@type": "JobPosting", "title": "Data Engineer",
        "description": "<p>You build pipelines for </script> pages.</p><h2>Requirements</h2><ul><li>Python</li></ul>",
        "hiringOrganization": {"@type": "Organization", "name": "Larch Analytics"},
    });
    let request = client.request(Method::POST, "/api/v1/jobs").header("content-type", "application/ld+json");
    let submitted = client.send(request.body(posting.to_string())).unwrap();
    assert_eq!(submitted.status, 202, "{}", submitted.text);
    let job = complete(client, Kind::Job, &submitted);
    assert_eq!(["title", "company"].map(|name| text(&job, name)), ["Data Engineer", "Larch Analytics"]);
    assert_eq!(job["parsed"]["profile"]["requirements"]["title"]["value"], "Data Engineer");
    assert!(skills(&job).contains(&"python"), "{job}");
}

pub(super) fn r4_the_same_content_is_one_document_and_a_key_belongs_to_one(client: &Client) {
    let (one, two) = (of_row("r4", RESUME), of_row("r4 again", RESUME));
    let key = |content: &str| {
        client.try_submit(Kind::Resume, "tamsin.md", content.as_bytes(), Some("contract-r4")).unwrap()
    };
    let first = key(&one);
    assert_eq!(first.status, 202, "{}", first.text);
    let repeated = key(&one);
    assert_eq!((repeated.status, &repeated.data()["id"]), (202, &first.data()["id"]));
    let other = key(&two);
    assert_eq!((other.status, other.error_code().as_str()), (422, "IDEMPOTENCY_KEY_REUSED"));
    let again = client.submit(Kind::Resume, "other.md", one.as_bytes());
    assert_eq!((again.status, &again.data()["duplicate"]), (200, &json!(true)));
    for name in ["id", "sha256"] {
        assert_eq!(text(&again.data(), name), text(&first.data(), name));
    }
    assert_eq!(client.submit(Kind::Resume, "tamsin.md", two.as_bytes()).status, 202, "it was not kept");
}
