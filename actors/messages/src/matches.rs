//! Talk about single pairs.

use serde::{Deserialize, Serialize};
use tandem_domain::ids::{DocumentId, MatchId, OperationId, OwnerId};
use tandem_domain::run::PairMatch;
use tandem_domain::score::Weights;

/// Score this résumé with this job. Answered as soon as the request is durable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateMatch {
    /// Whose documents.
    pub owner: OwnerId,
    /// The intent: asking again with the same id finds the same match.
    pub operation: OperationId,
    /// The résumé.
    pub resume: DocumentId,
    /// The job.
    pub job: DocumentId,
    /// How much each category counts.
    pub weights: Weights,
}

/// Show a match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetMatch {
    /// Whose.
    pub owner: OwnerId,
    /// Which.
    pub id: MatchId,
}

/// A match as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatchView {
    /// The match.
    pub pair: PairMatch,
}

/// List an owner's matches, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListMatches {
    /// Whose.
    pub owner: OwnerId,
    /// Begin behind this one.
    pub after: Option<MatchId>,
    /// At most this many, 1..=1000.
    pub limit: u32,
}

/// A page of matches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatchPage {
    /// Newest first.
    pub matches: Vec<PairMatch>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<MatchId>,
}
