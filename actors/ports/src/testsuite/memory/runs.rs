//! Runs and matches of the model.

use async_trait::async_trait;
use tandem_domain::document::Failure;
use tandem_domain::ids::{MatchId, OwnerId, RunId};
use tandem_domain::run::{ItemOutcome, MatchRun, PairMatch, PairOutcome, Progress, RowKey, RunRow};

use super::{MemoryStore, locked, page_limit};
use crate::documents::Page;
use crate::error::{StoreError, Write};
use crate::runs::RunStore;

#[async_trait]
impl RunStore for MemoryStore {
    async fn create_run(&self, run: &MatchRun) -> Result<Write<MatchRun>, StoreError> {
        let runs = &mut locked(&self.0).runs;
        let key = (run.owner.clone(), run.id);
        let twin = runs
            .get(&key)
            .or_else(|| runs.values().find(|r| r.owner == run.owner && r.operation == run.operation));
        if let Some(twin) = twin {
            return Ok(Write::Conflict(twin.clone()));
        }
        runs.insert(key, run.clone());
        Ok(Write::Applied)
    }

    async fn run(&self, owner: &OwnerId, id: RunId) -> Result<Option<MatchRun>, StoreError> {
        Ok(locked(&self.0).runs.get(&(owner.clone(), id)).cloned())
    }

    async fn finish_item(
        &self,
        owner: &OwnerId,
        run: RunId,
        item: u32,
        outcome: &ItemOutcome,
    ) -> Result<Write<()>, StoreError> {
        let mut state = locked(&self.0);
        let items = state.items.entry((owner.clone(), run)).or_default();
        if items.contains_key(&item) {
            return Ok(Write::Conflict(()));
        }
        items.insert(item, outcome.clone());
        Ok(Write::Applied)
    }

    async fn item_is_finished(&self, owner: &OwnerId, run: RunId, item: u32) -> Result<bool, StoreError> {
        let state = locked(&self.0);
        Ok(state.items.get(&(owner.clone(), run)).is_some_and(|items| items.contains_key(&item)))
    }

    async fn progress(&self, owner: &OwnerId, run: RunId) -> Result<Option<Progress>, StoreError> {
        let state = locked(&self.0);
        let key = (owner.clone(), run);
        let Some(row) = state.runs.get(&key) else { return Ok(None) };
        let mut progress = Progress { items: row.spec.queries.len() as u32, ..Progress::default() };
        for outcome in state.items.get(&key).into_iter().flat_map(|items| items.values()) {
            match outcome {
                ItemOutcome::Ranked(_) => progress.done += 1,
                ItemOutcome::Failed(_) => progress.failed += 1,
                ItemOutcome::Canceled => progress.canceled += 1,
            }
        }
        Ok(Some(progress))
    }

    async fn count_rows(&self, owner: &OwnerId, run: RunId) -> Result<u64, StoreError> {
        let state = locked(&self.0);
        let items = state.items.get(&(owner.clone(), run)).into_iter().flatten();
        let rows = items.map(|(_, outcome)| match outcome {
            ItemOutcome::Ranked(rows) => rows.len() as u64,
            ItemOutcome::Failed(_) | ItemOutcome::Canceled => 0,
        });
        Ok(rows.sum())
    }

    async fn rows(
        &self,
        owner: &OwnerId,
        run: RunId,
        after: Option<RowKey>,
        limit: u32,
    ) -> Result<Vec<(RowKey, RunRow)>, StoreError> {
        let state = locked(&self.0);
        let items = state.items.get(&(owner.clone(), run)).into_iter().flatten();
        let rows = items.flat_map(|(item, outcome)| match outcome {
            ItemOutcome::Ranked(rows) => {
                let keys = (1..).map(|rank| RowKey { item: *item, rank });
                keys.zip(rows.iter().cloned()).collect()
            }
            ItemOutcome::Failed(_) | ItemOutcome::Canceled => Vec::new(),
        });
        Ok(rows.filter(|(key, _)| after.is_none_or(|after| *key > after)).take(limit as usize).collect())
    }

    async fn failed_items(
        &self,
        owner: &OwnerId,
        run: RunId,
        limit: u32,
    ) -> Result<Vec<(u32, Failure)>, StoreError> {
        let state = locked(&self.0);
        let items = state.items.get(&(owner.clone(), run)).into_iter().flatten();
        let failed = items.filter_map(|(item, outcome)| match outcome {
            ItemOutcome::Failed(failure) => Some((*item, failure.clone())),
            ItemOutcome::Ranked(_) | ItemOutcome::Canceled => None,
        });
        Ok(failed.take(limit as usize).collect())
    }

    async fn list_runs(&self, owner: &OwnerId, page: Page<RunId>) -> Result<Vec<RunId>, StoreError> {
        let state = locked(&self.0);
        let runs =
            state.runs.keys().filter(|(of, id)| of == owner && page.after.is_none_or(|after| *id < after));
        let mut ids: Vec<RunId> = runs.map(|(_, id)| *id).collect();
        ids.sort_by(|a, b| b.cmp(a));
        ids.truncate(page_limit(page.limit));
        Ok(ids)
    }

    async fn forget_run(&self, owner: &OwnerId, id: RunId) -> Result<(), StoreError> {
        let (mut state, key) = (locked(&self.0), (owner.clone(), id));
        state.items.remove(&key);
        state.runs.remove(&key);
        Ok(())
    }

    async fn forget_match(&self, owner: &OwnerId, id: MatchId) -> Result<(), StoreError> {
        locked(&self.0).matches.remove(&(owner.clone(), id));
        Ok(())
    }

    async fn create_match(&self, pair: &PairMatch) -> Result<Write<PairMatch>, StoreError> {
        let matches = &mut locked(&self.0).matches;
        let key = (pair.owner.clone(), pair.id);
        let twin = matches
            .get(&key)
            .or_else(|| matches.values().find(|m| m.owner == pair.owner && m.operation == pair.operation));
        if let Some(twin) = twin {
            return Ok(Write::Conflict(twin.clone()));
        }
        matches.insert(key, pair.clone());
        Ok(Write::Applied)
    }

    async fn pair_match(&self, owner: &OwnerId, id: MatchId) -> Result<Option<PairMatch>, StoreError> {
        Ok(locked(&self.0).matches.get(&(owner.clone(), id)).cloned())
    }

    async fn list_matches(&self, owner: &OwnerId, page: Page<MatchId>) -> Result<Vec<PairMatch>, StoreError> {
        let state = locked(&self.0);
        let matches = state.matches.values().rev().filter(|m| m.owner == *owner);
        let behind = matches.filter(|m| page.after.is_none_or(|after| m.id < after));
        Ok(behind.take(page_limit(page.limit)).cloned().collect())
    }

    async fn finish_match(
        &self,
        owner: &OwnerId,
        id: MatchId,
        outcome: &PairOutcome,
    ) -> Result<Write<()>, StoreError> {
        let mut state = locked(&self.0);
        match state.matches.get_mut(&(owner.clone(), id)) {
            Some(pair) if pair.outcome.is_none() => {
                pair.outcome = Some(outcome.clone());
                Ok(Write::Applied)
            }
            Some(_) | None => Ok(Write::Conflict(())),
        }
    }
}
