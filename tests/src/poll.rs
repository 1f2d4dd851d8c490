//! Waiting across processes: look again until it is so, or until a deadline.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// How often a condition is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// A point in time that was set before the work began.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    begun: Instant,
    limit: Duration,
}

impl Deadline {
    /// `limit` from now.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "other processes do not follow a clock that tests could set"
    )]
    pub fn after(limit: Duration) -> Self {
        Self { begun: Instant::now(), limit }
    }

    /// Whether it is over.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.elapsed() > self.limit
    }

    /// How long ago it was set.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }
}

/// Looks until `look` gives something.
///
/// # Panics
/// When `limit` is over first; `what` says what was waited for.
pub fn until<T>(what: &str, limit: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Deadline::after(limit);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(!deadline.passed(), "waited {limit:?} in vain: {what}");
        sleep(LOOK_EVERY);
    }
}
