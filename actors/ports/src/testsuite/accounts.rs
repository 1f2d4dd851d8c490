//! What every [`AccountStore`] promises.

use std::sync::Arc;

use futures::future::join_all;
use tandem_domain::account::{Account, ApiKey, Role, Scope, User};
use tandem_domain::ids::{KeyDigest, KeyId, OwnerId, TenantId};
use tandem_domain::time::Timestamp;
use uuid::Uuid;

use super::samples;
use crate::accounts::AccountStore;
use crate::error::Write;

/// Writers that race.
const RACERS: u8 = 16;

/// Runs the whole suite; `make` gives an empty store.
///
/// # Panics
/// At the first broken promise.
pub async fn contract(make: &dyn Fn() -> Arc<dyn AccountStore>) {
    an_account_is_kept_whole(&*make()).await;
    only_the_next_revision_is_written(&*make()).await;
    a_key_leads_to_its_owner_from_the_write_on(&*make()).await;
    a_tenant_lists_its_own_in_order(&*make()).await;
    of_many_that_write_one_revision_one_wins(&*make()).await;
}

fn tenant(name: &str) -> TenantId {
    name.parse().unwrap()
}

fn account(owner: &OwnerId, rev: u64) -> Account {
    let user = User {
        tenant: tenant("acme"),
        owner: owner.clone(),
        role: Role::Employer,
        plan: Some("pro".to_owned()),
        disabled: false,
        created_at: Timestamp::from_millis(1_793_534_400_000),
    };
    Account { rev, user, keys: Vec::new() }
}

fn key(number: u8) -> ApiKey {
    ApiKey {
        id: KeyId::from_uuid(Uuid::from_bytes([number; 16])),
        digest: KeyDigest::of(&[number]),
        label: "ci".to_owned(),
        scopes: [Scope::Read, Scope::Bulk].into_iter().collect(),
        created_at: Timestamp::from_millis(1),
        expires_at: Some(Timestamp::from_millis(i64::from(number))),
        revoked_at: None,
    }
}

async fn put(store: &dyn AccountStore, account: &Account) {
    assert_eq!(store.put_account(account).await.unwrap(), Write::Applied);
}

async fn an_account_is_kept_whole(store: &dyn AccountStore) {
    let alice = samples::owner("alice");
    assert_eq!(store.account(&alice).await.unwrap(), None);
    let mut whole = account(&alice, 1);
    whole.keys = (0..100).map(key).collect();
    put(store, &whole).await;
    assert_eq!(store.account(&alice).await.unwrap(), Some(whole));
    assert_eq!(store.account(&samples::owner("bob")).await.unwrap(), None);
}

async fn only_the_next_revision_is_written(store: &dyn AccountStore) {
    let alice = samples::owner("alice");
    assert_eq!(store.put_account(&account(&alice, 2)).await.unwrap(), Write::Conflict(None));
    put(store, &account(&alice, 1)).await;
    for wrong in [0, 1, 3] {
        let end = store.put_account(&account(&alice, wrong)).await.unwrap();
        assert_eq!(end, Write::Conflict(Some(account(&alice, 1))), "revision {wrong}");
    }
    let mut next = account(&alice, 2);
    next.user.disabled = true;
    put(store, &next).await;
    assert_eq!(store.account(&alice).await.unwrap(), Some(next));
}

async fn a_key_leads_to_its_owner_from_the_write_on(store: &dyn AccountStore) {
    let (alice, bob) = (samples::owner("alice"), samples::owner("bob"));
    assert_eq!(store.owner_of_key(key(1).digest).await.unwrap(), None);
    put(store, &account(&alice, 1)).await;
    put(store, &Account { keys: vec![key(1)], ..account(&alice, 2) }).await;
    put(store, &Account { keys: vec![key(2)], ..account(&bob, 1) }).await;
    let revoked = ApiKey { revoked_at: Some(Timestamp::from_millis(7)), ..key(1) };
    put(store, &Account { keys: vec![revoked.clone(), key(3)], ..account(&alice, 3) }).await;
    for (number, owner) in [(1, &alice), (2, &bob), (3, &alice)] {
        assert_eq!(store.owner_of_key(key(number).digest).await.unwrap().as_ref(), Some(owner));
    }
    assert_eq!(store.account(&alice).await.unwrap().unwrap().keys, [revoked, key(3)]);
}

async fn a_tenant_lists_its_own_in_order(store: &dyn AccountStore) {
    let owners: Vec<OwnerId> = ["ann", "bea", "cem", "dan"].map(samples::owner).to_vec();
    for owner in owners.iter().rev() {
        put(store, &account(owner, 1)).await;
    }
    let mut stranger = account(&samples::owner("bob"), 1);
    stranger.user.tenant = tenant("other");
    put(store, &stranger).await;
    assert_eq!(store.members(&tenant("acme"), None, 100).await.unwrap(), owners);
    assert_eq!(store.members(&tenant("acme"), owners.first(), 2).await.unwrap(), owners[1..3]);
    assert_eq!(store.members(&tenant("acme"), owners.last(), 2).await.unwrap(), []);
    assert_eq!(store.members(&tenant("other"), None, 2).await.unwrap(), [samples::owner("bob")]);
    assert_eq!(store.members(&tenant("nobody"), None, 2).await.unwrap(), []);
}

async fn of_many_that_write_one_revision_one_wins(store: &dyn AccountStore) {
    let alice = samples::owner("alice");
    for rev in [1, 2] {
        let rows: Vec<Account> =
            (0..RACERS).map(|number| Account { keys: vec![key(number)], ..account(&alice, rev) }).collect();
        let ends = join_all(rows.iter().map(|row| store.put_account(row))).await;
        let winner = ends.iter().position(|end| *end == Ok(Write::Applied)).unwrap();
        for (number, end) in ends.into_iter().enumerate() {
            let expected =
                if number == winner { Write::Applied } else { Write::Conflict(Some(rows[winner].clone())) };
            assert_eq!(end.unwrap(), expected);
        }
        assert_eq!(store.account(&alice).await.unwrap().as_ref(), Some(&rows[winner]));
    }
}
