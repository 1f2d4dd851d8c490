//! Appending: changes that wait in this process go into the log together.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};

use scylla::statement::batch::{Batch, BatchType};
use tandem_ports::StoreError;
use tandem_ports::documents::Change;
use tokio::sync::oneshot;

use super::{LOG, MAX_GROUP, SEGMENT, is_full};
use crate::codec::encode;
use crate::store::{Conditional, ScyllaStore};

/// The most changes that wait in a process.
const MAX_WAITING: usize = 4_096;
/// How often a group is tried: each loss means that another process appended.
const ATTEMPTS: u32 = 64;

/// Where the log ends, as far as this process knows, and what waits to be appended.
#[derive(Default)]
pub(crate) struct LogTail {
    waiting: Mutex<VecDeque<Waiting>>,
    /// A segment that the log has come to: where looking for its end begins.
    known: AtomicI64,
    /// Held by the one that appends. A wrong guess costs one refused write.
    end: tokio::sync::Mutex<Option<End>>,
}

struct Waiting {
    change: Change,
    position: oneshot::Sender<u64>,
}

#[derive(Clone, Copy)]
struct End {
    segment: i64,
    filled: i64,
}

impl End {
    fn or_next(self) -> Self {
        if is_full(self.filled) { Self { segment: self.segment + 1, filled: 0 } } else { self }
    }
}

impl LogTail {
    fn wait(&self, change: Change) -> Result<oneshot::Receiver<u64>, StoreError> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= MAX_WAITING {
            return Err(StoreError::Unavailable("too many changes wait to be logged".to_owned()));
        }
        let (position, answer) = oneshot::channel();
        waiting.push_back(Waiting { change, position });
        Ok(answer)
    }

    fn take(&self, most: usize) -> Vec<Waiting> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let count = waiting.len().min(most);
        waiting.drain(..count).collect()
    }
}

impl ScyllaStore {
    /// Appends a change; its position. Whoever gets the turn appends for all that wait. After an error the change may be
    /// in the log all the same.
    pub(super) async fn append(&self, change: &Change) -> Result<u64, StoreError> {
        let tail = self.log_tail();
        let mut answer = tail.wait(change.clone())?;
        let mut end = tail.end.lock().await;
        loop {
            match answer.try_recv() {
                Ok(position) => return Ok(position),
                // The one that appended for us failed or was broken off.
                Err(oneshot::error::TryRecvError::Closed) => return Err(StoreError::Timeout),
                Err(oneshot::error::TryRecvError::Empty) => {
                    let mut here = match *end {
                        Some(here) => here,
                        None => self.find_end().await?,
                    };
                    let group = tail.take(MAX_GROUP as usize);
                    let changes: Vec<Change> = group.iter().map(|waiting| waiting.change.clone()).collect();
                    *end = None;
                    let first = self.append_group(&mut here, &changes).await?;
                    *end = Some(here);
                    for (position, waiting) in (first..).zip(group) {
                        if waiting.position.send(position).is_err() {
                            tracing::debug!("nobody waits for a change that was logged");
                        }
                    }
                }
            }
        }
    }

    /// Appends a group at the end; the position of its first entry.
    async fn append_group(&self, end: &mut End, changes: &[Change]) -> Result<u64, StoreError> {
        let (statements, op) = (self.statements(), self.operation());
        let count = i64::try_from(changes.len()).unwrap_or(i64::MAX);
        let body = encode(LOG, &changes)?;
        let mut batch = Batch::new(BatchType::Unlogged);
        batch.append_statement(statements.log.fill.clone());
        batch.append_statement(statements.log.append.clone());
        batch.set_execution_profile_handle(statements.log.fill.get_execution_profile_handle().cloned());
        for _ in 0..ATTEMPTS {
            let End { segment, filled } = *end;
            let before = (filled > 0).then_some(filled);
            let values = ((filled + count, segment, before), (segment, filled, count, &op[..], &body[..]));
            let applied = match self.conditional_batch(&batch, values).await? {
                Conditional::Applied => true,
                Conditional::Refused => false,
                // Should it be applied after this look, the entries are there twice, which readers mend.
                Conditional::Unknown => self.is_appended(segment, filled, &op).await?,
            };
            if applied {
                *end = End { segment, filled: filled + count }.or_next();
                return Ok((segment * SEGMENT + filled + 1).cast_unsigned());
            }
            *end = self.end_from(segment).await?;
        }
        Err(StoreError::Timeout)
    }

    async fn is_appended(&self, segment: i64, first: i64, op: &[u8]) -> Result<bool, StoreError> {
        let rows: Vec<(Vec<u8>,)> = self.rows_of(LOG, &self.statements().log.group, (segment, first)).await?;
        Ok(rows.first().is_some_and(|(there,)| there == op))
    }

    /// How many entries a segment has, after every append that was begun is done or impossible.
    async fn filled(&self, segment: i64) -> Result<i64, StoreError> {
        let rows: Vec<(Option<i64>,)> = self.rows_of(LOG, &self.statements().log.filled, (segment,)).await?;
        Ok(rows.first().and_then(|(filled,)| *filled).unwrap_or(0))
    }

    /// The end, which lies in `segment` or behind it.
    async fn end_from(&self, mut segment: i64) -> Result<End, StoreError> {
        loop {
            let filled = self.filled(segment).await?;
            if !is_full(filled) {
                return Ok(End { segment, filled });
            }
            segment += 1;
        }
    }

    /// The index behind the last entry: positions begin at 1, so it is the last one's position.
    pub(super) async fn end_position(&self) -> Result<i64, StoreError> {
        let known = &self.log_tail().known;
        let end = match known.load(Ordering::Relaxed) {
            0 => self.find_end().await?,
            segment => self.end_from(segment).await?,
        };
        known.fetch_max(end.segment, Ordering::Relaxed);
        Ok(end.segment * SEGMENT + end.filled)
    }

    /// The end, found by doubling and halving: all segments before the end's are full and none behind it is.
    async fn find_end(&self) -> Result<End, StoreError> {
        let (mut low, mut high) = (0, 1);
        while is_full(self.filled(high - 1).await?) {
            low = high;
            high *= 2;
        }
        while low < high - 1 {
            let middle = i64::midpoint(low, high - 1);
            if is_full(self.filled(middle).await?) {
                low = middle + 1;
            } else {
                high = middle + 1;
            }
        }
        self.end_from(low).await
    }
}
