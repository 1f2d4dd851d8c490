//! Time and identity: the only source of both.

use tandem_domain::time::Timestamp;
use uuid::Uuid;

/// Where the time comes from, and new ids with it.
pub trait Clock: Send + Sync + 'static {
    /// The time now. It may step backwards when the machine's clock is set.
    fn now(&self) -> Timestamp;

    /// A new UUID of version 7: unique, and sorted by its time of making.
    fn new_id(&self) -> Uuid;
}
