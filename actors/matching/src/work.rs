//! The two match stages: items of runs, and single pairs that somebody waits for.

use std::collections::HashSet;
use std::sync::Arc;

use async_trait::async_trait;
use tandem_domain::document::{Document, DocumentKind, DocumentState, Failure, ParsedVersion};
use tandem_domain::error::ErrorCode;
use tandem_domain::ids::{DocumentId, OwnerId};
use tandem_domain::ranked::Features;
use tandem_domain::run::{ItemOutcome, MatchRun, PairMatch, PairOutcome, RunRow, ScoredPair, Selection};
use tandem_domain::task::{Task, TaskKind, TaskSubject};
use tandem_ports::{DocumentStore, RunStore};
use tandem_runtime::StageWork;

use crate::scorer::{receipt, score};
use crate::searcher::{Query, Ranked, Searcher};

#[cfg(test)]
mod tests;

/// Ranks the candidates of one item of a run.
pub struct RunItemWork {
    documents: Arc<dyn DocumentStore>,
    runs: Arc<dyn RunStore>,
    searcher: Searcher,
}

impl RunItemWork {
    /// Work on these ports.
    pub fn new(documents: Arc<dyn DocumentStore>, runs: Arc<dyn RunStore>, searcher: Searcher) -> Self {
        Self { documents, runs, searcher }
    }

    async fn rank(&self, run: &MatchRun, query: DocumentId) -> Result<Vec<RunRow>, Failure> {
        let spec = &run.spec;
        let ready = load(self.documents.as_ref(), &run.owner, spec.query_kind, query).await?;
        let among = match &spec.candidates {
            Selection::All => None,
            Selection::Ids(ids) => Some(Arc::new(ids.iter().copied().collect::<HashSet<_>>())),
        };
        let ranked = self
            .searcher
            .rank(Query {
                owner: run.owner.clone(),
                kind: spec.query_kind,
                ranked_text: ready.parsed.ranked_text,
                features: Arc::clone(&ready.features),
                among,
                weights: spec.weights,
                top: spec.top as usize,
                min_score: spec.min_score,
            })
            .await?;
        let row = |Ranked { document, features, score }: Ranked| {
            let (job, resume) = match spec.query_kind {
                DocumentKind::Job => (&ready.features, &features),
                DocumentKind::Resume => (&features, &ready.features),
            };
            let receipt = receipt(job, resume, &spec.weights);
            RunRow { candidate: document, scored: ScoredPair { score, receipt } }
        };
        Ok(ranked.into_iter().map(row).collect())
    }

    /// The run and the document that asks, unless the run is gone or the item has ended.
    async fn open_item(&self, task: &Task) -> Result<Option<(MatchRun, u32, DocumentId)>, Failure> {
        let TaskSubject::RunItem { run, item } = task.subject else {
            return Err(internal("a bulk match task must name an item of a run"));
        };
        let Some(run) = self.runs.run(&task.owner, run).await? else { return Ok(None) };
        if self.runs.item_is_finished(&task.owner, run.id, item).await? {
            return Ok(None);
        }
        let query = run.spec.queries.get(item as usize).copied();
        let query = query.ok_or_else(|| internal("the run has no such item"))?;
        Ok(Some((run, item, query)))
    }
}

#[async_trait]
impl StageWork for RunItemWork {
    fn kind(&self) -> TaskKind {
        TaskKind::MatchBulk
    }

    async fn perform(&self, task: &Task) -> Result<(), Failure> {
        let Some((run, item, query)) = self.open_item(task).await? else { return Ok(()) };
        let outcome = ItemOutcome::Ranked(self.rank(&run, query).await?);
        self.runs.finish_item(&task.owner, run.id, item, &outcome).await?.certain()
    }

    async fn give_up(&self, task: &Task, failure: &Failure) -> Result<(), Failure> {
        let Some((run, item, _)) = self.open_item(task).await? else { return Ok(()) };
        let outcome = ItemOutcome::Failed(failure.clone());
        self.runs.finish_item(&task.owner, run.id, item, &outcome).await?.certain()
    }
}

/// Scores one requested pair.
pub struct PairWork {
    documents: Arc<dyn DocumentStore>,
    runs: Arc<dyn RunStore>,
}

impl PairWork {
    /// Work on these ports.
    pub fn new(documents: Arc<dyn DocumentStore>, runs: Arc<dyn RunStore>) -> Self {
        Self { documents, runs }
    }

    async fn open_pair(&self, task: &Task) -> Result<Option<PairMatch>, Failure> {
        let TaskSubject::Match { id } = task.subject else {
            return Err(internal("an interactive match task must name a match"));
        };
        let pair = self.runs.pair_match(&task.owner, id).await?;
        Ok(pair.filter(|pair| pair.outcome.is_none()))
    }
}

#[async_trait]
impl StageWork for PairWork {
    fn kind(&self) -> TaskKind {
        TaskKind::MatchInteractive
    }

    async fn perform(&self, task: &Task) -> Result<(), Failure> {
        let Some(pair) = self.open_pair(task).await? else { return Ok(()) };
        let documents = self.documents.as_ref();
        let job = load(documents, &pair.owner, DocumentKind::Job, pair.job).await?;
        let resume = load(documents, &pair.owner, DocumentKind::Resume, pair.resume).await?;
        let outcome = PairOutcome::Scored(Box::new(ScoredPair {
            score: score(&job.features, &resume.features, &pair.weights),
            receipt: receipt(&job.features, &resume.features, &pair.weights),
        }));
        self.runs.finish_match(&pair.owner, pair.id, &outcome).await?.certain()
    }

    async fn give_up(&self, task: &Task, failure: &Failure) -> Result<(), Failure> {
        let Some(pair) = self.open_pair(task).await? else { return Ok(()) };
        let outcome = PairOutcome::Failed(failure.clone());
        self.runs.finish_match(&pair.owner, pair.id, &outcome).await?.certain()
    }
}

/// A document with everything a match needs.
struct Ready {
    parsed: ParsedVersion,
    features: Arc<Features>,
}

/// Reads a document's features from the store. A document that is still on its way is worth another attempt; one that
/// failed is not.
async fn load(
    documents: &dyn DocumentStore,
    owner: &OwnerId,
    kind: DocumentKind,
    id: DocumentId,
) -> Result<Ready, Failure> {
    let found = documents.document(owner, id).await?.filter(|document| document.kind == kind);
    let Some(Document { version, digest, state, .. }) = found else {
        return Err(Failure { code: ErrorCode::NotFound, reason: format!("there is no such {kind}") });
    };
    if let DocumentState::Failed(failure) = state {
        let reason = format!("the {kind} could not be read: {}", failure.reason);
        return Err(Failure { code: failure.code, reason });
    }
    let parsed = documents.parsed(owner, id, version).await?;
    let embedded = documents.embedded(owner, id, version).await?;
    let (Some(parsed), Some(embedded)) = (parsed, embedded) else {
        let reason = format!("the {kind} is still being read");
        return Err(Failure { code: ErrorCode::NotReady, reason });
    };
    let features = Arc::new(Features::of(digest, &parsed, &embedded));
    Ok(Ready { parsed, features })
}

fn internal(reason: &str) -> Failure {
    Failure { code: ErrorCode::Internal, reason: reason.to_owned() }
}
