//! The change log: one sequence for all buckets.
//!
//! A position is a place in one sequence without gaps, so positions mean the same for every range of buckets and a reader
//! who goes on from the last one misses nothing. The sequence is cut into segments of [`SEGMENT`] entries, a partition
//! each. Writers append groups of entries by a conditional batch on the segment's static `filled`; all changes that wait
//! in a process share one group, so that throughput does not hang on the rate of conditional writes. A segment is
//! followed by the next when it is full and never before. A reader takes groups only while they join without a gap: at
//! quorum a later group may be seen before an earlier one.
//!
//! Appending may happen twice (a lost reply, a writer that died half way and another that did its work). The `logged`
//! cell of a change says which entry counts: whoever sees an entry first, its writer or a reader, fills in its position,
//! once and for all. Every other entry of the change is passed over by everybody.

use std::time::Duration;

use futures::future::try_join_all;
use tandem_domain::ids::OwnerId;
use tandem_ports::documents::{Bucket, BucketRange, Change, ChangeAction, LogPage, LogPosition, MAX_PAGE};
use tandem_ports::{StoreError, Write};

use crate::cells::{At, Cell, Next, Written};
use crate::codec::{decode, encode};
use crate::store::ScyllaStore;

mod append;
mod recent;

pub(crate) use append::LogTail;
pub(crate) use recent::Recent;

const LOG: &str = "change_log";
const LOGGED: &str = "logged";

/// Positions of a segment: 2 MB at 100 bytes an entry.
const SEGMENT: i64 = 20_000;
/// The most entries of a group: 50 kB at the most that an entry can have.
const MAX_GROUP: i64 = 256;
/// Groups that are read at once.
const READ_GROUPS: i32 = 64;
/// Entries whose cells are read at once.
const WAVE: usize = 128;
/// Entries that are taken at once of those that were read before: as many as a page may have.
const MAX_RECENT: usize = MAX_PAGE as usize;

/// The revision of a cell whose change is not in the log yet, and of one whose change is.
const PENDING: i64 = 1;
const PLACED: i64 = 2;

/// How long another writer may take to append before its work is done for it.
const PATIENCE: Duration = Duration::from_millis(50);
const WAITS: u32 = 20;

/// Whether a segment takes no more groups: the largest one would not fit.
const fn is_full(filled: i64) -> bool {
    filled > SEGMENT - MAX_GROUP
}

/// The index of a group's first entry, how many it has, and all of them.
type Group = (i64, i64, Vec<u8>);

fn key_of(change: &Change) -> Vec<u8> {
    let action = match change.action {
        ChangeAction::Upsert => 1,
        ChangeAction::Remove => 2,
    };
    [&change.document.as_uuid().into_bytes()[..], &change.version.0.to_be_bytes(), &[action]].concat()
}

/// Where the change of a cell is in the log.
fn place_of(cell: &Cell) -> Result<Option<u64>, StoreError> {
    decode(LOGGED, &cell.body)
}

impl ScyllaStore {
    fn logged<'a>(&'a self, owner: &'a OwnerId, key: &'a [u8]) -> At<'a> {
        At { table: &self.statements().logged, owner, key }
    }

    pub(crate) async fn log(&self, change: &Change) -> Result<Write<()>, StoreError> {
        let (key, op) = (key_of(change), self.operation());
        let at = self.logged(&change.owner, &key);
        let body = encode(LOGGED, &None::<u64>)?;
        match self.insert_cell(at, Next { op: &op, rev: PENDING, body: &body }).await? {
            Written::Done => {}
            Written::Other(Some(cell)) => {
                if place_of(&cell)?.is_some() || self.is_placed_soon(at).await? {
                    return Ok(Write::Conflict(()));
                }
            }
            Written::Other(None) | Written::Unknown => return Ok(Write::Unknown),
        }
        // From here on the cell is there: whoever logs this change again finishes it.
        let Ok(position) = self.append(change).await else { return Ok(Write::Unknown) };
        match self.settle(at, position).await {
            Ok(Some(place)) if place == position => Ok(Write::Applied),
            Ok(Some(_)) => Ok(Write::Conflict(())),
            Ok(None) | Err(_) => Ok(Write::Unknown),
        }
    }

    /// Whether the writer that was first appends within a second.
    async fn is_placed_soon(&self, at: At<'_>) -> Result<bool, StoreError> {
        for _ in 0..WAITS {
            tokio::time::sleep(PATIENCE).await;
            if let Some(cell) = self.cell(at).await?
                && place_of(&cell)?.is_some()
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Makes `position` the change's place unless it has one; its place then, or `None` if that cannot be known now.
    async fn settle(&self, at: At<'_>, position: u64) -> Result<Option<u64>, StoreError> {
        let (op, body) = (self.operation(), encode(LOGGED, &Some(position))?);
        match self.replace_cell(at, PENDING, Next { op: &op, rev: PLACED, body: &body }).await? {
            Written::Done => Ok(Some(position)),
            Written::Other(Some(cell)) => place_of(&cell),
            Written::Other(None) | Written::Unknown => Ok(None),
        }
    }

    /// Whether the entry of this change at this position is the one that counts.
    async fn counts(&self, position: u64, change: &Change) -> Result<bool, StoreError> {
        let key = key_of(change);
        let at = self.logged(&change.owner, &key);
        // A cell is made before any entry of its change, so there is one.
        let Some(cell) = self.cell(at).await? else { return Ok(false) };
        let place = match place_of(&cell)? {
            Some(place) => Some(place),
            None => self.settle(at, position).await?,
        };
        place.map(|place| place == position).ok_or(StoreError::Timeout)
    }

    pub(crate) async fn read_log(
        &self,
        buckets: BucketRange,
        after: LogPosition,
        limit: usize,
    ) -> Result<LogPage, StoreError> {
        let mut found = Vec::new();
        // Position n is the entry of index n - 1, so the next index is the last position.
        let mut next = i64::try_from(after.0).unwrap_or(i64::MAX);
        while found.len() < limit && buckets.from < buckets.to {
            let entries = self.read_entries(next).await?;
            let read = i64::try_from(entries.len()).unwrap_or(i64::MAX);
            if read == 0 {
                // All of a full segment has been read: on to the next. Else this is the end.
                if !is_full(next % SEGMENT) {
                    break;
                }
                next = (next / SEGMENT + 1) * SEGMENT;
                continue;
            }
            let mine: Vec<(u64, Change)> = (next.cast_unsigned() + 1..)
                .zip(entries)
                .filter(|(_, change)| buckets.contains(Bucket::of(change.document)))
                .collect();
            for wave in mine.chunks(WAVE) {
                let counting = wave.iter().map(|(position, change)| self.counts(*position, change));
                let counting = try_join_all(counting).await?;
                let counted = wave.iter().zip(counting).filter(|(_, counts)| *counts);
                found.extend(counted.map(|((position, change), _)| (LogPosition(*position), change.clone())));
                if found.len() >= limit {
                    break;
                }
            }
            next += read;
        }
        found.truncate(limit);
        // Of a full page not everything behind its last change was looked at.
        let last = found.last().filter(|_| found.len() == limit).map(|(position, _)| *position);
        let seen = last.unwrap_or(LogPosition(next.cast_unsigned())).max(after);
        Ok(LogPage { changes: found, seen })
    }

    /// The position of the last entry, or of the one before the next segment.
    pub(crate) async fn read_head(&self) -> Result<LogPosition, StoreError> {
        let end = self.end_position().await?;
        Ok(LogPosition(end.cast_unsigned()))
    }

    /// Entries from an index on, without gaps, of one segment.
    async fn read_entries(&self, index: i64) -> Result<Vec<Change>, StoreError> {
        let recent = self.recent_log();
        let known = recent.from(index, MAX_RECENT);
        if !known.is_empty() {
            return Ok(known);
        }
        let (segment, mut offset) = (index / SEGMENT, index % SEGMENT);
        let statements = &self.statements().log;
        let mut groups: Vec<Group> =
            self.rows_of(LOG, &statements.read, (segment, offset, READ_GROUPS)).await?;
        let joins = groups.first().is_some_and(|(first, _, _)| *first == offset);
        if !joins && offset > 0 && !recent.ends_at(index) {
            // The entry may lie inside the group before.
            groups = self.rows_of(LOG, &statements.before, (segment, offset)).await?;
        }
        let mut entries = Vec::new();
        for (first, count, body) in groups {
            if first > offset || first + count <= offset {
                break;
            }
            let group: Vec<Change> = decode(LOG, &body)?;
            let known = usize::try_from(offset - first).unwrap_or(usize::MAX);
            entries.extend(group.into_iter().skip(known));
            offset = first + count;
        }
        if !entries.is_empty() {
            recent.keep(index, &entries);
        }
        Ok(entries)
    }
}
