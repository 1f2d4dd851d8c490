//! Waiting across processes: look again until it is so, or until a deadline.

use std::fmt::Display;
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
    until_ok(what, limit, || look().ok_or("it is not so"))
}

/// Looks until `look` gives something; what it gives before that says how things stand.
///
/// # Panics
/// When `limit` is over first, with how things stood last.
pub fn until_ok<T, S: Display>(what: &str, limit: Duration, mut look: impl FnMut() -> Result<T, S>) -> T {
    let deadline = Deadline::after(limit);
    loop {
        match look() {
            Ok(found) => return found,
            Err(state) => assert!(!deadline.passed(), "waited {limit:?} in vain until {what}: {state}"),
        }
        sleep(LOOK_EVERY);
    }
}
