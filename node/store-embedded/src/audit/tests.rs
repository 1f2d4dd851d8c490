use std::sync::Arc;

use rusqlite::Connection;
use tandem_domain::audit::{BrokenLink, LinkFault};
use tandem_ports::AuditLog;
use tandem_ports::audit::verify;
use tandem_ports::testsuite::audit::{contract, event};

use super::*;
use crate::testing::{Place, Stores};

/// Entries of the chain that is tampered with.
const LENGTH: u128 = 9;

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_contract_of_the_audit_log() {
    let stores = Stores::default();
    contract(&|| stores.make()).await;
}

async fn written(place: &Place, tenant: &TenantId) {
    let store = place.open();
    let log = AuditLog::new(Arc::new(store.clone()));
    for number in 1..=LENGTH {
        log.record(tenant, event(number)).await.unwrap();
    }
    store.close().await;
}

/// What is found after somebody has done this to the file by hand.
async fn after(sql: &str) -> Result<AuditHead, BrokenLink> {
    let (place, tenant) = (Place::new(), "acme".parse().unwrap());
    written(&place, &tenant).await;
    let file = place.options().file();
    let connection = Connection::open(file).unwrap();
    connection.execute_batch(sql).unwrap();
    drop(connection);
    let store = place.open();
    let verdict = verify(&store, &tenant).await.unwrap();
    store.close().await;
    verdict
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_to_the_file_by_hand_is_found() {
    assert_eq!(after("SELECT 1").await.unwrap().sequence, 9);
    let at = |sequence, fault| Err(BrokenLink { sequence, fault });
    // A byte of a hash, a byte of the form, and another entry's whole body.
    let flipped = "UPDATE audit_entries SET body = CAST(substr(body, 1, 20) ||
        CASE substr(body, 21, 1) WHEN x'30' THEN x'31' ELSE x'30' END || substr(body, 22) AS BLOB)
        WHERE sequence = 4";
    assert_eq!(after(flipped).await, at(4, LinkFault::Former));
    let garbled = "UPDATE audit_entries SET body = x'01ff' WHERE sequence = 5";
    assert_eq!(after(garbled).await, at(5, LinkFault::Unreadable));
    let text = "UPDATE audit_entries SET body = 'x' WHERE sequence = 5";
    assert_eq!(after(text).await, at(5, LinkFault::Unreadable));
    let removed = "DELETE FROM audit_entries WHERE sequence = 2";
    assert_eq!(after(removed).await, at(2, LinkFault::Order));
    let swapped = "UPDATE audit_entries SET sequence = -3 WHERE sequence = 3;
        UPDATE audit_entries SET sequence = 3 WHERE sequence = 6;
        UPDATE audit_entries SET sequence = 6 WHERE sequence = -3";
    assert_eq!(after(swapped).await, at(3, LinkFault::Order));
    let copied = "INSERT INTO audit_entries SELECT tenant, 10, body FROM audit_entries WHERE sequence = 9";
    assert_eq!(after(copied).await, at(10, LinkFault::Order));
    let cut = "DELETE FROM audit_entries WHERE sequence > 6";
    assert_eq!(after(cut).await, at(7, LinkFault::CutOff));
    let head = "DELETE FROM audit_heads";
    assert_eq!(after(head).await, at(1, LinkFault::Beyond));
    assert_eq!(after("DELETE FROM audit_entries").await, at(1, LinkFault::CutOff));
}
