//! What every [`Clock`] promises, and a clock that is set by hand.

use std::collections::HashSet;
use std::sync::Mutex;
use std::time::Duration;

use tandem_domain::time::Timestamp;
use uuid::{Builder, Uuid};

use super::locked;
use crate::clock::Clock;

#[cfg(test)]
mod tests;

/// Runs the whole suite.
///
/// # Panics
/// At the first broken promise.
pub fn contract(clock: &dyn Clock) {
    let ids: Vec<Uuid> = (0..10_000).map(|_| clock.new_id()).collect();
    assert!(ids.iter().all(|id| id.get_version_num() == 7), "version 7");
    assert!(ids.is_sorted(), "sorted by the time of making, also within a millisecond");
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len(), "unique");
    assert!(clock.now() > Timestamp::from_millis(0));
}

/// A clock that stands still until it is moved. Its ids follow from its seed and how many were made.
#[derive(Debug)]
pub struct ManualClock(Mutex<State>);

#[derive(Debug)]
struct State {
    now: Timestamp,
    /// The time inside the newest id: ids stay sorted when the clock is set back.
    stamped: i64,
    made: u64,
    seed: u16,
}

impl ManualClock {
    /// 2026-11-01T12:00:00Z.
    pub const START: Timestamp = Timestamp::from_millis(1_793_534_400_000);

    /// A clock that stands at [`ManualClock::START`]. Clocks of different seeds make different ids.
    #[must_use]
    pub const fn new(seed: u16) -> Self {
        Self(Mutex::new(State { now: Self::START, stamped: 0, made: 0, seed }))
    }

    /// Sets the time, also backwards.
    pub fn set(&self, now: Timestamp) {
        locked(&self.0).now = now;
    }

    /// Moves the time forward.
    pub fn advance(&self, by: Duration) {
        let mut state = locked(&self.0);
        state.now = state.now.plus(by);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        locked(&self.0).now
    }

    fn new_id(&self) -> Uuid {
        let mut state = locked(&self.0);
        state.stamped = state.stamped.max(state.now.millis());
        state.made += 1;
        let mut tail = [0; 10];
        tail[..2].copy_from_slice(&(state.seed & 0x0FFF).to_be_bytes());
        tail[2..].copy_from_slice(&state.made.to_be_bytes());
        Builder::from_unix_timestamp_millis(state.stamped.unsigned_abs(), &tail).into_uuid()
    }
}
