//! The queue: a table for what is durable, a board in memory for who holds what.

use std::num::NonZeroU16;
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{Connection, params};
use tandem_domain::ids::{OwnerId, TaskId};
use tandem_domain::task::{TaskKind, TaskRef};
use tandem_domain::time::Timestamp;
use tandem_ports::queue::{Deliveries, Delivery, QueueDepth, QueueError, Settlement};
use tandem_ports::{StoreError, WorkQueue, trace};
use uuid::Uuid;

use crate::codes;
use crate::error::Fault;
use crate::store::{EmbeddedStore, limited};
use crate::writer::End;

mod board;
mod claim;
mod subscription;

#[cfg(test)]
mod tests;

pub(crate) use board::Board;
use subscription::Subscription;

const TABLE: &str = "queue";

/// A task's key that was put aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The task.
    pub task: TaskRef,
    /// How often it had been delivered.
    pub delivered: u32,
    /// When it was put aside.
    pub died_at: Timestamp,
    /// Why; no user's data.
    pub reason: String,
}

/// Makes deliverable at once what a process that is gone had in flight; gives their number.
pub(crate) fn return_all(connection: &Connection, now: Timestamp) -> rusqlite::Result<usize> {
    let update = "UPDATE queue SET token = NULL, visible_at = ? WHERE token IS NOT NULL";
    connection.execute(update, [now.millis()])
}

fn task_ref(owner: String, id: [u8; 16]) -> Result<TaskRef, StoreError> {
    let owner = OwnerId::try_from(owner)
        .map_err(|error| StoreError::Corrupt { table: TABLE, reason: error.reason.to_owned() })?;
    Ok(TaskRef { owner, id: TaskId::from_uuid(Uuid::from_bytes(id)) })
}

fn refused(error: &StoreError) -> QueueError {
    match error {
        StoreError::Timeout => QueueError::Timeout,
        StoreError::Unavailable(_)
        | StoreError::Full(_)
        | StoreError::Corrupt { .. }
        | StoreError::Newer { .. } => QueueError::Unavailable(error.to_string()),
    }
}

/// Only a certain success counts: whoever gets an error publishes or settles again, which changes nothing if it was
/// done already.
fn certain<T>(end: End<T>) -> Result<T, QueueError> {
    match end {
        End::Done(value) => Ok(value),
        End::Failed(error) => Err(refused(&error)),
        End::Unknown => Err(QueueError::Unavailable("a write was not confirmed".to_owned())),
    }
}

fn settle(
    connection: &Connection,
    delivery: &Delivery,
    settlement: &Settlement,
    now: Timestamp,
) -> Result<(), Fault> {
    let (owner, id) = (delivery.task.owner.as_str(), delivery.task.id.as_uuid().into_bytes());
    let (kind, token) = (codes::task_kind(delivery.kind), delivery.token.cast_signed());
    if let Settlement::Retry(delay) = settlement {
        let update = "UPDATE queue SET token = NULL, visible_at = ?
            WHERE owner = ? AND task = ? AND kind = ? AND token = ?";
        let row = params![now.plus(*delay).millis(), owner, id, kind, token];
        connection.prepare_cached(update)?.execute(row)?;
        return Ok(());
    }
    let delete = "DELETE FROM queue WHERE owner = ? AND task = ? AND kind = ? AND token = ?";
    let deleted = connection.prepare_cached(delete)?.execute(params![owner, id, kind, token])?;
    if let Settlement::Dead(reason) = settlement
        && deleted == 1
    {
        let insert = "INSERT OR REPLACE INTO dead_letters (owner, task, kind, delivered, died_at, reason)
            VALUES (?, ?, ?, ?, ?, ?)";
        let row = params![owner, id, kind, delivery.count, now.millis(), reason];
        connection.prepare_cached(insert)?.execute(row)?;
    }
    Ok(())
}

fn depth(connection: &Connection, kind: TaskKind, now: Timestamp) -> Result<QueueDepth, Fault> {
    // One statement, so that all numbers are of one moment. The first count reads the index alone, the second only rows
    // whose time lies ahead.
    let select = "SELECT (SELECT count(*) FROM queue WHERE kind = ?1),
        (SELECT count(*) FROM queue WHERE kind = ?1 AND visible_at > ?2 AND token IS NOT NULL),
        (SELECT count(*) FROM dead_letters WHERE kind = ?1)";
    let (all, in_flight, dead): (i64, i64, i64) = connection
        .prepare_cached(select)?
        .query_row(params![codes::task_kind(kind), now.millis()], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
    Ok(QueueDepth {
        waiting: (all - in_flight).cast_unsigned(),
        in_flight: in_flight.cast_unsigned(),
        dead: dead.cast_unsigned(),
    })
}

impl EmbeddedStore {
    /// The keys of a kind that were put aside, oldest first, at most `limit` (and 1,000). For operators.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn dead_letters(&self, kind: TaskKind, limit: u32) -> Result<Vec<DeadLetter>, StoreError> {
        let kind = codes::task_kind(kind);
        let select = "SELECT owner, task, delivered, died_at, reason FROM dead_letters WHERE kind = ?
            ORDER BY died_at, owner, task LIMIT ?";
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(select)?;
            let rows = statement.query_and_then(params![kind, limited(limit)], |row| {
                Ok(DeadLetter {
                    task: task_ref(row.get(0)?, row.get(1)?)?,
                    delivered: row.get(2)?,
                    died_at: Timestamp::from_millis(row.get(3)?),
                    reason: row.get(4)?,
                })
            })?;
            rows.collect()
        })
        .await
    }

    /// Puts the oldest `number` (and at most 1,000) keys of a kind that were put aside back into the queue, counted anew;
    /// gives how many went. All of them or none.
    ///
    /// # Errors
    /// See [`QueueError`].
    pub async fn replay(&self, kind: TaskKind, number: u32) -> Result<u32, QueueError> {
        let (now, limit) = (self.clock().now(), limited(number));
        let work = move |connection: &Connection| {
            let oldest =
                "SELECT owner, task FROM dead_letters WHERE kind = ?1 ORDER BY died_at, owner, task LIMIT ?2";
            let insert = format!(
                "INSERT OR IGNORE INTO queue (owner, task, kind, visible_at, delivered)
                 SELECT owner, task, ?1, ?3, 0 FROM ({oldest})"
            );
            let kind = codes::task_kind(kind);
            connection.prepare_cached(&insert)?.execute(params![kind, limit, now.millis()])?;
            let delete = format!("DELETE FROM dead_letters WHERE kind = ?1 AND (owner, task) IN ({oldest})");
            Ok(connection.prepare_cached(&delete)?.execute(params![kind, limit])?)
        };
        let board = self.board().clone();
        let gone = certain(self.writer().write_then(work, move |_| board.wake(kind)).await)?;
        Ok(u32::try_from(gone).unwrap_or(u32::MAX))
    }
}

impl EmbeddedStore {
    /// Writes down that dropped subscriptions hold nothing any more.
    async fn give_back(&self, now: Timestamp) -> Result<(), QueueError> {
        let board = self.board().clone();
        let work = move |connection: &Connection| claim::give_back(connection, &board.returned(), now);
        let board = self.board().clone();
        let given_back = move |end: &End<Vec<u64>>| {
            if let End::Done(returned) = end {
                board.given_back(returned);
            }
        };
        certain(self.writer().write_then(work, given_back).await).map(|_| ())
    }
}

#[async_trait]
impl WorkQueue for EmbeddedStore {
    async fn publish(&self, kind: TaskKind, task: &TaskRef, delay: Duration) -> Result<(), QueueError> {
        let (task, visible_at) = (task.clone(), self.clock().now().plus(delay));
        let trace = trace::current().map(|trace| trace.to_string());
        let insert = "INSERT INTO queue (owner, task, kind, visible_at, delivered, trace)
            VALUES (?, ?, ?, ?, 0, ?) ON CONFLICT DO NOTHING";
        let work = move |connection: &Connection| {
            let id = task.id.as_uuid().into_bytes();
            let row = params![task.owner.as_str(), id, codes::task_kind(kind), visible_at.millis(), trace];
            connection.prepare_cached(insert)?.execute(row)?;
            Ok(())
        };
        let board = self.board().clone();
        certain(self.writer().write_then(work, move |_| board.wake(kind)).await)
    }

    async fn subscribe(
        &self,
        kind: TaskKind,
        prefetch: NonZeroU16,
    ) -> Result<Box<dyn Deliveries>, QueueError> {
        Ok(Box::new(Subscription::new(self.clone(), kind, prefetch)))
    }

    async fn settle(&self, delivery: &Delivery, settlement: Settlement) -> Result<(), QueueError> {
        let (now, copy) = (self.clock().now(), delivery.clone());
        let work = move |connection: &Connection| settle(connection, &copy, &settlement, now);
        let (board, kind, token) = (self.board().clone(), delivery.kind, delivery.token);
        let settled = move |end: &End<()>| {
            if matches!(end, End::Done(())) {
                board.settled(token);
                board.wake(kind);
            }
        };
        certain(self.writer().write_then(work, settled).await)
    }

    fn keeps_keys_once(&self) -> bool {
        true
    }

    async fn depth(&self, kind: TaskKind) -> Result<QueueDepth, QueueError> {
        let now = self.clock().now();
        if !self.board().returned().is_empty() {
            self.give_back(now).await?;
        }
        // Counting takes its time in a long queue: no write waits for it.
        self.read(move |connection| depth(connection, kind, now)).await.map_err(|error| refused(&error))
    }
}
