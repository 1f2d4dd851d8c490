//! The contract of the audit log.

use std::sync::Arc;

use futures::future::join_all;
use tandem_domain::audit::{Actor, AuditAction, AuditEntry, AuditEvent, AuditHead, AuditOutcome, request_of};
use tandem_domain::ids::{AuditHash, KeyId, OperationId, TenantId};
use tandem_domain::time::Timestamp;
use uuid::Uuid;

use super::samples;
use crate::audit::{AuditLog, AuditStore, verify};
use crate::error::Write;

/// Nodes, and writers of each.
const NODES: u128 = 4;
const WRITERS: u128 = 16;

/// Runs the whole suite; `make` gives a store in which nothing was written of the tenants named here.
///
/// # Panics
/// At the first broken promise.
pub async fn contract(make: &dyn Fn() -> Arc<dyn AuditStore>) {
    a_chain_begins_empty(&*make()).await;
    what_follows_on_the_end_is_appended_and_nothing_else(&*make()).await;
    entries_are_kept_whole_and_read_in_order(&*make()).await;
    tenants_have_chains_of_their_own(&*make()).await;
    of_many_that_follow_on_one_end_one_is_appended(&*make()).await;
    many_writers_on_many_nodes_leave_one_chain(make()).await;
}

fn tenant() -> TenantId {
    "acme".parse().unwrap()
}

/// An event that is unlike every other of its number.
#[must_use]
pub fn event(number: u128) -> AuditEvent {
    let owner = samples::owner("alice");
    let key = KeyId::from_uuid(Uuid::from_u128(number));
    AuditEvent {
        operation: OperationId::from_uuid(Uuid::from_u128(number)),
        at: Timestamp::from_millis(1_793_534_400_000),
        actor: Actor::Key { owner: owner.clone(), key },
        action: AuditAction::KeyRevoked,
        owner,
        resource: Some(key.as_uuid()),
        request: Some(request_of("a request")),
        outcome: AuditOutcome::Done,
    }
}

async fn append(store: &dyn AuditStore, tenant: &TenantId, length: u128) -> Vec<AuditEntry> {
    let (mut head, mut entries) = (AuditHead::START, Vec::new());
    for number in 1..=length {
        let entry = AuditEntry::following(head, tenant.clone(), event(number));
        assert_eq!(store.append_audit(&entry).await.unwrap(), Write::Applied);
        head = entry.head();
        entries.push(entry);
    }
    entries
}

async fn a_chain_begins_empty(store: &dyn AuditStore) {
    let tenant = tenant();
    assert_eq!(store.audit_head(&tenant).await.unwrap(), AuditHead::START);
    assert_eq!(store.audit_entries(&tenant, 0, 10).await.unwrap(), []);
    assert_eq!(verify(store, &tenant).await.unwrap(), Ok(AuditHead::START));
}

async fn what_follows_on_the_end_is_appended_and_nothing_else(store: &dyn AuditStore) {
    let tenant = tenant();
    let entries = append(store, &tenant, 2).await;
    let end = entries[1].head();
    let elsewhere = AuditHead { hash: AuditHash::of(b"another"), ..end };
    for wrong in [AuditHead::START, entries[0].head(), elsewhere, AuditHead { sequence: 3, ..end }] {
        let entry = AuditEntry::following(wrong, tenant.clone(), event(9));
        assert_eq!(store.append_audit(&entry).await.unwrap(), Write::Conflict(end), "{wrong:?}");
    }
    assert_eq!(store.append_audit(&entries[1]).await.unwrap(), Write::Conflict(end));
    assert_eq!(store.audit_head(&tenant).await.unwrap(), end);
    assert_eq!(store.audit_entries(&tenant, 0, 10).await.unwrap(), entries);
}

async fn entries_are_kept_whole_and_read_in_order(store: &dyn AuditStore) {
    let tenant = tenant();
    let entries = append(store, &tenant, 7).await;
    assert_eq!(store.audit_entries(&tenant, 0, 100).await.unwrap(), entries);
    assert_eq!(store.audit_entries(&tenant, 2, 3).await.unwrap(), entries[2..5]);
    assert_eq!(store.audit_entries(&tenant, 6, 3).await.unwrap(), entries[6..]);
    assert_eq!(store.audit_entries(&tenant, 7, 3).await.unwrap(), []);
    assert_eq!(store.audit_entries(&tenant, u64::MAX, 3).await.unwrap(), []);
    assert_eq!(verify(store, &tenant).await.unwrap(), Ok(entries[6].head()));
}

async fn tenants_have_chains_of_their_own(store: &dyn AuditStore) {
    let (one, other) = (tenant(), "other".parse::<TenantId>().unwrap());
    let entries = append(store, &one, 2).await;
    let foreign = AuditEntry::following(entries[1].head(), other.clone(), event(3));
    assert!(matches!(store.append_audit(&foreign).await.unwrap(), Write::Conflict(_)));
    assert_eq!(store.audit_entries(&one, 0, 10).await.unwrap(), entries);
    let own = append(store, &other, 1).await;
    assert_eq!(store.audit_entries(&other, 0, 10).await.unwrap(), own);
    assert_eq!(store.audit_head(&one).await.unwrap(), entries[1].head());
}

async fn of_many_that_follow_on_one_end_one_is_appended(store: &dyn AuditStore) {
    let tenant = tenant();
    let mut head = AuditHead::START;
    for _ in 0..2 {
        let rivals: Vec<AuditEntry> =
            (1..=8).map(|number| AuditEntry::following(head, tenant.clone(), event(number))).collect();
        let ends = join_all(rivals.iter().map(|entry| store.append_audit(entry))).await;
        let winner = ends.iter().position(|end| *end == Ok(Write::Applied)).unwrap();
        head = rivals[winner].head();
        for (number, end) in ends.into_iter().enumerate() {
            let expected = if number == winner { Write::Applied } else { Write::Conflict(head) };
            assert_eq!(end.unwrap(), expected, "rival {number}");
        }
    }
    assert_eq!(verify(store, &tenant).await.unwrap(), Ok(head));
}

async fn many_writers_on_many_nodes_leave_one_chain(store: Arc<dyn AuditStore>) {
    let tenant = tenant();
    let nodes: Vec<AuditLog> = (0..NODES).map(|_| AuditLog::new(store.clone())).collect();
    let writes = (0..NODES * WRITERS).map(|number| {
        let (node, tenant) = (&nodes[(number % NODES) as usize], &tenant);
        async move { node.record(tenant, event(number)).await.unwrap() }
    });
    let mut written = join_all(writes).await;
    written.sort_by_key(|entry| entry.sequence);
    assert_eq!(store.audit_entries(&tenant, 0, 1_000).await.unwrap(), written);
    let mut operations: Vec<_> = written.iter().map(|entry| entry.event.operation).collect();
    operations.sort();
    operations.dedup();
    assert_eq!(operations.len() as u128, NODES * WRITERS, "every event stands in it once");
    let head = verify(&*store, &tenant).await.unwrap().unwrap();
    assert_eq!(u128::from(head.sequence), NODES * WRITERS);
}
