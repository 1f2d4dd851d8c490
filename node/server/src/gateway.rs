//! The gateway: a bounded, supervised pool through which every request reaches the stages.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::{BoxFuture, try_join_all};
use futures::stream::{StreamExt, TryStreamExt, iter};
use tandem_domain::document::{Document, DocumentKind, Failure, ParsedVersion};
use tandem_domain::error::ErrorCode;
use tandem_domain::ids::OwnerId;
use tandem_domain::task::{TaskKind, Urgency};
use tandem_ingestion::{Eraser, Ingestion, Intake, Uploads};
use tandem_matching::{HostedShards, Matching};
use tandem_messages::documents::{
    DocumentDetail, DocumentPage, DocumentStates, GetDocument, GetDocumentStates, GetRedacted, ListDocuments,
    RedactedDocument, RedactedVersion, SubmittedDocument,
};
use tandem_messages::health::{Health, HealthCheck};
use tandem_messages::{Context, Gateway, Reply, Request};
use tandem_parsing::redact;
use tandem_ports::documents::{MAX_PAGE, Page};
use tandem_ports::{AccountStore, AuditLog, Clock, DocumentStore, WorkQueue, trace};
use tandem_runtime::placement::NodeName;
use tandem_runtime::{ActorKind, ActorState, Pool, PoolOptions, StartError, SupervisorHandle};
use tokio::task::spawn_blocking;

use crate::cluster::{Cluster, NodeState};
use crate::models::ModelKeeper;

use quota::Metering;
use users::Exporter;

pub(crate) mod accounts;
pub(crate) mod audit;
mod models;
pub(crate) mod quota;
mod status;
mod uploads;
pub(crate) mod users;

/// Requests in hand at the same time, and how many may wait.
const IN_HAND: NonZeroUsize = NonZeroUsize::new(256).unwrap();
const WAITING: usize = 1024;
/// Documents looked up at the same time for one request.
const LOOK_UPS: usize = 32;
/// How long one health check may take.
const CHECK_LIMIT: Duration = Duration::from_secs(2);

/// What requests are answered with.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) ingestion: Ingestion,
    pub(crate) uploads: Uploads,
    pub(crate) eraser: Eraser,
    pub(crate) matching: Matching,
    pub(crate) documents: Arc<dyn DocumentStore>,
    pub(crate) queue: Arc<dyn WorkQueue>,
    pub(crate) accounts: Arc<dyn AccountStore>,
    pub(crate) audit: AuditLog,
    pub(crate) exporter: Exporter,
    pub(crate) clock: Arc<dyn Clock>,
    /// `None` = nothing costs anything.
    pub(crate) metering: Option<Metering>,
    pub(crate) supervisor: SupervisorHandle,
    pub(crate) hosted: HostedShards,
    pub(crate) models: ModelKeeper,
    pub(crate) cluster: Option<Cluster>,
    pub(crate) name: NodeName,
    /// What this node says of itself, but for its shards.
    pub(crate) state: NodeState,
    /// Whether this node takes documents in.
    pub(crate) takes_documents: bool,
}

/// The node's gateway.
pub(crate) struct NodeGateway {
    pool: Pool<(Request, Context), Result<Reply, Failure>>,
}

impl NodeGateway {
    pub(crate) async fn start(supervisor: &SupervisorHandle, parts: Parts) -> Result<Self, StartError> {
        let handler = Arc::new(move |(request, context): (Request, Context)| {
            let parts = parts.clone();
            Box::pin(async move { parts.answer(request, &context).await }) as BoxFuture<'static, _>
        });
        let options = PoolOptions { workers: IN_HAND, queue: WAITING };
        let pool = Pool::start(supervisor, ActorKind::Gateway, "gateway", options, handler).await?;
        Ok(Self { pool })
    }
}

#[async_trait]
impl Gateway for NodeGateway {
    async fn answer(&self, request: Request, context: Context) -> Result<Reply, Failure> {
        let (deadline, trace) = (context.deadline, context.trace);
        trace::within(trace, self.pool.run((request, context), deadline)).await.map_err(Failure::from)?
    }
}

impl Parts {
    async fn answer(&self, request: Request, context: &Context) -> Result<Reply, Failure> {
        let matching = &self.matching;
        Ok(match request {
            Request::SubmitDocument(q) => {
                Reply::SubmitDocument(self.submit(Intake::Document(q), context).await?)
            }
            Request::SubmitVersion(q) => {
                Reply::SubmitVersion(self.submit(Intake::Version(q), context).await?)
            }
            Request::RefineJob(q) => Reply::RefineJob(self.submit(Intake::Words(q), context).await?),
            Request::OpenUpload(q) => Reply::OpenUpload(self.open_upload(q, context).await?),
            Request::AdmitUpload(q) => Reply::AdmitUpload(self.admit_upload(&q).await?),
            Request::SendUpload(q) => Reply::SendUpload(self.send_upload(q).await?),
            Request::CompleteUpload(q) => Reply::CompleteUpload(self.complete_upload(q, context).await?),
            Request::GetDocument(q) => Reply::GetDocument(self.document(q).await?),
            Request::GetRedacted(q) => Reply::GetRedacted(self.redacted(q).await?),
            Request::ListDocuments(q) => Reply::ListDocuments(self.list(q).await?),
            Request::RemoveDocument(q) => Reply::RemoveDocument(self.remove_and_tell(q, context).await?),
            Request::GetDocumentStates(q) => Reply::GetDocumentStates(self.states(q).await?),
            Request::CreateMatch(q) => Reply::CreateMatch(self.create_match(q, context).await?),
            Request::GetMatch(q) => Reply::GetMatch(matching.get_match(q).await?),
            Request::ListMatches(q) => Reply::ListMatches(matching.list_matches(q).await?),
            Request::CreateRun(q) => Reply::CreateRun(self.create_run(q, context).await?),
            Request::GetRun(q) => Reply::GetRun(matching.get_run(q).await?),
            Request::CancelRun(q) => Reply::CancelRun(self.cancel_and_tell(q, context).await?),
            Request::GetRows(q) => Reply::GetRows(matching.rows(q).await?),
            Request::GetFailedItems(q) => Reply::GetFailedItems(matching.failed_items(q).await?),
            Request::GetQuota(q) => Reply::GetQuota(self.quota(&q.owner, context).await?),
            Request::IdentifyKey(q) => Reply::IdentifyKey(self.identify_key(q).await?),
            Request::IdentifyUser(q) => Reply::IdentifyUser(self.identify_user(q).await?),
            Request::GetAccount(q) => Reply::GetAccount(self.account(q).await?),
            Request::CreateKey(q) => Reply::CreateKey(self.create_key_and_tell(q, context).await?),
            Request::RevokeKey(q) => Reply::RevokeKey(self.revoke_key_and_tell(q, context).await?),
            Request::ListAudit(q) => Reply::ListAudit(self.list_audit(q).await?),
            Request::ExportUser(q) => Reply::ExportUser(self.export_user(q, context).await?),
            Request::EraseUser(q) => Reply::EraseUser(self.erase_user(q, context).await?),
            Request::GetHealth(_) => Reply::GetHealth(self.health().await),
            Request::GetStatus(_) => Reply::GetStatus(self.status().await),
            Request::GetModels(_) => Reply::GetModels(self.models().await?),
            Request::ChangeModels(q) => Reply::ChangeModels(self.change_models(q).await?),
        })
    }

    async fn submit(&self, intake: Intake, context: &Context) -> Result<SubmittedDocument, Failure> {
        self.expect_intake()?;
        self.take_in(intake, context).await
    }

    /// Whether documents are taken in here and now.
    fn expect_intake(&self) -> Result<(), Failure> {
        if self.supervisor.drain().is_draining() {
            return Err(stopping());
        }
        if self.takes_documents { Ok(()) } else { Err(not_my_role()) }
    }

    async fn document(&self, request: GetDocument) -> Result<DocumentDetail, Failure> {
        let GetDocument { owner, kind, id, version } = request;
        let document = self.documents.document(&owner, id).await?.filter(|d| d.kind == kind);
        let document = match version {
            Some(version) => document.and_then(|document| document.at(version)),
            None => document,
        };
        let document = document.ok_or_else(|| Failure {
            code: ErrorCode::NotFound,
            reason: format!("there is no such {kind}"),
        })?;
        let parsed = self.documents.parsed(&owner, id, document.version).await?;
        Ok(DocumentDetail { document, parsed })
    }

    async fn redacted(&self, request: GetRedacted) -> Result<RedactedDocument, Failure> {
        let GetRedacted { owner, id } = request;
        let DocumentDetail { document, parsed } =
            self.document(GetDocument { owner, kind: DocumentKind::Resume, id, version: None }).await?;
        let redact = |parsed: ParsedVersion| {
            let profile = redact::redacted(&parsed.profile);
            RedactedVersion { profile, text: parsed.ranked_text, parser: parsed.parser }
        };
        let redacted = spawn_blocking(move || parsed.map(redact)).await.map_err(|_| Failure {
            code: ErrorCode::Internal,
            reason: "redacting a résumé panicked".to_owned(),
        })?;
        Ok(RedactedDocument { id: document.id, version: document.version, state: document.state, redacted })
    }

    async fn list(&self, request: ListDocuments) -> Result<DocumentPage, Failure> {
        let limit = request.limit.clamp(1, MAX_PAGE);
        let page = Page { after: request.after, limit };
        let documents = self.documents.list(&request.owner, request.kind, page).await?;
        let full = documents.len() == limit as usize;
        let next = documents.last().filter(|_| full).map(|d| d.id);
        Ok(DocumentPage { documents, next })
    }

    async fn states(&self, request: GetDocumentStates) -> Result<DocumentStates, Failure> {
        let GetDocumentStates { owner, ids } = request;
        if ids.len() > MAX_PAGE as usize {
            let reason = format!("at most {MAX_PAGE} documents at a time");
            return Err(Failure { code: ErrorCode::Validation, reason });
        }
        let found: Vec<_> =
            iter(ids).map(|id| self.documents.document(&owner, id)).buffered(LOOK_UPS).try_collect().await?;
        let latest = |document: Document| Some((document.id, document.at(document.latest())?.state));
        Ok(DocumentStates { states: found.into_iter().flatten().filter_map(latest).collect() })
    }

    async fn health(&self) -> Health {
        let draining = self.supervisor.drain().is_draining();
        let checks =
            vec![self.check_store().await, self.check_queue().await, self.check_actors(), self.check_index()];
        Health { ready: !draining && checks.iter().all(|check| check.ok), checks }
    }

    /// Every shard must be answered for, here or elsewhere. What is held here and has not caught up does not matter while
    /// another node answers for it. A node that neither holds shards nor knows of any searches nothing.
    fn check_index(&self) -> HealthCheck {
        if !self.state.holds_shards && self.cluster.is_none() {
            return HealthCheck { name: "index".to_owned(), ok: true, note: "not this node's".to_owned() };
        }
        let (nodes, model) = (self.nodes(), self.models.serving());
        let missing = (0..self.state.shard_count)
            .filter(|shard| !nodes.iter().any(|node| node.state.serves(model, *shard)))
            .count();
        let note = match missing {
            0 => "complete".to_owned(),
            missing => format!("{missing} shards are not there or catch up with the store"),
        };
        HealthCheck { name: "index".to_owned(), ok: missing == 0, note }
    }

    fn check_actors(&self) -> HealthCheck {
        let mut actors = self.supervisor.actors();
        // They come and go all the time, and the node does without them.
        actors.retain(|actor| actor.kind != ActorKind::Quota);
        let down = actors.iter().filter(|actor| actor.state != ActorState::Running).count();
        let restarts: u64 = actors.iter().map(|actor| u64::from(actor.restarts)).sum();
        let note = format!("{} run, {down} are down, {restarts} restarts", actors.len() - down);
        HealthCheck { name: "actors".to_owned(), ok: down == 0, note }
    }

    async fn check_store(&self) -> HealthCheck {
        let page = Page { after: None, limit: 1 };
        let owner = OwnerId::local();
        let read = self.documents.list(&owner, DocumentKind::Job, page);
        let (ok, note) = match tokio::time::timeout(CHECK_LIMIT, read).await {
            Ok(Ok(_)) => (true, "answers".to_owned()),
            Ok(Err(error)) => (false, error.to_string()),
            Err(_) => (false, "did not answer in time".to_owned()),
        };
        HealthCheck { name: "store".to_owned(), ok, note }
    }

    async fn check_queue(&self) -> HealthCheck {
        let depths = Urgency::ALL.map(|urgency| self.queue.depth(TaskKind::parse(urgency)));
        let (ok, note) = match tokio::time::timeout(CHECK_LIMIT, try_join_all(depths)).await {
            Ok(Ok(depths)) => {
                let waiting: u64 = depths.iter().map(|depth| depth.waiting).sum();
                (true, format!("{waiting} files wait to be read"))
            }
            Ok(Err(error)) => (false, error.to_string()),
            Err(_) => (false, "did not answer in time".to_owned()),
        };
        HealthCheck { name: "queue".to_owned(), ok, note }
    }
}

fn not_my_role() -> Failure {
    let reason = "this node takes no documents in; ask one with the role \"ingest\"".to_owned();
    Failure { code: ErrorCode::Unavailable, reason }
}

fn stopping() -> Failure {
    Failure { code: ErrorCode::Unavailable, reason: "the node is shutting down; try again".to_owned() }
}
