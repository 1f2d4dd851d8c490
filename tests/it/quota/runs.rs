//! Runs that take their pairs in blocks.

use serde_json::{Value, json};
use tandem_tests::client::{Answer, Client, Kind, list, number, text};
use tandem_tests::paths;
use tandem_tests::sandbox::Sandbox;

use super::{ENABLED, JOB, pair, resume, used};

/// Items of the large run: many more than one worker ranks before the cancellation comes.
const ITEMS: usize = 5_000;
const EMPLOYER: (&str, &str) = ("TANDEM_QUOTA__DEFAULT_PLAN", "employer");
const ONE_AT_A_TIME: (&str, &str) = ("TANDEM_PLANS__EMPLOYER__CONCURRENT_RUNS", "1");
const ONE_WORKER: (&str, &str) = ("TANDEM_MATCHING__BULK_WORKERS", "1");

/// Asks for a run of these queries over everything.
fn run(client: &Client, query: &str, queries: &[&String], top: u32) -> Answer {
    client.post("/api/v1/match-runs", &json!({ "query": query, "queries": queries, "top": top }))
}

/// The run as it ended.
fn ended(client: &Client, accepted: &Answer) -> Value {
    client.wait(&format!("/api/v1/match-runs/{}", text(&accepted.data(), "id")))
}

fn counts(run: &Value) -> [i64; 4] {
    ["items", "done", "failed", "cancelled"].map(|name| number(&run["progress"], name))
}

/// Pairs and places that are taken.
fn taken(client: &Client) -> (i64, i64) {
    let quota = client.get("/api/v1/quota").data();
    (used(&quota, "pairs"), used(&quota, "concurrent_runs"))
}

#[test]
fn d1_a_run_takes_its_pairs_in_blocks_and_gives_back_what_it_did_not_use() {
    if !paths::has_model("d1_a_run_takes_its_pairs_in_blocks_and_gives_back_what_it_did_not_use") {
        return;
    }
    let pairs = ("TANDEM_PLANS__EMPLOYER__PAIRS", "60000");
    let mut sandbox = Sandbox::start_with(&[ENABLED, EMPLOYER, ONE_AT_A_TIME, ONE_WORKER, pairs]);
    let client = sandbox.client();
    let job = text(&pair(&client), "jobId");
    let large = run(&client, "job", &vec![&job; ITEMS], 10);
    let path = format!("/api/v1/match-runs/{}", text(&large.data(), "id"));
    let (pairs, places) = taken(&client);
    assert!(places == 1 && (10_000..=50_000).contains(&pairs) && pairs % 10_000 == 0, "{pairs} {places}");
    let refused = run(&client, "job", &[&job], 1);
    assert_eq!(refused.status, 402, "{}", refused.text);
    assert!(text(&refused.json(), "message").contains("match runs at a time"), "{}", refused.text);
    assert_eq!(client.post(&format!("{path}/cancel"), &json!({})).status, 202);
    let done = counts(&client.wait(&path))[1];
    assert!(done < ITEMS as i64, "{done}");

    let small = run(&client, "job", &[&job], 1);
    assert_eq!(small.status, 202, "the run has ended: {}", small.text);
    assert_eq!(text(&ended(&client, &small), "status"), "complete");
    assert_eq!(taken(&client), (done + 1, 0), "a row for each item, whatever was asked for at most");
    sandbox.stop();
}

#[test]
fn d1_a_run_goes_as_far_as_its_pairs_and_says_what_it_left() {
    if !paths::has_model("d1_a_run_goes_as_far_as_its_pairs_and_says_what_it_left") {
        return;
    }
    let (pairs, block) = (("TANDEM_PLANS__EMPLOYER__PAIRS", "30"), ("TANDEM_QUOTA__BLOCK_PAIRS", "10"));
    let mut sandbox = Sandbox::start_with(&[ENABLED, EMPLOYER, ONE_AT_A_TIME, pairs, block]);
    let client = sandbox.client();
    let job = client.accepted(Kind::Job, "job.md", JOB.as_bytes());
    let resumes = ["One", "Two", "Three"]
        .map(|name| client.accepted(Kind::Resume, "resume.md", resume(name).as_bytes()));
    let unread = client.accepted(Kind::Resume, "unread.pdf", b"%PDF-1.7\nthis is no document\n%%EOF\n");
    client.expect_complete(Kind::Job, [&job]);
    client.expect_complete(Kind::Resume, &resumes);

    let in_part = ended(&client, &run(&client, "resume", &[&resumes[0], &unread], 1));
    assert_eq!((counts(&in_part), taken(&client)), ([2, 1, 1, 0], (1, 0)), "what failed costs nothing");
    let fewer = ended(&client, &run(&client, "job", &[&job; 4], 10));
    assert_eq!(counts(&fewer), [4, 4, 0, 0], "there were 29 pairs for 40 places, of which 12 are rows");
    assert_eq!(taken(&client), (13, 0));

    let accepted = run(&client, "job", &[&job; 12], 2);
    assert_eq!(accepted.status, 202, "{}", accepted.text);
    let cut_off = ended(&client, &accepted);
    assert_eq!((text(&cut_off, "status"), counts(&cut_off)), ("complete".to_owned(), [12, 8, 4, 0]));
    for (left, item) in list(&cut_off, "failed_items").iter().zip(8..) {
        assert_eq!((number(left, "item"), text(left, "query_id")), (item, job.clone()));
        let failure = &left["failure"];
        assert_eq!(text(failure, "code"), "UPGRADE_REQUIRED", "{failure}");
        assert!(text(failure, "reason").contains("scored pairs"), "{failure}");
    }
    assert_eq!(taken(&client), (29, 0));
    let hopeless = run(&client, "job", &[&job], 2);
    assert_eq!((hopeless.status, hopeless.error_code()), (402, "UPGRADE_REQUIRED".to_owned()));
    let message = text(&hopeless.json(), "message");
    assert_eq!(message, "Your plan allows 30 scored pairs, 29 are used. Upgrade for more.");
    let last = ended(&client, &run(&client, "job", &[&job; 2], 1));
    assert_eq!((counts(&last), taken(&client)), ([2, 1, 1, 0], (30, 0)));
    sandbox.stop();
}

/// A node that is killed over and over: whatever it had taken, and whatever it had not yet given back.
#[test]
fn d1_a_run_of_a_node_that_is_killed_is_charged_once() {
    if !paths::has_model("d1_a_run_of_a_node_that_is_killed_is_charged_once") {
        return;
    }
    let (pairs, block) = (("TANDEM_PLANS__EMPLOYER__PAIRS", "750"), ("TANDEM_QUOTA__BLOCK_PAIRS", "50"));
    let mut sandbox = Sandbox::start_with(&[ENABLED, EMPLOYER, ONE_AT_A_TIME, ONE_WORKER, pairs, block]);
    let client = sandbox.client();
    let job = text(&pair(&client), "jobId");
    let accepted = run(&client, "job", &vec![&job; 600], 2);
    let path = format!("/api/v1/match-runs/{}", text(&accepted.data(), "id"));
    for _ in 0..3 {
        sandbox.kill();
        sandbox.spawn();
        drop(sandbox.expect_ready());
    }
    let client = sandbox.client();
    let done = counts(&client.wait(&path));
    assert_eq!(done, [600, 600, 0, 0], "with a row each there is enough for all of them");
    assert_eq!(taken(&client), (600, 0));
    let again = run(&client, "job", &vec![&job; 300], 1);
    let done = counts(&ended(&client, &again));
    assert_eq!((done, taken(&client)), ([300, 150, 150, 0], (750, 0)));
    sandbox.stop();
}
