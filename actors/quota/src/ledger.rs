//! One owner's row: read, decide, write under the condition that it still stands, until that succeeds.

use std::sync::Arc;
use std::time::Duration;

use tandem_domain::ids::{OperationId, OwnerId};
use tandem_domain::plan::{Limits, Plan};
use tandem_domain::quota::{Charge, Cost, MAX_LEASES, OwnerQuota, RunLoad, Terms};
use tandem_domain::time::Timestamp;
use tandem_ports::quotas::ChargeChange;
use tandem_ports::{QuotaStore, Write};
use tokio::time::Instant;

use crate::error::{QuotaError, Refusal};
use crate::metrics;

/// How often a change is tried that others come before. Each time one of them has come further.
const ATTEMPTS: u32 = 64;
/// The wait after the first attempt; each further one waits that much longer, up to [`LONGEST_WAIT`].
const WAIT: Duration = Duration::from_millis(1);
const LONGEST_WAIT: Duration = Duration::from_millis(20);

/// A plan that there is no more.
const NOTHING: Limits = Limits {
    matches: Some(0),
    pairs: Some(0),
    concurrent_runs: Some(0),
    stored_bytes: Some(0),
    resume_uploads: Some(0),
    job_descriptions: Some(0),
};

/// How a charge ended that was not refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receipt {
    /// It was taken by this call, at this time.
    Taken(Timestamp),
    /// It was taken before, by an earlier call with the same operation.
    Repeated,
    /// Nothing of it is limited, so nothing was taken.
    Unlimited,
}

/// What is to be done to a row.
#[derive(Debug, Clone)]
pub(crate) enum Action {
    /// Nothing.
    Look,
    /// Take the costs, to be forgotten after a while.
    Charge { limits: Limits, costs: Vec<Cost>, operation: OperationId },
    /// Lend a run its place and its first block.
    Lend { plan: Plan, load: RunLoad, operation: OperationId },
    /// Lend a run the block of an item.
    Cover { load: RunLoad, item: u32, operation: OperationId },
    /// Take back what so many items of a run have left, which came to `used` pairs.
    Trim { load: RunLoad, done: u32, used: u64, operation: OperationId },
    /// Undo what an operation took.
    Refund { operation: OperationId },
    /// Count as much less of what is there now.
    Release { costs: Vec<Cost>, operation: OperationId },
    /// End the lease of a run that came to so many pairs.
    Settle { operation: OperationId, used: u64 },
    /// Begin the windows anew.
    Reset,
    /// Give the owner this plan, or the account's.
    SetPlan(Option<String>),
}

/// A change and when it was asked for. The time stays the same however often it is tried: it tells what this call has
/// taken from what another has.
#[derive(Debug, Clone)]
pub(crate) struct Command {
    pub(crate) action: Action,
    pub(crate) at: Timestamp,
    /// The same moment, for comparison with looks at the store.
    pub(crate) asked: Instant,
}

/// The row as it stands after a change.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    pub(crate) receipt: Receipt,
    pub(crate) row: OwnerQuota,
}

/// Knows the plans by their names.
pub type PlanBook = Arc<dyn Fn(&str) -> Option<Plan> + Send + Sync>;

/// Where rows lie, which plans there are, how long a period is, and how many pairs a block.
pub(crate) struct Ports {
    pub(crate) store: Arc<dyn QuotaStore>,
    pub(crate) plans: PlanBook,
    pub(crate) period: Duration,
    pub(crate) block: u64,
}

impl Ports {
    /// What the operator's plan allows, or the account's where there is none.
    fn limits(&self, row: &OwnerQuota, of_account: &Limits) -> Limits {
        let plan = row.plan.as_deref().and_then(|name| (self.plans)(name));
        plan.map_or(*of_account, |plan| plan.limits)
    }

    /// What the plan of a lease allows.
    fn limits_of_lease(&self, row: &OwnerQuota, operation: OperationId) -> Limits {
        let plan = row.lease(operation).and_then(|lease| (self.plans)(&lease.plan));
        self.limits(row, &plan.map_or(NOTHING, |plan| plan.limits))
    }

    const fn terms(&self, limits: Limits) -> Terms {
        Terms { limits, period: self.period, block: self.block }
    }
}

/// Writes one owner's row.
pub(crate) struct Ledger {
    ports: Arc<Ports>,
    owner: OwnerId,
    /// The row as this ledger wrote it last, for as long as no other is known to have written since, and a moment after
    /// which it stood so.
    row: Option<(OwnerQuota, Instant)>,
    /// Later than every epoch that was seen in the row: whoever wrote before is fenced off by the first write.
    epoch: u64,
}

impl Ledger {
    pub(crate) const fn new(ports: Arc<Ports>, owner: OwnerId) -> Self {
        Self { ports, owner, row: None, epoch: 0 }
    }

    /// Carries out a command; again with the same operation it changes nothing.
    pub(crate) async fn perform(&mut self, command: &Command) -> Result<Outcome, QuotaError> {
        if matches!(command.action, Action::Look) {
            self.row = None;
        }
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                tokio::time::sleep((WAIT * attempt).min(LONGEST_WAIT)).await;
            }
            let (mut row, stood_at) = self.take_row().await?;
            // A change may be tried on such a row, but others may have lent or given back before it was asked for.
            let is_old = stood_at <= command.asked;
            if is_old && command.action.lease().is_some_and(|operation| row.lease(operation).is_none()) {
                continue;
            }
            // After the row: a charge that is written later than this look comes with another revision.
            let charge = match command.action.operation() {
                Some(operation) if command.action.counts(&row, &self.ports) => {
                    self.ports.store.charge(&self.owner, operation).await?
                }
                Some(_) | None => None,
            };
            let charge = charge.filter(|charge| !charge.has_expired(command.at));
            let (receipt, change) = match command.decide(&mut row, charge.as_ref(), &self.ports) {
                Err(_) if is_old => continue,
                // A refusal has changed nothing, and holds for those as well who have asked by now.
                Err(refusal) => {
                    self.row = Some((row, stood_at));
                    return Err(refusal);
                }
                Ok(decided) => decided,
            };
            let Some(change) = change else {
                self.row = Some((row.clone(), stood_at));
                return Ok(Outcome { receipt, row });
            };
            let stood_at = Instant::now();
            (row.rev, row.epoch) = (row.rev + 1, self.epoch);
            match self.ports.store.put_quota(&row, &change).await? {
                Write::Applied => {
                    self.row = Some((row.clone(), stood_at));
                    return Ok(Outcome { receipt, row });
                }
                // Another writer's row: this ledger fences it off with its next write.
                Write::Conflict(there) => {
                    metrics::overtaken();
                    let row = there.unwrap_or_else(|| OwnerQuota::new(self.owner.clone()));
                    self.epoch = row.epoch + 1;
                    self.row = Some((row, stood_at));
                }
                // Should it have been written, the next look finds its charge.
                Write::Unknown => {}
            }
        }
        Err(QuotaError::Unsettled)
    }

    /// The row, which is read again unless this is given back: so it is after every failure.
    async fn take_row(&mut self) -> Result<(OwnerQuota, Instant), QuotaError> {
        if let Some(known) = self.row.take() {
            return Ok(known);
        }
        let stood_at = Instant::now();
        let row = self.ports.store.quota(&self.owner).await?;
        let row = row.unwrap_or_else(|| OwnerQuota::new(self.owner.clone()));
        self.epoch = row.epoch + 1;
        Ok((row, stood_at))
    }
}

/// The receipt, and what is written if anything is.
type Decision = Result<(Receipt, Option<ChargeChange>), QuotaError>;

impl Action {
    /// Whether anything of it is limited or was.
    fn counts(&self, row: &OwnerQuota, ports: &Ports) -> bool {
        match self {
            Self::Charge { limits, costs, .. } => {
                let limits = ports.limits(row, limits);
                costs.iter().any(|cost| limits.of(cost.measure).is_some())
            }
            Self::Refund { .. } | Self::Release { .. } => true,
            Self::Lend { .. }
            | Self::Cover { .. }
            | Self::Trim { .. }
            | Self::Settle { .. }
            | Self::Look
            | Self::Reset
            | Self::SetPlan(_) => false,
        }
    }

    /// The operation whose lease decides.
    const fn lease(&self) -> Option<OperationId> {
        match self {
            Self::Cover { operation, .. }
            | Self::Trim { operation, .. }
            | Self::Settle { operation, .. }
            | Self::Refund { operation } => Some(*operation),
            Self::Charge { .. }
            | Self::Lend { .. }
            | Self::Release { .. }
            | Self::Look
            | Self::Reset
            | Self::SetPlan(_) => None,
        }
    }

    /// The operation whose charge decides.
    const fn operation(&self) -> Option<OperationId> {
        match self {
            Self::Charge { operation, .. } | Self::Refund { operation } | Self::Release { operation, .. } => {
                Some(*operation)
            }
            Self::Lend { .. }
            | Self::Cover { .. }
            | Self::Trim { .. }
            | Self::Settle { .. }
            | Self::Look
            | Self::Reset
            | Self::SetPlan(_) => None,
        }
    }
}

impl Command {
    fn decide(&self, row: &mut OwnerQuota, charge: Option<&Charge>, ports: &Ports) -> Decision {
        let (at, period) = (self.at, ports.period);
        let changed = |is_changed: bool| {
            let written = Ok((Receipt::Taken(at), Some(ChargeChange::None)));
            if is_changed { written } else { Ok((Receipt::Repeated, None)) }
        };
        match &self.action {
            Action::Look => changed(false),
            Action::Charge { limits, costs, operation } => {
                if let Some(there) = charge {
                    return Ok((self.receipt_of(there.at), None));
                }
                let limits = ports.limits(row, limits);
                let charged = row.charge(&limits, costs, *operation, period, at);
                match charged.map_err(|exhausted| refused(row, exhausted, period))? {
                    Some(charge) => Ok((Receipt::Taken(at), Some(ChargeChange::Remember(charge)))),
                    None => Ok((Receipt::Unlimited, None)),
                }
            }
            Action::Lend { plan, load, operation } => self.lend(row, ports, plan, *load, *operation),
            Action::Cover { operation, .. } if row.lease(*operation).is_none() => {
                Ok((Receipt::Unlimited, None))
            }
            Action::Cover { load, item, operation } => {
                let terms = ports.terms(ports.limits_of_lease(row, *operation));
                let covered = row.cover(&terms, *load, *operation, *item, at);
                changed(covered.map_err(|exhausted| refused(row, exhausted, period))?)
            }
            Action::Trim { load, done, used, operation } => {
                changed(row.trim(*operation, *load, *done, *used))
            }
            Action::Settle { operation, used } => changed(row.settle(*operation, *used)),
            Action::Refund { operation } => match charge {
                Some(charge) => {
                    row.refund(charge);
                    Ok((Receipt::Taken(at), Some(ChargeChange::Forget(*operation))))
                }
                None => changed(row.settle(*operation, 0)),
            },
            Action::Release { .. } if charge.is_some() => changed(false),
            Action::Release { costs, operation } => {
                let released = row.release(costs, *operation, at);
                Ok((Receipt::Taken(at), Some(ChargeChange::Remember(released))))
            }
            Action::Reset => {
                row.reset(at);
                changed(true)
            }
            Action::SetPlan(plan) => {
                row.plan.clone_from(plan);
                changed(true)
            }
        }
    }

    fn lend(
        &self,
        row: &mut OwnerQuota,
        ports: &Ports,
        plan: &Plan,
        load: RunLoad,
        operation: OperationId,
    ) -> Decision {
        if let Some(there) = row.lease(operation) {
            return Ok((self.receipt_of(there.at), None));
        }
        if row.leases.len() >= MAX_LEASES {
            return Err(QuotaError::TooManyLeases);
        }
        let terms = ports.terms(ports.limits(row, &plan.limits));
        let lent = row.lend(&terms, &plan.name, load, operation, self.at);
        let is_lent = lent.map_err(|exhausted| refused(row, exhausted, ports.period))?;
        let written = Ok((Receipt::Taken(self.at), Some(ChargeChange::None)));
        if is_lent { written } else { Ok((Receipt::Unlimited, None)) }
    }

    /// What was taken at this very moment is this call's own, from an attempt whose answer was lost.
    fn receipt_of(&self, taken_at: Timestamp) -> Receipt {
        if taken_at == self.at { Receipt::Taken(self.at) } else { Receipt::Repeated }
    }
}

fn refused(row: &OwnerQuota, exhausted: tandem_domain::quota::Exhausted, period: Duration) -> QuotaError {
    let measure = exhausted.measure;
    let window = row.windows.get(&measure).filter(|_| measure.is_periodic());
    QuotaError::Refused(Refusal { exhausted, resets_at: window.and_then(|window| window.ends_at(period)) })
}
