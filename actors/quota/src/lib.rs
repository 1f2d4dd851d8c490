//! What owners use of their plans: one actor for each active owner, over a store that decides.
//!
//! [`Quota`] is what others hold. Every change is a conditional write of the owner's row (`ledger`), so that the limit
//! holds with any number of writers. The actor of an owner (`actor`) makes its node's changes one after another and
//! remembers the row between them, which saves reads and refused writes; nothing is lost with it.

mod quota;

mod ledger;

mod actor;
mod directory;

mod error;
mod metrics;

pub use error::{QuotaError, Refusal};
pub use ledger::{PlanBook, Receipt};
pub use quota::{Quota, QuotaOptions};
