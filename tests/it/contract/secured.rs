//! Rows about who asks, what they may spend and what a node says of it: on a node that knows who its callers are, counts
//! what they use and writes its log as JSON. Each row has callers of its own.

use std::path::PathBuf;

use reqwest::Method;
use serde_json::{Value, json};
use tandem_tests::client::{Answer, Client, Kind, list, number, text};
use tandem_tests::cluster::Cluster;
use tandem_tests::sandbox::Sandbox;
use tandem_tests::{paths, tokens};

use super::uploads;
use crate::quota::{left, pair, with_header};

/// The origin of the pages that may call.
const FRONT_END: &str = "https://app.example.org";
const MESSAGE: &str = "Annual free match limit reached. Upgrade to Pro for unlimited matches.";

/// The node that the rows ask.
pub(super) struct Stand<'a> {
    client: Client,
    /// Shows the metrics of the nodes that do the work.
    workers: Vec<Client>,
    /// The folder of the originals.
    objects: PathBuf,
    said: &'a dyn Fn() -> String,
}

impl Stand<'_> {
    fn of(&self, subject: &str, role: &str) -> Client {
        self.client.with_token(&tokens::token(subject, role))
    }

    fn with(&self, token: &str) -> Answer {
        self.client.with_token(token).get("/api/v1/account")
    }
}

type Row = (&'static str, fn(&Stand<'_>));

/// A list of rows with their names.
macro_rules! rows {
    ($($row:ident),* $(,)?) => {
        const ROWS: &[Row] = &[$((stringify!($row), $row)),*];
    };
}

rows! {
    l4_tokens_of_the_issuer_for_this_audience_open_the_door,
    s10_a_token_says_role_and_organization,
    l5_originals_lie_under_their_kind_and_id,
    l8_annual_quota_402_body,
    l10_the_pro_header_is_nothing_in_production,
    l11_roles_bound_what_is_done,
    s11_nobody_learns_of_what_others_have,
    s11_signed_urls_are_their_owners,
    r2_the_contract_is_the_one_of_the_repository,
    r8_the_front_end_may_call_and_follow_events,
    a2_a_request_id_is_kept_and_logged,
    a3_failures_have_one_shape,
    a4_each_caller_has_rates_of_their_own,
    a10_metrics_tell_durations_scores_and_failures,
    a13_bodies_are_bounded_and_logs_are_structured,
    // The last one, so that it reads what was logged of all the others.
    r5_a11_logs_hold_nobody,
}

fn secured() -> Vec<(&'static str, &'static str)> {
    let own = [
        ("TANDEM_QUOTA__ENABLED", "true"),
        ("TANDEM_PLANS__FREE__MATCHES", "2"),
        ("TANDEM_PLANS__FREE__STORED_BYTES", "100000"),
        ("TANDEM_LIMITS__STREAM__PER_MINUTE", "1"),
        ("TANDEM_LIMITS__STREAM__BURST", "2"),
        // One address sends all the credentials here.
        ("TANDEM_LIMITS__LOGIN_FAILURE__PER_MINUTE", "0"),
        ("TANDEM_EDGE__ALLOWED_ORIGINS", FRONT_END),
        ("TANDEM_LOG__FORMAT", "json"),
    ];
    tokens::TRUSTED.into_iter().chain(own).collect()
}

#[test]
fn every_secured_row_holds_on_one_machine() {
    if !paths::has_model("every_secured_row_holds_on_one_machine") {
        return;
    }
    let mut sandbox = Sandbox::start_with(&secured());
    let client = sandbox.client();
    let workers = vec![client.with_token(&tokens::token("operator", "operator"))];
    hold(&Stand { client, workers, objects: sandbox.data().join("objects"), said: &|| sandbox.said() });
    sandbox.stop();
}

/// A node beside those of a cluster, which do its work.
pub(super) fn hold_on_a_node_of(cluster: &Cluster) {
    let own = [("TANDEM_NODE__ROLES", "edge,ingest"), ("TANDEM_NODE__NAME", "secured")];
    let mut sandbox = Sandbox::start_with(&[&cluster.environment()[..], &own, &secured()].concat());
    let workers = (0..cluster.len()).map(|number| cluster.client(number)).collect();
    let objects = cluster.folder().join("objects");
    hold(&Stand { client: sandbox.client(), workers, objects, said: &|| sandbox.said() });
    sandbox.stop();
}

fn hold(stand: &Stand<'_>) {
    let holds = |row: &Row| std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| row.1(stand))).is_ok();
    let broken: Vec<&str> = ROWS.iter().filter(|row| !holds(row)).map(|row| row.0).collect();
    assert!(broken.is_empty(), "rows that do not hold: {broken:?}");
}

fn l4_tokens_of_the_issuer_for_this_audience_open_the_door(stand: &Stand<'_>) {
    let head = json!({ "alg": "HS256", "typ": "JWT" });
    let good = tokens::claims("l4", "user");
    let but = |member: &str, value: Value| {
        let mut claims = good.clone();
        claims[member] = value;
        tokens::signed(&head, &claims, tokens::SECRET)
    };
    assert_eq!(stand.with(&tokens::signed(&head, &good, tokens::SECRET)).status, 200);
    assert_eq!(stand.with(&but("aud", json!(["other", "tandem"]))).status, 200);
    let refused = [
        but("iss", json!("https://other.example.org/")),
        but("aud", json!("other")),
        but("exp", json!(1_000_000_000)),
        but("nbf", json!(4_000_000_000_u64)),
        but("sub", Value::Null),
        tokens::signed(&head, &good, "another secret, as long as the right one"),
        tokens::signed(&json!({ "alg": "none" }), &good, tokens::SECRET),
        tokens::signed(&json!({ "alg": "RS256", "kid": "nobody's" }), &good, tokens::SECRET),
        "not.a.token".to_owned(),
        "x".repeat(20_000),
    ];
    for token in refused {
        let answer = stand.with(&token);
        assert_eq!((answer.status, answer.error_code().as_str()), (401, "AUTH_REQUIRED"), "{}", answer.text);
        assert!(answer.header("www-authenticate").starts_with("Bearer"), "{}", answer.text);
    }
    assert_eq!(stand.client.get("/api/v1/account").error_code(), "AUTH_REQUIRED");
}

fn s10_a_token_says_role_and_organization(stand: &Stand<'_>) {
    let mut claims = tokens::claims("s10", "employer");
    claims["tenant"] = json!("acme");
    let token = tokens::signed(&json!({ "alg": "HS256" }), &claims, tokens::SECRET);
    let me = stand.with(&token).data();
    assert_eq!(
        (text(&me, "owner"), text(&me, "tenant"), text(&me, "role")),
        ("s10".into(), "acme".into(), "employer".into())
    );
    assert_eq!(stand.of("s10-user", "user").get("/status").error_code(), "FORBIDDEN");
    assert_eq!(stand.of("s10-operator", "operator").get("/status").status, 200);
    assert_eq!(text(&stand.of("s10-nobody", "emperor").get("/api/v1/account").data(), "role"), "user");
}

fn l5_originals_lie_under_their_kind_and_id(stand: &Stand<'_>) {
    let caller = stand.of("l5", "employer");
    let job = caller.accepted(Kind::Job, "l5.txt", b"Cook\n\nRequirements\n- HACCP\n");
    let resume = caller.accepted(Kind::Resume, "l5.md", b"# Robin Example\n\nCook, 2019 - 2023\n");
    for (key, content) in [(format!("jobs/{job}.txt"), "Cook\n"), (format!("resumes/{resume}.md"), "# Robin")]
    {
        let stored = std::fs::read_to_string(stand.objects.join(&key)).unwrap();
        assert!(stored.starts_with(content), "{key}: {stored}");
    }
    let refused = caller.submit(Kind::Resume, "l5.exe", b"MZ\x90\x00\x03\x00\x00\x00\x04");
    assert_eq!(refused.status, 415, "{}", refused.text);
}

fn l8_annual_quota_402_body(stand: &Stand<'_>) {
    let client = stand.of("l8", "user");
    let pair = pair(&client);
    let fresh = client.get("/api/v1/quota").data();
    assert_eq!((text(&fresh, "plan"), number(&fresh, "annual_limit")), ("free".to_owned(), 2));
    assert_eq!((number(&fresh, "annual_usage_count"), &fresh["annual_period_start"]), (0, &Value::Null));

    let first = with_header(&client, &pair, "idempotency-key", "one");
    assert_eq!(first.status, 202, "{}", first.text);
    let again = with_header(&client, &pair, "idempotency-key", "one");
    assert_eq!(text(&again.data(), "id"), text(&first.data(), "id"), "one intent is charged once");
    assert_eq!(client.post("/api/v1/matches", &pair).status, 202);
    let refused = client.post("/api/v1/matches", &pair);
    assert_eq!((refused.status, refused.error_code()), (402, "UPGRADE_REQUIRED".to_owned()));
    let body = refused.json();
    assert_eq!(
        (text(&body, "error"), text(&body, "message")),
        ("upgrade_required".to_owned(), MESSAGE.to_owned())
    );
    let again = with_header(&client, &pair, "idempotency-key", "one");
    assert_eq!(again.status, 202, "what was paid for is answered also when nothing is left");

    let quota = client.get("/api/v1/quota").data();
    assert_eq!((number(&quota, "annual_usage_count"), left(&quota, "matches")), (2, 0));
    assert!(text(&quota, "annual_period_start").ends_with('Z'), "{quota}");
    expect_scored(&client);
}

/// Waits until no match of this caller is left to be scored: others look at how many are.
fn expect_scored(client: &Client) {
    for pair in list(&client.get("/api/v1/matches").data(), "items") {
        let path = format!("/api/v1/matches/{}", text(pair, "id"));
        assert_eq!(text(&client.wait(&path), "status"), "complete");
    }
}

fn l10_the_pro_header_is_nothing_in_production(stand: &Stand<'_>) {
    let client = stand.of("l10", "user");
    let pair = pair(&client);
    for expected in [202, 202, 402] {
        let answer = with_header(&client, &pair, "x-pro-member", "1");
        assert_eq!(answer.status, expected, "{}", answer.text);
    }
    expect_scored(&client);
}

fn l11_roles_bound_what_is_done(stand: &Stand<'_>) {
    let of = |role: &str| stand.of(&format!("l11-{role}"), role);
    let job = json!({ "title": "Cook", "text": "A cook is wanted." });
    let run = json!({ "query": "job", "queries": [], "candidates": [], "top": 1 });
    assert_eq!(of("reviewer").post("/api/v1/jobs", &job).error_code(), "FORBIDDEN");
    assert_eq!(of("reviewer").get("/api/v1/jobs").status, 200);
    assert_eq!(of("user").post("/api/v1/jobs", &job).status, 202);
    assert_eq!(of("user").post("/api/v1/match-runs", &run).error_code(), "FORBIDDEN");
    let of_an_employer = of("employer").post("/api/v1/match-runs", &run);
    assert_eq!(of_an_employer.error_code(), "VALIDATION_ERROR", "allowed, but empty");
}

fn s11_nobody_learns_of_what_others_have(stand: &Stand<'_>) {
    let (owner, stranger) = (stand.of("s11-owner", "employer"), stand.of("s11-stranger", "admin"));
    let resume = owner.accepted(Kind::Resume, "s11.md", b"# Robin Example\n\nCook, 2018 - 2023\n");
    let path = format!("/api/v1/resumes/{resume}");
    let never = stranger.get("/api/v1/resumes/0190b6a2-9a51-7c3e-8f6d-0d2f6c1a7b10");
    for path in [path.clone(), format!("{path}/redacted"), format!("{path}/events")] {
        let answer = stranger.get(&path);
        assert_eq!((answer.status, answer.error_code()), (404, never.error_code()), "{}", answer.text);
    }
    let removal = stranger.send(stranger.request(Method::DELETE, &path)).unwrap();
    assert_eq!(removal.status, 404, "{}", removal.text);
    assert_eq!(owner.get(&path).status, 200);
}

fn s11_signed_urls_are_their_owners(stand: &Stand<'_>) {
    let (owner, stranger) = (stand.of("s11-signed", "user"), stand.of("s11-signed-stranger", "admin"));
    uploads::hold_for_callers(&owner, &stranger, &stand.client, stand.said);
}

fn r2_the_contract_is_the_one_of_the_repository(stand: &Stand<'_>) {
    let kept = std::fs::read_to_string(paths::repository().join("http-edge/openapi.json")).unwrap();
    let served = stand.client.get("/openapi.json");
    assert_eq!((served.status, served.json()), (200, serde_json::from_str(&kept).unwrap()));
    let docs = stand.client.get("/docs");
    assert!(docs.status == 200 && docs.header("content-type").starts_with("text/html"), "{}", docs.text);
    let outside = docs.text.matches("src=\"http").count() + docs.text.matches("href=\"http").count();
    assert_eq!(outside, 0, "the page asks nobody else");
}

fn r8_the_front_end_may_call_and_follow_events(stand: &Stand<'_>) {
    let client = stand.of("r8", "employer");
    let from = |origin: &str, method, path: &str| {
        let request = client.request(method, path).header("origin", origin);
        client.send(request.header("access-control-request-method", "POST")).unwrap()
    };
    let allowed = from(FRONT_END, Method::OPTIONS, "/api/v1/jobs");
    assert_eq!(allowed.header("access-control-allow-origin"), FRONT_END);
    let other = from("https://other.example.org", Method::GET, "/api/v1/jobs");
    assert_eq!((other.status, other.header("access-control-allow-origin")), (200, ""));

    let resume = client.accepted(Kind::Resume, "r8.md", b"# Robin Example\n\nCook, 2017 - 2023\n");
    let events = from(FRONT_END, Method::GET, &format!("/api/v1/resumes/{resume}/events"));
    assert_eq!(events.header("content-type"), "text/event-stream", "{}", events.text);
    assert!(events.text.contains("event: settled") && events.text.contains("id: "), "{}", events.text);
    assert_eq!(events.header("access-control-allow-origin"), FRONT_END);
}

fn a2_a_request_id_is_kept_and_logged(stand: &Stand<'_>) {
    let client = stand.of("a2", "user");
    let with = |id: &str| client.send(client.request(Method::GET, "/api/v1/jobs").header("x-request-id", id));
    assert_eq!(with("a2 of the tests").unwrap().header("x-request-id"), "a2 of the tests");
    let too_long = "x".repeat(200);
    let made = with(&too_long).unwrap();
    assert!(!made.header("x-request-id").is_empty() && made.header("x-request-id") != too_long);
    let failed = client.get("/api/v1/nowhere");
    assert_eq!(text(&failed.json(), "requestId"), failed.header("x-request-id"));
    let logged = |id: &str| (stand.said)().lines().any(|line| line.contains(&format!("\"{id}\"")));
    for id in ["a2 of the tests", made.header("x-request-id"), failed.header("x-request-id")] {
        tandem_tests::poll::until("it is logged", std::time::Duration::from_secs(60), || {
            logged(id).then_some(())
        });
    }
}

fn a3_failures_have_one_shape(stand: &Stand<'_>) {
    let client = stand.of("a3", "user");
    let invalid = client.post("/api/v1/matches", &json!({ "resumeId": 1 }));
    let stranger = stand.client.get("/api/v1/jobs");
    for (answer, status, code, message) in [
        (invalid, 400, "VALIDATION_ERROR", "Something in your request needs a tweak."),
        (stranger, 401, "AUTH_REQUIRED", "Please log in to continue."),
    ] {
        assert_eq!((answer.status, answer.error_code().as_str()), (status, code), "{}", answer.text);
        let body = answer.json();
        assert_eq!((text(&body, "message").as_str(), &body["retryable"]), (message, &json!(false)));
        assert_eq!(answer.header("content-type"), "application/problem+json");
    }
}

fn a4_each_caller_has_rates_of_their_own(stand: &Stand<'_>) {
    let (fast, other) = (stand.of("a4-fast", "employer"), stand.of("a4-other", "employer"));
    let path = "/api/v1/resumes/0190b6a2-9a51-7c3e-8f6d-0d2f6c1a7b10/events";
    let answers = [fast.get(path), fast.get(path), fast.get(path)];
    assert_eq!(answers.each_ref().map(|answer| answer.status), [404, 404, 429]);
    let refused = &answers[2];
    assert_eq!(refused.error_code(), "RATE_LIMITED");
    assert_eq!(text(&refused.json(), "message"), "You're moving fast! Try again in a moment.");
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(refused.header("ratelimit-policy"), "\"stream\";q=1;w=60;burst=2");
    assert!(refused.header("ratelimit").starts_with("\"stream\";r=0;t="), "{}", refused.header("ratelimit"));
    assert_eq!(other.get(path).status, 404, "somebody else's rate is untouched");
}

fn a10_metrics_tell_durations_scores_and_failures(stand: &Stand<'_>) {
    let client = stand.of("a10", "user");
    let of_workers = |series: &str| -> f64 {
        let metrics = stand.workers.iter().map(|worker| worker.get("/metrics"));
        metrics.map(|metrics| value(&metrics.text, series)).sum()
    };
    let duration = "tandem_stage_seconds_count{kind=\"match.interactive\"";
    let before = (of_workers("tandem_matching_score_count"), of_workers(duration));
    let pair = pair(&client);
    let (resume, job) = (text(&pair, "resumeId"), text(&pair, "jobId"));
    let scored = client.match_pair(&resume, &job);
    assert_eq!(text(&scored, "status"), "complete", "{scored}");
    assert_eq!(of_workers("tandem_matching_score_count"), before.0 + 1.0);
    assert!(of_workers(duration) > before.1, "{duration}");
    let operator = stand.of("a10-operator", "operator");
    let answered = operator.get("/metrics").text;
    let jobs = |status: u16| {
        let series = "tandem_http_requests_total{method=\"POST\",route=\"/api/v1/jobs\"";
        value(&answered, &format!("{series},status=\"{status}\"}}"))
    };
    assert!(jobs(202) > 0.0 && jobs(403) > 0.0, "{answered}");
}

/// The sum over the series that begin so.
fn value(metrics: &str, series: &str) -> f64 {
    let values = metrics.lines().filter(|line| line.starts_with(series));
    values.filter_map(|line| line.rsplit_once(' ')).filter_map(|(_, value)| value.parse::<f64>().ok()).sum()
}

fn a13_bodies_are_bounded_and_logs_are_structured(stand: &Stand<'_>) {
    let client = stand.of("a13", "employer");
    let large = json!({ "title": "Cook", "text": "x".repeat(2 << 20) });
    assert_eq!(client.post("/api/v1/jobs", &large).error_code(), "PAYLOAD_TOO_LARGE");
    assert_eq!(stand.client.get("/healthz").status, 200, "probes ask nobody who they are");
    let said = (stand.said)();
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines.len() > 10, "{said}");
    for line in lines {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        for member in ["timestamp", "level", "message", "target"] {
            assert!(line[member].is_string(), "no {member}: {line}");
        }
    }
}

fn r5_a11_logs_hold_nobody(stand: &Stand<'_>) {
    let client = stand.of("r5", "employer");
    let resume =
        "# Odalys Thornquist\n\nodalys.thornquist@example.com\n+44 20 5555 0144\n\nCook, 2016 - 2023\n";
    let id = client.accepted(Kind::Resume, "odalys-thornquist.md", resume.as_bytes());
    client.expect_complete(Kind::Resume, [&id]);
    let broken = client.submit(Kind::Resume, "odalys.thornquist@example.com.docx", b"PK\x03\x04odalys");
    assert!(broken.status >= 400 || broken.status == 202, "{}", broken.text);
    let said = (stand.said)().to_lowercase();
    for word in ["thornquist", "@example.com", "5555 0144", tokens::SECRET, "eyj"] {
        assert!(!said.contains(word), "the log says `{word}`");
    }
}
