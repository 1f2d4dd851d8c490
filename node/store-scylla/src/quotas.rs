//! Quotas: one partition for each owner, the row in its static columns and its charges beside it.

use async_trait::async_trait;
use scylla::statement::batch::{Batch, BatchType};
use scylla::statement::prepared::PreparedStatement;
use tandem_domain::ids::{OperationId, OwnerId};
use tandem_domain::quota::{CHARGE_KEPT, Charge, OwnerQuota};
use tandem_ports::quotas::ChargeChange;
use tandem_ports::{QuotaStore, StoreError, Write};

use crate::cells::{Cell, Written};
use crate::codec::{decode, encode};
use crate::metrics;
use crate::store::{Conditional, ScyllaStore};

const QUOTAS: &str = "quotas";

/// How often a write is tried whose outcome is unknown and whose effect is not there.
const ATTEMPTS: u32 = 3;

/// The static columns; null where only charges were ever there.
type Columns = (Option<i64>, Option<Vec<u8>>, Option<Vec<u8>>);

/// A row as it is written.
struct Next<'a> {
    owner: &'a str,
    op: Vec<u8>,
    rev: i64,
    epoch: i64,
    body: Vec<u8>,
}

/// A change of a charge as it is written.
enum Beside {
    Nothing,
    Remember(Vec<u8>, Vec<u8>),
    Forget(Vec<u8>),
}

impl Beside {
    fn of(change: &ChargeChange) -> Result<Self, StoreError> {
        let key = |operation: &OperationId| operation.as_uuid().into_bytes().to_vec();
        Ok(match change {
            ChargeChange::None => Self::Nothing,
            ChargeChange::Remember(charge) => Self::Remember(key(&charge.operation), encode(QUOTAS, charge)?),
            ChargeChange::Forget(operation) => Self::Forget(key(operation)),
        })
    }
}

impl ScyllaStore {
    /// The row after every write that was begun has been completed or made impossible.
    async fn quota_cell(&self, owner: &str) -> Result<Option<Cell>, StoreError> {
        let rows: Vec<Columns> = self.rows_of(QUOTAS, &self.statements().quotas.row, (owner,)).await?;
        Ok(rows
            .into_iter()
            .next()
            .and_then(|(rev, op, body)| Some(Cell { born: Vec::new(), op: op?, rev: rev?, body: body? })))
    }

    /// The conditional write once: over revision `rev - 1` of no later epoch, or over none for the first.
    async fn write_quota(&self, next: &Next<'_>, beside: &Beside) -> Result<Conditional, StoreError> {
        let statements = &self.statements().quotas;
        let Next { owner, op, rev, epoch, body } = next;
        let first = *rev == 1;
        let write = if first { &statements.first } else { &statements.next };
        let batch = |more: &[&PreparedStatement]| {
            let mut batch = Batch::new(BatchType::Unlogged);
            batch.append_statement(write.clone());
            for statement in more {
                batch.append_statement((*statement).clone());
            }
            batch.set_execution_profile_handle(write.get_execution_profile_handle().cloned());
            batch
        };
        let ttl = i32::try_from(CHARGE_KEPT.as_secs()).unwrap_or(i32::MAX);
        let (made, base) = ((rev, epoch, op, body, owner), rev.wrapping_sub(1));
        let replaced = (rev, epoch, op, body, owner, base, epoch);
        match (beside, first) {
            (Beside::Nothing, true) => self.conditional_batch(&batch(&[]), (made,)).await,
            (Beside::Nothing, false) => self.conditional_batch(&batch(&[]), (replaced,)).await,
            (Beside::Remember(key, charge), true) => {
                let charge = (owner, key, charge, ttl);
                self.conditional_batch(&batch(&[&statements.remember]), (made, charge)).await
            }
            (Beside::Remember(key, charge), false) => {
                let charge = (owner, key, charge, ttl);
                self.conditional_batch(&batch(&[&statements.remember]), (replaced, charge)).await
            }
            (Beside::Forget(key), true) => {
                self.conditional_batch(&batch(&[&statements.forget]), (made, (owner, key))).await
            }
            (Beside::Forget(key), false) => {
                self.conditional_batch(&batch(&[&statements.forget]), (replaced, (owner, key))).await
            }
        }
    }

    /// Like the replacing of a cell: the operation that wrote last tells what became of an answer that is missing.
    /// `open` tells whether one was.
    async fn try_quota(
        &self,
        next: &Next<'_>,
        beside: &Beside,
        open: &mut bool,
    ) -> Result<Written, StoreError> {
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                metrics::retried();
            }
            match self.write_quota(next, beside).await {
                Ok(Conditional::Applied) => return Ok(Written::Done),
                Ok(Conditional::Refused) => {}
                Ok(Conditional::Unknown) => *open = true,
                Err(_) if *open => return Ok(Written::Unknown),
                Err(error) => return Err(error),
            }
            match self.quota_cell(next.owner).await {
                Ok(Some(cell)) if cell.op == next.op => return Ok(Written::Done),
                // It may have been applied and replaced since.
                Ok(Some(cell)) if *open && cell.rev > next.rev => return Ok(Written::Unknown),
                Ok(cell) if *open && cell.as_ref().map_or(0, |cell| cell.rev) + 1 == next.rev => {}
                Ok(cell) => return Ok(Written::Other(cell)),
                Err(_) if *open => return Ok(Written::Unknown),
                Err(error) => return Err(error),
            }
        }
        Ok(Written::Unknown)
    }
}

#[async_trait]
impl QuotaStore for ScyllaStore {
    async fn quota(&self, owner: &OwnerId) -> Result<Option<OwnerQuota>, StoreError> {
        let cell = self.quota_cell(owner.as_str()).await?;
        cell.map(|cell| decode(QUOTAS, &cell.body)).transpose()
    }

    /// A plain read: it sees every write that was answered. What was not answered is completed or made impossible by the
    /// read or write of the row that comes before.
    async fn charge(&self, owner: &OwnerId, operation: OperationId) -> Result<Option<Charge>, StoreError> {
        let key = operation.as_uuid().into_bytes();
        let values = (owner.as_str(), &key[..]);
        let rows: Vec<(Option<Vec<u8>>,)> =
            self.rows_of(QUOTAS, &self.statements().quotas.charge, values).await?;
        let charge = rows.into_iter().next().and_then(|(charge,)| charge);
        charge.map(|charge| decode(QUOTAS, &charge)).transpose()
    }

    async fn put_quota(
        &self,
        row: &OwnerQuota,
        change: &ChargeChange,
    ) -> Result<Write<Option<OwnerQuota>>, StoreError> {
        let next = Next {
            owner: row.owner.as_str(),
            op: self.operation(),
            rev: row.rev.cast_signed(),
            epoch: row.epoch.cast_signed(),
            body: encode(QUOTAS, row)?,
        };
        let (beside, mut open) = (Beside::of(change)?, false);
        let end = self.try_quota(&next, &beside, &mut open).await;
        if open {
            metrics::resolved(&end);
        }
        match end? {
            Written::Done => Ok(Write::Applied),
            Written::Other(cell) => {
                Ok(Write::Conflict(cell.map(|cell| decode(QUOTAS, &cell.body)).transpose()?))
            }
            Written::Unknown => Ok(Write::Unknown),
        }
    }
}
