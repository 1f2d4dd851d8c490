//! Quotas.

use async_trait::async_trait;
use rusqlite::{Connection, params};
use tandem_domain::ids::{OperationId, OwnerId};
use tandem_domain::quota::{CHARGE_KEPT, Charge, OwnerQuota};
use tandem_domain::time::Timestamp;
use tandem_ports::quotas::ChargeChange;
use tandem_ports::{QuotaStore, StoreError, Write};

use crate::codec::{encode, find};
use crate::error::Fault;
use crate::store::EmbeddedStore;

const QUOTAS: &str = "quotas";
const CHARGES: &str = "quota_charges";

/// Expired charges that a new one takes away, at most: more than come in.
const SWEPT: u32 = 64;

fn row(connection: &Connection, owner: &OwnerId) -> Result<Option<OwnerQuota>, Fault> {
    find(connection, QUOTAS, "SELECT body FROM quotas WHERE owner = ?", [owner.as_str()])
}

fn remember(connection: &Connection, owner: &str, charge: &Charge, now: Timestamp) -> Result<(), Fault> {
    let sweep = "DELETE FROM quota_charges WHERE (owner, operation) IN
        (SELECT owner, operation FROM quota_charges WHERE charged_at <= ? ORDER BY charged_at LIMIT ?)";
    let oldest = now.millis().saturating_sub(CHARGE_KEPT.as_millis() as i64);
    connection.prepare_cached(sweep)?.execute(params![oldest, SWEPT])?;
    let insert = "INSERT INTO quota_charges (owner, operation, charged_at, body) VALUES (?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET charged_at = excluded.charged_at, body = excluded.body";
    let (operation, body) = (charge.operation.as_uuid().into_bytes(), encode(CHARGES, charge)?);
    connection.prepare_cached(insert)?.execute(params![owner, operation, charge.at.millis(), body])?;
    Ok(())
}

#[async_trait]
impl QuotaStore for EmbeddedStore {
    async fn quota(&self, owner: &OwnerId) -> Result<Option<OwnerQuota>, StoreError> {
        let owner = owner.clone();
        self.read(move |connection| row(connection, &owner)).await
    }

    async fn charge(&self, owner: &OwnerId, operation: OperationId) -> Result<Option<Charge>, StoreError> {
        let (owner, operation) = (owner.clone(), operation.as_uuid().into_bytes());
        let select = "SELECT body FROM quota_charges WHERE owner = ? AND operation = ?";
        self.read(move |connection| find(connection, CHARGES, select, params![owner.as_str(), operation]))
            .await
    }

    async fn put_quota(
        &self,
        next: &OwnerQuota,
        change: &ChargeChange,
    ) -> Result<Write<Option<OwnerQuota>>, StoreError> {
        let (next, change, now) = (next.clone(), change.clone(), self.clock().now());
        self.write(move |connection| {
            let there = row(connection, &next.owner)?;
            let (rev, epoch) = there.as_ref().map_or((0, 0), |there| (there.rev, there.epoch));
            if rev.checked_add(1) != Some(next.rev) || epoch > next.epoch {
                return Ok(Write::Conflict(there));
            }
            let owner = next.owner.as_str();
            let insert = "INSERT INTO quotas (owner, rev, epoch, body) VALUES (?, ?, ?, ?)
                ON CONFLICT DO UPDATE SET rev = excluded.rev, epoch = excluded.epoch, body = excluded.body";
            let (rev, epoch) = (next.rev.cast_signed(), next.epoch.cast_signed());
            let body = encode(QUOTAS, &next)?;
            connection.prepare_cached(insert)?.execute(params![owner, rev, epoch, body])?;
            match change {
                ChargeChange::None => {}
                ChargeChange::Remember(charge) => remember(connection, owner, &charge, now)?,
                ChargeChange::Forget(operation) => {
                    let delete = "DELETE FROM quota_charges WHERE owner = ? AND operation = ?";
                    let key = params![owner, operation.as_uuid().into_bytes()];
                    connection.prepare_cached(delete)?.execute(key)?;
                }
            }
            Ok(Write::Applied)
        })
        .await
    }
}
