//! Runs with their items and rows, and single requested matches.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, params};
use tandem_domain::document::Failure;
use tandem_domain::ids::{MatchId, OperationId, OwnerId, RunId};
use tandem_domain::run::{ItemOutcome, MatchRun, PairMatch, PairOutcome, Progress, RowKey, RunRow};
use tandem_ports::documents::Page;
use tandem_ports::{RunStore, StoreError, Write};
use uuid::Uuid;

use crate::codec::{decode, encode, find};
use crate::documents::once;
use crate::error::Fault;
use crate::store::{EmbeddedStore, limited};

const RUNS: &str = "runs";
const ITEMS: &str = "run_items";
const ROWS: &str = "run_rows";
const MATCHES: &str = "matches";

/// Rows that are deleted in one step.
const STEP: u32 = 1_000;
/// The most rows of one page, as many as an item may have.
const MAX_ROWS: u32 = 10_000;

fn run_by_id(connection: &Connection, owner: &OwnerId, id: RunId) -> Result<Option<MatchRun>, Fault> {
    let select = "SELECT body FROM runs WHERE owner = ? AND id = ?";
    find(connection, RUNS, select, params![owner.as_str(), id.as_uuid().into_bytes()])
}

fn run_by_operation(
    connection: &Connection,
    owner: &OwnerId,
    operation: OperationId,
) -> Result<Option<MatchRun>, Fault> {
    let select = "SELECT body FROM runs WHERE owner = ? AND operation = ?";
    find(connection, RUNS, select, params![owner.as_str(), operation.as_uuid().into_bytes()])
}

/// The owner's matches of a condition on the rest of the key, with their outcomes.
fn matches(
    connection: &Connection,
    condition: &str,
    key: impl rusqlite::Params,
) -> Result<Vec<PairMatch>, Fault> {
    let select = format!("SELECT body, outcome FROM matches WHERE owner = ? AND {condition}");
    let mut statement = connection.prepare_cached(&select)?;
    let rows = statement.query_and_then(key, |row| -> Result<PairMatch, Fault> {
        let mut pair: PairMatch = decode(MATCHES, &row.get::<_, Vec<u8>>(0)?)?;
        let outcome = row.get::<_, Option<Vec<u8>>>(1)?;
        pair.outcome = outcome.map(|blob| decode(MATCHES, &blob)).transpose()?;
        Ok(pair)
    })?;
    rows.collect()
}

fn match_by_id(connection: &Connection, owner: &OwnerId, id: MatchId) -> Result<Option<PairMatch>, Fault> {
    let key = params![owner.as_str(), id.as_uuid().into_bytes()];
    Ok(matches(connection, "id = ?", key)?.pop())
}

type Blob = Vec<u8>;

/// In the place of the failure where an item was canceled. A failure's blob begins with its format, so it is never empty.
const CANCELED: Blob = Blob::new();

/// The parts of an outcome as they are written: the failure's blob or [`CANCELED`], or the rows' blobs.
fn encoded(outcome: &ItemOutcome) -> Result<(Option<Blob>, Vec<Blob>), StoreError> {
    match outcome {
        ItemOutcome::Failed(failure) => Ok((Some(encode(ITEMS, failure)?), Vec::new())),
        ItemOutcome::Canceled => Ok((Some(CANCELED), Vec::new())),
        ItemOutcome::Ranked(rows) => {
            let rows = rows.iter().map(|row| encode(ROWS, row)).collect::<Result<_, _>>()?;
            Ok((None, rows))
        }
    }
}

/// What can be repeated has failed where its end is not known.
fn certain(end: Write<()>) -> Result<(), StoreError> {
    match end {
        Write::Applied | Write::Conflict(()) => Ok(()),
        Write::Unknown => Err(StoreError::Timeout),
    }
}

impl EmbeddedStore {
    /// Deletes what a statement finds of a run, at most [`STEP`] rows at a time; its parameters are owner, run and limit.
    async fn delete_in_steps(
        &self,
        delete: &'static str,
        owner: &OwnerId,
        run: RunId,
    ) -> Result<(), StoreError> {
        loop {
            let (owner, run) = (owner.clone(), run.as_uuid().into_bytes());
            let end = self.write(move |connection| {
                let deleted =
                    connection.prepare_cached(delete)?.execute(params![owner.as_str(), run, STEP])?;
                Ok(if deleted < STEP as usize { Write::Applied } else { Write::Conflict(()) })
            });
            match end.await? {
                Write::Applied => return Ok(()),
                Write::Conflict(()) => {}
                Write::Unknown => return Err(StoreError::Timeout),
            }
        }
    }
}

#[async_trait]
impl RunStore for EmbeddedStore {
    async fn create_run(&self, run: &MatchRun) -> Result<Write<MatchRun>, StoreError> {
        let (owner, id, operation) = (run.owner.clone(), run.id, run.operation);
        let (items, body) = (run.spec.queries.len() as i64, encode(RUNS, run)?);
        self.write(move |connection| {
            let twin = run_by_id(connection, &owner, id)?;
            let twin =
                twin.map_or_else(|| run_by_operation(connection, &owner, operation), |r| Ok(Some(r)))?;
            if let Some(twin) = twin {
                return Ok(Write::Conflict(twin));
            }
            let insert = "INSERT INTO runs (owner, id, operation, items, body) VALUES (?, ?, ?, ?, ?)";
            let (id, operation) = (id.as_uuid().into_bytes(), operation.as_uuid().into_bytes());
            connection.prepare_cached(insert)?.execute(params![
                owner.as_str(),
                id,
                operation,
                items,
                body
            ])?;
            Ok(Write::Applied)
        })
        .await
    }

    async fn run(&self, owner: &OwnerId, id: RunId) -> Result<Option<MatchRun>, StoreError> {
        let owner = owner.clone();
        self.read(move |connection| run_by_id(connection, &owner, id)).await
    }

    async fn finish_item(
        &self,
        owner: &OwnerId,
        run: RunId,
        item: u32,
        outcome: &ItemOutcome,
    ) -> Result<Write<()>, StoreError> {
        let (owner, run) = (owner.clone(), run.as_uuid().into_bytes());
        let (failure, rows) = encoded(outcome)?;
        self.write(move |connection| {
            let insert = "INSERT INTO run_items (owner, run, item, failure) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING";
            let row = params![owner.as_str(), run, item, failure];
            if connection.prepare_cached(insert)?.execute(row)? == 0 {
                return Ok(Write::Conflict(()));
            }
            let insert = "INSERT INTO run_rows (owner, run, item, rank, body) VALUES (?, ?, ?, ?, ?)";
            let mut insert = connection.prepare_cached(insert)?;
            for (rank, body) in (1u32..).zip(&rows) {
                insert.execute(params![owner.as_str(), run, item, rank, body])?;
            }
            Ok(Write::Applied)
        })
        .await
    }

    async fn item_is_finished(&self, owner: &OwnerId, run: RunId, item: u32) -> Result<bool, StoreError> {
        let (owner, run) = (owner.clone(), run.as_uuid().into_bytes());
        self.read(move |connection| {
            let select = "SELECT 1 FROM run_items WHERE owner = ? AND run = ? AND item = ?";
            Ok(connection.prepare_cached(select)?.exists(params![owner.as_str(), run, item])?)
        })
        .await
    }

    async fn progress(&self, owner: &OwnerId, run: RunId) -> Result<Option<Progress>, StoreError> {
        let (owner, run) = (owner.clone(), run.as_uuid().into_bytes());
        let select = "SELECT items,
                count(i.item) - count(i.failure),
                count(nullif(i.failure, x'')),
                count(i.failure) - count(nullif(i.failure, x''))
            FROM runs LEFT JOIN run_items i ON i.owner = runs.owner AND i.run = runs.id
            WHERE runs.owner = ? AND runs.id = ? GROUP BY runs.id";
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(select)?;
            let progress = statement.query_row(params![owner.as_str(), run], |row| {
                Ok(Progress {
                    items: row.get(0)?,
                    done: row.get(1)?,
                    failed: row.get(2)?,
                    canceled: row.get(3)?,
                })
            });
            Ok(progress.optional()?)
        })
        .await
    }

    async fn count_rows(&self, owner: &OwnerId, run: RunId) -> Result<u64, StoreError> {
        let (owner, run) = (owner.clone(), run.as_uuid().into_bytes());
        // An item's ranks go from 1 to the number of its rows: their last one is found without reading them.
        let select = "SELECT coalesce(sum((SELECT max(rank) FROM run_rows r
                WHERE r.owner = i.owner AND r.run = i.run AND r.item = i.item)), 0)
            FROM run_items i WHERE i.owner = ? AND i.run = ?";
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(select)?;
            let rows: i64 = statement.query_row(params![owner.as_str(), run], |row| row.get(0))?;
            Ok(rows.cast_unsigned())
        })
        .await
    }

    async fn rows(
        &self,
        owner: &OwnerId,
        run: RunId,
        after: Option<RowKey>,
        limit: u32,
    ) -> Result<Vec<(RowKey, RunRow)>, StoreError> {
        let (owner, run) = (owner.clone(), run.as_uuid().into_bytes());
        // Ranks begin at 1, so this lies before every row.
        let after = after.unwrap_or(RowKey { item: 0, rank: 0 });
        let select = "SELECT item, rank, body FROM run_rows
            WHERE owner = ? AND run = ? AND (item, rank) > (?, ?) ORDER BY item, rank LIMIT ?";
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(select)?;
            let key = params![owner.as_str(), run, after.item, after.rank, limit.min(MAX_ROWS)];
            let rows = statement.query_and_then(key, |row| {
                let key = RowKey { item: row.get(0)?, rank: row.get(1)? };
                Ok((key, decode(ROWS, &row.get::<_, Vec<u8>>(2)?)?))
            })?;
            rows.collect()
        })
        .await
    }

    async fn failed_items(
        &self,
        owner: &OwnerId,
        run: RunId,
        limit: u32,
    ) -> Result<Vec<(u32, Failure)>, StoreError> {
        let (owner, run) = (owner.clone(), run.as_uuid().into_bytes());
        let select = "SELECT item, failure FROM run_items
            WHERE owner = ? AND run = ? AND failure <> x'' ORDER BY item LIMIT ?";
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(select)?;
            let key = params![owner.as_str(), run, limit.min(MAX_ROWS)];
            let rows = statement
                .query_and_then(key, |row| Ok((row.get(0)?, decode(ITEMS, &row.get::<_, Vec<u8>>(1)?)?)))?;
            rows.collect()
        })
        .await
    }

    async fn list_runs(&self, owner: &OwnerId, page: Page<RunId>) -> Result<Vec<RunId>, StoreError> {
        let owner = owner.clone();
        // Above every id: they have 16 bytes.
        let after = page.after.map_or(vec![0xFF; 17], |after| after.as_uuid().into_bytes().to_vec());
        self.read(move |connection| {
            let select = "SELECT id FROM runs WHERE owner = ? AND id < ? ORDER BY id DESC LIMIT ?";
            let mut select = connection.prepare_cached(select)?;
            let ids = select.query_map(params![owner.as_str(), after, limited(page.limit)], |row| {
                Ok(RunId::from_uuid(Uuid::from_bytes(row.get(0)?)))
            })?;
            Ok(ids.collect::<Result<_, _>>()?)
        })
        .await
    }

    async fn forget_run(&self, owner: &OwnerId, id: RunId) -> Result<(), StoreError> {
        // In steps, so that others write in between.
        let rows = "DELETE FROM run_rows WHERE (owner, run, item, rank) IN
            (SELECT owner, run, item, rank FROM run_rows WHERE owner = ?1 AND run = ?2 LIMIT ?3)";
        self.delete_in_steps(rows, owner, id).await?;
        let items = "DELETE FROM run_items WHERE (owner, run, item) IN
            (SELECT owner, run, item FROM run_items WHERE owner = ?1 AND run = ?2 LIMIT ?3)";
        self.delete_in_steps(items, owner, id).await?;
        self.delete_in_steps("DELETE FROM runs WHERE owner = ?1 AND id = ?2 AND ?3 > 0", owner, id).await
    }

    async fn forget_match(&self, owner: &OwnerId, id: MatchId) -> Result<(), StoreError> {
        let owner = owner.clone();
        let end = self.write(move |connection| {
            let delete = "DELETE FROM matches WHERE owner = ? AND id = ?";
            let key = params![owner.as_str(), id.as_uuid().into_bytes()];
            connection.prepare_cached(delete)?.execute(key)?;
            Ok(Write::<()>::Applied)
        });
        certain(end.await?)
    }

    async fn create_match(&self, pair: &PairMatch) -> Result<Write<PairMatch>, StoreError> {
        let (owner, id, operation) = (pair.owner.clone(), pair.id, pair.operation);
        let outcome = pair.outcome.as_ref().map(|outcome| encode(MATCHES, outcome)).transpose()?;
        let body = encode(MATCHES, &PairMatch { outcome: None, ..pair.clone() })?;
        self.write(move |connection| {
            let operation = operation.as_uuid().into_bytes();
            let twin = match match_by_id(connection, &owner, id)? {
                Some(twin) => Some(twin),
                None => matches(connection, "operation = ?", params![owner.as_str(), operation])?.pop(),
            };
            if let Some(twin) = twin {
                return Ok(Write::Conflict(twin));
            }
            let insert = "INSERT INTO matches (owner, id, operation, body, outcome) VALUES (?, ?, ?, ?, ?)";
            let row = params![owner.as_str(), id.as_uuid().into_bytes(), operation, body, outcome];
            connection.prepare_cached(insert)?.execute(row)?;
            Ok(Write::Applied)
        })
        .await
    }

    async fn pair_match(&self, owner: &OwnerId, id: MatchId) -> Result<Option<PairMatch>, StoreError> {
        let owner = owner.clone();
        self.read(move |connection| match_by_id(connection, &owner, id)).await
    }

    async fn list_matches(&self, owner: &OwnerId, page: Page<MatchId>) -> Result<Vec<PairMatch>, StoreError> {
        let owner = owner.clone();
        self.read(move |connection| {
            let limit = limited(page.limit);
            let Some(after) = page.after else {
                let condition = "true ORDER BY id DESC LIMIT ?";
                return matches(connection, condition, params![owner.as_str(), limit]);
            };
            let key = params![owner.as_str(), after.as_uuid().into_bytes(), limit];
            matches(connection, "id < ? ORDER BY id DESC LIMIT ?", key)
        })
        .await
    }

    async fn finish_match(
        &self,
        owner: &OwnerId,
        id: MatchId,
        outcome: &PairOutcome,
    ) -> Result<Write<()>, StoreError> {
        let (owner, outcome) = (owner.clone(), encode(MATCHES, outcome)?);
        self.write(move |connection| {
            let update = "UPDATE matches SET outcome = ? WHERE owner = ? AND id = ? AND outcome IS NULL";
            let row = params![outcome, owner.as_str(), id.as_uuid().into_bytes()];
            Ok(once(connection.prepare_cached(update)?.execute(row)?))
        })
        .await
    }
}
