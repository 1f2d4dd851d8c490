//! What requests cost: charged before the work, given back when nothing comes of it.
//!
//! A run takes its pairs a block at a time, before its items are ranked. Its lease is settled when somebody looks: when
//! its owner asks for the quota or has none left. So nothing needs to happen at the moment at which a run ends, and no
//! crash can lose it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::{StreamExt, TryStreamExt, iter};
use tandem_config::{NodeConfig, Plans};
use tandem_domain::document::{DocumentKind, Failure};
use tandem_domain::error::ErrorCode;
use tandem_domain::ids::{OperationId, OwnerId, derived};
use tandem_domain::plan::{Measure, Plan};
use tandem_domain::quota::{Cost, Lease, OwnerQuota, RunLoad};
use tandem_domain::run::{MatchRun, PairOutcome, RunSpec, Selection};
use tandem_domain::time::Timestamp;
use tandem_ingestion::Intake;
use tandem_matching::{Allowance, Coverage, Refund, run_id};
use tandem_messages::Context;
use tandem_messages::documents::{RemoveDocument, RemovedDocument, SubmitVersion, SubmittedDocument};
use tandem_messages::matches::{CreateMatch, MatchView};
use tandem_messages::quota::{MeasureView, QuotaView};
use tandem_messages::runs::{CreateRun, RunView};
use tandem_ports::{Clock, QuotaStore, RunStore};
use tandem_quota::{PlanBook, Quota, QuotaError, QuotaOptions, Receipt};
use tandem_runtime::SupervisorHandle;

use super::Parts;

/// Runs looked up at the same time to settle an owner's leases.
const LOOK_UPS: usize = 16;
/// A lease without a run is given back after this long: the request that took it has failed by then.
const ORPHANED_AFTER: Duration = Duration::from_secs(3600);

/// Who pays for what. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Metering {
    quota: Quota,
    plans: Arc<Plans>,
    default: Plan,
    trusts_header: bool,
    runs: Arc<dyn RunStore>,
    clock: Arc<dyn Clock>,
}

/// The plans of a configuration by their names.
pub(crate) fn plan_book(plans: &Arc<Plans>) -> PlanBook {
    let plans = Arc::clone(plans);
    Arc::new(move |name: &str| plans.named(name))
}

impl Metering {
    /// `None` where the configuration keeps no plans.
    pub(crate) fn of(
        config: &NodeConfig,
        supervisor: &SupervisorHandle,
        store: Arc<dyn QuotaStore>,
        runs: Arc<dyn RunStore>,
        clock: Arc<dyn Clock>,
    ) -> Option<Self> {
        let settings = config.quota.enabled.then_some(&config.quota)?;
        let plans = Arc::new(config.plans.clone());
        let default = plans.named(&settings.default_plan)?;
        let options = QuotaOptions::new(settings.period(), settings.block_pairs);
        let book = plan_book(&plans);
        let quota = Quota::new(Some(supervisor.clone()), store, Arc::clone(&clock), book, options);
        Some(Self { quota, plans, default, trusts_header: settings.trust_pro_header, runs, clock })
    }

    /// The plan of whoever asks: a plan that the configuration no longer has is the default one.
    fn plan(&self, context: &Context) -> Plan {
        if context.pro_member && self.trusts_header {
            return self.plans.pro();
        }
        let named = context.plan.as_deref().and_then(|name| self.plans.named(name));
        named.unwrap_or_else(|| self.default.clone())
    }

    /// Undoes a charge of work that failed. Should that fail too, the owner has paid for nothing, and the log says so.
    async fn take_back(&self, owner: &OwnerId, operation: OperationId) {
        if let Err(error) = self.quota.refund(owner, operation).await {
            tracing::warn!(%error, "a charge could not be given back");
        }
    }

    /// Leases for a run; once more when others of the owner's have turned out to be settled.
    async fn lease(
        &self,
        owner: &OwnerId,
        plan: &Plan,
        load: RunLoad,
        operation: OperationId,
    ) -> Result<Receipt, Failure> {
        match self.quota.lend(owner, plan, load, operation).await {
            Err(QuotaError::Refused(_) | QuotaError::TooManyLeases) if self.settle(owner).await? > 0 => {
                Ok(self.quota.lend(owner, plan, load, operation).await?)
            }
            lent => Ok(lent?),
        }
    }

    /// Gives back what runs have not used that have ended; how many those were.
    async fn settle(&self, owner: &OwnerId) -> Result<usize, Failure> {
        let row = self.quota.view(owner).await?;
        let now = self.clock.now();
        let settled = iter(row.leases)
            .map(|lease| async move { self.settle_one(owner, &lease, now).await })
            .buffer_unordered(LOOK_UPS)
            .try_fold(0, async |settled, is_settled| Ok(settled + usize::from(is_settled)));
        settled.await
    }

    async fn settle_one(&self, owner: &OwnerId, lease: &Lease, now: Timestamp) -> Result<bool, Failure> {
        let run = run_id(owner, lease.operation);
        match self.runs.progress(owner, run).await? {
            Some(progress) if progress.state().is_settled() => {
                let used = self.runs.count_rows(owner, run).await?;
                self.quota.settle(owner, lease.operation, used).await?;
            }
            None if lease.at.plus(ORPHANED_AFTER) <= now => {
                self.quota.refund(owner, lease.operation).await?;
            }
            Some(_) | None => return Ok(false),
        }
        Ok(true)
    }

    /// Takes back what the owner's runs have left: those that have ended, and this one's items that are ranked. Whether
    /// items go on that may still leave something. They are counted before rows are, so that what ends in between is taken
    /// for one that goes on.
    async fn take_leftovers(&self, run: &MatchRun, load: RunLoad) -> Result<bool, Failure> {
        let owner = &run.owner;
        self.settle(owner).await?;
        let progress = self.runs.progress(owner, run.id).await?.unwrap_or_default();
        let used = self.runs.count_rows(owner, run.id).await?;
        self.quota.trim(owner, load, (progress.done, used), run.operation).await?;
        let row = self.quota.view(owner).await?;
        Ok(row.lease(run.operation).is_some_and(|lease| progress.ended() < lease.covered))
    }
}

#[async_trait]
impl Allowance for Metering {
    /// # Errors
    /// `NOT_READY` where the plan does not suffice and other items may still leave enough.
    async fn cover(&self, run: &MatchRun, item: u32) -> Result<Coverage, Failure> {
        let load = load_of(&run.spec);
        let cover = || self.quota.cover(&run.owner, load, item, run.operation);
        let (mut covered, mut more_to_come) = (cover().await, false);
        if matches!(covered, Err(QuotaError::Refused(_))) {
            more_to_come = self.take_leftovers(run, load).await?;
            covered = cover().await;
        }
        match covered {
            Ok(Receipt::Taken(_) | Receipt::Repeated) => Ok(Coverage::Taken),
            Ok(Receipt::Unlimited) => Ok(Coverage::Free),
            Err(QuotaError::Refused(_)) if more_to_come => {
                let reason = "the last pairs of the plan are in use".to_owned();
                Err(Failure { code: ErrorCode::NotReady, reason })
            }
            Err(error @ QuotaError::Refused(_)) => Ok(Coverage::Spent(error.into())),
            Err(error) => Err(error.into()),
        }
    }
}

/// What a row shows at `now` of the plan that the operator gave its owner, or else of `plan`.
pub(crate) fn view_of(
    plans: &Plans,
    plan: Plan,
    row: &OwnerQuota,
    period: Duration,
    now: Timestamp,
) -> QuotaView {
    let plan = row.plan.as_deref().and_then(|name| plans.named(name)).unwrap_or(plan);
    let measure = |measure: Measure| {
        let window = row.window(measure, period, now);
        MeasureView {
            measure,
            limit: plan.limits.of(measure),
            used: window.used,
            started_at: window.started_at,
            resets_at: window.ends_at(period),
        }
    };
    let measures = Measure::ALL.into_iter().map(measure).collect();
    QuotaView { plan: Some(plan.name), measures }
}

/// What is given back of a match that failed after it was taken in.
#[async_trait]
impl Refund for Metering {
    async fn refund(&self, owner: &OwnerId, operation: OperationId) -> Result<(), Failure> {
        Ok(self.quota.refund(owner, operation).await?)
    }
}

/// The rows that a run may come to.
fn load_of(spec: &RunSpec) -> RunLoad {
    let candidates = match &spec.candidates {
        Selection::All => u64::MAX,
        Selection::Ids(ids) => ids.len() as u64,
    };
    let items = u32::try_from(spec.queries.len()).unwrap_or(u32::MAX);
    RunLoad { items, pairs: candidates.min(spec.top.into()) }
}

/// A resource that was there before its charge was paid for then: the operation was repeated after its charge had been
/// forgotten or given back.
fn came_before(receipt: Receipt, created_at: Timestamp) -> bool {
    matches!(receipt, Receipt::Taken(at) if created_at < at)
}

const fn is_taken(receipt: Receipt) -> bool {
    matches!(receipt, Receipt::Taken(_))
}

impl Parts {
    pub(super) async fn take_in(
        &self,
        intake: Intake,
        context: &Context,
    ) -> Result<SubmittedDocument, Failure> {
        let deadline = context.deadline;
        let Some(metering) = &self.metering else { return self.ingestion.submit(intake, deadline).await };
        let (owner, operation, kind, size) = match &intake {
            Intake::Document(q) | Intake::Version(SubmitVersion { submission: q, .. }) => {
                (q.owner.clone(), q.operation, q.kind, q.content.len() as u64)
            }
            Intake::Words(q) => {
                let document = self.documents.document(&q.owner, q.id).await?;
                let latest = document.and_then(|document| document.at(document.latest()));
                (q.owner.clone(), q.operation, DocumentKind::Job, latest.map_or(0, |latest| latest.size))
            }
        };
        let upload = match kind {
            DocumentKind::Resume => Measure::ResumeUploads,
            DocumentKind::Job => Measure::JobDescriptions,
        };
        let costs = vec![Cost::new(upload, 1), Cost::new(Measure::StoredBytes, size)];
        let plan = metering.plan(context);
        let receipt = metering.quota.charge(&owner, &plan, costs, operation).await?;
        let submitted = self.ingestion.submit(intake, deadline).await;
        let is_free = submitted.as_ref().map_or(true, |submitted| {
            let made = submitted.document.at(submitted.version);
            submitted.duplicate || made.is_none_or(|made| came_before(receipt, made.created_at))
        });
        if is_taken(receipt) && is_free {
            metering.take_back(&owner, operation).await;
        }
        submitted
    }

    /// What a removed document took is free again.
    pub(super) async fn remove_document(&self, request: RemoveDocument) -> Result<RemovedDocument, Failure> {
        let Some(metering) = &self.metering else { return self.eraser.remove(request).await };
        let (owner, id) = (request.owner.clone(), request.id);
        let found = self.documents.document(&owner, id).await?;
        let size = found.map_or(0, |document| document.versions().map(|version| version.size).sum());
        let removed = self.eraser.remove(request).await?;
        let operation = OperationId::from_uuid(derived("removal", &[id.as_uuid().as_bytes()]));
        let bytes = vec![Cost::new(Measure::StoredBytes, size)];
        if let Err(error) = metering.quota.release(&owner, bytes, operation).await {
            tracing::warn!(%error, "the bytes of a removed document stay counted");
        }
        Ok(removed)
    }

    pub(super) async fn create_match(
        &self,
        request: CreateMatch,
        context: &Context,
    ) -> Result<MatchView, Failure> {
        let Some(metering) = &self.metering else { return self.matching.create_match(request).await };
        let (owner, operation) = (request.owner.clone(), request.operation);
        let (plan, costs) = (metering.plan(context), vec![Cost::new(Measure::Matches, 1)]);
        let receipt = metering.quota.charge(&owner, &plan, costs, operation).await?;
        let created = self.matching.create_match(request).await;
        let is_free = created.as_ref().map_or(true, |MatchView { pair }| {
            came_before(receipt, pair.created_at) || matches!(pair.outcome, Some(PairOutcome::Failed(_)))
        });
        if is_taken(receipt) && is_free {
            metering.take_back(&owner, operation).await;
        }
        created
    }

    pub(super) async fn create_run(&self, request: CreateRun, context: &Context) -> Result<RunView, Failure> {
        let Some(metering) = &self.metering else { return self.matching.create_run(request).await };
        let (owner, operation) = (request.owner.clone(), request.operation);
        // Its lease may be settled by now.
        if metering.runs.progress(&owner, run_id(&owner, operation)).await?.is_some() {
            return self.matching.create_run(request).await;
        }
        let (plan, load) = (metering.plan(context), load_of(&request.spec));
        let receipt = metering.lease(&owner, &plan, load, operation).await?;
        let created = self.matching.create_run(request).await;
        let is_free = match &created {
            Ok(view) => came_before(receipt, view.run.created_at),
            // It may be there all the same; if not, its lease is an orphan's.
            Err(failure) => !failure.code.retryable(),
        };
        if is_taken(receipt) && is_free {
            metering.take_back(&owner, operation).await;
        }
        created
    }

    pub(super) async fn quota(&self, owner: &OwnerId, context: &Context) -> Result<QuotaView, Failure> {
        let Some(metering) = &self.metering else { return Ok(unlimited()) };
        metering.settle(owner).await?;
        let row = metering.quota.view(owner).await?;
        let (period, now) = (metering.quota.period(), metering.clock.now());
        Ok(view_of(&metering.plans, metering.plan(context), &row, period, now))
    }
}

/// The quota of a node that keeps none.
fn unlimited() -> QuotaView {
    let measure = |measure| MeasureView { measure, limit: None, used: 0, started_at: None, resets_at: None };
    QuotaView { plan: None, measures: Measure::ALL.map(measure).into() }
}
