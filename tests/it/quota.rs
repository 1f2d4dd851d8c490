//! Plans against a real node: what is charged, what is refused and how, what is given back.

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tandem_tests::client::{Answer, Client, Kind, list, number, text};
use tandem_tests::sandbox::Sandbox;
use tandem_tests::{cli, paths, poll};

mod race;
mod runs;

const ENABLED: (&str, &str) = ("TANDEM_QUOTA__ENABLED", "true");
/// Callers of a race.
const CALLERS: usize = 32;

#[test]
fn l8_two_requests_at_once_take_the_last_unit_once() {
    if !paths::has_model("l8_two_requests_at_once_take_the_last_unit_once") {
        return;
    }
    let mut sandbox = Sandbox::start_with(&[ENABLED, ("TANDEM_PLANS__FREE__MATCHES", "5")]);
    let client = sandbox.client();
    let pair = pair(&client);
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let (client, pair) = (client.clone(), pair.clone());
            thread::spawn(move || client.post("/api/v1/matches", &pair).status)
        })
        .collect();
    let ends: Vec<u16> = callers.into_iter().map(|caller| caller.join().unwrap()).collect();
    assert_eq!(ends.iter().filter(|status| **status == 202).count(), 5, "{ends:?}");
    assert_eq!(ends.iter().filter(|status| **status == 402).count(), CALLERS - 5, "{ends:?}");
    assert_eq!(list(&client.get("/api/v1/matches").data(), "items").len(), 5);
    sandbox.stop();
}

#[test]
fn l8_window_resets() {
    if !paths::has_model("l8_window_resets") {
        return;
    }
    let environment = [ENABLED, ("TANDEM_PLANS__FREE__MATCHES", "1"), ("TANDEM_QUOTA__PERIOD_S", "3")];
    let mut sandbox = Sandbox::start_with(&environment);
    let client = sandbox.client();
    let pair = pair(&client);
    assert_eq!(client.post("/api/v1/matches", &pair).status, 202);
    let before = client.get("/api/v1/quota").data();
    poll::until("the window is over", Duration::from_secs(90), || {
        (client.post("/api/v1/matches", &pair).status == 202).then_some(())
    });
    let after = client.get("/api/v1/quota").data();
    assert_eq!(number(&after, "annual_usage_count"), 1, "the first of its window: {after}");
    let start = |quota: &Value| text(quota, "annual_period_start");
    assert!(start(&after) > start(&before), "{before} {after}");
    sandbox.stop();
}

#[test]
fn l9_admin_reset() {
    if !paths::has_model("l9_admin_reset") {
        return;
    }
    let environment = [ENABLED, ("TANDEM_PLANS__FREE__MATCHES", "1")];
    let mut sandbox = Sandbox::start_with(&environment);
    let client = sandbox.client();
    let pair = pair(&client);
    assert_eq!(client.post("/api/v1/matches", &pair).status, 202);
    assert_eq!(client.post("/api/v1/matches", &pair).status, 402);
    sandbox.stop();

    let data = sandbox.data().to_string_lossy().into_owned();
    let quota = |arguments: &[&str]| {
        let arguments = [&["quota"], arguments, &["--data", &data]].concat();
        cli::run_with(&environment, arguments).expect_success().stdout
    };
    let shown: Value = serde_json::from_str(&quota(&["show", "local", "--json"])).unwrap();
    assert_eq!((number(&shown, "annual_usage_count"), text(&shown, "plan")), (1, "free".to_owned()));
    let reset: Value = serde_json::from_str(&quota(&["reset", "local", "--json"])).unwrap();
    assert_eq!(number(&reset, "annual_usage_count"), 0);
    assert!(text(&reset, "annual_period_start") > text(&shown, "annual_period_start"), "{shown} {reset}");
    sandbox.spawn();
    let client = sandbox.expect_ready();
    assert_eq!(client.post("/api/v1/matches", &pair).status, 202, "there is one again");
    assert_eq!(client.post("/api/v1/matches", &pair).status, 402);
    sandbox.stop();

    let shown = quota(&["set-plan", "local", "pro"]);
    assert!(shown.contains("has the plan pro, given by an operator"), "{shown}");
    let wrong = cli::run_with(&environment, ["quota", "set-plan", "local", "gold", "--data", &data]);
    assert!(wrong.code > 0 && wrong.stderr.contains("employer"), "{}", wrong.stderr);
    sandbox.spawn();
    let client = sandbox.expect_ready();
    for _ in 0..3 {
        assert_eq!(client.post("/api/v1/matches", &pair).status, 202);
    }
    assert_eq!(text(&client.get("/api/v1/quota").data(), "plan"), "pro");
    sandbox.stop();
}

#[test]
fn l10_the_pro_header_counts_in_development_alone() {
    if !paths::has_model("l10_the_pro_header_counts_in_development_alone") {
        return;
    }
    for (trusted, expected) in [("true", 202), ("false", 402)] {
        let trust = ("TANDEM_QUOTA__TRUST_PRO_HEADER", trusted);
        let mut sandbox = Sandbox::start_with(&[ENABLED, trust, ("TANDEM_PLANS__FREE__MATCHES", "1")]);
        let client = sandbox.client();
        let pair = pair(&client);
        assert_eq!(client.post("/api/v1/matches", &pair).status, 202);
        assert_eq!(with_header(&client, &pair, "x-pro-member", "1").status, expected, "trusted: {trusted}");
        assert_eq!(with_header(&client, &pair, "x-pro-member", "0").status, 402);
        assert_eq!(client.post("/api/v1/matches", &pair).status, 402);
        sandbox.stop();
    }
}

#[test]
fn l11_uploads_and_job_descriptions_are_limited() {
    if !paths::has_model("l11_uploads_and_job_descriptions_are_limited") {
        return;
    }
    let mut sandbox = Sandbox::start_with(&[
        ENABLED,
        ("TANDEM_PLANS__FREE__RESUME_UPLOADS", "2"),
        ("TANDEM_PLANS__FREE__JOB_DESCRIPTIONS", "1"),
        ("TANDEM_PLANS__FREE__STORED_BYTES", "4000"),
    ]);
    let client = sandbox.client();
    let one = client.accepted(Kind::Resume, "one.md", resume("One").as_bytes());
    assert_eq!(client.accepted(Kind::Resume, "again.md", resume("One").as_bytes()), one);
    assert_ne!(client.accepted(Kind::Resume, "two.md", resume("Two").as_bytes()), one);
    let refused = client.submit(Kind::Resume, "three.md", resume("Three").as_bytes());
    assert_eq!((refused.status, refused.error_code()), (402, "UPGRADE_REQUIRED".to_owned()));
    let message = text(&refused.json(), "message");
    assert_eq!(message, "Your plan allows 2 uploaded resumes, 2 are used. Upgrade for more.");

    let large = format!("{JOB}\n{}", "- HACCP, every day.\n".repeat(300));
    let refused = client.submit(Kind::Job, "large.md", large.as_bytes());
    assert_eq!(refused.status, 402, "{}", refused.text);
    assert!(text(&refused.json(), "message").contains("stored bytes"), "{}", refused.text);
    let job = client.accepted(Kind::Job, "job.md", JOB.as_bytes());
    let refused = client.submit(Kind::Job, "other.md", JOB.replace("Line", "Sous").as_bytes());
    assert_eq!(refused.status, 402, "{}", refused.text);
    let empty = client.submit(Kind::Job, "empty.md", b"");
    assert_eq!(empty.status, 402, "{}", empty.text);

    let quota = client.get("/api/v1/quota").data();
    let bytes = resume("One").len() + resume("Two").len() + JOB.len();
    assert_eq!(used(&quota, "resume_uploads"), 2, "a duplicate costs nothing: {quota}");
    assert_eq!(
        (used(&quota, "job_descriptions"), used(&quota, "stored_bytes")),
        (1, bytes as i64),
        "{quota}"
    );

    let removed = client.send(client.request(Method::DELETE, &format!("/api/v1/jobs/{job}"))).unwrap();
    assert!((200..300).contains(&removed.status), "{}", removed.text);
    let quota = client.get("/api/v1/quota").data();
    let left = (bytes - JOB.len()) as i64;
    assert_eq!((used(&quota, "job_descriptions"), used(&quota, "stored_bytes")), (1, left), "{quota}");
    sandbox.stop();
}

#[test]
fn l8_what_comes_to_nothing_is_given_back() {
    if !paths::has_model("l8_what_comes_to_nothing_is_given_back") {
        return;
    }
    let mut sandbox = Sandbox::start_with(&[ENABLED, ("TANDEM_PLANS__FREE__MATCHES", "1")]);
    let client = sandbox.client();
    let pair = pair(&client);
    let nobody = json!({ "resumeId": pair["jobId"], "jobId": pair["jobId"] });
    assert_eq!(client.post("/api/v1/matches", &nobody).status, 404);
    assert_eq!(number(&client.get("/api/v1/quota").data(), "annual_usage_count"), 0);

    let unread = client.accepted(Kind::Resume, "unread.pdf", b"%PDF-1.7\nthis is no document\n%%EOF\n");
    let failing = json!({ "resumeId": unread, "jobId": pair["jobId"] });
    let accepted = client.post("/api/v1/matches", &failing).data();
    let ended = client.wait(&format!("/api/v1/matches/{}", text(&accepted, "id")));
    assert_eq!(text(&ended, "status"), "failed", "{ended}");
    poll::until("the charge is given back", Duration::from_secs(90), || {
        (number(&client.get("/api/v1/quota").data(), "annual_usage_count") == 0).then_some(())
    });
    assert_eq!(client.post("/api/v1/matches", &pair).status, 202);
    assert_eq!(client.post("/api/v1/matches", &pair).status, 402);
    sandbox.stop();
}

#[test]
fn without_plans_nothing_is_limited() {
    if !paths::has_model("without_plans_nothing_is_limited") {
        return;
    }
    let mut sandbox = Sandbox::start_with(&[("TANDEM_PLANS__FREE__MATCHES", "1")]);
    let client = sandbox.client();
    let pair = pair(&client);
    let statuses: BTreeSet<u16> = (0..3).map(|_| client.post("/api/v1/matches", &pair).status).collect();
    assert_eq!(statuses, BTreeSet::from([202]));
    let quota = client.get("/api/v1/quota").data();
    assert_eq!((&quota["plan"], &quota["annual_limit"]), (&Value::Null, &Value::Null));
    sandbox.stop();
}

const JOB: &str =
    "# Line Cook\n\nWe are a small house.\n\n## Requirements\n\n- 3 years of experience\n- HACCP\n";

fn resume(house: &str) -> String {
    format!(
        "# Robin Example\n\n**Line Cook**\n\n## Experience\n\n**House {house}** | Line Cook | 2019 - Present\n\n\
         - Worked with HACCP.\n\n## Skills\n\nHACCP\n"
    )
}

/// The body of a request for a match of two documents that are read.
pub(crate) fn pair(client: &Client) -> Value {
    let job = client.accepted(Kind::Job, "job.md", JOB.as_bytes());
    let resume = client.accepted(Kind::Resume, "resume.md", resume("One").as_bytes());
    client.expect_complete(Kind::Job, [&job]);
    client.expect_complete(Kind::Resume, [&resume]);
    json!({ "resumeId": resume, "jobId": job })
}

pub(crate) fn with_header(client: &Client, pair: &Value, name: &str, value: &str) -> Answer {
    let request = client.request(Method::POST, "/api/v1/matches").json(pair).header(name, value);
    client.send(request).unwrap()
}

fn measure(quota: &Value, name: &str) -> Value {
    let found = list(quota, "measures").iter().find(|measure| text(measure, "measure") == name).cloned();
    found.unwrap_or_else(|| panic!("no {name} in {quota}"))
}

fn used(quota: &Value, name: &str) -> i64 {
    number(&measure(quota, name), "used")
}

pub(crate) fn left(quota: &Value, name: &str) -> i64 {
    number(&measure(quota, name), "remaining")
}
