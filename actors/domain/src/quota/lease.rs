//! What is lent to a match run: a place among those that go on, and pairs, a block of them at a time.
//!
//! The lease remembers up to which item its run is covered for as long as the run goes on, so that a block is taken
//! once, whoever asks for it and however often. What was not used is given back with the lease.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Cost, Exhausted, OwnerQuota, QuotaWindow};
use crate::ids::OperationId;
use crate::plan::{Limits, Measure};
use crate::time::Timestamp;

#[cfg(test)]
mod tests;

/// How many pairs a run may come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunLoad {
    /// Its items.
    pub items: u32,
    /// The most pairs of each.
    pub pairs: u64,
}

impl RunLoad {
    /// The number of items up to the end of the block in which `item` lies. A block holds as many whole items as `block`
    /// pairs suffice for, and one at least.
    #[must_use]
    pub fn block_end(&self, item: u32, block: u64) -> u32 {
        let size = u32::try_from(block / self.pairs.max(1)).unwrap_or(u32::MAX).max(1);
        let end = (item / size).saturating_add(1).saturating_mul(size);
        end.min(self.items.max(item.saturating_add(1)))
    }
}

/// On which terms pairs are lent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// What the owner's plan allows.
    pub limits: Limits,
    /// How long a window lasts.
    pub period: Duration,
    /// Pairs of a block.
    pub block: u64,
}

/// What is lent to a run that goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The request that made the run.
    pub operation: OperationId,
    /// The name of the owner's plan when the run was taken in. An operator's plan comes before it.
    pub plan: String,
    /// Whether it holds a place among the runs at a time.
    pub place: bool,
    /// How many items, from the first on, it suffices for.
    pub covered: u32,
    /// Pairs that it holds, of which the unused are given back.
    pub pairs: u64,
    /// Pairs besides that no window holds any more: those of windows that are over, and those that nothing limited.
    pub before: u64,
    /// When the first of `pairs` were taken.
    pub since: Timestamp,
    /// When it was lent.
    pub at: Timestamp,
}

impl Lease {
    /// Takes note of the window that its next pairs lie in: those of an earlier one are not given back.
    fn enter(&mut self, window: QuotaWindow, now: Timestamp) {
        if window.started_at.is_some_and(|started| started > self.since) {
            self.before = self.before.saturating_add(self.pairs);
            (self.pairs, self.since) = (0, now);
        }
    }

    /// Of the pairs that it holds, those that are not among `needed` of all that it ever took.
    fn spare(&self, needed: u64) -> u64 {
        self.before.saturating_add(self.pairs).saturating_sub(needed).min(self.pairs)
    }
}

impl OwnerQuota {
    /// The lease of an operation.
    #[must_use]
    pub fn lease(&self, operation: OperationId) -> Option<&Lease> {
        self.leases.iter().find(|lease| lease.operation == operation)
    }

    /// Lends a place and the first block, or as much of it as is left. `false` = nothing of it is limited, and then there
    /// is no lease. The caller has looked that the operation has none and that there is room.
    ///
    /// # Errors
    /// When there is not enough for the first item, or no place; then nothing is taken.
    pub fn lend(
        &mut self,
        terms: &Terms,
        plan: &str,
        load: RunLoad,
        operation: OperationId,
        now: Timestamp,
    ) -> Result<bool, Exhausted> {
        let Terms { limits, period, .. } = terms;
        if limits.pairs.is_none() && limits.concurrent_runs.is_none() {
            return Ok(false);
        }
        let mut next = self.clone();
        let place = [Cost::new(Measure::ConcurrentRuns, 1)];
        let lease = Lease {
            operation,
            plan: plan.to_owned(),
            place: limits.concurrent_runs.is_some(),
            covered: 0,
            pairs: 0,
            before: 0,
            since: now,
            at: now,
        };
        next.leases.push(lease);
        next.cover(terms, load, operation, 0, now)?;
        next.charge(limits, &place, operation, *period, now)?;
        *self = next;
        Ok(true)
    }

    /// Lends what is missing up to the end of the block of `item`, or as many whole items as there is enough for. Whether
    /// anything was changed: not where the item is covered, nor without a lease.
    ///
    /// # Errors
    /// When there is not enough to reach the item; then nothing is taken.
    pub fn cover(
        &mut self,
        terms: &Terms,
        load: RunLoad,
        operation: OperationId,
        item: u32,
        now: Timestamp,
    ) -> Result<bool, Exhausted> {
        let found = self.leases.iter_mut().find(|lease| lease.operation == operation);
        let Some(lease) = found.filter(|lease| lease.covered <= item) else { return Ok(false) };
        let wanted = load.block_end(item, terms.block).saturating_sub(lease.covered);
        let Some(limit) = terms.limits.pairs else {
            lease.before = lease.before.saturating_add(load.pairs.saturating_mul(wanted.into()));
            lease.covered = lease.covered.saturating_add(wanted);
            return Ok(true);
        };
        let (period, window) = (Some(terms.period), self.windows.get(&Measure::Pairs));
        let window = window.copied().unwrap_or_default();
        let used = window.at(period, now).used;
        let exhausted = Exhausted { measure: Measure::Pairs, limit, used, asked: load.pairs };
        let enough_for = limit.saturating_sub(used).checked_div(load.pairs).unwrap_or(u64::MAX);
        let items = wanted.min(u32::try_from(enough_for).unwrap_or(u32::MAX));
        let covered = lease.covered.saturating_add(items);
        let amount = load.pairs.saturating_mul(items.into());
        let taken = window.taken(amount, limit, period, now).filter(|_| covered > item);
        let Some(taken) = taken else { return Err(exhausted) };
        self.windows.insert(Measure::Pairs, taken);
        lease.enter(taken, now);
        lease.pairs = lease.pairs.saturating_add(amount);
        lease.covered = covered;
        Ok(true)
    }

    /// Gives back what `done` items of a run have left, which came to `used` pairs together; they are all covered. Whether
    /// they left anything.
    pub fn trim(&mut self, operation: OperationId, load: RunLoad, done: u32, used: u64) -> bool {
        let found = self.leases.iter_mut().find(|lease| lease.operation == operation);
        let Some(lease) = found else { return false };
        let to_come = load.pairs.saturating_mul(lease.covered.saturating_sub(done).into());
        let spare = lease.spare(used.saturating_add(to_come));
        if spare == 0 {
            return false;
        }
        lease.pairs -= spare;
        let since = lease.since;
        self.give_back(Measure::Pairs, spare, since);
        true
    }

    /// Ends a lease whose run came to `used` pairs: the others that it holds and its place are given back. Whether there
    /// was one.
    pub fn settle(&mut self, operation: OperationId, used: u64) -> bool {
        let Some(at) = self.leases.iter().position(|lease| lease.operation == operation) else {
            return false;
        };
        let lease = self.leases.remove(at);
        self.give_back(Measure::Pairs, lease.spare(used), lease.since);
        if lease.place {
            self.give_back(Measure::ConcurrentRuns, 1, lease.at);
        }
        true
    }
}
