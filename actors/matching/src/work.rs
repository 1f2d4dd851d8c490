//! The two match stages: items of runs, and what somebody waits for, single pairs and the cancellation of runs.

use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::{StreamExt, TryStreamExt, iter};
use tandem_domain::chunk::ModelIdentity;
use tandem_domain::document::{Document, DocumentKind, DocumentState, Failure};
use tandem_domain::error::ErrorCode;
use tandem_domain::ids::{DocumentId, MatchId, OwnerId, RunId};
use tandem_domain::models::Models;
use tandem_domain::ranked::Features;
use tandem_domain::run::{
    ItemOutcome, MatchRun, PairMatch, PairOutcome, Progress, RunRow, ScoredPair, Selection,
};
use tandem_domain::task::{Task, TaskKind, TaskSubject};
use tandem_ports::{DocumentStore, RunStore};
use tandem_runtime::StageWork;
use tokio::sync::watch;
use tokio::task::spawn_blocking;

use crate::allowance::{Allowance, Refund};
use crate::filing::Filing;
use crate::metrics;
use crate::open_runs::{OpenRun, OpenRuns};
use crate::question::Among;
use crate::scorer::{receipt, score};
use crate::searcher::{Query, Ranked, Searcher};

#[cfg(test)]
mod tests;

/// Reads or filings of one run at the same time.
const AT_ONCE: usize = 64;

/// Files the items of runs and ranks the candidates of each.
pub struct RunWork {
    documents: Arc<dyn DocumentStore>,
    runs: Arc<dyn RunStore>,
    models: watch::Receiver<Arc<Models>>,
    filing: Filing,
    searcher: Searcher,
    open: Arc<OpenRuns>,
    allowance: Option<Arc<dyn Allowance>>,
}

impl RunWork {
    /// Work on these ports. Documents are compared by the vectors of the model that serves when an item is worked on.
    pub fn new(
        documents: Arc<dyn DocumentStore>,
        runs: Arc<dyn RunStore>,
        models: watch::Receiver<Arc<Models>>,
        filing: Filing,
        searcher: Searcher,
        open: Arc<OpenRuns>,
    ) -> Self {
        Self { documents, runs, models, filing, searcher, open, allowance: None }
    }

    /// The same, and items take what they may come to before they are ranked.
    #[must_use]
    pub fn metered(self, allowance: Option<Arc<dyn Allowance>>) -> Self {
        Self { allowance, ..self }
    }

    /// Files every item, once the documents that the run names have settled: what is still being read would silently
    /// be missing from the ranking. A run that was canceled before has nothing to file.
    async fn file_items(&self, run: &MatchRun) -> Result<(), Failure> {
        let progress = self.runs.progress(&run.owner, run.id).await?;
        if progress.is_some_and(|progress| progress.state().is_settled()) {
            return Ok(());
        }
        let mut named = run.spec.queries.clone();
        if let Selection::Ids(ids) = &run.spec.candidates {
            named.extend(ids);
        }
        iter(named)
            .map(|id| self.must_be_settled(&run.owner, id))
            .buffer_unordered(AT_ONCE)
            .try_collect::<()>()
            .await?;
        iter(0..run.spec.queries.len() as u32)
            .map(|item| {
                let subject = TaskSubject::RunItem { run: run.id, item };
                self.filing.file(&run.owner, TaskKind::MatchBulk, subject)
            })
            .buffer_unordered(AT_ONCE)
            .try_collect::<()>()
            .await?;
        Ok(())
    }

    async fn must_be_settled(&self, owner: &OwnerId, id: DocumentId) -> Result<(), Failure> {
        match self.documents.document(owner, id).await? {
            Some(document) if !document.state.is_settled() => {
                let reason = "a document of the run is still being read".to_owned();
                Err(Failure { code: ErrorCode::NotReady, reason })
            }
            Some(_) | None => Ok(()),
        }
    }

    async fn rank(&self, open: &OpenRun, query: DocumentId) -> Result<Vec<RunRow>, Failure> {
        let run = &open.run;
        let spec = &run.spec;
        let model = self.models.borrow().serving.identity.clone();
        let ready = load(self.documents.as_ref(), &run.owner, spec.query_kind, query, &model).await?;
        let ranked = self
            .searcher
            .rank(Query {
                owner: run.owner.clone(),
                kind: spec.query_kind,
                ranked_text: ready.ranked_text,
                features: Arc::clone(&ready.features),
                among: if open.among.is_some() { Among::Run(run.id) } else { Among::All },
                at: open.head(self.documents.as_ref()).await?,
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

    /// The item with the document that asks, unless it has ended.
    async fn open_item(&self, open: &OpenRun, item: u32) -> Result<Option<DocumentId>, Failure> {
        let run = &open.run;
        if self.runs.item_is_finished(&run.owner, run.id, item).await? {
            return Ok(None);
        }
        let query = run.spec.queries.get(item as usize).copied();
        query.map(Some).ok_or_else(|| internal("the run has no such item"))
    }

    /// Ranks an item, unless it has ended or the plan allows no more.
    async fn end_item(&self, open: &OpenRun, item: u32) -> Result<(), Failure> {
        let Some(query) = self.open_item(open, item).await? else { return Ok(()) };
        if let Some(allowance) = &self.allowance
            && let Some(refusal) = open.bill.refusal(allowance.as_ref(), &open.run, item).await?
        {
            return self.finish(open, item, &ItemOutcome::Failed(refusal)).await;
        }
        let rows = self.rank(open, query).await?;
        metrics::kept(rows.iter().map(|row| &row.scored));
        self.finish(open, item, &ItemOutcome::Ranked(rows)).await
    }

    async fn finish(&self, open: &OpenRun, item: u32, outcome: &ItemOutcome) -> Result<(), Failure> {
        self.runs.finish_item(&open.run.owner, open.run.id, item, outcome).await?.certain()
    }
}

#[async_trait]
impl StageWork for RunWork {
    fn kind(&self) -> TaskKind {
        TaskKind::MatchBulk
    }

    async fn perform(&self, task: &Task) -> Result<(), Failure> {
        match task.subject {
            TaskSubject::Run { run } => self.file_items(&self.open.open(&task.owner, run).await?.run).await,
            TaskSubject::RunItem { run, item } => {
                self.end_item(&*self.open.open(&task.owner, run).await?, item).await
            }
            TaskSubject::Version { .. }
            | TaskSubject::Match { .. }
            | TaskSubject::RunCancel { .. }
            | TaskSubject::Erasure { .. }
            | TaskSubject::Person { .. }
            | TaskSubject::Vectors { .. } => Err(not_of_a_run()),
        }
    }

    /// An item that cannot be ranked says so; a run whose items cannot even be filed says so for each of them.
    async fn give_up(&self, task: &Task, failure: &Failure) -> Result<(), Failure> {
        let (run, items) = match task.subject {
            TaskSubject::Run { run } => (run, None),
            TaskSubject::RunItem { run, item } => (run, Some(item)),
            TaskSubject::Version { .. }
            | TaskSubject::Match { .. }
            | TaskSubject::RunCancel { .. }
            | TaskSubject::Erasure { .. }
            | TaskSubject::Person { .. }
            | TaskSubject::Vectors { .. } => {
                return Err(not_of_a_run());
            }
        };
        let open = match self.open.open(&task.owner, run).await {
            Ok(open) => open,
            // A run that never came has nobody to tell.
            Err(Failure { code: ErrorCode::NotReady, .. }) => return Ok(()),
            Err(failure) => return Err(failure),
        };
        let items = items.map_or(0..open.run.spec.queries.len() as u32, |item| item..item + 1);
        let outcome = ItemOutcome::Failed(failure.clone());
        iter(items)
            .map(|item| self.finish(&open, item, &outcome))
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await
    }
}

/// Scores requested pairs and cancels runs.
pub struct InteractiveWork {
    documents: Arc<dyn DocumentStore>,
    runs: Arc<dyn RunStore>,
    models: watch::Receiver<Arc<Models>>,
    refund: Option<Arc<dyn Refund>>,
}

impl InteractiveWork {
    /// Work on these ports. Pairs are compared by the vectors of the model that serves when they are worked on.
    pub fn new(
        documents: Arc<dyn DocumentStore>,
        runs: Arc<dyn RunStore>,
        models: watch::Receiver<Arc<Models>>,
    ) -> Self {
        Self { documents, runs, models, refund: None }
    }

    /// The same, and who asked for a pair that cannot be scored gets back what it cost.
    #[must_use]
    pub fn refunding(self, refund: Option<Arc<dyn Refund>>) -> Self {
        Self { refund, ..self }
    }

    async fn open_pair(&self, owner: &OwnerId, id: MatchId) -> Result<Option<PairMatch>, Failure> {
        let pair = self.runs.pair_match(owner, id).await?;
        Ok(pair.filter(|pair| pair.outcome.is_none()))
    }

    async fn score_pair(&self, owner: &OwnerId, id: MatchId) -> Result<(), Failure> {
        let Some(pair) = self.open_pair(owner, id).await? else { return Ok(()) };
        let documents = self.documents.as_ref();
        let model = self.models.borrow().serving.identity.clone();
        let job = load(documents, owner, DocumentKind::Job, pair.job, &model).await?;
        let resume = load(documents, owner, DocumentKind::Resume, pair.resume, &model).await?;
        let weights = pair.weights;
        let scored = spawn_blocking(move || ScoredPair {
            score: score(&job.features, &resume.features, &weights),
            receipt: receipt(&job.features, &resume.features, &weights),
        });
        let scored = scored.await.map_err(|_| internal("scoring the pair panicked"))?;
        metrics::kept([&scored]);
        let outcome = PairOutcome::Scored(Box::new(scored));
        self.runs.finish_match(owner, id, &outcome).await?.certain()
    }

    /// Gives back after the failure is kept, also when an earlier attempt has kept it: so it is done at least once.
    async fn give_up_pair(&self, owner: &OwnerId, id: MatchId, failure: &Failure) -> Result<(), Failure> {
        if self.open_pair(owner, id).await?.is_some() {
            let outcome = PairOutcome::Failed(failure.clone());
            self.runs.finish_match(owner, id, &outcome).await?.certain()?;
        }
        let Some(refund) = &self.refund else { return Ok(()) };
        match self.runs.pair_match(owner, id).await? {
            Some(PairMatch { outcome: Some(PairOutcome::Failed(_)), operation, .. }) => {
                refund.refund(owner, operation).await
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Ends every item that has not ended. Whoever works on one now finds at its end that it has ended.
    async fn cancel_run(&self, owner: &OwnerId, run: RunId) -> Result<(), Failure> {
        let Some(Progress { items, .. }) = self.runs.progress(owner, run).await? else { return Ok(()) };
        iter(0..items)
            .map(|item| async move {
                self.runs.finish_item(owner, run, item, &ItemOutcome::Canceled).await?.certain()
            })
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await
    }
}

#[async_trait]
impl StageWork for InteractiveWork {
    fn kind(&self) -> TaskKind {
        TaskKind::MatchInteractive
    }

    async fn perform(&self, task: &Task) -> Result<(), Failure> {
        match task.subject {
            TaskSubject::Match { id } => self.score_pair(&task.owner, id).await,
            TaskSubject::RunCancel { run } => self.cancel_run(&task.owner, run).await,
            TaskSubject::Version { .. }
            | TaskSubject::Run { .. }
            | TaskSubject::RunItem { .. }
            | TaskSubject::Erasure { .. }
            | TaskSubject::Person { .. }
            | TaskSubject::Vectors { .. } => Err(not_interactive()),
        }
    }

    /// A pair says what failed. A cancellation has nowhere to say so: it is carried out after all, as long as showing a
    /// failure is tried.
    async fn give_up(&self, task: &Task, failure: &Failure) -> Result<(), Failure> {
        match task.subject {
            TaskSubject::Match { id } => self.give_up_pair(&task.owner, id, failure).await,
            TaskSubject::RunCancel { run } => self.cancel_run(&task.owner, run).await,
            TaskSubject::Version { .. }
            | TaskSubject::Run { .. }
            | TaskSubject::RunItem { .. }
            | TaskSubject::Erasure { .. }
            | TaskSubject::Person { .. }
            | TaskSubject::Vectors { .. } => Err(not_interactive()),
        }
    }
}

/// What a match needs of a document.
struct Ready {
    ranked_text: String,
    features: Arc<Features>,
}

/// Reads a document's features from the store. A document that is still on its way is worth another attempt; one that
/// failed is not.
async fn load(
    documents: &dyn DocumentStore,
    owner: &OwnerId,
    kind: DocumentKind,
    id: DocumentId,
    model: &ModelIdentity,
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
    let embedded = documents.embedded(owner, id, version, model).await?;
    let (Some(parsed), Some(embedded)) = (parsed, embedded) else {
        let reason = format!("the {kind} is still being read");
        return Err(Failure { code: ErrorCode::NotReady, reason });
    };
    let features = Arc::new(Features::of(version, digest, &parsed, &embedded));
    Ok(Ready { ranked_text: parsed.ranked_text, features })
}

fn not_of_a_run() -> Failure {
    internal("a bulk match task must name a run or an item of one")
}

fn not_interactive() -> Failure {
    internal("an interactive match task must name a match or the cancellation of a run")
}

fn internal(reason: &str) -> Failure {
    Failure { code: ErrorCode::Internal, reason: reason.to_owned() }
}
