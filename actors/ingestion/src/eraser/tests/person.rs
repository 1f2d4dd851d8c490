//! People who are erased.

use std::time::Duration;

use tandem_domain::account::{Account, Role, User};
use tandem_domain::ids::{OperationId, RunId, TenantId};
use tandem_domain::time::Timestamp;
use tandem_ports::documents::Page;
use tandem_ports::{AccountStore, RunStore, WorkQueue};

use super::*;
use crate::uploads;

const LIMIT: Duration = Duration::from_secs(60);

fn operation() -> OperationId {
    "0192f0c1-2345-7abc-8def-012345678901".parse().unwrap()
}

/// A person with one of everything; the document.
async fn person(house: &House) -> Document {
    let owner = OwnerId::local();
    let (tenant, created_at) = (TenantId::local(), Timestamp::from_millis(1));
    let user =
        User { tenant, owner: owner.clone(), role: Role::User, plan: None, disabled: false, created_at };
    let account = Account { rev: 1, user, keys: Vec::new() };
    assert_eq!(house.store.put_account(&account).await.unwrap(), Write::Applied);
    house.store.create_match(&samples::pair_match(&owner, 1)).await.unwrap().certain().unwrap();
    house.store.create_run(&samples::run(&owner, 1, 3)).await.unwrap().certain().unwrap();
    house.document().await
}

async fn expect_nobody(house: &House, document: &Document) {
    let owner = OwnerId::local();
    house.expect_nothing_left(document).await;
    let account = house.store.account(&owner).await.unwrap().unwrap();
    assert!(account.user.disabled && account.keys.is_empty());
    let page = Page { after: None, limit: 10 };
    assert_eq!(house.store.list_matches(&owner, page).await.unwrap(), []);
    let runs: Vec<RunId> = house.store.list_runs(&owner, Page { after: None, limit: 10 }).await.unwrap();
    assert_eq!(runs, []);
}

#[tokio::test]
async fn a_person_is_erased_with_everything_of_theirs() {
    let house = house();
    let document = person(&house).await;
    let (own, other) = (uploads::prefix(&OwnerId::local()), uploads::prefix(&"other".parse().unwrap()));
    for prefix in [&own, &other] {
        house.objects.put(&format!("{prefix}0.part"), Bytes::from_static(b"Robin")).await.unwrap();
    }
    let erase = || house.eraser.erase_person(OwnerId::local(), TenantId::local(), operation(), LIMIT);
    let erased = erase().await.unwrap();
    let removed = erased.removed;
    assert_eq!((removed.documents, removed.versions, removed.matches, removed.runs), (1, 1, 1, 1));
    assert!(erased.log_position.is_some());
    expect_nobody(&house, &document).await;
    let waiting = house.objects.list(uploads::WAITING, 10).await.unwrap();
    assert!(
        waiting.len() == 1 && waiting[0].key.starts_with(&other),
        "what was sent and not completed is gone"
    );
    let again = erase().await.unwrap();
    assert_eq!(again.removed, tandem_messages::users::ErasedParts::default());
}

/// Whoever asked is gone, and only the task is left.
#[tokio::test]
async fn the_stage_erases_a_person_alone() {
    let house = house();
    let document = person(&house).await;
    let nothing = house.eraser.erase_person(OwnerId::local(), TenantId::local(), operation(), Duration::ZERO);
    let begun = nothing.await.unwrap();
    assert!(house.store.account(&OwnerId::local()).await.unwrap().unwrap().user.disabled);
    assert!(house.queue.depth(TaskKind::Erase).await.unwrap().waiting > 0, "{begun:?}");
    let subject = TaskSubject::Person { operation: operation(), tenant: TenantId::local() };
    let task = Task::new(OwnerId::local(), TaskKind::Erase, subject, Timestamp::from_millis(1));
    for _ in 0..2 {
        house.eraser.perform(&task).await.unwrap();
        expect_nobody(&house, &document).await;
    }
}
