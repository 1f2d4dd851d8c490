//! A corpus is moved to another model while the old one serves.
//!
//! The second model is the first one's weights in f32: other vectors, nothing to fetch.

use std::time::Duration;

use serde_json::{Value, json};
use tandem_tests::client::{Client, Kind, text};
use tandem_tests::cluster::Cluster;
use tandem_tests::sandbox::Sandbox;
use tandem_tests::services::{self, Services};
use tandem_tests::{cli, paths, poll, sample};

/// How long a move of the sample may take before it counts as stuck.
const LONG: Duration = Duration::from_secs(120);

/// A sixth of the sample: enough for every shard to have something.
fn submit(client: &Client) -> (Vec<String>, Vec<String>) {
    let of = |kind: Kind, every: usize| {
        let folder = if kind == Kind::Job { paths::sample_jobs() } else { paths::sample_resumes() };
        let files = sample::files(&folder).into_iter().step_by(every);
        let ids: Vec<String> = files
            .map(|path| client.accepted(kind, &sample::name(&path), &std::fs::read(&path).unwrap()))
            .collect();
        client.expect_complete(kind, &ids);
        ids
    };
    (of(Kind::Job, 6), of(Kind::Resume, 6))
}

/// The ids of the model in the receipts of a run of these jobs, and the rows.
fn ranked(client: &Client, jobs: &[String]) -> (Vec<String>, Vec<String>) {
    let rows = client.run("job", &jobs.iter().collect::<Vec<_>>(), 3);
    assert_eq!(rows.len(), jobs.len() * 3);
    let mut models: Vec<String> =
        rows.iter().map(|row| row.line["receipt"]["model"]["id"].to_string()).collect();
    models.sort();
    models.dedup();
    (models, rows.into_iter().map(|row| row.line.to_string()).collect())
}

/// The ids of the model once none of these is among them: nodes hear of a switch within a second.
fn ranked_by_another(client: &Client, jobs: &[String], before: &[String]) -> Vec<String> {
    poll::until("another model ranks", LONG, || {
        let (models, _) = ranked(client, jobs);
        (!models.iter().any(|model| before.contains(model))).then_some(models)
    })
}

fn precision(client: &Client) -> String {
    text(&client.get("/models").data()["serving"], "precision")
}

fn wait_for(client: &Client, what: &str, done: impl Fn(&Value) -> bool) {
    poll::until(what, LONG, || done(&client.get("/models").data()).then_some(()));
}

#[test]
fn a_node_is_moved_to_another_model_and_back_while_it_serves() {
    if !paths::has_model("a_node_is_moved_to_another_model_and_back_while_it_serves") {
        return;
    }
    let mut sandbox = Sandbox::start();
    let client = sandbox.client();
    let (jobs, resumes) = submit(&client);
    let (first, before) = ranked(&client, &jobs);
    assert_eq!(first.len(), 1);
    assert_eq!(client.post("/models/rollback", &json!({})).error_code(), "CONFLICT");
    assert_eq!(client.post("/models/end", &json!({})).error_code(), "CONFLICT");
    let nowhere = client.post("/models/move", &json!({ "folder": "/nowhere" }));
    assert_eq!(nowhere.error_code(), "CONFLICT");
    assert!(nowhere.text.contains("no sentence model in `folder`"), "{}", nowhere.text);
    assert_eq!(client.post("/models/move", &json!({})).error_code(), "CONFLICT", "it serves already");

    let url = sandbox.address().unwrap();
    let moved = cli::run(["reembed", "--url", &url, "--precision", "f32", "--wait"]).expect_success().stdout;
    assert!(moved.starts_with("serving  native-f32-"), "{moved}");
    assert!(moved.contains("former   native-int8-") && moved.contains("--rollback"), "{moved}");
    let second = ranked_by_another(&client, &jobs, &first);
    assert_eq!(second.len(), 1, "every row is of the other model");

    // What comes now is searchable by both: going back misses nothing.
    let new = client
        .accepted_text(Kind::Resume, "Ada Lind\nNurse\n\nExperience\nNurse at Ward Nine, 2015 - 2024\n");
    client.expect_complete(Kind::Resume, [&new]);
    sandbox.kill();
    sandbox.spawn();
    let client = sandbox.expect_ready();
    assert_eq!(precision(&client), "f32", "the store says so, whatever the configuration");
    wait_for(&client, "the former model has the new résumé", |models| {
        models["second"]["caughtUp"] == models["second"]["shards"]
            && models["second"]["seen"] == models["second"]["changes"]
    });
    assert_eq!(client.post("/models/rollback", &json!({})).status, 202);
    assert_eq!(precision(&client), "int8");
    let found = poll::until("the former model serves", LONG, || {
        let (models, rows) = ranked(&client, &jobs);
        (models == first).then_some(rows)
    });
    let strip = |rows: &[String]| rows.iter().filter(|row| !row.contains(&new)).count();
    assert!(strip(&found) + jobs.len() >= before.len(), "all but the new one are as before");
    let pair = client.match_pair(&new, &jobs[0]);
    assert!(pair.to_string().contains("native-int8-"), "{pair}");
    assert!(client.match_pair(&resumes[0], &jobs[0]).to_string().contains("native-int8-"));

    let url = sandbox.address().unwrap();
    let ended = cli::run(["reembed", "--url", &url, "--end", "--wait"]).expect_success().stdout;
    assert!(ended.starts_with("serving  native-int8-") && !ended.contains("former"), "{ended}");
    poll::until("the other model's shards are gone", LONG, || {
        let folders = std::fs::read_dir(sandbox.data().join("index")).unwrap().flatten();
        let models = folders.filter(|entry| entry.file_name().to_string_lossy().starts_with("model-"));
        (models.count() == 1).then_some(())
    });
    assert_eq!(ranked(&client, &jobs).0, first);
    sandbox.stop();
    // The same without a node: everything of it was removed, so it is all made again.
    let data = sandbox.data().to_string_lossy().into_owned();
    let moved = cli::run(["reembed", "--data", &data, "--precision", "f32"]).expect_success().stdout;
    assert!(moved.starts_with("serving  native-f32-"), "{moved}");
    assert!(moved.contains("100 % of the change log, 4 of 4 shards answer"), "{moved}");
}

#[test]
fn a_cluster_is_moved_to_another_model_while_a_node_of_it_dies() {
    let test = "a_cluster_is_moved_to_another_model_while_a_node_of_it_dies";
    if !services::are_there(test) || !paths::has_model(test) {
        return;
    }
    let services = Services::shared("models");
    let mut cluster = Cluster::start(&services, 2);
    let client = cluster.client(0);
    let (jobs, _) = submit(&client);
    let (first, _) = ranked(&client, &jobs);
    assert_eq!(client.post("/models/move", &json!({ "precision": "f32" })).status, 202);
    cluster.node(1).kill();
    assert_eq!(ranked(&client, &jobs).0.len(), 1, "one model at a time answers, also while it is moved");
    cluster.node(1).spawn();
    let other = cluster.node(1).expect_ready();
    wait_for(&other, "the other model serves", |models| models["serving"]["precision"] == "f32");
    let of_both = [&client, &other].map(|client| ranked_by_another(client, &jobs, &first));
    assert_eq!(of_both[0], of_both[1], "both nodes answer with it");
    let problems = other.get("/models").data()["problems"].clone();
    assert_eq!(problems, json!([]));
    assert_eq!(other.post("/models/rollback", &json!({})).status, 202);
    poll::until("both nodes go back", LONG, || {
        [&client, &other].iter().all(|client| ranked(client, &jobs).0 == first).then_some(())
    });
    cluster.stop();
}
