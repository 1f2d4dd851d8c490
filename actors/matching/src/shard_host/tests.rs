use std::sync::Mutex;

use tandem_domain::models::ModelPlace;
use tandem_ports::documents::LogPosition;
use tandem_ports::testsuite::MemoryStore;
use tandem_ports::testsuite::index::MemoryIndex;
use tandem_ports::testsuite::samples;
use tandem_runtime::Supervisor;

use super::*;
use crate::open_runs::OpenRuns;
use crate::testing;

/// A shard whose files have seen a longer log than this store has.
const ELSEWHERE: u16 = 9;

struct House {
    host: ShardHost,
    supervisor: SupervisorHandle,
    models: watch::Sender<Arc<Models>>,
    opened: Arc<Mutex<Vec<(String, u16)>>>,
}

async fn house(node: &str) -> House {
    let supervisor = Supervisor::start(node).await.unwrap();
    let store = Arc::new(MemoryStore::default());
    let opened = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&opened);
    let open: OpenShard = Arc::new(move |model, shard| {
        noted.lock().unwrap().push((model.id.clone(), shard));
        if shard == 13 {
            return Err(internal("its files are damaged".to_owned()));
        }
        let index = MemoryIndex::new(model);
        if shard == ELSEWHERE {
            index.apply(&[], LogPosition(7)).unwrap();
        }
        Ok(Arc::new(index))
    });
    let options = ShardHostOptions { shards: 16, batch: 8 };
    let hosted = HostedShards::new(Arc::new(OpenRuns::new(store.clone())));
    let models = watch::Sender::new(Arc::new(Models::new(samples::model_place())));
    let ports = ShardPorts {
        filing: testing::filing(&store),
        documents: store,
        models: models.subscribe(),
        // The sender may go: the writers rest and look again.
        changed: watch::channel(0).1,
    };
    let host = ShardHost::new(supervisor.clone(), options, open, ports, hosted);
    House { host, supervisor, models, opened }
}

fn writers(supervisor: &SupervisorHandle) -> Vec<String> {
    let names = supervisor.actors().into_iter().map(|actor| actor.name);
    names.filter(|name| name.starts_with("shard/")).collect()
}

fn numbers(host: &ShardHost) -> Vec<u16> {
    host.hosted().held().into_iter().map(|(_, number)| number).collect()
}

#[tokio::test]
async fn exactly_the_wanted_shards_are_held_and_written() {
    let House { host, supervisor, opened, .. } = house("host-a").await;
    host.hold(&[1, 2].into()).await.unwrap();
    host.hold(&[2, 5].into()).await.unwrap();
    assert_eq!(numbers(&host), [2, 5]);
    let model = samples::model().key();
    assert_eq!(writers(&supervisor), [format!("shard/2/{model}"), format!("shard/5/{model}")]);
    let mut opened: Vec<u16> = opened.lock().unwrap().iter().map(|(_, number)| *number).collect();
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
    assert_eq!(numbers(&host), [3]);
    supervisor.shutdown(std::time::Duration::ZERO).await;
}

#[tokio::test]
async fn a_shard_of_another_store_is_refused() {
    let House { host, supervisor, .. } = house("host-c").await;
    let failure = host.hold(&[3, ELSEWHERE].into()).await.unwrap_err();
    assert!(failure.reason.contains("belongs to another store"), "{}", failure.reason);
    assert_eq!(numbers(&host), [3]);
    supervisor.shutdown(std::time::Duration::ZERO).await;
}

#[tokio::test]
async fn while_there_are_two_models_each_shard_is_held_once_for_each() {
    let House { host, supervisor, models, opened } = house("host-d").await;
    host.hold(&[1, 2].into()).await.unwrap();
    let identity = ModelIdentity { id: "second".to_owned(), ..samples::model() };
    let place = ModelPlace { identity: identity.clone(), ..samples::model_place() };
    let moving = models.borrow().moving_to(place).unwrap();
    models.send_replace(Arc::new(moving.clone()));
    host.follow_models().await.unwrap();
    host.hold(&[2, 3].into()).await.unwrap();
    let (first, second) = (samples::model().key(), identity.key());
    assert_eq!(host.hosted().held(), [(first, 2), (first, 3), (second, 2), (second, 3)].into());
    assert_eq!(host.serving(), first);

    let switched = moving.switched().unwrap();
    models.send_replace(Arc::new(switched.clone()));
    host.follow_models().await.unwrap();
    assert_eq!((host.serving(), host.hosted().held().len()), (second, 4), "none is opened or let go");
    models.send_replace(Arc::new(switched.ended().unwrap()));
    host.follow_models().await.unwrap();
    assert_eq!(host.hosted().held(), [(second, 2), (second, 3)].into());
    assert_eq!(writers(&supervisor).len(), 2);
    assert_eq!(opened.lock().unwrap().len(), 6, "1, 2 and 3 of either");
    supervisor.shutdown(std::time::Duration::ZERO).await;
}
