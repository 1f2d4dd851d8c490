//! What is asked of shards and what they answer, in the form in which it travels between nodes.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tandem_domain::chunk::ModelKey;
use tandem_domain::document::{DocumentKind, Failure};
use tandem_domain::embedding::Embedding;
use tandem_domain::error::ErrorCode;
use tandem_domain::ids::{ContentDigest, DocumentId, OwnerId, RunId};
use tandem_domain::ranked::Features;
use tandem_domain::score::{Score, Weights};
use tandem_ports::documents::LogPosition;
use tandem_ports::index::{CorpusStatistics, Hit, LexicalQuery};

#[cfg(test)]
mod tests;

/// Features in one answer, in bytes of their encoding: the rest is asked for again. The largest of a single document
/// comes whole.
pub(crate) const FEATURES_BYTES: usize = 128 * 1024;

/// Which candidates may be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Among {
    /// All of the owner's that are searchable.
    All,
    /// Those that the owner's run names. The list itself stays in the store: it may be longer than a message.
    Run(RunId),
}

/// What some shards of one node are asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ShardRequest {
    /// Those of this model.
    pub(crate) model: ModelKey,
    /// Their numbers.
    pub(crate) shards: Vec<u16>,
    /// They answer once they have seen the change log up to here.
    pub(crate) at: LogPosition,
    pub(crate) question: Question,
}

/// A question to every shard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Question {
    /// Their part of the corpus statistics.
    Statistics(Arc<LexicalQuery>),
    /// The best of both arms.
    Candidates(Arc<CandidateQuestion>),
    /// The totals of those of the pool that lie in them.
    Totals(Arc<TotalsQuestion>),
    /// The features of documents.
    Features { owner: OwnerId, documents: Vec<DocumentId> },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct CandidateQuestion {
    pub(crate) owner: OwnerId,
    /// What is ranked.
    pub(crate) kind: DocumentKind,
    pub(crate) among: Among,
    pub(crate) vector: Embedding,
    pub(crate) words: Arc<LexicalQuery>,
    pub(crate) corpus: CorpusStatistics,
    /// Of each arm, at most.
    pub(crate) limit: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct TotalsQuestion {
    pub(crate) owner: OwnerId,
    /// What asks.
    pub(crate) kind: DocumentKind,
    pub(crate) features: Arc<Features>,
    pub(crate) weights: Weights,
    pub(crate) pool: Vec<DocumentId>,
}

/// How a candidate did, without the reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Total {
    pub(crate) score: Score,
    pub(crate) digest: ContentDigest,
    pub(crate) document: DocumentId,
}

impl Total {
    /// Best first; equal scores in the order of their digests.
    pub(crate) fn order(&self, other: &Self) -> std::cmp::Ordering {
        (other.score.cmp(&self.score))
            .then_with(|| self.digest.cmp(&other.digest))
            .then_with(|| self.document.cmp(&other.document))
    }
}

/// The answer of some shards of one node, already brought together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Answer {
    Statistics(CorpusStatistics),
    Candidates {
        dense: Vec<Hit>,
        lexical: Vec<Hit>,
    },
    Totals(Vec<Total>),
    Features {
        found: Vec<(DocumentId, Arc<Features>)>,
        /// Not all fitted: ask again for the others.
        more: bool,
    },
}

/// What travels: a version, so that nodes of two releases understand or refuse one another.
#[derive(Debug, Serialize, Deserialize)]
enum Wire<T> {
    V2(T),
}

pub(crate) fn encode<T: Serialize>(value: T) -> Result<Bytes, Failure> {
    let bytes = postcard::to_allocvec(&Wire::V2(value));
    bytes
        .map(Bytes::from)
        .map_err(|error| internal(format!("a message between nodes cannot be written: {error}")))
}

pub(crate) fn decode<T: for<'a> Deserialize<'a>>(bytes: &[u8]) -> Result<T, Failure> {
    let Wire::V2(value) = postcard::from_bytes(bytes)
        .map_err(|error| internal(format!("a message of another node cannot be read: {error}")))?;
    Ok(value)
}

/// The size of a value on its way.
pub(crate) fn size<T: Serialize>(value: &T) -> usize {
    postcard::experimental::serialized_size(value).unwrap_or(usize::MAX)
}

fn internal(reason: String) -> Failure {
    Failure { code: ErrorCode::Internal, reason }
}
