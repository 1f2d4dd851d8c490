//! SIGKILL at any moment: nothing that was acknowledged is lost, nothing is done twice.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde_json::json;
use tandem_tests::client::{Client, Kind, list, text};
use tandem_tests::oracle::{Oracle, expect_each_row_once};
use tandem_tests::sandbox::Sandbox;
use tandem_tests::{paths, seed};

/// How often the node is killed.
const ROUNDS: u32 = 50;
/// The longest time from readiness, or from the start, to the kill, in milliseconds.
const LATEST_MS: u64 = 400;
/// Of this many kills, one comes during the start.
const DURING_START: u32 = 5;
/// Documents that are sent in a round, at most: as many as two cores work off in about the same time.
const PER_ROUND: usize = 6;

/// What the client wants to have sent: it sends it again until it is acknowledged.
struct Wish {
    kind: Kind,
    content: String,
    key: String,
}

/// What the client knows.
#[derive(Default)]
struct Ledger {
    oracle: Oracle,
    /// Document ids by the key they were sent with: the same key must always give the same document.
    by_key: BTreeMap<String, String>,
    /// Runs that were acknowledged, by the key they were asked for with.
    runs: BTreeMap<String, String>,
}

#[test]
fn invariants_2_and_3_every_acknowledged_document_outlives_fifty_kills() {
    if !paths::has_model("invariants_2_and_3_every_acknowledged_document_outlives_fifty_kills") {
        return;
    }
    let mut rng = seed::rng("every_acknowledged_document_outlives_fifty_kills");
    // What five processes die of is given up, rightly: so few are at work at a time, and a slow machine ends them.
    let mut sandbox = Sandbox::empty(&[("TANDEM_EMBEDDING__WORKERS", "1")]);
    let ledger = Mutex::new(Ledger::default());
    let mut unsent: Vec<Wish> = Vec::new();
    for round in 0..ROUNDS {
        sandbox.spawn();
        let delay = Duration::from_millis(rng.random_range(0..LATEST_MS));
        if round % DURING_START == DURING_START - 1 {
            // This pause, and the one below, choose the moment of the kill; nothing waits for anything here.
            thread::sleep(delay);
            sandbox.kill();
            continue;
        }
        let client = sandbox.expect_ready();
        while unsent.len() < PER_ROUND {
            unsent.push(wish(&mut rng, round, unsent.len()));
        }
        let wishes = std::mem::take(&mut unsent);
        unsent = thread::scope(|scope| {
            let sender = scope.spawn(|| send(&client, wishes, &ledger, round));
            thread::sleep(delay);
            sandbox.kill();
            sender.join().unwrap()
        });
    }
    sandbox.spawn();
    let client = sandbox.expect_ready();
    let left = send(&client, unsent, &ledger, ROUNDS);
    assert!(left.is_empty(), "a node that is not killed takes everything");
    let ledger = ledger.into_inner().unwrap();
    judge(&client, &ledger);
    sandbox.stop();
}

/// Sends the wishes in order, and asks for a run in between, until one is not answered. Gives back what was not
/// acknowledged: whether it was done is unknown, so it is sent again with its key.
fn send(client: &Client, wishes: Vec<Wish>, ledger: &Mutex<Ledger>, round: u32) -> Vec<Wish> {
    let mut wishes = wishes.into_iter();
    while let Some(wish) = wishes.next() {
        let name = format!("{}.md", wish.key);
        let Ok(answer) = client.try_submit(wish.kind, &name, wish.content.as_bytes(), Some(&wish.key)) else {
            return std::iter::once(wish).chain(wishes).collect();
        };
        let submitted = answer.data();
        let mut ledger = ledger.lock().unwrap();
        ledger.oracle.acknowledge(wish.kind, &submitted);
        let id = text(&submitted, "id");
        let before = ledger.by_key.insert(wish.key.clone(), id.clone());
        assert!(before.is_none_or(|before| before == id), "one key made two documents");
    }
    let Ok(jobs) = client.try_get("/api/v1/jobs?limit=5") else { return Vec::new() };
    let jobs = jobs.data();
    let Some(job) = list(&jobs, "items").iter().find(|job| job["status"] == "complete") else {
        return Vec::new();
    };
    let job = text(job, "id");
    let key = format!("run-{round}");
    let body = json!({ "query": "job", "queries": [job], "candidates": "all", "top": 1000 });
    let request = client.request(reqwest::Method::POST, "/api/v1/match-runs").json(&body);
    if let Ok(answer) = client.send(request.header("idempotency-key", &key)) {
        ledger.lock().unwrap().runs.insert(key, text(&answer.data(), "id"));
    }
    Vec::new()
}

fn judge(client: &Client, ledger: &Ledger) {
    let owed = ledger.oracle.owed(Kind::Resume).count();
    assert!(owed > 30, "only {owed} résumés were sent in {ROUNDS} rounds");
    ledger.oracle.expect_conserved(client);
    let ids: std::collections::BTreeSet<&String> = ledger.by_key.values().collect();
    assert_eq!(ids.len(), ledger.by_key.len(), "two keys gave one document");
    // What stands in the list was wished for: nothing came from nowhere.
    for kind in [Kind::Job, Kind::Resume] {
        assert!(client.all(kind).iter().all(|document| ids.contains(&text(document, "id"))));
    }
    let job = ledger.oracle.owed(Kind::Job).next().expect("jobs were sent").clone();
    let rows = client.run("job", &[&job], 1000);
    expect_each_row_once(&rows);
    assert_eq!(rows.len(), owed, "every résumé is ranked");
    for run in ledger.runs.values() {
        expect_each_row_once(&client.rows(run));
    }
}

/// A small invented document that no other is like.
fn wish(rng: &mut StdRng, round: u32, place: usize) -> Wish {
    const TITLES: [&str; 5] =
        ["Rust Engineer", "Line Cook", "Registered Nurse", "Accountant", "Site Engineer"];
    const SKILLS: [&str; 8] =
        ["Rust", "PostgreSQL", "Kafka", "HACCP", "Triage", "Bookkeeping", "AutoCAD", "Team leadership"];
    let mut own = StdRng::seed_from_u64(rng.random());
    let mark: u64 = own.random();
    let title = TITLES.choose(&mut own).unwrap();
    let skills: Vec<&str> = SKILLS.choose_multiple(&mut own, 4).copied().collect();
    let kind = if place == 0 { Kind::Job } else { Kind::Resume };
    let content = match kind {
        Kind::Job => format!(
            "# {title}\n\nWe are team {mark:x}.\n\n## Requirements\n\n- 3 years of experience\n- {}\n",
            skills.join("\n- ")
        ),
        Kind::Resume => format!(
            "# Robin Example\n\n**{title}**\n\n## Experience\n\n**House {mark:x}** | {title} | 2019 - Present\n\n\
             - Worked with {}.\n\n## Skills\n\n{}\n",
            skills.join(" and "),
            skills.join(", ")
        ),
    };
    Wish { kind, content, key: format!("wish-{round}-{place}-{mark:x}") }
}
