//! Durable commits per second with one writer and with many, to `target/bench/store.json`.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark ends at the first error and prints"
)]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tandem_ports::testsuite::{ManualClock, samples};
use tandem_ports::{TaskStore, Write};
use tandem_store_embedded::{EmbeddedStore, OpenOptions};

/// How long each number of writers is measured.
const LENGTH: Duration = Duration::from_secs(3);

/// Writes until the time is over; gives how many were durable.
async fn write(store: EmbeddedStore, numbers: Arc<AtomicU64>, began: Instant) -> u64 {
    let owner = samples::owner("bench");
    let mut done = 0;
    while began.elapsed() < LENGTH {
        let task = samples::task(&owner, numbers.fetch_add(1, Ordering::Relaxed));
        assert_eq!(store.file(&task).await.unwrap(), Write::Applied);
        done += 1;
    }
    done
}

async fn measure(folder: &Path, writers: u64) -> f64 {
    let options = OpenOptions::new(folder, Arc::new(ManualClock::new(1)));
    let store =
        EmbeddedStore::open(OpenOptions { file_name: format!("bench-{writers}.db"), ..options }).unwrap();
    let numbers = Arc::new(AtomicU64::new(0));
    #[allow(clippy::disallowed_methods, reason = "a benchmark measures real time")]
    let began = Instant::now();
    let writing = (0..writers).map(|_| write(store.clone(), numbers.clone(), began));
    let done: u64 = futures::future::join_all(writing).await.iter().sum();
    let rate = done as f64 / began.elapsed().as_secs_f64();
    store.close().await;
    rate
}

#[tokio::main]
async fn main() {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/bench");
    std::fs::create_dir_all(&target).unwrap();
    // In the target folder, because a temporary folder may lie in memory, where a commit costs nothing.
    let folder = tempfile::tempdir_in(&target).unwrap();
    let mut figures = serde_json::Map::new();
    for writers in [1, 64] {
        let rate = measure(folder.path(), writers).await;
        println!("{writers:>3} writers: {rate:.0} durable commits/s");
        figures.insert(format!("commits_per_second_{writers}_writers"), (rate.round() as u64).into());
    }
    let report = serde_json::Value::Object(figures);
    std::fs::write(target.join("store.json"), format!("{report:#}\n")).unwrap();
}
