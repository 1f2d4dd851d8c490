//! Tasks.

use async_trait::async_trait;
use rusqlite::{Connection, params};
use tandem_domain::task::{Task, TaskRef};
use tandem_ports::{StoreError, TaskStore, Write};

use crate::codec::{encode, find, list};
use crate::codes;
use crate::error::Fault;
use crate::store::{EmbeddedStore, limited};

const TABLE: &str = "tasks";

fn task(connection: &Connection, key: &TaskRef) -> Result<Option<Task>, Fault> {
    let select = "SELECT body FROM tasks WHERE owner = ? AND id = ?";
    find(connection, TABLE, select, params![key.owner.as_str(), key.id.as_uuid().into_bytes()])
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
        let (key, state, rev) = (next.key(), codes::task_state(&next.state), next.rev.cast_signed());
        let body = encode(TABLE, next)?;
        self.write(move |connection| {
            let update =
                "UPDATE tasks SET state = ?, rev = ?, body = ? WHERE owner = ? AND id = ? AND rev = ?";
            let id = key.id.as_uuid().into_bytes();
            let row = params![state, rev, body, key.owner.as_str(), id, rev.wrapping_sub(1)];
            if connection.prepare_cached(update)?.execute(row)? == 1 {
                return Ok(Write::Applied);
            }
            Ok(Write::Conflict(task(connection, &key)?))
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
