//! Runs that are canceled: at once, over a kill, and without losing what is done.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use tandem_tests::client::{Client, Kind, number, rows_of, text};
use tandem_tests::oracle::expect_each_row_once;
use tandem_tests::sandbox::Sandbox;
use tandem_tests::{paths, poll};

/// Items of the large run: many more than one worker ranks before the cancellation comes.
const ITEMS: usize = 5_000;
/// Résumés that are ranked.
const PEOPLE: usize = 3;

#[test]
fn invariant_2_a_canceled_run_ends_over_a_kill_and_keeps_its_rows() {
    if !paths::has_model("invariant_2_a_canceled_run_ends_over_a_kill_and_keeps_its_rows") {
        return;
    }
    let mut sandbox = Sandbox::start_with(&[("TANDEM_MATCHING__BULK_WORKERS", "1")]);
    let client = sandbox.client();
    let job = job(&client);
    let body = json!({ "query": "job", "queries": vec![&job; ITEMS], "top": 10 });
    let run = text(&client.post("/api/v1/match-runs", &body).data(), "id");
    let path = format!("/api/v1/match-runs/{run}");
    poll::until("some items are done", Duration::from_secs(60), || {
        (count(&client.get(&path).data(), "done") > 0).then_some(())
    });
    let answer = client.post(&format!("{path}/cancel"), &json!({}));
    assert_eq!(answer.status, 202, "{}", answer.text);
    assert_eq!(text(&answer.data(), "id"), run);
    // Acknowledged: from here on it must be carried out, whatever happens to the node.
    sandbox.kill();
    sandbox.spawn();
    let client = sandbox.expect_ready();
    let ended = client.wait(&path);
    assert_eq!(text(&ended, "status"), "cancelled", "{ended}");
    let (done, canceled) = (count(&ended, "done"), count(&ended, "cancelled"));
    assert_eq!((done + canceled, count(&ended, "failed")), (ITEMS as i64, 0), "{ended}");
    assert!(done > 0 && canceled > 0, "{ended}");

    let rows = rows_of(&client.get(&format!("{path}/results?format=ndjson")).text);
    expect_each_row_once(&rows);
    let items: BTreeSet<i64> = rows.iter().map(|row| row.item).collect();
    assert_eq!(
        (items.len() as i64, rows.len()),
        (done, items.len() * PEOPLE),
        "the rows of what is done stay"
    );

    let again = client.post(&format!("{path}/cancel"), &json!({}));
    assert_eq!((again.status, again.data()), (202, ended.clone()), "asking again changes nothing");
    assert_eq!(client.get(&path).data(), ended);
    sandbox.stop();
}

#[test]
fn a_run_that_has_ended_or_is_not_there_is_not_canceled() {
    if !paths::has_model("a_run_that_has_ended_or_is_not_there_is_not_canceled") {
        return;
    }
    let mut sandbox = Sandbox::start();
    let client = sandbox.client();
    let job = job(&client);
    let body = json!({ "query": "job", "queries": [job], "top": 10 });
    let run = text(&client.post("/api/v1/match-runs", &body).data(), "id");
    let path = format!("/api/v1/match-runs/{run}");
    let ended = client.wait(&path);
    assert_eq!(text(&ended, "status"), "complete", "{ended}");
    let answer = client.post(&format!("{path}/cancel"), &json!({}));
    assert_eq!((answer.status, answer.data()), (202, ended.clone()));
    assert_eq!(client.get(&path).data(), ended);
    assert_eq!(client.rows(&run).len(), PEOPLE);

    let nobodys = format!("/api/v1/match-runs/{job}/cancel");
    let answer = client.post(&nobodys, &json!({}));
    assert_eq!((answer.status, answer.error_code()), (404, "NOT_FOUND".to_owned()));
    sandbox.stop();
}

fn count(run: &Value, of: &str) -> i64 {
    run.get("progress").map(|progress| number(progress, of)).unwrap()
}

/// A job with people beside it, all of them searchable.
fn job(client: &Client) -> String {
    let job = "# Line Cook\n\nWe are a small house.\n\n## Requirements\n\n- 3 years of experience\n- HACCP\n";
    let job = client.accepted(Kind::Job, "job.md", job.as_bytes());
    let people: Vec<String> = (0..PEOPLE)
        .map(|number| {
            let resume = format!(
                "# Robin Example\n\n**Line Cook**\n\n## Experience\n\n\
                 **House {number}** | Line Cook | 2019 - Present\n\n- Worked with HACCP.\n\n## Skills\n\nHACCP\n"
            );
            client.accepted(Kind::Resume, &format!("person-{number}.md"), resume.as_bytes())
        })
        .collect();
    client.expect_complete(Kind::Job, [&job]);
    client.expect_complete(Kind::Resume, &people);
    job
}
