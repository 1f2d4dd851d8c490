//! One owner's row: read, decide, write under the condition that it still stands, until that succeeds.

use std::sync::Arc;
use std::time::Duration;

use tandem_domain::ids::{OperationId, OwnerId};
use tandem_domain::plan::{Limits, Plan};
use tandem_domain::quota::{Charge, Cost, MAX_LEASES, OwnerQuota};
use tandem_domain::time::Timestamp;
use tandem_ports::quotas::ChargeChange;
use tandem_ports::{QuotaStore, Write};

use crate::error::{QuotaError, Refusal};
use crate::metrics;

/// How often a change is tried that others come before. Each time one of them has come further.
const ATTEMPTS: u32 = 64;
/// The wait after the first attempt; each further one waits that much longer, up to [`LONGEST_WAIT`].
const WAIT: Duration = Duration::from_millis(1);
const LONGEST_WAIT: Duration = Duration::from_millis(20);

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
    /// Take the costs, to be settled when the work has ended.
    Lend { limits: Limits, costs: Vec<Cost>, operation: OperationId },
    /// Undo what an operation took.
    Refund { operation: OperationId },
    /// Count as much less of what is there now.
    Release { costs: Vec<Cost>, operation: OperationId },
    /// End a lease with so much of it unused.
    Settle { operation: OperationId, unused: Vec<Cost> },
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
}

/// The row as it stands after a change.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    pub(crate) receipt: Receipt,
    pub(crate) row: OwnerQuota,
}

/// Knows the plans by their names.
pub type PlanBook = Arc<dyn Fn(&str) -> Option<Plan> + Send + Sync>;

/// Where rows lie, which plans there are, and how long a period is.
pub(crate) struct Ports {
    pub(crate) store: Arc<dyn QuotaStore>,
    pub(crate) plans: PlanBook,
    pub(crate) period: Duration,
}

impl Ports {
    /// What the operator's plan allows, or the account's where there is none.
    fn limits(&self, row: &OwnerQuota, of_account: &Limits) -> Limits {
        let plan = row.plan.as_deref().and_then(|name| (self.plans)(name));
        plan.map_or(*of_account, |plan| plan.limits)
    }
}

/// Writes one owner's row.
pub(crate) struct Ledger {
    ports: Arc<Ports>,
    owner: OwnerId,
    /// The row as this ledger wrote it last, for as long as no other is known to have written since.
    row: Option<OwnerQuota>,
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
            let was_cached = self.row.is_some();
            let mut row = self.take_row().await?;
            // After the row: a charge that is written later than this look comes with another revision.
            let charge = match command.action.operation() {
                Some(operation) if command.action.counts(&row, &self.ports) => {
                    self.ports.store.charge(&self.owner, operation).await?
                }
                Some(_) | None => None,
            };
            let charge = charge.filter(|charge| !charge.has_expired(command.at));
            let (receipt, change) = match command.decide(&mut row, charge.as_ref(), &self.ports) {
                // Others may have given back since the row was read.
                Err(_) if was_cached => continue,
                decided => decided?,
            };
            let Some(change) = change else {
                self.row = Some(row.clone());
                return Ok(Outcome { receipt, row });
            };
            (row.rev, row.epoch) = (row.rev + 1, self.epoch);
            match self.ports.store.put_quota(&row, &change).await? {
                Write::Applied => {
                    self.row = Some(row.clone());
                    return Ok(Outcome { receipt, row });
                }
                Write::Conflict(there) => {
                    metrics::overtaken();
                    self.see(there.unwrap_or_else(|| OwnerQuota::new(self.owner.clone())));
                }
                // Should it have been written, the next look finds its charge.
                Write::Unknown => {}
            }
        }
        Err(QuotaError::Unsettled)
    }

    /// The row, which is read again unless this is given back: so it is after every failure.
    async fn take_row(&mut self) -> Result<OwnerQuota, QuotaError> {
        if let Some(row) = self.row.take() {
            return Ok(row);
        }
        let row = self.ports.store.quota(&self.owner).await?;
        let row = row.unwrap_or_else(|| OwnerQuota::new(self.owner.clone()));
        self.epoch = row.epoch + 1;
        Ok(row)
    }

    /// Another writer's row: this ledger fences it off with its next write.
    fn see(&mut self, row: OwnerQuota) {
        self.epoch = row.epoch + 1;
        self.row = Some(row);
    }
}

/// The receipt, and what is written if anything is.
type Decision = Result<(Receipt, Option<ChargeChange>), QuotaError>;

impl Action {
    /// Whether anything of it is limited or was.
    fn counts(&self, row: &OwnerQuota, ports: &Ports) -> bool {
        match self {
            Self::Charge { limits, costs, .. } | Self::Lend { limits, costs, .. } => {
                let limits = ports.limits(row, limits);
                costs.iter().any(|cost| limits.of(cost.measure).is_some())
            }
            Self::Refund { .. } | Self::Release { .. } | Self::Settle { .. } => true,
            Self::Look | Self::Reset | Self::SetPlan(_) => false,
        }
    }

    /// The operation whose charge decides.
    const fn operation(&self) -> Option<OperationId> {
        match self {
            Self::Charge { operation, .. }
            | Self::Lend { operation, .. }
            | Self::Refund { operation }
            | Self::Release { operation, .. } => Some(*operation),
            Self::Look | Self::Settle { .. } | Self::Reset | Self::SetPlan(_) => None,
        }
    }
}

impl Command {
    fn decide(&self, row: &mut OwnerQuota, charge: Option<&Charge>, ports: &Ports) -> Decision {
        let (at, period) = (self.at, ports.period);
        let written = Ok((Receipt::Taken(at), Some(ChargeChange::None)));
        match &self.action {
            Action::Look => Ok((Receipt::Repeated, None)),
            Action::Charge { limits, costs, operation } => {
                if let Some(there) = charge.or_else(|| row.lease(*operation)) {
                    return Ok((self.receipt_of(there), None));
                }
                let limits = ports.limits(row, limits);
                let charged = row.charge(&limits, costs, *operation, period, at);
                match charged.map_err(|exhausted| refused(row, exhausted, period))? {
                    Some(charge) => Ok((Receipt::Taken(at), Some(ChargeChange::Remember(charge)))),
                    None => Ok((Receipt::Unlimited, None)),
                }
            }
            Action::Lend { limits, costs, operation } => {
                if let Some(there) = charge.or_else(|| row.lease(*operation)) {
                    return Ok((self.receipt_of(there), None));
                }
                if row.leases.len() >= MAX_LEASES {
                    return Err(QuotaError::TooManyLeases);
                }
                let limits = ports.limits(row, limits);
                let lent = row.lend(&limits, costs, *operation, period, at);
                match lent.map_err(|exhausted| refused(row, exhausted, period))? {
                    Some(_) => written,
                    None => Ok((Receipt::Unlimited, None)),
                }
            }
            Action::Refund { operation } => {
                if let Some(charge) = charge {
                    row.refund(charge);
                    return Ok((Receipt::Taken(at), Some(ChargeChange::Forget(*operation))));
                }
                let Some(lease) = row.lease(*operation) else { return Ok((Receipt::Repeated, None)) };
                let all = lease.costs.clone();
                row.settle(*operation, &all);
                written
            }
            Action::Release { .. } if charge.is_some() => Ok((Receipt::Repeated, None)),
            Action::Release { costs, operation } => {
                let released = row.release(costs, *operation, at);
                Ok((Receipt::Taken(at), Some(ChargeChange::Remember(released))))
            }
            Action::Settle { operation, unused } => {
                if row.settle(*operation, unused) {
                    written
                } else {
                    Ok((Receipt::Repeated, None))
                }
            }
            Action::Reset => {
                row.reset(at);
                written
            }
            Action::SetPlan(plan) => {
                row.plan.clone_from(plan);
                written
            }
        }
    }

    /// A charge of this very moment is this call's own, from an attempt whose answer was lost.
    fn receipt_of(&self, charge: &Charge) -> Receipt {
        if charge.at == self.at { Receipt::Taken(self.at) } else { Receipt::Repeated }
    }
}

fn refused(row: &OwnerQuota, exhausted: tandem_domain::quota::Exhausted, period: Duration) -> QuotaError {
    let measure = exhausted.measure;
    let window = row.windows.get(&measure).filter(|_| measure.is_periodic());
    QuotaError::Refused(Refusal { exhausted, resets_at: window.and_then(|window| window.ends_at(period)) })
}
