//! Three real nodes on a real broker and a real database.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::json;
use tandem_tests::client::{Answer, Client, Kind, Row, text};
use tandem_tests::cluster::Cluster;
use tandem_tests::poll::Deadline;
use tandem_tests::sandbox::Sandbox;
use tandem_tests::services::{self, Services};
use tandem_tests::{cli, paths, poll, sample};

mod faults;

const NODES: usize = 3;

/// Whether a test of this name can run here.
fn can_run(test: &str) -> bool {
    services::are_there(test) && paths::has_model(test)
}

/// The sample on some edges, in turn: ids by file name.
fn submit_sample(clients: &[Client], kind: Kind) -> BTreeMap<String, String> {
    let folder = if kind == Kind::Job { paths::sample_jobs() } else { paths::sample_resumes() };
    let files = sample::files(&folder);
    let clients = clients.iter().cycle();
    files
        .iter()
        .zip(clients)
        .map(|(path, client)| {
            let name = sample::name(path);
            (name.clone(), client.accepted(kind, &name, &std::fs::read(path).unwrap()))
        })
        .collect()
}

/// The rows of a run of all jobs, with names in place of ids: what must be the same wherever it was made.
fn ranking(clients: &[Client]) -> String {
    let jobs = submit_sample(clients, Kind::Job);
    let resumes = submit_sample(clients, Kind::Resume);
    let last = clients.last().unwrap();
    last.expect_complete(Kind::Job, jobs.values());
    last.expect_complete(Kind::Resume, resumes.values());
    let queries: Vec<&String> = jobs.values().collect();
    let rows: Vec<Row> = last.run("job", &queries, 10);
    assert_eq!(rows.len(), jobs.len() * 10);
    let mut shown: String = rows.iter().map(|row| format!("{}\n", row.line)).collect();
    for (name, id) in jobs.iter().chain(&resumes) {
        shown = shown.replace(id, name);
    }
    shown
}

#[test]
fn invariant_7_three_nodes_with_sixteen_shards_rank_as_one_machine_with_four() {
    if !can_run("invariant_7_three_nodes_with_sixteen_shards_rank_as_one_machine_with_four") {
        return;
    }
    let mut one = Sandbox::start();
    let expected = ranking(&[one.client()]);
    one.stop();
    drop(one);
    let services = Services::shared("ranking");
    let mut cluster = Cluster::start(&services, NODES);
    let clients: Vec<Client> = (0..NODES).map(|node| cluster.client(node)).collect();
    let found = ranking(&clients);
    assert!(expected == found, "the rankings differ\n--- one machine\n{expected}\n--- three nodes\n{found}");
    // Each document is searchable on both owners of its shard.
    cluster.expect_shared_out();
    let status = clients[0].get("/status").data();
    let documents: i64 = status["shards"]
        .as_array()
        .unwrap()
        .iter()
        .map(|shard| {
            let counts: Vec<i64> = shard["owners"]
                .as_array()
                .unwrap()
                .iter()
                .map(|owner| owner["documents"].as_i64().unwrap())
                .collect();
            assert_eq!(counts.len(), 2);
            assert_eq!(counts[0], counts[1], "both owners have the same");
            counts[0]
        })
        .sum();
    assert_eq!(documents, 72);
    expect_misfit_refused(&cluster);
    cluster.stop();
}

/// A node that cuts the index otherwise would rank otherwise: it does not start.
fn expect_misfit_refused(cluster: &Cluster) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_string_lossy().into_owned();
    let mut environment = cluster.environment();
    environment.extend([
        ("TANDEM_INDEX__SHARDS", "8"),
        ("TANDEM_NODE__DATA_DIR", data.as_str()),
        ("TANDEM_EDGE__LISTEN", "127.0.0.1:0"),
    ]);
    let refused = cli::run_with(&environment, ["serve"]);
    assert_eq!(refused.code, 1, "{}", refused.stderr);
    assert!(refused.stderr.contains("index.shards is 8 here and 16 there"), "{}", refused.stderr);
}

/// Clients on the edges of the nodes that live, at the same time.
const CLIENTS: usize = 32;
/// No request may take longer.
const LONGEST: Duration = Duration::from_secs(5);
/// How long the clients go on after the fault.
const AFTERWARDS: Duration = Duration::from_secs(6);

/// Of so many, two ask for runs, which search every shard: one on each edge. The others ask for pairs.
const RUNS_OF: usize = 8;
/// Rows of such a run.
const BEST: usize = 5;

/// What the clients saw.
#[derive(Default)]
struct Seen {
    runs: Vec<String>,
    answered: usize,
    failed: Vec<String>,
    longest: Duration,
}

impl Seen {
    fn take_down(&mut self, took: Duration, answer: &Result<Answer, String>) {
        self.longest = self.longest.max(took);
        match answer {
            Ok(answer) if answer.status < 400 => self.answered += 1,
            Ok(answer) => {
                assert_eq!(answer.json()["retryable"], true, "{}", answer.text);
                self.failed.push(answer.text.clone());
            }
            Err(error) => self.failed.push(error.clone()),
        }
    }
}

/// Tells the clients to stop, also when a test fails while they ask.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Asks for runs and looks at each until it has ended or it is time to stop.
fn run_on(client: &Client, job: &str, stop: &AtomicBool) -> Seen {
    let mut seen = Seen::default();
    let ask = |seen: &mut Seen, call: &dyn Fn() -> Result<Answer, reqwest::Error>| {
        let begun = Deadline::after(LONGEST);
        let answer = call().map_err(|error| format!("{error:?}"));
        seen.take_down(begun.elapsed(), &answer);
        answer.ok().filter(|answer| answer.status < 400)
    };
    while !stop.load(Ordering::Relaxed) {
        let body = json!({ "query": "job", "queries": [job], "candidates": "all", "top": BEST });
        let Some(run) = ask(&mut seen, &|| client.try_post("/api/v1/match-runs", &body)) else { continue };
        let path = format!("/api/v1/match-runs/{}", text(&run.data(), "id"));
        seen.runs.push(text(&run.data(), "id"));
        while !stop.load(Ordering::Relaxed) {
            let looked = ask(&mut seen, &|| client.try_get(&path));
            if looked.is_some_and(|run| text(&run.data(), "status") == "complete") {
                break;
            }
        }
    }
    seen
}

/// Asks for matches and looks at them until told to stop.
fn ask_on(client: &Client, resume: &str, job: &str, stop: &AtomicBool) -> Seen {
    let mut seen = Seen::default();
    while !stop.load(Ordering::Relaxed) {
        let begun = Deadline::after(LONGEST);
        let asked = client.try_post("/api/v1/matches", &json!({ "resumeId": resume, "jobId": job }));
        let asked = asked.map_err(|error| format!("{error:?}"));
        seen.take_down(begun.elapsed(), &asked);
        let Some(id) = asked.ok().filter(|answer| answer.status < 400).map(|a| text(&a.data(), "id")) else {
            continue;
        };
        let begun = Deadline::after(LONGEST);
        let looked = client.try_get(&format!("/api/v1/matches/{id}")).map_err(|error| format!("{error:?}"));
        seen.take_down(begun.elapsed(), &looked);
    }
    seen
}

#[test]
fn a_node_that_dies_or_freezes_under_load_fails_few_requests_of_the_others_and_none_for_long() {
    let test = "a_node_that_dies_or_freezes_under_load_fails_few_requests_of_the_others_and_none_for_long";
    if !can_run(test) {
        return;
    }
    let services = Services::shared("load");
    let mut cluster = Cluster::start(&services, NODES);
    let clients: Vec<Client> = (0..NODES).map(|node| cluster.client(node)).collect();
    let job = submit_sample(&clients, Kind::Job).into_values().next().unwrap();
    let resumes: Vec<String> = submit_sample(&clients, Kind::Resume).into_values().collect();
    clients[1].expect_complete(Kind::Job, [&job]);
    clients[1].expect_complete(Kind::Resume, &resumes);
    for fault in [Sandbox::freeze, Sandbox::kill] {
        let stop = AtomicBool::new(false);
        let seen: Vec<Seen> = thread::scope(|scope| {
            let (stop, job) = (&stop, &job);
            let asking: Vec<_> = (0..CLIENTS)
                .map(|number| {
                    let (client, resume) = (&clients[1 + number % 2], &resumes[number % resumes.len()]);
                    scope.spawn(move || match number % RUNS_OF {
                        0 | 1 => run_on(client, job, stop),
                        _ => ask_on(client, resume, job, stop),
                    })
                })
                .collect();
            let asked = Stop(stop);
            // These pauses are the load before and after the fault; nothing waits for anything here.
            thread::sleep(Duration::from_secs(1));
            fault(cluster.node(0));
            thread::sleep(AFTERWARDS);
            drop(asked);
            asking.into_iter().map(|asking| asking.join().unwrap()).collect()
        });
        let (answered, failed): (usize, usize) =
            seen.iter().fold((0, 0), |sum, seen| (sum.0 + seen.answered, sum.1 + seen.failed.len()));
        let longest = seen.iter().map(|seen| seen.longest).max().unwrap();
        let why: Vec<&String> = seen.iter().flat_map(|seen| &seen.failed).take(5).collect();
        assert!(answered > CLIENTS * 10, "only {answered} requests were answered");
        assert!(failed * 100 <= answered + failed, "{failed} of {} failed: {why:?}", answered + failed);
        assert!(longest < LONGEST, "a request took {longest:?}");
        let runs: Vec<&String> = seen.iter().flat_map(|seen| &seen.runs).collect();
        assert!(runs.len() > CLIENTS / RUNS_OF, "only {} runs were taken", runs.len());
        for run in runs {
            assert_eq!(clients[1].rows(run).len(), BEST, "a run that was taken ends while the node is away");
        }
        cluster.node(0).revive();
    }
    cluster.expect_shared_out();
    cluster.stop();
}

#[test]
fn a_node_that_leaves_fails_nothing_it_accepted_and_one_that_comes_takes_its_shards() {
    let test = "a_node_that_leaves_fails_nothing_it_accepted_and_one_that_comes_takes_its_shards";
    if !can_run(test) {
        return;
    }
    let services = Services::shared("leaving");
    let mut cluster = Cluster::start(&services, NODES);
    let leaving = cluster.client(0);
    let jobs = submit_sample(std::slice::from_ref(&leaving), Kind::Job);
    let resumes = submit_sample(std::slice::from_ref(&leaving), Kind::Resume);
    let queries: Vec<&String> = jobs.values().collect();
    let body = json!({ "query": "job", "queries": queries, "candidates": resumes.values().collect::<Vec<_>>(), "top": 5 });
    let run = text(&leaving.post("/api/v1/match-runs", &body).data(), "id");
    cluster.node(0).stop();
    let staying = cluster.client(1);
    staying.expect_complete(Kind::Resume, resumes.values());
    assert_eq!(staying.rows(&run).len(), jobs.len() * 5, "what it had accepted is done by the others");
    cluster.node(0).spawn();
    let back = cluster.node(0).expect_ready();
    poll::until("the node that came back holds shards again", Duration::from_secs(30), || {
        let status = back.get("/status").data();
        let nodes = status["nodes"].as_array().unwrap();
        let own = nodes.iter().find(|node| node["name"] == "node-0")?;
        own["shards"].as_i64().filter(|shards| *shards > 0)
    });
    cluster.expect_shared_out();
    let rows = cluster.client(0).run("job", &queries, 5);
    assert_eq!(rows.len(), jobs.len() * 5);
    cluster.stop();
}

#[test]
fn nodes_share_the_work_by_their_roles_and_keep_originals_in_a_bucket() {
    let test = "nodes_share_the_work_by_their_roles_and_keep_originals_in_a_bucket";
    if !can_run(test) {
        return;
    }
    let services = Services::shared("roles");
    let bucket = services.start_bucket();
    let mut cluster =
        Cluster::start_with(&services, &bucket, &["edge,ingest", "parse,embed,index", "index,match"]);
    let edge = cluster.client(0);
    let jobs = submit_sample(std::slice::from_ref(&edge), Kind::Job);
    let resumes = submit_sample(std::slice::from_ref(&edge), Kind::Resume);
    edge.expect_complete(Kind::Job, jobs.values());
    edge.expect_complete(Kind::Resume, resumes.values());
    let queries: Vec<&String> = jobs.values().collect();
    assert_eq!(edge.run("job", &queries, 5).len(), jobs.len() * 5);
    for other in [1, 2] {
        let client = cluster.client(other);
        assert_eq!(client.get("/api/v1/resumes").status, 404, "it is no edge");
        assert_eq!(client.get("/readyz").status, 200);
        assert!(client.get("/metrics").text.contains("tandem_"), "it is observed like any other");
    }
    let status = edge.get("/status").data();
    let shards: Vec<i64> =
        status["nodes"].as_array().unwrap().iter().map(|n| n["shards"].as_i64().unwrap()).collect();
    assert_eq!(shards, [0, 16, 16]);
    cluster.node(0).stop();
    assert!(!cluster.node(0).data().join("objects").exists(), "originals are in the bucket alone");
    cluster.node(0).spawn();
    cluster.expect_shared_out();
    cluster.stop();
}

#[test]
fn a_shard_that_is_removed_is_built_again_from_the_store() {
    let test = "a_shard_that_is_removed_is_built_again_from_the_store";
    if !paths::has_model(test) {
        return;
    }
    let mut sandbox = Sandbox::start();
    let before = ranking(&[sandbox.client()]);
    let data = sandbox.data().to_owned();
    let rebuild = || cli::run(["shard".as_ref(), "rebuild".as_ref(), "--data".as_ref(), data.as_os_str()]);
    let refused = rebuild();
    assert_eq!(refused.code, 1, "never under a running node");
    assert!(refused.stderr.contains("does the node run?"), "{}", refused.stderr);
    sandbox.stop();
    let said = rebuild().expect_success().stdout;
    assert_eq!(said, "4 shards will be built again at the next start\n");
    sandbox.spawn();
    let client = sandbox.expect_ready();
    assert_eq!(ranking(&[client]), before);
    sandbox.stop();
}
