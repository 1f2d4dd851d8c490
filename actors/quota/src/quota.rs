//! What others hold: charges, leases and what is given back.

use std::sync::Arc;
use std::time::Duration;

use tandem_domain::ids::{OperationId, OwnerId};
use tandem_domain::plan::Plan;
use tandem_domain::quota::{Cost, OwnerQuota, RunLoad};
use tandem_ports::{Clock, QuotaStore};
use tandem_runtime::{Address, AskError, StartError, SupervisorHandle, ask};
use tokio::time::Instant;

use crate::actor::{self, OwnerMessage, Start};
use crate::directory::{Directory, Place};
use crate::error::QuotaError;
use crate::ledger::{Action, Command, Ledger, Outcome, PlanBook, Ports, Receipt};
use crate::metrics;

#[cfg(test)]
mod tests;

/// How often the actor is asked before the change is made without it: it may go at the moment it is asked.
const ASKS: u32 = 2;

/// How quotas are kept.
#[derive(Debug, Clone, Copy)]
pub struct QuotaOptions {
    /// How long a window of a periodic measure lasts.
    pub period: Duration,
    /// How many pairs a run takes at a time.
    pub block: u64,
    /// An actor that was not asked for so long goes; at most twice as long passes.
    pub idle: Duration,
    /// The most actors of this node. For further owners changes are made without one.
    pub most_active: usize,
    /// How long a change may take.
    pub limit: Duration,
}

impl QuotaOptions {
    /// With windows of this length and blocks of so many pairs.
    #[must_use]
    pub const fn new(period: Duration, block: u64) -> Self {
        Self {
            period,
            block,
            idle: Duration::from_secs(60),
            most_active: 4_096,
            limit: Duration::from_secs(10),
        }
    }
}

/// The quotas of all owners, as this node changes them. Cheap to clone.
///
/// Several nodes may change the same owner's: the store lets one of them write at a time, and the limit holds.
#[derive(Clone)]
pub struct Quota(Arc<Inner>);

struct Inner {
    /// `None` = no actors.
    supervisor: Option<SupervisorHandle>,
    ports: Arc<Ports>,
    clock: Arc<dyn Clock>,
    directory: Arc<Directory>,
    options: QuotaOptions,
}

impl Quota {
    /// On this store, with these plans. With a supervisor actors are started when their owners come; without one each
    /// change is made by itself, as a command line wants it.
    pub fn new(
        supervisor: Option<SupervisorHandle>,
        store: Arc<dyn QuotaStore>,
        clock: Arc<dyn Clock>,
        plans: PlanBook,
        options: QuotaOptions,
    ) -> Self {
        let ports = Arc::new(Ports { store, plans, period: options.period, block: options.block });
        let directory = Arc::new(Directory::new(options.most_active));
        Self(Arc::new(Inner { supervisor, ports, clock, directory, options }))
    }

    /// How long a window lasts.
    #[must_use]
    pub fn period(&self) -> Duration {
        self.0.options.period
    }

    /// How many actors there are.
    #[must_use]
    pub fn active(&self) -> usize {
        self.0.directory.len()
    }

    /// Takes all costs, or none, of the plan that the operator gave the owner, or else of `plan`. The same operation is charged once, for as long as its charge is remembered
    /// ([`tandem_domain::quota::CHARGE_KEPT`]) and not refunded.
    ///
    /// # Errors
    /// [`QuotaError::Refused`] when the plan allows no more; any other means that nothing is known to be taken, and that
    /// the same operation may be tried again.
    pub async fn charge(
        &self,
        owner: &OwnerId,
        plan: &Plan,
        costs: Vec<Cost>,
        operation: OperationId,
    ) -> Result<Receipt, QuotaError> {
        let limits = plan.limits;
        self.counted(owner, Action::Charge { limits, costs, operation }).await
    }

    /// Lends a run its place among those that go on and its first block of pairs, or as much of it as is left; see
    /// [`tandem_domain::quota::Lease`]. It stays lent until it is given back. The same operation is lent it once.
    ///
    /// # Errors
    /// Those of [`Quota::charge`] where not even one item can be paid for, and [`QuotaError::TooManyLeases`].
    pub async fn lend(
        &self,
        owner: &OwnerId,
        plan: &Plan,
        load: RunLoad,
        operation: OperationId,
    ) -> Result<Receipt, QuotaError> {
        self.counted(owner, Action::Lend { plan: plan.clone(), load, operation }).await
    }

    /// Lends a run the block in which `item` lies, unless it has it. Again, also by other nodes, it takes nothing more.
    /// Unlimited = the run has no lease, and none of its items needs one.
    ///
    /// # Errors
    /// [`QuotaError::Refused`] when the plan does not allow the run to reach the item; any other means that the same item
    /// may be tried again.
    pub async fn cover(
        &self,
        owner: &OwnerId,
        load: RunLoad,
        item: u32,
        operation: OperationId,
    ) -> Result<Receipt, QuotaError> {
        self.counted(owner, Action::Cover { load, item, operation }).await
    }

    /// Takes back what `done` ranked items of a run that goes on have left, which came to `used` pairs together.
    ///
    /// # Errors
    /// The store's.
    pub async fn trim(
        &self,
        owner: &OwnerId,
        load: RunLoad,
        (done, used): (u32, u64),
        operation: OperationId,
    ) -> Result<(), QuotaError> {
        self.counted(owner, Action::Trim { load, done, used, operation }).await.map(drop)
    }

    /// Undoes the charge or lease of an operation. Again, or without one, it changes nothing.
    ///
    /// # Errors
    /// The store's.
    pub async fn refund(&self, owner: &OwnerId, operation: OperationId) -> Result<(), QuotaError> {
        self.counted(owner, Action::Refund { operation }).await.map(drop)
    }

    /// Counts as much less of what is there now, such as bytes that are removed. The same operation does it once, for as
    /// long as it is remembered.
    ///
    /// # Errors
    /// The store's.
    pub async fn release(
        &self,
        owner: &OwnerId,
        costs: Vec<Cost>,
        operation: OperationId,
    ) -> Result<(), QuotaError> {
        self.counted(owner, Action::Release { costs, operation }).await.map(drop)
    }

    /// Ends the lease of a run that came to `used` pairs: the others and its place are given back. Again it changes
    /// nothing.
    ///
    /// # Errors
    /// The store's.
    pub async fn settle(&self, owner: &OwnerId, operation: OperationId, used: u64) -> Result<(), QuotaError> {
        self.counted(owner, Action::Settle { operation, used }).await.map(drop)
    }

    /// The owner's row as it stands in the store.
    ///
    /// # Errors
    /// The store's.
    pub async fn view(&self, owner: &OwnerId) -> Result<OwnerQuota, QuotaError> {
        Ok(self.perform(owner, Action::Look).await?.row)
    }

    /// Zeroes what was used per period, in windows that begin now.
    ///
    /// # Errors
    /// The store's.
    pub async fn reset(&self, owner: &OwnerId) -> Result<OwnerQuota, QuotaError> {
        Ok(self.perform(owner, Action::Reset).await?.row)
    }

    /// Gives the owner a plan over the one of the account; `None` takes it away again.
    ///
    /// # Errors
    /// The store's.
    pub async fn set_plan(&self, owner: &OwnerId, plan: Option<String>) -> Result<OwnerQuota, QuotaError> {
        Ok(self.perform(owner, Action::SetPlan(plan)).await?.row)
    }

    async fn counted(&self, owner: &OwnerId, action: Action) -> Result<Receipt, QuotaError> {
        let end = self.perform(owner, action).await.map(|outcome| outcome.receipt);
        metrics::decided(&end);
        end
    }

    /// Through the owner's actor, or without it where there is none to be had.
    async fn perform(&self, owner: &OwnerId, action: Action) -> Result<Outcome, QuotaError> {
        let command = Command { action, at: self.0.clock.now(), asked: Instant::now() };
        for _ in 0..ASKS {
            let Some(supervisor) = &self.0.supervisor else { break };
            let Some(place) = self.0.directory.place(owner) else { break };
            let starting = place.get_or_try_init(|| self.start(supervisor, owner, &place));
            let Ok(address) = starting.await else {
                // Its predecessor is on its way out, or the node is.
                self.0.directory.vacate(owner, &place);
                break;
            };
            let asked = ask(address, self.0.options.limit, |reply| {
                OwnerMessage::Perform(Box::new(command.clone()), reply)
            });
            match asked.await {
                Ok(end) => return end,
                Err(AskError::Gone) => self.0.directory.vacate(owner, &place),
                Err(AskError::Timeout | AskError::Overloaded) => return Err(QuotaError::Unsettled),
            }
        }
        metrics::without_actor();
        let mut ledger = Ledger::new(Arc::clone(&self.0.ports), owner.clone());
        let end = tokio::time::timeout(self.0.options.limit, ledger.perform(&command)).await;
        end.unwrap_or(Err(QuotaError::Unsettled))
    }

    async fn start(
        &self,
        supervisor: &SupervisorHandle,
        owner: &OwnerId,
        place: &Place,
    ) -> Result<Address<OwnerMessage>, StartError> {
        let start = Start {
            ports: Arc::clone(&self.0.ports),
            directory: Arc::clone(&self.0.directory),
            place: Arc::clone(place),
            owner: owner.clone(),
            idle: self.0.options.idle,
        };
        actor::start(supervisor, start).await
    }
}
