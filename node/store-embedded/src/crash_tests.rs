//! What was acknowledged is there after `kill -9` at any moment.
//!
//! The test runs itself again as a child process that writes and prints what was acknowledged; the parent kills it,
//! opens the folder and looks for everything that was printed.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader};
use std::num::NonZeroU16;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tandem_domain::document::{DocumentKind, Version};
use tandem_domain::task::{TaskKind, TaskRef};
use tandem_ports::documents::{Bucket, BucketRange, Change, ChangeAction, LogPosition};
use tandem_ports::queue::Settlement;
use tandem_ports::testsuite::ManualClock;
use tandem_ports::testsuite::samples::{self, Seeded};
use tandem_ports::{DocumentStore, TaskStore, WorkQueue, Write};

use crate::{EmbeddedStore, OpenOptions};

const FOLDER: &str = "TANDEM_CRASH_FOLDER";
const FIRST: &str = "TANDEM_CRASH_FIRST";
const SEED: &str = "TANDEM_SEED";
const ROUNDS: u64 = 10;
const WRITERS: u64 = 8;
/// Numbers that a round may use; it is killed long before.
const SPAN: u64 = 1_000_000;

fn open(folder: &Path) -> EmbeddedStore {
    EmbeddedStore::open(OpenOptions::new(folder, Arc::new(ManualClock::new(1)))).unwrap()
}

fn key(number: u64) -> TaskRef {
    samples::task(&samples::owner("alice"), number).key()
}

/// The child: writes until it is killed, and says what was acknowledged.
#[tokio::test(flavor = "multi_thread")]
async fn child_of_the_crash_test() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let first: u64 = std::env::var(FIRST).unwrap().parse().unwrap();
    let store = open(Path::new(&folder));
    let writers = (0..WRITERS).map(|writer| {
        let store = store.clone();
        async move {
            for number in (first + writer..first + SPAN).step_by(WRITERS as usize) {
                write(&store, number).await;
            }
        }
    });
    futures::future::join(futures::future::join_all(writers), work(&store)).await;
}

async fn write(store: &EmbeddedStore, number: u64) {
    let owner = samples::owner("alice");
    let document = samples::document(&owner, DocumentKind::Resume, number);
    assert_eq!(store.create(&document).await.unwrap(), Write::Applied);
    println!("ack document {number}");
    let parsed = samples::parsed(number, 3_000);
    let end = store.put_parsed(&owner, document.id, Version::FIRST, &parsed).await.unwrap();
    assert_eq!(end, Write::Applied);
    println!("ack parsed {number}");
    let change = change(number);
    assert_eq!(store.log_change(&change).await.unwrap(), Write::Applied);
    println!("ack change {number}");
    assert_eq!(store.file(&samples::task(&owner, number)).await.unwrap(), Write::Applied);
    println!("ack task {number}");
    store.publish(TaskKind::Parse, &key(number), Duration::ZERO).await.unwrap();
    println!("ack published {number}");
}

/// Settles every second delivery.
async fn work(store: &EmbeddedStore) {
    let mut deliveries = store.subscribe(TaskKind::Parse, NonZeroU16::new(64).unwrap()).await.unwrap();
    let mut odd = false;
    while let Some(delivery) = deliveries.next().await.unwrap() {
        let settlement = if odd { Settlement::Ack } else { Settlement::Retry(Duration::from_secs(1)) };
        store.settle(&delivery, settlement).await.unwrap();
        if odd {
            println!("ack settled {}", delivery.task.id);
        }
        odd = !odd;
    }
}

fn change(number: u64) -> Change {
    Change {
        owner: samples::owner("alice"),
        document: samples::document_id(number),
        version: Version::FIRST,
        action: ChangeAction::Upsert,
    }
}

/// Runs the child until it has said `lines` lines and some more time has passed; gives what it said.
fn killed_child(folder: &Path, first: u64, seeded: &mut Seeded) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["crash_tests::child_of_the_crash_test", "--exact", "--nocapture"])
        .env(FOLDER, folder)
        .env(FIRST, first.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = 20 + seeded.below(600);
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut said: Vec<String> = (0..lines).map_while(|_| line(&mut output)).collect();
    assert_eq!(said.len() as u64, lines, "the child ended by itself: {:?}", said.last());
    // Not to wait for anything: the moment of death is to fall anywhere between two commits.
    std::thread::sleep(Duration::from_micros(seeded.below(3_000)));
    child.kill().unwrap();
    child.wait().unwrap();
    said.extend(std::iter::from_fn(|| line(&mut output)));
    said
}

/// The next line; one that the death cut off does not count.
fn line(output: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    line.strip_suffix('\n').map(str::to_owned)
}

/// The numbers or ids that were acknowledged under a word.
fn acknowledged<'a>(said: &'a [String], word: &str) -> Vec<&'a str> {
    let prefix = format!("ack {word} ");
    said.iter().filter_map(|line| line.strip_prefix(&prefix)).collect()
}

async fn check(folder: &Path, said: &[String], settled: &mut HashSet<String>) {
    let store = open(folder);
    let owner = samples::owner("alice");
    for number in acknowledged(said, "document").iter().map(|n| n.parse().unwrap()) {
        let document = store.document(&owner, samples::document_id(number)).await.unwrap();
        assert_eq!(document, Some(samples::document(&owner, DocumentKind::Resume, number)));
    }
    for number in acknowledged(said, "parsed").iter().map(|n| n.parse().unwrap()) {
        let parsed = store.parsed(&owner, samples::document_id(number), Version::FIRST).await.unwrap();
        assert_eq!(parsed, Some(samples::parsed(number, 3_000)));
    }
    for number in acknowledged(said, "change").iter().map(|n| n.parse().unwrap()) {
        assert_eq!(store.log_change(&change(number)).await.unwrap(), Write::Conflict(()), "{number}");
    }
    for number in acknowledged(said, "task").iter().map(|n| n.parse().unwrap()) {
        assert!(store.task(&key(number)).await.unwrap().is_some(), "{number}");
    }
    settled.extend(acknowledged(said, "settled").into_iter().map(str::to_owned));
    let queued = queued(&store).await;
    assert!(queued.is_disjoint(settled), "what was settled came back");
    // A settlement may be durable before it is said: what is neither said to be settled nor queued was delivered.
    let published = acknowledged(said, "published");
    let lost = published.iter().map(|n| key(n.parse().unwrap()).id.to_string());
    let lost: Vec<String> = lost.filter(|id| !queued.contains(id) && !settled.contains(id)).collect();
    assert!(lost.len() <= 1, "the one worker settles one delivery at a time: {lost:?}");
    let everything = BucketRange { from: 0, to: Bucket::COUNT };
    let log = store.changes(everything, LogPosition::START, 1_000).await.unwrap().changes;
    assert!(log.is_sorted_by(|a, b| a.0 < b.0));
    let whole = |c: &rusqlite::Connection| {
        Ok(c.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0))?)
    };
    assert_eq!(store.read(whole).await.unwrap(), "ok");
    store.close().await;
}

/// The task ids in the queue, in flight or not: at opening nothing is in flight.
async fn queued(store: &EmbeddedStore) -> HashSet<String> {
    let select = |c: &rusqlite::Connection| {
        let mut statement = c.prepare("SELECT task, token FROM queue")?;
        let rows = statement.query_map([], |row| {
            assert_eq!(row.get::<_, Option<i64>>(1)?, None, "in flight after opening");
            Ok(uuid::Uuid::from_bytes(row.get(0)?).to_string())
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    };
    store.read(select).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_kill_9() {
    let seed = std::env::var(SEED).ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| RandomState::new().hash_one(0));
    println!("run again with {SEED}={seed}");
    let (folder, mut seeded) = (tempfile::tempdir().unwrap(), Seeded::new(seed));
    let (mut settled, mut published) = (HashSet::new(), 0);
    for round in 0..ROUNDS {
        let path = folder.path().to_owned();
        let mut own = Seeded::new(seeded.number());
        let said = tokio::task::spawn_blocking(move || killed_child(&path, round * SPAN, &mut own));
        let said = said.await.unwrap();
        check(folder.path(), &said, &mut settled).await;
        published += acknowledged(&said, "published").len();
    }
    assert!(published > 100 && settled.len() > 10, "{published} published, {} settled", settled.len());
}
