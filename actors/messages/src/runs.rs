//! Talk about match runs.

use serde::{Deserialize, Serialize};
use tandem_domain::document::Failure;
use tandem_domain::ids::{OperationId, OwnerId, RunId};
use tandem_domain::run::{MatchRun, Progress, RowKey, RunRow, RunSpec};

/// Rank candidates for many queries. Answered as soon as the run is durable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateRun {
    /// Whose documents.
    pub owner: OwnerId,
    /// The intent: asking again with the same id finds the same run.
    pub operation: OperationId,
    /// What is to be done.
    pub spec: RunSpec,
}

/// Show a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetRun {
    /// Whose.
    pub owner: OwnerId,
    /// Which.
    pub id: RunId,
}

/// Cancel a run. Answered as soon as the cancellation is durable, with the run as it stood then; its items that have
/// not ended end soon after. A run that is settled stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelRun {
    /// Whose.
    pub owner: OwnerId,
    /// Which.
    pub id: RunId,
}

/// A run and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunView {
    /// The run.
    pub run: MatchRun,
    /// Counted from its items.
    pub progress: Progress,
}

/// Read the rows of a run, in order of item and rank.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetRows {
    /// Whose.
    pub owner: OwnerId,
    /// Which run.
    pub id: RunId,
    /// Begin behind this row.
    pub after: Option<RowKey>,
    /// At most this many, 1..=1000.
    pub limit: u32,
}

/// A page of rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowPage {
    /// In order of item and rank.
    pub rows: Vec<(RowKey, RunRow)>,
    /// Where the next page begins; `None` when these were all the rows there are now.
    pub next: Option<RowKey>,
}

/// Which items of a run could not be ranked, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetFailedItems {
    /// Whose.
    pub owner: OwnerId,
    /// Which run.
    pub id: RunId,
    /// At most this many, 1..=1000.
    pub limit: u32,
}

/// Failed items, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedItems {
    /// The item's number and the reason.
    pub items: Vec<(u32, Failure)>,
}
