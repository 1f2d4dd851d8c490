//! What an owner has used of a plan: windows, charges and leases (`lease`), as a state machine without a clock.
//!
//! Nothing here is in use by two at a time: whoever keeps an [`OwnerQuota`] writes the next one under the condition that
//! the last one still stands.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::ids::{OperationId, OwnerId};
use crate::plan::{Limits, Measure};
use crate::time::Timestamp;

pub use lease::{Lease, RunLoad, Terms};

mod lease;

#[cfg(test)]
mod tests;

/// How long a charge is remembered under its operation, as long as a client may repeat a request under one key. What is
/// older is not given back any more, and the same operation is charged anew.
pub const CHARGE_KEPT: Duration = Duration::from_secs(48 * 3600);

/// The most leases of one owner at a time.
pub const MAX_LEASES: usize = 256;

/// An amount of a measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// What is used.
    pub measure: Measure,
    /// How much of it.
    pub amount: u64,
}

impl Cost {
    /// This much of a measure.
    #[must_use]
    pub const fn new(measure: Measure, amount: u64) -> Self {
        Self { measure, amount }
    }
}

/// What an operation has taken. Unlimited measures are not in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    /// The operation that was charged; the same one is never charged twice.
    pub operation: OperationId,
    /// What it took, each measure once.
    pub costs: Vec<Cost>,
    /// When.
    pub at: Timestamp,
}

impl Charge {
    /// Whether it is remembered no longer.
    #[must_use]
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.at.plus(CHARGE_KEPT) <= now
    }
}

/// What was used of one measure.
///
/// The rule of a periodic measure: the first use starts the window. When the window's start lies more than a period
/// back, the next use starts a new one, in which it is the first; until then uses add up, and none goes over the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct QuotaWindow {
    /// How much was used since `started_at`.
    pub used: u64,
    /// When the window began; `None` before the first use, and always of a measure without a period.
    pub started_at: Option<Timestamp>,
}

impl QuotaWindow {
    /// The window as it counts at `now`: an empty one where this one is over. `period` is `None` where there is none.
    #[must_use]
    pub fn at(self, period: Option<Duration>, now: Timestamp) -> Self {
        let is_over = self.started_at.zip(period).is_some_and(|(started, period)| now > started.plus(period));
        if is_over { Self::default() } else { self }
    }

    /// When a periodic window is over, if it has begun.
    #[must_use]
    pub fn ends_at(self, period: Duration) -> Option<Timestamp> {
        self.started_at.map(|started| started.plus(period))
    }

    /// This window with `amount` more in it; `None` if that is over the limit.
    #[must_use]
    fn taken(self, amount: u64, limit: u64, period: Option<Duration>, now: Timestamp) -> Option<Self> {
        let window = self.at(period, now);
        let used = window.used.checked_add(amount).filter(|used| *used <= limit)?;
        let started_at = period.map(|_| window.started_at.unwrap_or(now));
        Some(Self { used, started_at })
    }

    /// This window with what was taken at `taken_at` given back, unless it was taken in an earlier window.
    #[must_use]
    fn given_back(self, amount: u64, taken_at: Timestamp) -> Self {
        if self.started_at.is_some_and(|started| taken_at < started) {
            return self;
        }
        Self { used: self.used.saturating_sub(amount), ..self }
    }
}

/// Why nothing was charged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{asked} more of {measure} than {used} of {limit}")]
pub struct Exhausted {
    /// The first measure that does not suffice.
    pub measure: Measure,
    /// Its limit.
    pub limit: u64,
    /// What is used of it.
    pub used: u64,
    /// What was asked for.
    pub asked: u64,
}

/// An owner's row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnerQuota {
    /// Whose.
    pub owner: OwnerId,
    /// Counts the writes; 0 = was never written.
    pub rev: u64,
    /// Who may write: a write of an earlier epoch than the row's is refused.
    pub epoch: u64,
    /// The plan that an operator has given the owner, over the one of the account.
    pub plan: Option<String>,
    /// What was used. A measure that is missing was never used.
    pub windows: BTreeMap<Measure, QuotaWindow>,
    /// What is lent to work that goes on, at most [`MAX_LEASES`]. Leases do not expire.
    pub leases: Vec<Lease>,
}

impl OwnerQuota {
    /// The row of somebody who has used nothing.
    #[must_use]
    pub const fn new(owner: OwnerId) -> Self {
        Self { owner, rev: 0, epoch: 0, plan: None, windows: BTreeMap::new(), leases: Vec::new() }
    }

    /// The window of a measure as it counts at `now`.
    #[must_use]
    pub fn window(&self, measure: Measure, period: Duration, now: Timestamp) -> QuotaWindow {
        let window = self.windows.get(&measure).copied().unwrap_or_default();
        window.at(period_of(measure, period), now)
    }

    /// Takes all costs, or none: `None` where nothing of them is limited.
    ///
    /// # Errors
    /// The first measure that does not suffice.
    pub fn charge(
        &mut self,
        limits: &Limits,
        costs: &[Cost],
        operation: OperationId,
        period: Duration,
        now: Timestamp,
    ) -> Result<Option<Charge>, Exhausted> {
        let mut windows = self.windows.clone();
        let mut taken: Vec<Cost> = Vec::new();
        for Cost { measure, amount } in costs.iter().copied() {
            let Some(limit) = limits.of(measure) else { continue };
            let window = windows.entry(measure).or_default();
            let next = window.taken(amount, limit, period_of(measure, period), now);
            *window = next.ok_or_else(|| {
                let used = self.window(measure, period, now).used;
                Exhausted { measure, limit, used, asked: amount }
            })?;
            taken.push(Cost { measure, amount });
        }
        if taken.is_empty() {
            return Ok(None);
        }
        self.windows = windows;
        Ok(Some(Charge { operation, costs: taken, at: now }))
    }

    /// Gives everything back that a charge took.
    pub fn refund(&mut self, charge: &Charge) {
        for Cost { measure, amount } in &charge.costs {
            self.give_back(*measure, *amount, charge.at);
        }
    }

    /// Counts as much less of what is there now; what was used in a period stays used. The charge that remembers it.
    pub fn release(&mut self, costs: &[Cost], operation: OperationId, now: Timestamp) -> Charge {
        for Cost { measure, amount } in costs.iter().filter(|cost| !cost.measure.is_periodic()) {
            self.give_back(*measure, *amount, now);
        }
        Charge { operation, costs: Vec::new(), at: now }
    }

    fn give_back(&mut self, measure: Measure, amount: u64, taken_at: Timestamp) {
        if let Some(window) = self.windows.get_mut(&measure) {
            *window = window.given_back(amount, taken_at);
        }
    }

    /// Begins the windows of all periodic measures anew, with nothing used. What is there now stays counted.
    pub fn reset(&mut self, now: Timestamp) {
        for measure in Measure::ALL.into_iter().filter(|measure| measure.is_periodic()) {
            self.windows.insert(measure, QuotaWindow { used: 0, started_at: Some(now) });
        }
    }
}

fn period_of(measure: Measure, period: Duration) -> Option<Duration> {
    measure.is_periodic().then_some(period)
}
