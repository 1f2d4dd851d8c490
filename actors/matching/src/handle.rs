//! What others hold of matching: it takes requests in, durably, and shows what has become of them.

use std::sync::Arc;

use futures::stream::{StreamExt, TryStreamExt, iter};
use tandem_domain::document::{DocumentKind, Failure};
use tandem_domain::error::ErrorCode;
use tandem_domain::ids::{DocumentId, MatchId, OperationId, OwnerId, RunId, derived};
use tandem_domain::run::{MatchRun, PairMatch, Selection};
use tandem_domain::task::{Task, TaskKind, TaskSubject};
use tandem_messages::matches::{CreateMatch, GetMatch, ListMatches, MatchPage, MatchView};
use tandem_messages::runs::{
    CancelRun, CreateRun, FailedItems, GetFailedItems, GetRows, GetRun, RowPage, RunView,
};
use tandem_ports::documents::{MAX_PAGE, Page};
use tandem_ports::{Clock, DocumentStore, RunStore, TaskStore, WorkQueue, Write};
use tandem_runtime::file_task;

/// Documents looked up at the same time while a run is taken in.
const LOOK_UPS: usize = 64;

/// Takes matches and runs in. Cheap to clone.
#[derive(Clone)]
pub struct Matching {
    documents: Arc<dyn DocumentStore>,
    runs: Arc<dyn RunStore>,
    tasks: Arc<dyn TaskStore>,
    queue: Arc<dyn WorkQueue>,
    clock: Arc<dyn Clock>,
}

impl Matching {
    /// On these ports.
    pub fn new(
        documents: Arc<dyn DocumentStore>,
        runs: Arc<dyn RunStore>,
        tasks: Arc<dyn TaskStore>,
        queue: Arc<dyn WorkQueue>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { documents, runs, tasks, queue, clock }
    }

    /// Takes a pair in; durable when it returns.
    ///
    /// # Errors
    /// `NOT_FOUND` when either document is not the owner's, `IDEMPOTENCY_KEY_REUSED` when the operation made another match.
    pub async fn create_match(&self, request: CreateMatch) -> Result<MatchView, Failure> {
        self.must_exist(&request.owner, DocumentKind::Resume, request.resume).await?;
        self.must_exist(&request.owner, DocumentKind::Job, request.job).await?;
        let pair = PairMatch {
            owner: request.owner,
            id: MatchId::from_uuid(self.clock.new_id()),
            resume: request.resume,
            job: request.job,
            weights: request.weights,
            operation: request.operation,
            created_at: self.clock.now(),
            outcome: None,
        };
        let pair = match self.runs.create_match(&pair).await? {
            Write::Applied => pair,
            Write::Conflict(there)
                if (there.resume, there.job, there.weights) != (pair.resume, pair.job, pair.weights) =>
            {
                return Err(other_intent("match"));
            }
            Write::Conflict(there) => there,
            Write::Unknown => {
                self.runs.pair_match(&pair.owner, pair.id).await?.ok_or_else(|| unknown("match"))?
            }
        };
        if pair.outcome.is_none() {
            self.file(&pair.owner, TaskKind::MatchInteractive, TaskSubject::Match { id: pair.id }).await?;
        }
        Ok(MatchView { pair })
    }

    /// Shows a match.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub async fn get_match(&self, request: GetMatch) -> Result<MatchView, Failure> {
        let pair = self.runs.pair_match(&request.owner, request.id).await?;
        pair.map(|pair| MatchView { pair }).ok_or_else(|| not_found("match"))
    }

    /// Lists matches, newest first.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn list_matches(&self, request: ListMatches) -> Result<MatchPage, Failure> {
        let limit = request.limit.clamp(1, MAX_PAGE);
        let matches = self.runs.list_matches(&request.owner, Page { after: request.after, limit }).await?;
        let full = matches.len() == limit as usize;
        let next = matches.last().filter(|_| full).map(|pair| pair.id);
        Ok(MatchPage { matches, next })
    }

    /// Takes a run in; durable when it returns. Its items are filed as soon as every document that it names has been
    /// read.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` when the spec breaks a bound, `NOT_FOUND` when a document is not the owner's,
    /// `IDEMPOTENCY_KEY_REUSED` when the operation made another run.
    pub async fn create_run(&self, request: CreateRun) -> Result<RunView, Failure> {
        let spec = request.spec;
        spec.validate().map_err(|error| failure(ErrorCode::Validation, error.to_string()))?;
        self.all_must_exist(&request.owner, spec.query_kind, &spec.queries).await?;
        if let Selection::Ids(ids) = &spec.candidates {
            self.all_must_exist(&request.owner, spec.candidate_kind(), ids).await?;
        }
        let run = MatchRun {
            id: run_id(&request.owner, request.operation),
            owner: request.owner,
            spec,
            operation: request.operation,
            created_at: self.clock.now(),
        };
        // The task is filed before the row: whatever a crash leaves is a run that goes on or a task of nothing.
        let task = Task::new(
            run.owner.clone(),
            TaskKind::MatchBulk,
            TaskSubject::Run { run: run.id },
            run.created_at,
        );
        self.tasks.file(&task).await?.certain()?;
        let run = match self.runs.create_run(&run).await? {
            Write::Applied => run,
            Write::Conflict(there) if there.spec != run.spec => return Err(other_intent("run")),
            Write::Conflict(there) => there,
            Write::Unknown => self.runs.run(&run.owner, run.id).await?.ok_or_else(|| unknown("run"))?,
        };
        self.file(&run.owner, TaskKind::MatchBulk, TaskSubject::Run { run: run.id }).await?;
        self.get_run(GetRun { owner: run.owner, id: run.id }).await
    }

    /// Shows a run with its progress.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub async fn get_run(&self, request: GetRun) -> Result<RunView, Failure> {
        let run = self.runs.run(&request.owner, request.id).await?;
        let progress = self.runs.progress(&request.owner, request.id).await?;
        match (run, progress) {
            (Some(run), Some(progress)) => Ok(RunView { run, progress }),
            _ => Err(not_found("run")),
        }
    }

    /// Cancels a run: durable when it returns, with the run as it stood before. Every item that has not ended ends as
    /// canceled soon after, whatever stage it is in; what has ended stays. Again, or on a settled run, it changes
    /// nothing.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub async fn cancel_run(&self, request: CancelRun) -> Result<RunView, Failure> {
        let CancelRun { owner, id } = request;
        let view = self.get_run(GetRun { owner: owner.clone(), id }).await?;
        if !view.progress.state().is_settled() {
            // Not in the queue of the items: it would come behind those that it is to end.
            self.file(&owner, TaskKind::MatchInteractive, TaskSubject::RunCancel { run: id }).await?;
        }
        Ok(view)
    }

    /// Reads rows of a run.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub async fn rows(&self, request: GetRows) -> Result<RowPage, Failure> {
        let GetRows { owner, id, after, limit } = request;
        self.run_must_exist(&owner, id).await?;
        let limit = limit.clamp(1, MAX_PAGE);
        let rows = self.runs.rows(&owner, id, after, limit).await?;
        let full = rows.len() == limit as usize;
        let next = rows.last().filter(|_| full).map(|(key, _)| *key);
        Ok(RowPage { rows, next })
    }

    /// Reads the failed items of a run.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub async fn failed_items(&self, request: GetFailedItems) -> Result<FailedItems, Failure> {
        self.run_must_exist(&request.owner, request.id).await?;
        let limit = request.limit.clamp(1, MAX_PAGE);
        Ok(FailedItems { items: self.runs.failed_items(&request.owner, request.id, limit).await? })
    }

    async fn file(&self, owner: &OwnerId, kind: TaskKind, subject: TaskSubject) -> Result<(), Failure> {
        let task = Task::new(owner.clone(), kind, subject, self.clock.now());
        file_task(self.tasks.as_ref(), self.queue.as_ref(), &task).await?;
        Ok(())
    }

    async fn must_exist(&self, owner: &OwnerId, kind: DocumentKind, id: DocumentId) -> Result<(), Failure> {
        let found = self.documents.document(owner, id).await?.filter(|d| d.kind == kind);
        found.map(|_| ()).ok_or_else(|| not_found(&format!("{kind} {id}")))
    }

    async fn all_must_exist(
        &self,
        owner: &OwnerId,
        kind: DocumentKind,
        ids: &[DocumentId],
    ) -> Result<(), Failure> {
        iter(ids.iter().copied())
            .map(|id| self.must_exist(owner, kind, id))
            .buffered(LOOK_UPS)
            .try_collect::<()>()
            .await
    }

    async fn run_must_exist(&self, owner: &OwnerId, id: RunId) -> Result<(), Failure> {
        self.runs.run(owner, id).await?.map(|_| ()).ok_or_else(|| not_found("run"))
    }
}

/// The id of the run that an operation makes. It follows from the intent, so that asking again files the same task and
/// finds the same row.
#[must_use]
pub fn run_id(owner: &OwnerId, operation: OperationId) -> RunId {
    RunId::from_uuid(derived("run", &[owner.as_str().as_bytes(), operation.as_uuid().as_bytes()]))
}

fn failure(code: ErrorCode, reason: String) -> Failure {
    Failure { code, reason }
}

fn not_found(what: &str) -> Failure {
    failure(ErrorCode::NotFound, format!("there is no such {what}"))
}

fn other_intent(what: &str) -> Failure {
    failure(ErrorCode::KeyReused, format!("this key was used for another {what}"))
}

fn unknown(what: &str) -> Failure {
    failure(ErrorCode::Unavailable, format!("the store did not say whether the {what} was kept; ask again"))
}
