//! The machine's clock behind the `Clock` port.

use std::time::{Duration, UNIX_EPOCH};

use tandem_domain::time::Timestamp;
use tandem_ports::Clock;
use uuid::Uuid;

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SystemClock;

impl SystemClock {
    /// The time since 1970, as exactly as the machine knows it.
    pub(crate) fn since_epoch() -> Duration {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the adapter everybody else takes the time from"
        )]
        std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(i64::try_from(Self::since_epoch().as_millis()).unwrap_or(i64::MAX))
    }

    fn new_id(&self) -> Uuid {
        Uuid::now_v7()
    }
}
