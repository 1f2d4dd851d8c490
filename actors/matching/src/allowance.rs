//! What a run may still take of its owner's plan, and what is given back of a match.

use std::sync::OnceLock;

use async_trait::async_trait;
use tandem_domain::document::Failure;
use tandem_domain::ids::{OperationId, OwnerId};
use tandem_domain::run::MatchRun;

/// Whether an item of a run is paid for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Coverage {
    /// Its pairs are taken.
    Taken,
    /// Nothing of the run costs anything.
    Free,
    /// The plan allows no more. What the item fails with.
    Spent(Failure),
}

/// Takes the pairs of runs.
#[async_trait]
pub trait Allowance: Send + Sync + 'static {
    /// Takes what an item may come to, before it is ranked. Again for the same item it takes nothing.
    async fn cover(&self, run: &MatchRun, item: u32) -> Result<Coverage, Failure>;
}

/// Gives back what a match has cost that came to nothing.
#[async_trait]
pub trait Refund: Send + Sync + 'static {
    /// Undoes the charge of an operation. Again, or for what was never charged, it changes nothing.
    async fn refund(&self, owner: &OwnerId, operation: OperationId) -> Result<(), Failure>;
}

/// What is known of a run's coverage without asking.
#[derive(Debug, Default)]
pub(crate) struct Bill {
    free: OnceLock<()>,
    /// The item at which the plan allowed no more. The run stops there: it does not go on behind a gap should others give
    /// something back.
    spent: OnceLock<(u32, Failure)>,
}

impl Bill {
    /// Why the item is not to be ranked, if it is not.
    pub(crate) async fn refusal(
        &self,
        allowance: &dyn Allowance,
        run: &MatchRun,
        item: u32,
    ) -> Result<Option<Failure>, Failure> {
        if self.free.get().is_some() {
            return Ok(None);
        }
        if let Some((first, failure)) = self.spent.get()
            && item >= *first
        {
            return Ok(Some(failure.clone()));
        }
        Ok(match allowance.cover(run, item).await? {
            Coverage::Taken => None,
            Coverage::Free => {
                self.free.get_or_init(|| ());
                None
            }
            Coverage::Spent(failure) => {
                self.spent.get_or_init(|| (item, failure.clone()));
                Some(failure)
            }
        })
    }
}
