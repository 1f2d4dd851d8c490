//! Everything fails, in an order that its seed tells: nothing that was acknowledged is lost, nothing is there twice.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, RwLock};
use std::thread;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde_json::json;
use tandem_tests::client::{Client, Kind, text};
use tandem_tests::cluster::{ALL_ROLES, Cluster};
use tandem_tests::oracle::{Oracle, expect_each_row_once};
use tandem_tests::poll::Deadline;
use tandem_tests::services::{Servers, Services};
use tandem_tests::{cli, poll, seed};

use super::{NODES, can_run};

/// Documents, of which so many are jobs.
const DOCUMENTS: usize = 2_000;
const JOBS: usize = 20;
/// Faults of a round. There is one round, or as many as begin within `TANDEM_TEST_MINUTES`.
const FAULTS: usize = 40;
/// Nodes of the database: one of them may be gone.
const CASSANDRA_NODES: u16 = 3;
/// Clients that send at the same time.
const SENDERS: usize = 6;
/// Rows per item: as many as a run gives.
const TOP: usize = 1_000;
/// What the nodes have to bear with: servers that are away more often than not are waited for again and again, and what a
/// dead node had in hand is another's only after longer than a write of the database may take.
const PATIENCE: [(&str, &str); 4] = [
    ("TANDEM_STORE__SCYLLA__ATTEMPTS", "10"),
    ("TANDEM_QUEUE__RABBITMQ__ATTEMPTS", "60"),
    ("TANDEM_QUEUE__RABBITMQ__BACK_OFF_MS", "100"),
    ("TANDEM_QUEUE__LEASE_S", "15"),
];
/// How long all work may take once the faults are over.
const SETTLED_WITHIN: Duration = Duration::from_secs(900);

#[derive(Debug, Clone, Copy)]
enum Fault {
    Node(Blow),
    Broker(Blow),
    Database,
}

#[derive(Debug, Clone, Copy)]
enum Blow {
    /// SIGKILL, and started again.
    Kill,
    /// A node stands still for a while; a broker is stopped in good order and started again.
    Pause,
}

impl Fault {
    /// What strikes, as often as it stands here.
    const ALL: [Self; 12] = [
        Self::Node(Blow::Kill),
        Self::Node(Blow::Kill),
        Self::Node(Blow::Kill),
        Self::Node(Blow::Kill),
        Self::Node(Blow::Pause),
        Self::Node(Blow::Pause),
        Self::Node(Blow::Pause),
        Self::Node(Blow::Pause),
        Self::Broker(Blow::Pause),
        Self::Broker(Blow::Kill),
        Self::Broker(Blow::Kill),
        Self::Database,
    ];
}

/// Chooses how long something is broken, or nothing is; nothing waits for anything here.
fn pause(rng: &mut StdRng, from: u64, to: u64) {
    thread::sleep(Duration::from_millis(rng.random_range(from..to)));
}

/// Strikes a node, and brings it back.
fn strike_node(blow: Blow, rng: &mut StdRng, cluster: &mut Cluster, doors: &Doors) {
    let number = rng.random_range(0..NODES);
    match blow {
        Blow::Kill => {
            cluster.node(number).kill();
            pause(rng, 100, 2_000);
            cluster.node(number).start_again();
            doors.open(number, cluster.client(number));
        }
        Blow::Pause => {
            cluster.node(number).freeze();
            pause(rng, 500, 4_000);
            cluster.node(number).revive();
        }
    }
}

fn strike_broker(blow: Blow, rng: &mut StdRng, servers: &Servers) {
    match blow {
        Blow::Kill => {
            servers.kill_broker();
            pause(rng, 100, 1_000);
        }
        Blow::Pause => servers.stop_broker(),
    }
    servers.start_broker();
}

fn strike_database(rng: &mut StdRng, servers: &Servers) {
    servers.kill_cassandra(rng.random_range(1..=CASSANDRA_NODES));
    pause(rng, 500, 3_000);
    servers.start_cassandra();
}

/// The edges as clients know them: an edge that was started again is at another address.
struct Doors(RwLock<Vec<Client>>);

impl Doors {
    fn open(&self, number: usize, client: Client) {
        self.0.write().unwrap()[number] = client;
    }

    fn any(&self, rng: &mut StdRng) -> Client {
        self.0.read().unwrap().choose(rng).unwrap().clone()
    }
}

/// What was acknowledged.
#[derive(Default)]
struct Ledger {
    oracle: Oracle,
    by_key: BTreeMap<String, String>,
}

#[test]
fn invariants_2_3_and_6_a_cluster_conserves_everything_while_everything_fails() {
    let test = "invariants_2_3_and_6_a_cluster_conserves_everything_while_everything_fails";
    if !can_run(test) {
        return;
    }
    let mut rng = seed::rng(test);
    let minutes =
        std::env::var("TANDEM_TEST_MINUTES").ok().and_then(|minutes| minutes.parse().ok()).unwrap_or(0);
    let long_enough = Deadline::after(Duration::from_secs(60 * minutes));
    let services = Services::start(1, CASSANDRA_NODES);
    let patience = PATIENCE.map(|(name, value)| (name, value.to_owned()));
    let mut cluster = Cluster::start_with(&services, &patience, &[ALL_ROLES; NODES]);
    let mut ledger = Ledger::default();
    for round in 0.. {
        let run;
        (ledger, run) = strike(&mut rng, round, &services, &mut cluster, ledger);
        cluster.expect_ready();
        expect_worked_off(&cluster.client(0), (round + 1) * DOCUMENTS);
        cluster.expect_shared_out();
        judge(&mut cluster, &ledger, &run, (round + 1) * DOCUMENTS);
        if long_enough.passed() {
            break;
        }
    }
    cluster.stop();
}

/// One round: documents and a run go through while the faults strike. Nodes, broker and database fail independently of
/// one another, so also at the same time. Gives back the ledger and the run's id.
fn strike(
    rng: &mut StdRng,
    round: usize,
    servers: &Servers,
    cluster: &mut Cluster,
    ledger: Ledger,
) -> (Ledger, String) {
    let doors = Doors(RwLock::new((0..NODES).map(|node| cluster.client(node)).collect()));
    let ledger = Mutex::new(ledger);
    let documents: Vec<Document> = (0..DOCUMENTS).map(|number| document(rng, number)).collect();
    let next = AtomicUsize::new(0);
    let faults: Vec<(usize, Fault)> =
        (0..FAULTS).map(|number| (number, *Fault::ALL.choose(rng).unwrap())).collect();
    let told = |number, fault| tell(number, round, fault);
    let mut fork = || StdRng::seed_from_u64(rng.random());
    let (mut of_nodes, mut of_broker, mut of_database) = (fork(), fork(), fork());
    let run = thread::scope(|scope| {
        let senders: Vec<_> = (0..SENDERS)
            .map(|_| {
                let mut own = fork();
                let (doors, ledger, documents, next) = (&doors, &ledger, &documents, &next);
                scope.spawn(move || send(&mut own, doors, ledger, documents, next))
            })
            .collect();
        let asking = scope.spawn(|| {
            senders.into_iter().for_each(|sender| sender.join().unwrap());
            ask_for_run(&doors, &ledger, round)
        });
        scope.spawn(|| {
            for (number, fault) in &faults {
                let Fault::Broker(blow) = *fault else { continue };
                told(*number, *fault);
                strike_broker(blow, &mut of_broker, servers);
                pause(&mut of_broker, 1_000, 6_000);
            }
        });
        scope.spawn(|| {
            for (number, fault) in &faults {
                let Fault::Database = *fault else { continue };
                told(*number, *fault);
                strike_database(&mut of_database, servers);
                pause(&mut of_database, 1_000, 6_000);
            }
        });
        for (number, fault) in &faults {
            let Fault::Node(blow) = *fault else { continue };
            told(*number, *fault);
            strike_node(blow, &mut of_nodes, cluster, &doors);
            pause(&mut of_nodes, 0, 1_500);
        }
        asking.join().unwrap()
    });
    (ledger.into_inner().unwrap(), run)
}

#[allow(clippy::print_stderr, reason = "the faults belong to the report of a failed test")]
fn tell(number: usize, round: usize, fault: Fault) {
    eprintln!("fault {number} of round {round}: {fault:?}");
}

struct Document {
    kind: Kind,
    key: String,
    content: String,
}

/// A small invented document that no other is like.
fn document(rng: &mut StdRng, number: usize) -> Document {
    const TITLES: [&str; 6] =
        ["Rust Engineer", "Line Cook", "Registered Nurse", "Accountant", "Site Engineer", "Sales Manager"];
    const SKILLS: [&str; 8] =
        ["Rust", "PostgreSQL", "Kafka", "HACCP", "Triage", "Bookkeeping", "AutoCAD", "Team leadership"];
    let title = TITLES.choose(rng).unwrap();
    let skills: Vec<&str> = SKILLS.choose_multiple(rng, 3).copied().collect();
    let mark: u64 = rng.random();
    let (kind, content) = if number.is_multiple_of(DOCUMENTS / JOBS) {
        let text = format!("# {title}\n\nTeam {mark:x}.\n\n## Requirements\n\n- {}\n", skills.join("\n- "));
        (Kind::Job, text)
    } else {
        let text = format!(
            "# Robin Example\n\n**{title}** at House {mark:x}, 2019 - Present\n\n## Skills\n\n{}\n",
            skills.join(", ")
        );
        (Kind::Resume, text)
    };
    Document { kind, key: format!("document-{number}-{mark:x}"), content }
}

/// Sends document after document, each until it is acknowledged.
fn send(rng: &mut StdRng, doors: &Doors, ledger: &Mutex<Ledger>, documents: &[Document], next: &AtomicUsize) {
    while let Some(document) = documents.get(next.fetch_add(1, Ordering::Relaxed)) {
        let Document { kind, key, content } = document;
        let name = format!("{key}.md");
        let answer = poll::until_ok("a document is acknowledged", SETTLED_WITHIN, || {
            let answer = doors.any(rng).try_submit(*kind, &name, content.as_bytes(), Some(key));
            let answer = answer.map_err(|error| format!("{error:?}"))?;
            if answer.status >= 400 {
                assert_eq!(answer.json()["retryable"], true, "{}", answer.text);
                return Err(answer.text);
            }
            Ok(answer.data())
        });
        let mut ledger = ledger.lock().unwrap();
        ledger.oracle.acknowledge(*kind, &answer);
        ledger.by_key.insert(key.clone(), text(&answer, "id"));
    }
}

/// Asks for a run of all jobs, until it is acknowledged; its id.
fn ask_for_run(doors: &Doors, ledger: &Mutex<Ledger>, round: usize) -> String {
    let key = format!("run-{round}");
    let body = {
        let ledger = ledger.lock().unwrap();
        let jobs: Vec<&String> = ledger.oracle.owed(Kind::Job).take(JOBS).collect();
        let resumes: Vec<&String> = ledger.oracle.owed(Kind::Resume).collect();
        json!({ "query": "job", "queries": jobs, "candidates": resumes, "top": TOP })
    };
    let mut rng = StdRng::seed_from_u64(1);
    poll::until_ok("a run is acknowledged", SETTLED_WITHIN, || {
        let client = doors.any(&mut rng);
        let request = client.request(reqwest::Method::POST, "/api/v1/match-runs").json(&body);
        let answer = client.send(request.header("idempotency-key", &key));
        let answer = answer.map_err(|error| format!("{error:?}"))?;
        if answer.status < 400 { Ok(text(&answer.data(), "id")) } else { Err(answer.text) }
    })
}

/// Waits until as many changes are logged as there are documents: what is still missing then is little.
fn expect_worked_off(client: &Client, documents: usize) {
    poll::until_ok("everything is read and embedded", SETTLED_WITHIN, || {
        let status = client.try_get("/status").map_err(|error| error.to_string())?;
        if status.status != 200 {
            return Err(status.text);
        }
        let status = status.data();
        let Some(logged) = status["logHead"].as_u64() else { return Err(status.to_string()) };
        if logged >= documents as u64 { Ok(()) } else { Err(format!("{logged} of {documents}")) }
    });
}

fn judge(cluster: &mut Cluster, ledger: &Ledger, run: &str, documents: usize) {
    let client = cluster.client(0);
    assert_eq!(ledger.by_key.len(), documents, "every document was acknowledged");
    assert_eq!(ledger.oracle.len(), documents, "no two documents have one id");
    ledger.oracle.expect_conserved(&client);
    let indexed: i64 = client.get("/status").data()["shards"]
        .as_array()
        .unwrap()
        .iter()
        .map(|shard| {
            let owners = shard["owners"].as_array().unwrap();
            let counts: Vec<i64> = owners.iter().map(|o| o["documents"].as_i64().unwrap()).collect();
            assert!(counts.iter().all(|count| *count == counts[0]), "its owners differ: {shard}");
            counts[0]
        })
        .sum();
    assert_eq!(indexed, documents as i64, "each document is in the index once");
    let rows = client.rows(run);
    expect_each_row_once(&rows);
    // The pool of candidates bounds the rows of an item.
    let mut per_job: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &rows {
        *per_job.entry(&row.query).or_default() += 1;
    }
    assert_eq!(per_job.len(), JOBS, "every job has its rows");
    assert!(per_job.values().all(|rows| *rows >= 300), "too few rows: {per_job:?}");
    let environment = cluster.environment();
    let dead = cli::run_with(&environment, ["queue", "dead", "list"]).expect_success().stdout;
    let without_reason = dead.lines().filter(|line| line.trim_end().ends_with("times")).count();
    assert_eq!(without_reason, 0, "dead letters without a reason:\n{dead}");
}
