use std::sync::Arc;

use tandem_domain::audit::{BrokenLink, LinkFault};
use tandem_ports::AuditLog;
use tandem_ports::audit::verify;
use tandem_ports::testsuite::audit::{contract, event};

use super::*;
use crate::testing::Shared;

/// Entries of the chain that is tampered with.
const LENGTH: u128 = 9;

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_contract_of_the_audit_log() {
    let Some(shared) = Shared::new().await else { return };
    contract(&|| shared.make()).await;
    shared.end().await;
}

/// A chain of a tenant of this name.
async fn written(store: &ScyllaStore, name: &str) -> (TenantId, Vec<AuditEntry>) {
    let (tenant, mut entries) = (name.parse().unwrap(), Vec::new());
    let log = AuditLog::new(Arc::new(store.clone()));
    for number in 1..=LENGTH {
        entries.push(log.record(&tenant, event(number)).await.unwrap());
    }
    (tenant, entries)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_to_the_rows_by_hand_is_found() {
    let Some(shared) = Shared::new().await else { return };
    let store = shared.make();
    let at = |sequence, fault| Err(BrokenLink { sequence, fault });
    let put = async |name: &str, sequence: i64, body: &[u8]| {
        store.run(&store.statements().audit.put_entry, (name, 0_i64, sequence, body)).await.unwrap();
    };

    let (tenant, entries) = written(&store, "whole").await;
    assert_eq!(verify(&*store, &tenant).await.unwrap(), Ok(entries[8].head()));

    let (tenant, mut entries) = written(&store, "changed").await;
    entries[3].event.resource = None;
    put("changed", 4, &encode(ENTRIES, &entries[3]).unwrap()).await;
    assert_eq!(verify(&*store, &tenant).await.unwrap(), at(4, LinkFault::Content));

    let (tenant, _) = written(&store, "garbled").await;
    put("garbled", 5, &[1, 0xff]).await;
    assert_eq!(verify(&*store, &tenant).await.unwrap(), at(5, LinkFault::Unreadable));

    let (tenant, entries) = written(&store, "swapped").await;
    put("swapped", 3, &encode(ENTRIES, &entries[5]).unwrap()).await;
    put("swapped", 6, &encode(ENTRIES, &entries[2]).unwrap()).await;
    assert_eq!(verify(&*store, &tenant).await.unwrap(), at(3, LinkFault::Order));

    let (tenant, _) = written(&store, "removed").await;
    shared.ddl("DELETE FROM @.audit_entries WHERE tenant = 'removed' AND segment = 0 AND sequence = 2").await;
    assert_eq!(verify(&*store, &tenant).await.unwrap(), at(2, LinkFault::Order));

    let (tenant, _) = written(&store, "cut").await;
    shared.ddl("DELETE FROM @.audit_entries WHERE tenant = 'cut' AND segment = 0 AND sequence > 6").await;
    assert_eq!(verify(&*store, &tenant).await.unwrap(), at(7, LinkFault::CutOff));

    let (tenant, entries) = written(&store, "more").await;
    let forged = AuditEntry::following(entries[8].head(), tenant.clone(), event(99));
    put("more", 10, &encode(ENTRIES, &forged).unwrap()).await;
    assert_eq!(verify(&*store, &tenant).await.unwrap(), at(10, LinkFault::Beyond));
    shared.end().await;
}

/// Whoever dies behind the conditional write leaves the last entry without its row: it is read all the same, and the
/// next one gives it its row.
#[tokio::test(flavor = "multi_thread")]
async fn an_entry_without_its_row_is_there_all_the_same() {
    let Some(shared) = Shared::new().await else { return };
    let store = shared.make();
    let (tenant, entries) = written(&store, "broken-off").await;
    shared
        .ddl("DELETE FROM @.audit_entries WHERE tenant = 'broken-off' AND segment = 0 AND sequence = 9")
        .await;
    assert_eq!(store.audit_entries(&tenant, 0, 100).await.unwrap(), entries);
    assert_eq!(store.audit_entries(&tenant, 8, 1).await.unwrap(), entries[8..]);
    assert_eq!(verify(&*store, &tenant).await.unwrap(), Ok(entries[8].head()));
    let next = AuditLog::new(store.clone()).record(&tenant, event(10)).await.unwrap();
    assert_eq!(store.audit_entries(&tenant, 0, 100).await.unwrap(), [&entries[..], &[next]].concat());
    shared.end().await;
}
