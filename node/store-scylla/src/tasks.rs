//! Tasks, and the index of those that are unsettled.

use async_trait::async_trait;
use futures::future::try_join_all;
use tandem_domain::ids::{OwnerId, TaskId, derived};
use tandem_domain::task::{Task, TaskRef, TaskState};
use tandem_ports::{StoreError, TaskStore, Write};

use crate::cells::{At, Next, Written};
use crate::codec::{decode, encode};
use crate::error::corrupt;
use crate::lists::{merged, uuid};
use crate::store::{ScyllaStore, limited};

const TABLE: &str = "tasks";
const UNSETTLED: &str = "unsettled_tasks";

/// Partitions of the index.
const SHARDS: u8 = 64;
/// The fewest entries that are read of each partition at once.
const LEAST_PAGE: usize = 16;

fn shard_of(owner: &OwnerId, id: TaskId) -> i32 {
    let derived = derived("unsettled", &[owner.as_str().as_bytes(), id.as_uuid().as_bytes()]);
    i32::from(derived.as_bytes()[0] % SHARDS)
}

const fn is_settled(state: &TaskState) -> bool {
    matches!(state, TaskState::Done | TaskState::Dead)
}

impl ScyllaStore {
    async fn task_of(&self, key: &TaskRef) -> Result<Option<Task>, StoreError> {
        let id = key.id.as_uuid().into_bytes();
        let at = At { table: &self.statements().tasks, owner: &key.owner, key: &id };
        self.cell(at).await?.map(|cell| decode(TABLE, &cell.body)).transpose()
    }

    /// Puts a task into the index before its row says that it is unsettled. The write's time is the row's revision, so
    /// that entries and removals take effect in the order of revisions, whatever the clocks and delays of their writers:
    /// revision r enters at 2r + 1 and leaves at 2r.
    async fn index_unsettled(&self, task: &Task) -> Result<(), StoreError> {
        let (shard, id) = (shard_of(&task.owner, task.id), task.id.as_uuid().into_bytes());
        let time = task.rev.cast_signed().saturating_mul(2).saturating_add(1);
        self.run(&self.statements().add_unsettled, (shard, task.owner.as_str(), &id[..], time)).await?;
        Ok(())
    }

    /// Takes a settled task out of the index. Should this fail, the next reader does it.
    async fn unindex(&self, task: &Task, time: i64) {
        let (shard, id) = (shard_of(&task.owner, task.id), task.id.as_uuid().into_bytes());
        let statement = &self.statements().drop_unsettled;
        if let Err(error) = self.run(statement, (time, shard, task.owner.as_str(), &id[..])).await {
            tracing::warn!(%error, "a settled task stays in the index of unsettled ones for now");
        }
    }

    /// The next keys of the index behind `after`, and whether there may be more.
    async fn unsettled_keys(
        &self,
        after: Option<&TaskRef>,
        size: usize,
    ) -> Result<(Vec<TaskRef>, bool), StoreError> {
        // No owner is empty, so this lies before every key.
        let (owner, id) =
            after.map_or(("", [0; 16]), |after| (after.owner.as_str(), after.id.as_uuid().into_bytes()));
        let (statement, id) = (&self.statements().unsettled, &id[..]);
        let limit = i32::try_from(size).unwrap_or(i32::MAX);
        let reads = (0..i32::from(SHARDS)).map(|shard| async move {
            let rows: Vec<(String, Vec<u8>)> =
                self.rows_of(UNSETTLED, statement, (shard, owner, id, limit)).await?;
            let key = |(owner, id): (String, Vec<u8>)| {
                let owner = OwnerId::try_from(owner).map_err(|error| corrupt(UNSETTLED, error.reason))?;
                Ok(TaskRef { owner, id: TaskId::from_uuid(uuid(UNSETTLED, &id)?) })
            };
            rows.into_iter().map(key).collect::<Result<Vec<_>, StoreError>>()
        });
        Ok(merged(try_join_all(reads).await?, size, Clone::clone))
    }
}

#[async_trait]
impl TaskStore for ScyllaStore {
    async fn file(&self, task: &Task) -> Result<Write<Task>, StoreError> {
        let (id, op, body) = (task.id.as_uuid().into_bytes(), self.operation(), encode(TABLE, task)?);
        if !is_settled(&task.state) {
            self.index_unsettled(task).await?;
        }
        let at = At { table: &self.statements().tasks, owner: &task.owner, key: &id };
        match self.insert_cell(at, Next { op: &op, rev: task.rev.cast_signed(), body: &body }).await? {
            Written::Done => Ok(Write::Applied),
            Written::Other(Some(cell)) => Ok(Write::Conflict(decode(TABLE, &cell.body)?)),
            Written::Other(None) | Written::Unknown => Ok(Write::Unknown),
        }
    }

    async fn task(&self, key: &TaskRef) -> Result<Option<Task>, StoreError> {
        self.task_of(key).await
    }

    async fn replace(&self, task: &Task) -> Result<Write<Option<Task>>, StoreError> {
        let (id, op, body) = (task.id.as_uuid().into_bytes(), self.operation(), encode(TABLE, task)?);
        // A leased task was queued before and is in the index.
        if task.state == TaskState::Queued {
            self.index_unsettled(task).await?;
        }
        let at = At { table: &self.statements().tasks, owner: &task.owner, key: &id };
        let rev = task.rev.cast_signed();
        match self.replace_cell(at, rev.wrapping_sub(1), Next { op: &op, rev, body: &body }).await? {
            Written::Done => {
                if is_settled(&task.state) {
                    self.unindex(task, rev.saturating_mul(2)).await;
                }
                Ok(Write::Applied)
            }
            Written::Other(cell) => {
                let there = cell.map(|cell| decode(TABLE, &cell.body)).transpose()?;
                Ok(Write::Conflict(there))
            }
            Written::Unknown => Ok(Write::Unknown),
        }
    }

    async fn unsettled(&self, after: Option<&TaskRef>, limit: u32) -> Result<Vec<Task>, StoreError> {
        let limit = limited(limit);
        let size = (limit / usize::from(SHARDS) * 2).max(LEAST_PAGE);
        let (mut found, mut after) = (Vec::new(), after.cloned());
        while found.len() < limit {
            let (keys, more) = self.unsettled_keys(after.as_ref(), size).await?;
            for wave in keys.chunks(limit) {
                let tasks = try_join_all(wave.iter().map(|key| self.task_of(key))).await?;
                for task in tasks.into_iter().flatten() {
                    if is_settled(&task.state) {
                        // The entry of a refused write of the same revision is the youngest there can be.
                        self.unindex(&task, task.rev.cast_signed().saturating_mul(2).saturating_add(1)).await;
                    } else {
                        found.push(task);
                    }
                }
                if found.len() >= limit {
                    break;
                }
            }
            after = keys.last().cloned();
            if !more {
                break;
            }
        }
        found.truncate(limit);
        Ok(found)
    }
}
