//! Runs with their items and rows, and single requested matches.

use async_trait::async_trait;
use tandem_domain::document::Failure;
use tandem_domain::ids::{MatchId, OwnerId, RunId};
use tandem_domain::run::{ItemOutcome, MatchRun, PairMatch, PairOutcome, Progress, RowKey, RunRow};

use crate::documents::Page;
use crate::error::{StoreError, Write};

/// Keeps match runs and matches.
#[async_trait]
pub trait RunStore: Send + Sync + 'static {
    /// Makes a run. Conflict: the owner's run of the same id or operation, which stays as it is.
    async fn create_run(&self, run: &MatchRun) -> Result<Write<MatchRun>, StoreError>;

    /// The owner's run of this id.
    async fn run(&self, owner: &OwnerId, id: RunId) -> Result<Option<MatchRun>, StoreError>;

    /// Keeps how an item ended, rows and outcome in one. Conflict: it has ended already; what is kept stays.
    async fn finish_item(
        &self,
        owner: &OwnerId,
        run: RunId,
        item: u32,
        outcome: &ItemOutcome,
    ) -> Result<Write<()>, StoreError>;

    /// Whether an item has ended.
    async fn item_is_finished(&self, owner: &OwnerId, run: RunId, item: u32) -> Result<bool, StoreError>;

    /// Counts a run's items; `None` if the owner has no such run.
    async fn progress(&self, owner: &OwnerId, run: RunId) -> Result<Option<Progress>, StoreError>;

    /// How many rows the items of a run have that have ended; 0 if the owner has no such run.
    async fn count_rows(&self, owner: &OwnerId, run: RunId) -> Result<u64, StoreError>;

    /// The rows behind `after`, in order of item and rank, at most `limit`.
    async fn rows(
        &self,
        owner: &OwnerId,
        run: RunId,
        after: Option<RowKey>,
        limit: u32,
    ) -> Result<Vec<(RowKey, RunRow)>, StoreError>;

    /// The failed items with their reasons, in order, at most `limit`.
    async fn failed_items(
        &self,
        owner: &OwnerId,
        run: RunId,
        limit: u32,
    ) -> Result<Vec<(u32, Failure)>, StoreError>;

    /// The owner's runs, newest first, by their ids.
    async fn list_runs(&self, owner: &OwnerId, page: Page<RunId>) -> Result<Vec<RunId>, StoreError>;

    /// Forgets a run with its items and rows, if there is one; durable when it returns. Broken off, it can be repeated:
    /// the run is listed until everything of it is gone.
    async fn forget_run(&self, owner: &OwnerId, id: RunId) -> Result<(), StoreError>;

    /// Makes a match. Conflict: the owner's match of the same id or operation, which stays as it is.
    async fn create_match(&self, pair: &PairMatch) -> Result<Write<PairMatch>, StoreError>;

    /// The owner's match of this id.
    async fn pair_match(&self, owner: &OwnerId, id: MatchId) -> Result<Option<PairMatch>, StoreError>;

    /// The owner's matches, newest first.
    async fn list_matches(&self, owner: &OwnerId, page: Page<MatchId>) -> Result<Vec<PairMatch>, StoreError>;

    /// Forgets a match, if there is one; durable when it returns.
    async fn forget_match(&self, owner: &OwnerId, id: MatchId) -> Result<(), StoreError>;

    /// Keeps how a match ended. Conflict: it has ended already (or does not exist); what is kept stays.
    async fn finish_match(
        &self,
        owner: &OwnerId,
        id: MatchId,
        outcome: &PairOutcome,
    ) -> Result<Write<()>, StoreError>;
}
