use std::fs;
use std::time::Duration;

use tandem_domain::document::{DocumentKind, Version};
use tandem_domain::task::{Task, TaskKind, TaskState};
use tandem_ports::documents::{Bucket, BucketRange, Change, ChangeAction, LogPosition, Page};
use tandem_ports::testsuite::{accounts, documents, intents, models, quotas, runs, samples, tasks};
use tandem_ports::{DocumentStore, RunStore, TaskStore, WorkQueue};

use super::*;
use crate::testing::{Place, Stores};

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_contract_of_documents() {
    let stores = Stores::default();
    documents::contract(&|| stores.make()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_contract_of_tasks() {
    let stores = Stores::default();
    tasks::contract(&|| stores.make()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_contract_of_intents() {
    let stores = Stores::default();
    intents::contract(&|| stores.make()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_contract_of_runs() {
    let stores = Stores::default();
    runs::contract(&|| stores.make()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_contract_of_accounts() {
    let stores = Stores::default();
    accounts::contract(&|| stores.make()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_contract_of_quotas() {
    let stores = Stores::default();
    quotas::contract(&|| stores.make()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_contract_of_models() {
    let stores = Stores::default();
    models::contract(&|| stores.make()).await;
}

#[tokio::test]
async fn everything_survives_reopening() {
    let place = Place::new();
    let owner = samples::owner("alice");
    let document = samples::document(&owner, DocumentKind::Resume, 1);
    let (parsed, embedded) = (samples::parsed(1, 5_000), samples::embedded(1, 2));
    let (task, run, pair) =
        (samples::task(&owner, 1), samples::run(&owner, 1, 3), samples::pair_match(&owner, 1));
    let change = Change {
        owner: owner.clone(),
        document: document.id,
        version: Version::FIRST,
        action: ChangeAction::Upsert,
    };
    let store = place.open();
    assert_eq!(store.create(&document).await.unwrap(), Write::Applied);
    let version = Version::FIRST;
    assert!(store.put_parsed(&owner, document.id, version, &parsed).await.unwrap().is_there());
    assert!(store.put_embedded(&owner, document.id, version, &embedded).await.unwrap().is_there());
    assert!(store.log_change(&change).await.unwrap().is_there());
    assert_eq!(store.file(&task).await.unwrap(), Write::Applied);
    assert_eq!(store.create_run(&run).await.unwrap(), Write::Applied);
    assert_eq!(store.create_match(&pair).await.unwrap(), Write::Applied);
    store.close().await;

    let store = place.open();
    assert_eq!(store.document(&owner, document.id).await.unwrap().as_ref(), Some(&document));
    assert_eq!(store.parsed(&owner, document.id, version).await.unwrap(), Some(parsed));
    assert_eq!(
        store.embedded(&owner, document.id, version, &samples::model()).await.unwrap(),
        Some(embedded)
    );
    assert_eq!(store.task(&task.key()).await.unwrap(), Some(task));
    assert_eq!(store.run(&owner, run.id).await.unwrap(), Some(run));
    assert_eq!(store.pair_match(&owner, pair.id).await.unwrap(), Some(pair));
    let everything = BucketRange { from: 0, to: Bucket::COUNT };
    let log = store.changes(everything, LogPosition::START, 10).await.unwrap().changes;
    assert_eq!(log, [(LogPosition(1), change.clone())]);
    assert_eq!(store.log_change(&change).await.unwrap(), Write::Conflict(()));
}

/// Leases of a minute, `attempts` of them before this one.
async fn leased(store: &EmbeddedStore, number: u64, attempts: u32) -> Task {
    let task = Task { attempt: attempts, ..samples::task(&samples::owner("alice"), number) };
    assert_eq!(store.file(&task).await.unwrap(), Write::Applied);
    let length = Duration::from_secs(60);
    let held = task.leased(samples::operation("lease", number), samples::CREATED, length).unwrap();
    assert_eq!(store.replace(&held).await.unwrap(), Write::Applied);
    held
}

#[tokio::test]
async fn no_lease_outlives_its_process() {
    let place = Place::new();
    let store = place.open();
    let held = leased(&store, 1, 0).await;
    let suspect = leased(&store, 2, Task::MAX_LEASES - 1).await;
    let done = leased(&store, 3, 0).await.done();
    assert_eq!(store.replace(&done).await.unwrap(), Write::Applied);
    let dead = leased(&store, 4, 0).await.failed(samples::failure("hopeless"), samples::CREATED).0;
    assert_eq!(store.replace(&dead).await.unwrap(), Write::Applied);
    let queued = samples::task(&samples::owner("bob"), 5);
    assert_eq!(store.file(&queued).await.unwrap(), Write::Applied);
    let spoiled = leased(&store, 6, 0).await;
    let id = spoiled.id.as_uuid().into_bytes();
    let spoil = move |c: &Connection| Ok(c.execute("UPDATE tasks SET body = x'07' WHERE id = ?", [id])?);
    assert!(matches!(store.writer().write(spoil).await, End::Done(1)));
    drop(store);

    let store = place.open();
    for untouched in [&done, &dead, &queued] {
        assert_eq!(store.task(&untouched.key()).await.unwrap().as_ref(), Some(untouched));
    }
    let free = store.task(&held.key()).await.unwrap().unwrap();
    assert_eq!((&free.state, free.attempt, free.rev), (&TaskState::Queued, 1, held.rev + 1));
    let poison = store.task(&suspect.key()).await.unwrap().unwrap();
    assert!(poison.is_poison(), "what ends its process again and again is found out");
    assert!(
        store.task(&spoiled.key()).await.is_err(),
        "one row that is damaged does not keep the store shut"
    );
    // The columns follow, so that the next writer finds its revision.
    let again = free.leased(samples::operation("lease", 9), samples::CREATED, Duration::ZERO).unwrap();
    assert_eq!(store.replace(&again).await.unwrap(), Write::Applied);
    assert_eq!(store.replace(&held.done()).await.unwrap(), Write::Conflict(Some(again)));
}

#[tokio::test]
async fn a_closed_store_refuses_and_can_be_opened_again() {
    let place = Place::new();
    let store = place.open();
    let task = samples::task(&samples::owner("alice"), 1);
    assert_eq!(store.file(&task).await.unwrap(), Write::Applied);
    store.close().await;
    store.close().await;
    let refused = StoreError::Unavailable("it is closed".to_owned());
    assert_eq!(store.file(&task).await, Err(refused.clone()));
    assert_eq!(store.task(&task.key()).await, Err(refused));
    assert!(store.publish(TaskKind::Parse, &task.key(), Duration::ZERO).await.is_err());

    let again = place.open();
    assert_eq!(again.task(&task.key()).await.unwrap(), Some(task));
    let log_files = fs::read_dir(place.folder.path()).unwrap().count();
    drop(again);
    assert!(fs::read_dir(place.folder.path()).unwrap().count() < log_files, "closing folds the log in");
}

#[tokio::test]
async fn closing_waits_for_what_was_accepted() {
    let place = Place::new();
    let store = place.open();
    let owner = samples::owner("alice");
    let tasks: Vec<_> = (0..100).map(|number| samples::task(&owner, number)).collect();
    // All writes are accepted before the store is closed; nobody reads their answers in between.
    let writes = futures::future::join_all(tasks.iter().map(|task| store.file(task)));
    let (ends, ()) = futures::join!(writes, store.close());
    let store = place.open();
    for (task, end) in tasks.iter().zip(ends) {
        let kept = store.task(&task.key()).await.unwrap();
        assert_eq!(end.is_ok(), kept.is_some(), "an answer and the file differ");
        assert_eq!(end, Ok(Write::Applied));
    }
}

#[test]
fn a_second_process_is_told_whose_folder_it_is() {
    let place = Place::new();
    let store = place.open();
    let error = EmbeddedStore::open(place.options()).unwrap_err();
    assert!(matches!(&error, EmbeddedError::Locked { folder } if folder == place.folder.path()));
    assert!(error.to_string().contains(&place.folder.path().display().to_string()));
    assert!(matches!(crate::migrate(&place.options()), Err(EmbeddedError::Locked { .. })));
    drop(store);
    drop(place.open());
}

#[test]
fn a_file_that_is_no_database_is_left_alone() {
    for garbage in [&b"%PDF-1.7 not a database"[..], &[0x5A; 100_000]] {
        let place = Place::new();
        let file = place.folder.path().join(OpenOptions::FILE_NAME);
        fs::write(&file, garbage).unwrap();
        let error = EmbeddedStore::open(place.options()).unwrap_err();
        assert!(matches!(error, EmbeddedError::NotADatabase { .. }), "{error:?}");
        assert_eq!(fs::read(&file).unwrap(), garbage);
    }
}

#[tokio::test]
async fn damaged_pages_are_errors() {
    let place = Place::new();
    let store = place.open();
    let owner = samples::owner("alice");
    for number in 0..500 {
        let document = samples::document(&owner, DocumentKind::Resume, number);
        assert_eq!(store.create(&document).await.unwrap(), Write::Applied);
    }
    store.close().await;
    let file = place.folder.path().join(OpenOptions::FILE_NAME);
    let mut bytes = fs::read(&file).unwrap();
    assert!(bytes.len() > 50_000);
    // The first page keeps the header; everything behind it is overwritten.
    bytes[4_096..].fill(0xA5);
    fs::write(&file, bytes).unwrap();
    match EmbeddedStore::open(place.options()) {
        Err(error) => assert!(matches!(error, EmbeddedError::Damaged { .. }), "{error:?}"),
        Ok(store) => {
            let page = Page { after: None, limit: 1_000 };
            let error = store.list(&owner, DocumentKind::Resume, page).await.unwrap_err();
            assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");
        }
    }
}

#[test]
fn folders_that_cannot_be_used_are_errors() {
    let place = Place::new();
    let file = place.folder.path().join("file");
    fs::write(&file, b"").unwrap();
    for folder in [file.clone(), file.join("below")] {
        let options = OpenOptions { folder, ..place.options() };
        let error = EmbeddedStore::open(options).unwrap_err();
        assert!(matches!(error, EmbeddedError::Folder { .. }), "{error:?}");
    }
    let taken = place.folder.path().join(OpenOptions::FILE_NAME);
    fs::create_dir(&taken).unwrap();
    let error = EmbeddedStore::open(place.options()).unwrap_err();
    assert!(matches!(error, EmbeddedError::Open { .. }), "{error:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_may_not_be_written_is_an_error() {
    // Nobody may make files there, not even the superuser.
    let options = OpenOptions { folder: "/proc/self".into(), ..Place::new().options() };
    let error = EmbeddedStore::open(options).unwrap_err();
    assert!(matches!(error, EmbeddedError::Folder { .. }), "{error:?}");
}

#[tokio::test]
async fn a_full_disk_refuses_writes_and_keeps_what_was_there() {
    let place = Place::new();
    let store = place.open();
    let owner = samples::owner("alice");
    let limit = |pages: u32| {
        let store = store.clone();
        async move {
            let set = move |c: &Connection| Ok(c.pragma_update(None, "max_page_count", pages)?);
            assert!(matches!(store.writer().write(set).await, End::Done(())));
        }
    };
    let id = samples::document_id(1);
    let small = samples::parsed(1, 2_000);
    assert!(store.put_parsed(&owner, id, Version(1), &small).await.unwrap().is_there());
    limit(60).await;
    let large = samples::parsed(2, 1 << 20);
    let task = samples::task(&owner, 1);
    let (refused, other) =
        futures::join!(store.put_parsed(&owner, id, Version(2), &large), store.file(&task));
    assert!(matches!(refused, Err(StoreError::Full(_))), "{refused:?}");
    assert!(matches!(other, Ok(Write::Applied) | Err(StoreError::Full(_))), "{other:?}");
    assert_eq!(store.parsed(&owner, id, Version(2)).await.unwrap(), None);
    assert_eq!(store.task(&task.key()).await.unwrap().is_some(), other.is_ok());
    assert_eq!(store.parsed(&owner, id, Version(1)).await.unwrap(), Some(small));

    limit(1 << 20).await;
    assert!(store.put_parsed(&owner, id, Version(2), &large).await.unwrap().is_there());
    assert!(store.parsed(&owner, id, Version(2)).await.unwrap() == Some(large), "room again, work again");
}

#[tokio::test]
async fn a_row_that_does_not_decode_is_an_error_of_its_own() {
    let place = Place::new();
    let store = place.open();
    let task = samples::task(&samples::owner("alice"), 1);
    assert_eq!(store.file(&task).await.unwrap(), Write::Applied);
    let spoil = |c: &Connection| Ok(c.execute("UPDATE tasks SET body = x'01'", [])?);
    assert!(matches!(store.writer().write(spoil).await, End::Done(1)));
    let error = store.task(&task.key()).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { table: "tasks", .. }), "{error:?}");
    let other = samples::task(&samples::owner("bob"), 1);
    assert_eq!(store.file(&other).await.unwrap(), Write::Applied);
}

#[cfg(unix)]
#[test]
fn the_files_are_their_users_alone() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let _store = place.open();
    for entry in fs::read_dir(place.folder.path()).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name() != "tandem.lock" {
            let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{:?}", entry.file_name());
        }
    }
}
