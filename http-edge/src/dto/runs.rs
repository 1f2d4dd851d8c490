//! Match runs on the wire.

use std::fmt;

use serde::de::value::SeqAccessDeserializer;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use tandem_domain::document::DocumentKind as DomainKind;
use tandem_domain::ids::DocumentId;
use tandem_domain::run::{
    MatchRun, Progress as DomainProgress, RowKey, RunRow, RunSpec, RunState, Selection,
};
use tandem_domain::score::{Score, Weights as DomainWeights};
use tandem_messages::runs::RunView;
use utoipa::ToSchema;
use utoipa::openapi::schema::{ArrayBuilder, OneOfBuilder, Schema};

use super::common::{Failure, Id, Status};
use super::document::DocumentKind;
use super::envelope::{constant, uuid};
use super::score::{Summary, Weights};
use crate::problem::Problem;

/// Rows per query where nothing else is asked for.
const DEFAULT_TOP: u32 = 10;

/// The side that asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum QueryKind {
    /// Rank résumés for each job.
    Job,
    /// Rank jobs for each résumé.
    Resume,
}

/// The documents that are ranked: `"all"` or a list of ids.
#[derive(Debug, Default)]
pub(crate) enum Candidates {
    #[default]
    All,
    Ids(Vec<Id>),
}

impl<'de> Deserialize<'de> for Candidates {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct CandidatesVisitor;
        impl<'de> Visitor<'de> for CandidatesVisitor {
            type Value = Candidates;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"all\" or a list of UUIDs")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Candidates, E> {
                if text == "all" {
                    Ok(Candidates::All)
                } else {
                    Err(E::custom("expected \"all\" or a list of UUIDs"))
                }
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Candidates, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(Candidates::Ids)
            }
        }
        deserializer.deserialize_any(CandidatesVisitor)
    }
}

fn candidates_schema() -> Schema {
    let list = ArrayBuilder::new().items(uuid()).build();
    OneOfBuilder::new().item(constant("all")).item(list).build().into()
}

/// What a run is to do.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "query": "job", "queries": ["0190b6a2-9a51-7c3e-8f6d-0d2f6c1a7b11"], "candidates": "all", "top": 10
}))]
pub(crate) struct CreateRun {
    /// The side that asks.
    pub(crate) query: QueryKind,
    /// The documents that ask, in this order.
    #[schema(min_items = 1, max_items = 100000)]
    pub(crate) queries: Vec<Id>,
    /// The documents that are ranked: all that are searchable, or these.
    #[serde(default)]
    #[schema(schema_with = candidates_schema)]
    pub(crate) candidates: Candidates,
    /// Rows per query.
    #[serde(default = "default_top")]
    #[schema(minimum = 1, maximum = 1000, default = 10)]
    pub(crate) top: u32,
    /// Rows under this score, in points, are left out; `minScore` is the same.
    #[serde(default, alias = "minScore")]
    #[schema(minimum = 0, maximum = 10000, default = 0)]
    pub(crate) min_score: i32,
    /// How much each category counts; the node's own weights where it is left out.
    pub(crate) weights: Option<Weights>,
}

const fn default_top() -> u32 {
    DEFAULT_TOP
}

impl CreateRun {
    /// The run as the actors take it, with these weights where it names none.
    pub(crate) fn checked(self, weights: DomainWeights) -> Result<RunSpec, Problem> {
        let ids = |ids: Vec<Id>| ids.into_iter().map(|id| DocumentId::from_uuid(id.0)).collect();
        let spec = RunSpec {
            query_kind: match self.query {
                QueryKind::Job => DomainKind::Job,
                QueryKind::Resume => DomainKind::Resume,
            },
            queries: ids(self.queries),
            candidates: match self.candidates {
                Candidates::All => Selection::All,
                Candidates::Ids(list) => Selection::Ids(ids(list)),
            },
            top: self.top,
            min_score: Score::try_from(self.min_score)
                .map_err(|error| Problem::validation(format!("field `min_score`: {error}")))?,
            weights: self.weights.map_or(Ok(weights), Weights::checked)?,
        };
        spec.validate().map_err(|error| Problem::validation(error.to_string()))?;
        Ok(spec)
    }
}

/// A run and how far it has come.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Run {
    /// Its id.
    #[schema(format = "uuid")]
    pub(crate) id: String,
    /// How far it has come.
    pub(crate) status: Status,
    /// Counted from its items, one for each query.
    pub(crate) progress: Progress,
    /// Items that could not be ranked, at most 100 of them; `progress.failed` counts them all.
    pub(crate) failed_items: Vec<FailedItem>,
    /// The side that asks.
    pub(crate) query: DocumentKind,
    /// How many documents are ranked; null = all that are searchable.
    pub(crate) candidates: Option<usize>,
    /// Rows per query.
    pub(crate) top: u32,
    /// Rows under this score, in points, are left out.
    pub(crate) min_score: i32,
    /// How much each category counts.
    pub(crate) weights: Weights,
    /// When it was accepted (RFC 3339).
    #[schema(format = DateTime)]
    pub(crate) created_at: String,
}

/// How far a run has come.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Progress {
    /// Items altogether.
    pub(crate) items: u32,
    /// Items whose rows are there.
    pub(crate) done: u32,
    /// Items given up.
    pub(crate) failed: u32,
    /// Items that were called off.
    #[serde(rename = "cancelled")]
    pub(crate) canceled: u32,
}

/// An item that could not be ranked.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FailedItem {
    /// Its number, from 0.
    pub(crate) item: u32,
    /// The document that asked.
    #[schema(format = "uuid")]
    pub(crate) query_id: Option<String>,
    /// Why.
    pub(crate) failure: Failure,
}

/// A run's progress as a status.
pub(crate) fn status(progress: &DomainProgress) -> Status {
    match progress.state() {
        RunState::Queued => Status::Queued,
        RunState::Running => Status::Processing,
        RunState::Complete => Status::Complete,
        RunState::Failed => Status::Failed,
        RunState::Canceled => Status::Canceled,
    }
}

/// The document that asked as item `number`.
fn query_id(run: &MatchRun, number: u32) -> Option<String> {
    run.spec.queries.get(number as usize).map(ToString::to_string)
}

impl Run {
    /// A run with its failed items.
    pub(crate) fn new(view: RunView, failed: Vec<(u32, tandem_domain::document::Failure)>) -> Self {
        let RunView { run, progress } = view;
        let failed = failed.into_iter();
        Self {
            id: run.id.to_string(),
            status: status(&progress),
            progress: Progress {
                items: progress.items,
                done: progress.done,
                failed: progress.failed,
                canceled: progress.canceled,
            },
            failed_items: failed
                .map(|(item, why)| FailedItem { item, query_id: query_id(&run, item), failure: why.into() })
                .collect(),
            query: run.spec.query_kind.into(),
            candidates: match &run.spec.candidates {
                Selection::All => None,
                Selection::Ids(ids) => Some(ids.len()),
            },
            top: run.spec.top,
            min_score: run.spec.min_score.points(),
            weights: run.spec.weights.into(),
            created_at: run.created_at.to_string(),
        }
    }
}

/// A page of results, in order of item and rank.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Results {
    /// How far the run has come: while it is processing, more rows may follow the last page.
    pub(crate) status: Status,
    /// The rows.
    pub(crate) items: Vec<Row>,
    /// Hand it back as `cursor` to read on; null when these are all the rows there are now.
    pub(crate) next_cursor: Option<String>,
}

/// One ranked candidate.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Row {
    /// The item's number, from 0.
    pub(crate) item: u32,
    /// The document that asked.
    #[schema(format = "uuid")]
    pub(crate) query_id: Option<String>,
    /// The rank, from 1.
    pub(crate) rank: u32,
    /// The document that was ranked.
    #[schema(format = "uuid")]
    pub(crate) candidate_id: String,
    /// The score with its reasons.
    #[serde(flatten)]
    pub(crate) summary: Summary,
}

impl Row {
    /// A row of this run.
    pub(crate) fn new(run: &MatchRun, (key, row): (RowKey, RunRow)) -> Self {
        Self {
            item: key.item,
            query_id: query_id(run, key.item),
            rank: key.rank,
            candidate_id: row.candidate.to_string(),
            summary: row.scored.into(),
        }
    }
}
