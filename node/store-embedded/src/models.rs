//! Which models the corpus has.

use async_trait::async_trait;
use rusqlite::{Connection, params};
use tandem_domain::models::Models;
use tandem_ports::{ModelStore, StoreError, Write};

use crate::codec::{encode, find};
use crate::error::Fault;
use crate::store::EmbeddedStore;

const TABLE: &str = "models";

fn row(connection: &Connection) -> Result<Option<Models>, Fault> {
    find(connection, TABLE, "SELECT body FROM models", [])
}

#[async_trait]
impl ModelStore for EmbeddedStore {
    async fn models(&self) -> Result<Option<Models>, StoreError> {
        self.read(row).await
    }

    async fn put_models(&self, models: &Models) -> Result<Write<Option<Models>>, StoreError> {
        let (rev, body) = (models.rev, encode(TABLE, models)?);
        self.write(move |connection| {
            let there = row(connection)?;
            if there.as_ref().map_or(0, |there| there.rev).checked_add(1) != Some(rev) {
                return Ok(Write::Conflict(there));
            }
            let insert = "INSERT INTO models (one, rev, body) VALUES (1, ?, ?)
                ON CONFLICT DO UPDATE SET rev = excluded.rev, body = excluded.body";
            connection.prepare_cached(insert)?.execute(params![rev.cast_signed(), body])?;
            Ok(Write::Applied)
        })
        .await
    }
}
