//! Items of runs and their rows. The rows of an attempt are written first, under the attempt's operation; the item's row
//! names the attempt that ended it, and only that attempt's rows are ever read.

use std::ops::RangeInclusive;

use futures::future::try_join_all;
use futures::stream::{StreamExt, TryStreamExt, iter};
use scylla::statement::batch::{Batch, BatchType};
use tandem_domain::document::Failure;
use tandem_domain::ids::{OwnerId, RunId};
use tandem_domain::run::{ItemOutcome, RowKey, RunRow};
use tandem_ports::{StoreError, Write};

use crate::codec::{decode, encode};
use crate::error::corrupt;
use crate::lists::merged;
use crate::store::{Conditional, ScyllaStore};

const ITEMS: &str = "run_items";
const ROWS: &str = "run_rows";

/// Partitions of a run's items: rounds of conditional writes on one partition collide, and at most 100,000 items lie in
/// a run.
const SEGMENTS: u32 = 16;
/// Items that are read of each segment at once.
const PAGE: usize = 64;
/// Rows of one batch, all of one partition: about 100 kB.
const BATCH: usize = 64;
/// Items whose rows are read at once.
const WAVE: usize = 16;
/// How often the end of an item is tried while its outcome is unknown.
const ATTEMPTS: u32 = 3;

/// All segments.
pub(super) fn segments() -> RangeInclusive<i32> {
    0..=(SEGMENTS - 1).cast_signed()
}

fn segment_of(item: u32) -> i32 {
    (item % SEGMENTS).cast_signed()
}

/// An item that has ended.
struct Ended {
    item: u32,
    attempt: Vec<u8>,
    ranked: usize,
    failure: Option<Vec<u8>>,
}

/// How many items of a segment ended in which way.
pub(super) struct ItemCounts {
    pub(super) done: u32,
    pub(super) failed: u32,
    pub(super) canceled: u32,
}

/// How an item ended, as columns: the number of its rows, and the failure's blob. A failed item has no rows; the number
/// is null where an item was canceled.
type End = (Option<i64>, Option<Vec<u8>>);

type ItemColumns = (i64, Vec<u8>, Option<i64>, Option<Vec<u8>>);

fn ended((item, attempt, ranked, failure): ItemColumns) -> Result<Ended, StoreError> {
    let item = u32::try_from(item).map_err(|error| corrupt(ITEMS, error))?;
    let ranked = usize::try_from(ranked.unwrap_or(0)).map_err(|error| corrupt(ITEMS, error))?;
    Ok(Ended { item, attempt, ranked, failure })
}

impl ScyllaStore {
    pub(super) async fn item_has_ended(
        &self,
        owner: &OwnerId,
        run: RunId,
        item: u32,
    ) -> Result<bool, StoreError> {
        Ok(self.attempt_of(owner, run, item, false).await?.is_some())
    }

    /// The attempt that ended an item.
    async fn attempt_of(
        &self,
        owner: &OwnerId,
        run: RunId,
        item: u32,
        serial: bool,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let statements = self.statements();
        let statement = if serial { &statements.items.one_serial } else { &statements.items.one };
        let run = run.as_uuid().into_bytes();
        let key = (owner.as_str(), &run[..], segment_of(item), i64::from(item));
        let rows: Vec<(Vec<u8>,)> = self.rows_of(ITEMS, statement, key).await?;
        Ok(rows.into_iter().next().map(|(attempt,)| attempt))
    }

    pub(super) async fn end_item(
        &self,
        owner: &OwnerId,
        run: RunId,
        item: u32,
        outcome: &ItemOutcome,
    ) -> Result<Write<()>, StoreError> {
        if self.item_has_ended(owner, run, item).await? {
            return Ok(Write::Conflict(()));
        }
        let attempt = self.operation();
        let end: End = match outcome {
            ItemOutcome::Failed(failure) => (Some(0), Some(encode(ITEMS, failure)?)),
            ItemOutcome::Canceled => (None, None),
            ItemOutcome::Ranked(rows) => {
                self.put_rows(owner, run, item, &attempt, rows).await?;
                (Some(i64::try_from(rows.len()).unwrap_or(i64::MAX)), None)
            }
        };
        let has_rows = end.0 > Some(0);
        let end = self.insert_item(owner, run, item, &attempt, end).await?;
        if end == Write::Conflict(()) && has_rows {
            let id = run.as_uuid().into_bytes();
            let key = (owner.as_str(), &id[..], i64::from(item), &attempt[..]);
            if let Err(error) = self.run(&self.statements().items.drop_rows, key).await {
                tracing::warn!(%error, "rows that nobody needs could not be removed");
            }
        }
        Ok(end)
    }

    async fn put_rows(
        &self,
        owner: &OwnerId,
        run: RunId,
        item: u32,
        attempt: &[u8],
        rows: &[RunRow],
    ) -> Result<(), StoreError> {
        let (statement, run) = (&self.statements().items.put_row, run.as_uuid().into_bytes());
        for (chunk, rows) in (0i64..).zip(rows.chunks(BATCH)) {
            let mut batch = Batch::new(BatchType::Unlogged);
            batch.set_is_idempotent(true);
            batch.set_execution_profile_handle(statement.get_execution_profile_handle().cloned());
            let mut values = Vec::with_capacity(rows.len());
            for (rank, row) in (chunk * BATCH as i64 + 1..).zip(rows) {
                batch.append_statement(statement.clone());
                values.push((owner.as_str(), &run[..], i64::from(item), attempt, rank, encode(ROWS, row)?));
            }
            self.batch(&batch, values).await?;
        }
        Ok(())
    }

    async fn insert_item(
        &self,
        owner: &OwnerId,
        run: RunId,
        item: u32,
        attempt: &[u8],
        (ranked, failure): End,
    ) -> Result<Write<()>, StoreError> {
        let id = run.as_uuid().into_bytes();
        let mut open = false;
        for _ in 0..ATTEMPTS {
            let (segment, item_number) = (segment_of(item), i64::from(item));
            let values = (owner.as_str(), &id[..], segment, item_number, attempt, ranked, failure.as_deref());
            match self.conditional(&self.statements().items.insert, values).await {
                Ok(Conditional::Applied) => return Ok(Write::Applied),
                Ok(Conditional::Refused) if !open => return Ok(Write::Conflict(())),
                Ok(Conditional::Refused) => {}
                Ok(Conditional::Unknown) => open = true,
                Err(_) if open => return Ok(Write::Unknown),
                Err(error) => return Err(error),
            }
            match self.attempt_of(owner, run, item, true).await {
                Ok(Some(there)) if there == attempt => return Ok(Write::Applied),
                Ok(Some(_)) => return Ok(Write::Conflict(())),
                Ok(None) => {}
                Err(_) => return Ok(Write::Unknown),
            }
        }
        Ok(Write::Unknown)
    }

    /// Removes every row and every item. Both are removed whole by partition, which no condition can guard: what ends
    /// an item at this very moment may leave its row, which nothing leads to any more.
    pub(super) async fn forget_items(
        &self,
        owner: &OwnerId,
        run: RunId,
        items: u32,
    ) -> Result<(), StoreError> {
        let (statements, run) = (&self.statements().forget, run.as_uuid().into_bytes());
        let run = &run[..];
        iter(0..items)
            .map(|item| self.run(&statements.rows, (owner.as_str(), run, i64::from(item))))
            .buffer_unordered(WAVE)
            .try_collect::<()>()
            .await?;
        let segments = segments().map(|segment| self.run(&statements.items, (owner.as_str(), run, segment)));
        try_join_all(segments).await.map(drop)
    }

    /// Counts the items of a segment that have ended.
    pub(super) async fn count_items(
        &self,
        owner: &OwnerId,
        run: RunId,
        segment: i32,
    ) -> Result<ItemCounts, StoreError> {
        let run = run.as_uuid().into_bytes();
        let key = (owner.as_str(), &run[..], segment);
        let counts: Vec<(i64, i64, i64)> = self.rows_of(ITEMS, &self.statements().items.count, key).await?;
        let (ended, counted, failed) = counts.into_iter().next().unwrap_or_default();
        let number = |count: i64| u32::try_from(count).map_err(|error| corrupt(ITEMS, error));
        Ok(ItemCounts {
            done: number(counted - failed)?,
            failed: number(failed)?,
            canceled: number(ended - counted)?,
        })
    }

    /// Counts the rows of the items of a segment that have ended.
    pub(super) async fn count_ranked(
        &self,
        owner: &OwnerId,
        run: RunId,
        segment: i32,
    ) -> Result<u64, StoreError> {
        let run = run.as_uuid().into_bytes();
        let key = (owner.as_str(), &run[..], segment);
        let sums: Vec<(Option<i64>,)> =
            self.rows_of(ITEMS, &self.statements().items.count_ranked, key).await?;
        let sum = sums.into_iter().next().and_then(|(sum,)| sum).unwrap_or(0);
        u64::try_from(sum).map_err(|error| corrupt(ITEMS, error))
    }

    /// The next items that have ended, in order, from `from` on, and whether there may be more.
    async fn ended_items(
        &self,
        owner: &OwnerId,
        run: RunId,
        from: i64,
    ) -> Result<(Vec<Ended>, bool), StoreError> {
        let (run, statement) = (run.as_uuid().into_bytes(), &self.statements().items.page);
        let run = &run[..];
        let reads = segments().map(|segment| async move {
            let key = (owner.as_str(), run, segment, from, PAGE as i32);
            let rows: Vec<ItemColumns> = self.rows_of(ITEMS, statement, key).await?;
            rows.into_iter().map(ended).collect::<Result<Vec<_>, _>>()
        });
        Ok(merged(try_join_all(reads).await?, PAGE, |ended: &Ended| ended.item))
    }

    pub(super) async fn read_failures(
        &self,
        owner: &OwnerId,
        run: RunId,
        limit: usize,
    ) -> Result<Vec<(u32, Failure)>, StoreError> {
        let (mut found, mut from) = (Vec::new(), 0);
        while found.len() < limit {
            let (items, more) = self.ended_items(owner, run, from).await?;
            from = items.last().map_or(from, |last| i64::from(last.item) + 1);
            for Ended { item, failure, .. } in items {
                if let Some(failure) = failure {
                    found.push((item, decode(ITEMS, &failure)?));
                }
            }
            if !more {
                break;
            }
        }
        found.truncate(limit);
        Ok(found)
    }

    pub(super) async fn read_rows(
        &self,
        owner: &OwnerId,
        run: RunId,
        after: Option<RowKey>,
        limit: usize,
    ) -> Result<Vec<(RowKey, RunRow)>, StoreError> {
        // Ranks begin at 1, so this lies before every row.
        let after = after.unwrap_or(RowKey { item: 0, rank: 0 });
        let (mut rows, mut from) = (Vec::new(), i64::from(after.item));
        while rows.len() < limit {
            let (items, more) = self.ended_items(owner, run, from).await?;
            from = items.last().map_or(from, |last| i64::from(last.item) + 1);
            let mut items = items.into_iter().filter(|ended| ended.ranked > 0).peekable();
            while rows.len() < limit && items.peek().is_some() {
                let (mut wave, mut coming) = (Vec::new(), rows.len());
                while wave.len() < WAVE && coming < limit {
                    let Some(ended) = items.next() else { break };
                    coming += ended.ranked;
                    wave.push(ended);
                }
                let left = limit - rows.len();
                let reads = wave.iter().map(|ended| self.rows_of_item(owner, run, ended, after, left));
                rows.extend(try_join_all(reads).await?.into_iter().flatten());
            }
            if !more {
                break;
            }
        }
        rows.truncate(limit);
        Ok(rows)
    }

    async fn rows_of_item(
        &self,
        owner: &OwnerId,
        run: RunId,
        ended: &Ended,
        after: RowKey,
        limit: usize,
    ) -> Result<Vec<(RowKey, RunRow)>, StoreError> {
        let above = if ended.item == after.item { i64::from(after.rank) } else { 0 };
        let (run, limit) = (run.as_uuid().into_bytes(), i32::try_from(limit).unwrap_or(i32::MAX));
        let key = (owner.as_str(), &run[..], i64::from(ended.item), &ended.attempt[..], above, limit);
        let rows: Vec<(i64, Vec<u8>)> = self.rows_of(ROWS, &self.statements().items.rows, key).await?;
        let row = |(rank, body): (i64, Vec<u8>)| {
            let rank = u32::try_from(rank).map_err(|error| corrupt(ROWS, error))?;
            Ok((RowKey { item: ended.item, rank }, decode(ROWS, &body)?))
        };
        rows.into_iter().map(row).collect()
    }
}
