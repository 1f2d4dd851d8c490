//! Intents that have names.

use async_trait::async_trait;
use rusqlite::{Connection, params};
use tandem_domain::ids::{OperationId, OwnerId};
use tandem_ports::intents::{Intent, KEPT};
use tandem_ports::{IntentStore, StoreError, Write};

use crate::codec::{encode, find, list};
use crate::error::Fault;
use crate::store::EmbeddedStore;

#[cfg(test)]
mod tests;

const TABLE: &str = "intents";

/// Intents whose time is over that a new one takes away, at most: more than come in.
const SWEPT: i64 = 4;

fn intent(connection: &Connection, owner: &OwnerId, operation: OperationId) -> Result<Option<Intent>, Fault> {
    let select = "SELECT body FROM intents WHERE owner = ? AND operation = ?";
    find(connection, TABLE, select, params![owner.as_str(), operation.as_uuid().into_bytes()])
}

fn sweep(connection: &Connection, now: i64) -> Result<(), Fault> {
    let sweep = "DELETE FROM intents WHERE (owner, operation) IN
        (SELECT owner, operation FROM intents WHERE ends_at <= ? ORDER BY ends_at LIMIT ?)";
    connection.prepare_cached(sweep)?.execute(params![now, SWEPT])?;
    Ok(())
}

fn put(connection: &Connection, intent: &Intent) -> Result<(), Fault> {
    let insert = "INSERT INTO intents (owner, operation, ends_at, ended, body) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET ends_at = excluded.ends_at, ended = excluded.ended, body = excluded.body";
    let (operation, ends_at) = (intent.operation.as_uuid().into_bytes(), intent.since.plus(KEPT).millis());
    let row = params![intent.owner.as_str(), operation, ends_at, intent.ended, encode(TABLE, intent)?];
    connection.prepare_cached(insert)?.execute(row)?;
    Ok(())
}

/// Ends what a process that is gone was at work on: nobody is any more.
pub(crate) fn end_all(connection: &Connection) -> Result<(), Fault> {
    let at_work: Vec<Intent> = list(connection, TABLE, "SELECT body FROM intents WHERE ended = 0", [])?;
    at_work.into_iter().try_for_each(|intent| put(connection, &Intent { ended: true, ..intent }))
}

#[async_trait]
impl IntentStore for EmbeddedStore {
    async fn remember(&self, new: &Intent) -> Result<Write<Intent>, StoreError> {
        let new = new.clone();
        self.write(move |connection| {
            let there = intent(connection, &new.owner, new.operation)?;
            if let Some(there) = there.filter(|there| there.since.plus(KEPT) > new.since) {
                return Ok(Write::Conflict(there));
            }
            put(connection, &new)?;
            sweep(connection, new.since.millis())?;
            Ok(Write::Applied)
        })
        .await
    }

    async fn end(&self, owner: &OwnerId, operation: OperationId) -> Result<(), StoreError> {
        let owner = owner.clone();
        let ended = self.write(move |connection| {
            if let Some(there) = intent(connection, &owner, operation)? {
                put(connection, &Intent { ended: true, ..there })?;
            }
            Ok(Write::<()>::Applied)
        });
        if ended.await? == Write::Unknown { Err(StoreError::Timeout) } else { Ok(()) }
    }
}
