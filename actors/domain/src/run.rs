//! Match runs (many queries against many candidates) and single requested matches.

use serde::{Deserialize, Serialize};

use crate::document::{DocumentKind, Failure};
use crate::ids::{DocumentId, MatchId, OperationId, OwnerId, RunId};
use crate::score::{MatchScore, Receipt, Score, Weights};
use crate::time::Timestamp;

#[cfg(test)]
mod tests;

/// Which documents take part on one side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Selection {
    /// All of the owner's that are searchable.
    All,
    /// These.
    Ids(Vec<DocumentId>),
}

/// What a run is asked to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunSpec {
    /// The side that asks: `Job` ranks résumés for each job, `Resume` ranks jobs for each résumé.
    pub query_kind: DocumentKind,
    /// The documents that ask, one item each, in this order.
    pub queries: Vec<DocumentId>,
    /// The documents that are ranked.
    pub candidates: Selection,
    /// Rows per item, 1..=[`RunSpec::MAX_TOP`].
    pub top: u32,
    /// Rows under this score are left out.
    pub min_score: Score,
    /// How much each category counts.
    pub weights: Weights,
}

/// Why a spec is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunSpecError {
    /// Nothing asks.
    #[error("a run needs at least one query document")]
    NoQueries,
    /// Too much asks.
    #[error("a run takes at most {max} query documents, this one has {found}", max = RunSpec::MAX_ITEMS)]
    TooManyQueries {
        /// How many there are.
        found: usize,
    },
    /// Too many candidates by id.
    #[error("a run takes at most {max} candidates by id, this one has {found}; leave the list out to rank all", max = RunSpec::MAX_CANDIDATES)]
    TooManyCandidates {
        /// How many there are.
        found: usize,
    },
    /// `top` out of range.
    #[error("top must lie in 1..={max}", max = RunSpec::MAX_TOP)]
    Top,
}

impl RunSpec {
    /// The most rows per item.
    pub const MAX_TOP: u32 = 1_000;
    /// The most items of one run.
    pub const MAX_ITEMS: usize = 100_000;
    /// The most candidates named by id.
    pub const MAX_CANDIDATES: usize = 100_000;

    /// Checks the bounds.
    ///
    /// # Errors
    /// The first bound that is broken.
    pub fn validate(&self) -> Result<(), RunSpecError> {
        if self.queries.is_empty() {
            return Err(RunSpecError::NoQueries);
        }
        if self.queries.len() > Self::MAX_ITEMS {
            return Err(RunSpecError::TooManyQueries { found: self.queries.len() });
        }
        if let Selection::Ids(ids) = &self.candidates
            && ids.len() > Self::MAX_CANDIDATES
        {
            return Err(RunSpecError::TooManyCandidates { found: ids.len() });
        }
        if !(1..=Self::MAX_TOP).contains(&self.top) { Err(RunSpecError::Top) } else { Ok(()) }
    }

    /// The kind that is ranked.
    #[must_use]
    pub const fn candidate_kind(&self) -> DocumentKind {
        match self.query_kind {
            DocumentKind::Resume => DocumentKind::Job,
            DocumentKind::Job => DocumentKind::Resume,
        }
    }
}

/// Where a run stands. It follows from its items; see [`Progress::state`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// No item has been begun.
    Queued,
    /// Some items are done.
    Running,
    /// Every item is settled and at least one is done.
    Complete,
    /// Every item failed.
    Failed,
    /// Every item is settled and at least one was canceled. The word on the wire is the design's.
    #[serde(rename = "cancelled")]
    Canceled,
}

impl RunState {
    /// `queued`, `running`, `complete`, `failed` or `cancelled`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Complete => "complete",
            Self::Failed => "failed",
            Self::Canceled => "cancelled",
        }
    }

    /// True when nothing more will happen.
    #[must_use]
    pub const fn is_settled(self) -> bool {
        matches!(self, Self::Complete | Self::Failed | Self::Canceled)
    }
}

/// A run's row. Its progress is never kept: it is counted from the items.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatchRun {
    /// Whose.
    pub owner: OwnerId,
    /// Which.
    pub id: RunId,
    /// What it was asked to do.
    pub spec: RunSpec,
    /// The request that made it; asking again finds this run.
    pub operation: OperationId,
    /// When it was accepted.
    pub created_at: Timestamp,
}

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Progress {
    /// Items altogether.
    pub items: u32,
    /// Items whose rows are written.
    pub done: u32,
    /// Items given up.
    pub failed: u32,
    /// Items that were canceled before they ended otherwise.
    pub canceled: u32,
}

impl Progress {
    /// Items that have ended, however.
    #[must_use]
    pub const fn ended(&self) -> u32 {
        self.done.saturating_add(self.failed).saturating_add(self.canceled)
    }

    /// The state that follows.
    #[must_use]
    pub const fn state(&self) -> RunState {
        let settled = self.ended();
        if settled == 0 && self.items > 0 {
            RunState::Queued
        } else if settled < self.items {
            RunState::Running
        } else if self.canceled > 0 {
            RunState::Canceled
        } else if self.done == 0 {
            RunState::Failed
        } else {
            RunState::Complete
        }
    }
}

/// How one item of a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemOutcome {
    /// Its rows, best first; the row's place is its rank.
    Ranked(Vec<RunRow>),
    /// It could not be ranked.
    Failed(Failure),
    /// The run was canceled before it was ranked.
    Canceled,
}

/// One ranked candidate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRow {
    /// The candidate.
    pub candidate: DocumentId,
    /// Its score with reasons.
    pub scored: ScoredPair,
}

/// Where a row stands: rows are read in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RowKey {
    /// The item, from 0.
    pub item: u32,
    /// The rank, from 1.
    pub rank: u32,
}

/// A requested match of one pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairMatch {
    /// Whose.
    pub owner: OwnerId,
    /// Which.
    pub id: MatchId,
    /// The résumé.
    pub resume: DocumentId,
    /// The job.
    pub job: DocumentId,
    /// How much each category counts.
    pub weights: Weights,
    /// The request that made it; asking again finds this match.
    pub operation: OperationId,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// How it ended; `None` while it is queued.
    pub outcome: Option<PairOutcome>,
}

/// How a pair ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PairOutcome {
    /// It was scored.
    Scored(Box<ScoredPair>),
    /// It could not be scored.
    Failed(Failure),
}

/// A score and what it follows from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScoredPair {
    /// The score with reasons.
    pub score: MatchScore,
    /// What the score follows from.
    pub receipt: Receipt,
}
