//! Runs with their items and rows, and single requested matches.

use async_trait::async_trait;
use futures::future::try_join_all;
use serde::{Deserialize, Serialize};
use tandem_domain::document::Failure;
use tandem_domain::ids::{MatchId, OperationId, OwnerId, RunId};
use tandem_domain::run::{ItemOutcome, MatchRun, PairMatch, PairOutcome, Progress, RowKey, RunRow};
use tandem_ports::documents::Page;
use tandem_ports::{RunStore, StoreError, Write};
use uuid::Uuid;

use crate::cells::{At, Next, Written};
use crate::codec::{decode, encode};
use crate::parts::Stored;
use crate::statements::{CellTable, Statements};
use crate::store::ScyllaStore;
use crate::unique::{Unique, space};

use items::ItemCounts;

mod items;

const RUNS: &str = "runs";
const MATCHES: &str = "matches";

/// The most rows of one page, as many as ten items may have.
const MAX_ROWS: u32 = 10_000;

/// How often the end of a match is tried that another write of it overtakes.
const FINISHES: u32 = 4;

/// What is kept in a run's cell; the run itself may be megabytes of ids.
#[derive(Serialize, Deserialize)]
struct RunHead {
    owner: OwnerId,
    id: RunId,
    operation: OperationId,
    items: u32,
    run: Stored,
}

impl Unique for RunHead {
    const LISTED: bool = true;

    fn table(statements: &Statements) -> &CellTable {
        &statements.runs
    }

    fn owner(&self) -> &OwnerId {
        &self.owner
    }

    fn id(&self) -> Uuid {
        self.id.as_uuid()
    }

    fn space(&self) -> u8 {
        space::RUNS
    }

    fn distinctions(&self) -> Vec<Vec<u8>> {
        vec![self.operation.as_uuid().into_bytes().to_vec()]
    }
}

impl Unique for PairMatch {
    const LISTED: bool = true;

    fn table(statements: &Statements) -> &CellTable {
        &statements.matches
    }

    fn owner(&self) -> &OwnerId {
        &self.owner
    }

    fn id(&self) -> Uuid {
        self.id.as_uuid()
    }

    fn space(&self) -> u8 {
        space::MATCHES
    }

    fn distinctions(&self) -> Vec<Vec<u8>> {
        vec![self.operation.as_uuid().into_bytes().to_vec()]
    }
}

impl ScyllaStore {
    async fn head(&self, owner: &OwnerId, id: RunId) -> Result<Option<RunHead>, StoreError> {
        self.by_id(owner, id.as_uuid()).await
    }

    async fn run_of(&self, head: RunHead) -> Result<MatchRun, StoreError> {
        decode(RUNS, &self.load(&head.owner, head.run).await?)
    }
}

#[async_trait]
impl RunStore for ScyllaStore {
    async fn create_run(&self, run: &MatchRun) -> Result<Write<MatchRun>, StoreError> {
        let MatchRun { owner, id, operation, .. } = run;
        if let Some(there) = self.head(owner, *id).await? {
            return Ok(Write::Conflict(self.run_of(there).await?));
        }
        let stored = self.store(owner, &self.operation(), encode(RUNS, run)?).await?;
        let items = u32::try_from(run.spec.queries.len()).unwrap_or(u32::MAX);
        let head =
            RunHead { owner: owner.clone(), id: *id, operation: *operation, items, run: stored.clone() };
        match self.create_unique(&head).await? {
            Write::Applied => Ok(Write::Applied),
            Write::Conflict(there) => {
                self.forget(owner, &stored).await;
                Ok(Write::Conflict(self.run_of(there).await?))
            }
            Write::Unknown => Ok(Write::Unknown),
        }
    }

    async fn run(&self, owner: &OwnerId, id: RunId) -> Result<Option<MatchRun>, StoreError> {
        match self.head(owner, id).await? {
            Some(head) => self.run_of(head).await.map(Some),
            None => Ok(None),
        }
    }

    async fn finish_item(
        &self,
        owner: &OwnerId,
        run: RunId,
        item: u32,
        outcome: &ItemOutcome,
    ) -> Result<Write<()>, StoreError> {
        self.end_item(owner, run, item, outcome).await
    }

    async fn item_is_finished(&self, owner: &OwnerId, run: RunId, item: u32) -> Result<bool, StoreError> {
        self.item_has_ended(owner, run, item).await
    }

    async fn progress(&self, owner: &OwnerId, run: RunId) -> Result<Option<Progress>, StoreError> {
        let Some(head) = self.head(owner, run).await? else { return Ok(None) };
        let counts = try_join_all(items::segments().map(|segment| self.count_items(owner, run, segment)));
        let mut progress = Progress { items: head.items, ..Progress::default() };
        for ItemCounts { done, failed, canceled } in counts.await? {
            progress.done += done;
            progress.failed += failed;
            progress.canceled += canceled;
        }
        Ok(Some(progress))
    }

    async fn count_rows(&self, owner: &OwnerId, run: RunId) -> Result<u64, StoreError> {
        let counts = items::segments().map(|segment| self.count_ranked(owner, run, segment));
        Ok(try_join_all(counts).await?.into_iter().sum())
    }

    async fn rows(
        &self,
        owner: &OwnerId,
        run: RunId,
        after: Option<RowKey>,
        limit: u32,
    ) -> Result<Vec<(RowKey, RunRow)>, StoreError> {
        self.read_rows(owner, run, after, limit.min(MAX_ROWS) as usize).await
    }

    async fn failed_items(
        &self,
        owner: &OwnerId,
        run: RunId,
        limit: u32,
    ) -> Result<Vec<(u32, Failure)>, StoreError> {
        self.read_failures(owner, run, limit.min(MAX_ROWS) as usize).await
    }

    async fn list_runs(&self, owner: &OwnerId, page: Page<RunId>) -> Result<Vec<RunId>, StoreError> {
        let after = page.after.map(|id| id.as_uuid());
        let heads: Vec<RunHead> = self.list_unique(owner, space::RUNS, after, page.limit).await?;
        Ok(heads.into_iter().map(|head| head.id).collect())
    }

    async fn forget_run(&self, owner: &OwnerId, id: RunId) -> Result<(), StoreError> {
        let Some(head) = self.head(owner, id).await? else { return Ok(()) };
        self.forget_items(owner, id, head.items).await?;
        self.drop_parts(owner, &head.run).await?;
        self.forget_unique(&head, &self.statements().forget.run).await
    }

    async fn forget_match(&self, owner: &OwnerId, id: MatchId) -> Result<(), StoreError> {
        match self.pair_match(owner, id).await? {
            Some(pair) => self.forget_unique(&pair, &self.statements().forget.pair).await,
            None => Ok(()),
        }
    }

    async fn create_match(&self, pair: &PairMatch) -> Result<Write<PairMatch>, StoreError> {
        self.create_unique(pair).await
    }

    async fn pair_match(&self, owner: &OwnerId, id: MatchId) -> Result<Option<PairMatch>, StoreError> {
        self.by_id(owner, id.as_uuid()).await
    }

    async fn list_matches(&self, owner: &OwnerId, page: Page<MatchId>) -> Result<Vec<PairMatch>, StoreError> {
        let after = page.after.map(|id| id.as_uuid());
        self.list_unique(owner, space::MATCHES, after, page.limit).await
    }

    async fn finish_match(
        &self,
        owner: &OwnerId,
        id: MatchId,
        outcome: &PairOutcome,
    ) -> Result<Write<()>, StoreError> {
        let (key, op) = (id.as_uuid().into_bytes(), self.operation());
        let at = At { table: &self.statements().matches, owner, key: &key };
        let mut cell = self.cell(at).await?;
        for _ in 0..FINISHES {
            let Some(there) = cell else { return Ok(Write::Conflict(())) };
            let mut pair: PairMatch = decode(MATCHES, &there.body)?;
            if pair.outcome.is_some() {
                return Ok(Write::Conflict(()));
            }
            pair.outcome = Some(outcome.clone());
            let body = encode(MATCHES, &pair)?;
            let next = Next { op: &op, rev: there.rev + 1, body: &body };
            match self.replace_cell(at, there.rev, next).await? {
                Written::Done => return Ok(Write::Applied),
                Written::Other(now) => cell = now,
                Written::Unknown => return Ok(Write::Unknown),
            }
        }
        Err(StoreError::Timeout)
    }
}
