use std::sync::Mutex;

use tandem_ports::documents::LogPosition;
use tandem_ports::testsuite::MemoryStore;
use tandem_ports::testsuite::index::MemoryIndex;
use tandem_ports::testsuite::samples;
use tandem_runtime::Supervisor;

use super::*;
use crate::open_runs::OpenRuns;

/// A shard whose files have seen a longer log than this store has.
const ELSEWHERE: u16 = 9;

struct House {
    host: ShardHost,
    supervisor: SupervisorHandle,
    opened: Arc<Mutex<Vec<u16>>>,
}

async fn house(node: &str) -> House {
    let supervisor = Supervisor::start(node).await.unwrap();
    let store = Arc::new(MemoryStore::default());
    let opened = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&opened);
    let open: OpenShard = Arc::new(move |shard| {
        noted.lock().unwrap().push(shard);
        if shard == 13 {
            return Err(internal("its files are damaged".to_owned()));
        }
        let index = MemoryIndex::new(&samples::model());
        if shard == ELSEWHERE {
            index.apply(&[], LogPosition(7)).unwrap();
        }
        Ok(Arc::new(index))
    });
    let options = ShardHostOptions { shards: 16, batch: 8, model: samples::model() };
    let hosted = HostedShards::new(Arc::new(OpenRuns::new(store.clone())));
    // The sender may go: the writers rest and look again.
    let changed = watch::channel(0).1;
    let host = ShardHost::new(supervisor.clone(), options, open, store, changed, hosted);
    House { host, supervisor, opened }
}

fn writers(supervisor: &SupervisorHandle) -> Vec<String> {
    let names = supervisor.actors().into_iter().map(|actor| actor.name);
    names.filter(|name| name.starts_with("shard/")).collect()
}

#[tokio::test]
async fn exactly_the_wanted_shards_are_held_and_written() {
    let House { host, supervisor, opened } = house("host-a").await;
    host.hold(&[1, 2].into()).await.unwrap();
    host.hold(&[2, 5].into()).await.unwrap();
    assert_eq!(host.hosted().numbers(), [2, 5]);
    assert_eq!(writers(&supervisor), ["shard/2", "shard/5"]);
    let mut opened = opened.lock().unwrap().clone();
    opened.sort_unstable();
    assert_eq!(opened, [1, 2, 5], "what stays is not opened again");
    assert!(host.hosted().reports().iter().all(|report| report.caught_up), "the log is empty");
    supervisor.shutdown(std::time::Duration::ZERO).await;
}

#[tokio::test]
async fn a_shard_that_cannot_be_opened_does_not_keep_the_others_down() {
    let House { host, supervisor, .. } = house("host-b").await;
    let failure = host.hold(&[3, 13].into()).await.unwrap_err();
    assert_eq!(failure.reason, "its files are damaged");
    assert_eq!(host.hosted().numbers(), [3]);
    supervisor.shutdown(std::time::Duration::ZERO).await;
}

#[tokio::test]
async fn a_shard_of_another_store_is_refused() {
    let House { host, supervisor, .. } = house("host-c").await;
    let failure = host.hold(&[3, ELSEWHERE].into()).await.unwrap_err();
    assert!(failure.reason.contains("belongs to another store"), "{}", failure.reason);
    assert_eq!(host.hosted().numbers(), [3]);
    supervisor.shutdown(std::time::Duration::ZERO).await;
}
