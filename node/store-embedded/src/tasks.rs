//! Tasks.

use async_trait::async_trait;
use rusqlite::{Connection, params};
use tandem_domain::task::{Task, TaskRef};
use tandem_ports::{StoreError, TaskStore, Write};

use crate::codec::{decode, encode, find, list};
use crate::codes;
use crate::error::Fault;
use crate::store::{EmbeddedStore, limited};

const TABLE: &str = "tasks";

fn task(connection: &Connection, key: &TaskRef) -> Result<Option<Task>, Fault> {
    let select = "SELECT body FROM tasks WHERE owner = ? AND id = ?";
    find(connection, TABLE, select, params![key.owner.as_str(), key.id.as_uuid().into_bytes()])
}

/// Ends the leases of a process that is gone; gives their number. There are as many as it had workers.
pub(crate) fn end_leases(connection: &Connection) -> Result<usize, Fault> {
    // `state < 3` names the index of what is unsettled.
    let select = "SELECT body FROM tasks WHERE state < 3 AND state = ?";
    let leased = codes::LEASED;
    let mut statement = connection.prepare(select)?;
    let blobs = statement.query_map([leased], |row| row.get::<_, Vec<u8>>(0))?;
    let blobs: Vec<Vec<u8>> = blobs.collect::<Result<_, _>>()?;
    let mut ended = 0;
    for blob in blobs {
        match decode::<Task>(TABLE, &blob) {
            Ok(task) => ended += usize::from(replace(connection, &task.abandoned())?),
            // Whoever needs the task is told; the others are not kept waiting for it.
            Err(error) => tracing::error!(%error, "a lease was not ended"),
        }
    }
    Ok(ended)
}

/// Whether the row was the revision before `next`, which it is now.
fn replace(connection: &Connection, next: &Task) -> Result<bool, Fault> {
    let update = "UPDATE tasks SET state = ?, rev = ?, body = ? WHERE owner = ? AND id = ? AND rev = ?";
    let (body, rev) = (encode(TABLE, next)?, next.rev.cast_signed());
    let (owner, id) = (next.owner.as_str(), next.id.as_uuid().into_bytes());
    let row = params![codes::task_state(&next.state), rev, body, owner, id, rev.wrapping_sub(1)];
    Ok(connection.prepare_cached(update)?.execute(row)? == 1)
}

#[async_trait]
impl TaskStore for EmbeddedStore {
    async fn file(&self, new: &Task) -> Result<Write<Task>, StoreError> {
        let (key, state, rev) = (new.key(), codes::task_state(&new.state), new.rev.cast_signed());
        let body = encode(TABLE, new)?;
        self.write(move |connection| {
            if let Some(there) = task(connection, &key)? {
                return Ok(Write::Conflict(there));
            }
            let insert = "INSERT INTO tasks (owner, id, state, rev, body) VALUES (?, ?, ?, ?, ?)";
            let row = params![key.owner.as_str(), key.id.as_uuid().into_bytes(), state, rev, body];
            connection.prepare_cached(insert)?.execute(row)?;
            Ok(Write::Applied)
        })
        .await
    }

    async fn task(&self, key: &TaskRef) -> Result<Option<Task>, StoreError> {
        let key = key.clone();
        self.read(move |connection| task(connection, &key)).await
    }

    async fn replace(&self, next: &Task) -> Result<Write<Option<Task>>, StoreError> {
        let next = next.clone();
        self.write(move |connection| {
            if replace(connection, &next)? {
                return Ok(Write::Applied);
            }
            Ok(Write::Conflict(task(connection, &next.key())?))
        })
        .await
    }

    async fn unsettled(&self, after: Option<&TaskRef>, limit: u32) -> Result<Vec<Task>, StoreError> {
        // No owner is empty, so this lies before every key.
        let (owner, id) = after.map_or_else(
            || (String::new(), [0; 16]),
            |after| (after.owner.as_str().to_owned(), after.id.as_uuid().into_bytes()),
        );
        let select =
            "SELECT body FROM tasks WHERE state < 3 AND (owner, id) > (?, ?) ORDER BY owner, id LIMIT ?";
        self.read(move |connection| list(connection, TABLE, select, params![owner, id, limited(limit)])).await
    }
}
