//! The end of a node's work: nothing new is taken, what is in hand is finished within a limit, the rest is given back.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

#[cfg(test)]
mod tests;

/// Whether the node is draining, and since when. Cheap to clone; all clones are one.
#[derive(Debug, Clone, Default)]
pub struct Drain(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    begun: CancellationToken,
    end: OnceLock<Instant>,
    in_hand: TaskTracker,
    finished: AtomicU64,
    given_back: AtomicU64,
}

/// A piece of work that a drain waits for; dropping it means that it is finished or given back.
#[derive(Debug)]
#[must_use = "the drain waits for as long as this lives"]
pub struct InHandGuard {
    drain: Drain,
    given_back: bool,
    _token: TaskTrackerToken,
}

impl Drain {
    /// How long work in hand may go on when nothing else was said.
    pub const LIMIT: Duration = Duration::from_secs(25);

    /// Not draining.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins with [`Drain::LIMIT`]. Beginning twice changes nothing.
    pub fn begin(&self) {
        self.begin_within(Self::LIMIT);
    }

    /// Begins: what is in hand may go on for `limit`.
    pub fn begin_within(&self, limit: Duration) {
        self.0.end.get_or_init(|| Instant::now() + limit);
        self.0.in_hand.close();
        self.0.begun.cancel();
    }

    /// Whether it has begun.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.0.begun.is_cancelled()
    }

    /// Waits until it begins.
    pub async fn begun(&self) {
        self.0.begun.cancelled().await;
    }

    /// Whether what is still in hand has to be given back now.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.0.end.get().is_some_and(|end| *end <= Instant::now())
    }

    /// Waits until what is still in hand has to be given back.
    pub async fn over(&self) {
        self.begun().await;
        if let Some(end) = self.0.end.get() {
            tokio::time::sleep_until(*end).await;
        }
    }

    /// A piece of work that a drain is to wait for.
    pub fn hold(&self) -> InHandGuard {
        InHandGuard { drain: self.clone(), given_back: false, _token: self.0.in_hand.token() }
    }

    /// Waits until it has begun and nothing is in hand; the caller sets the limit.
    pub async fn idle(&self) {
        self.0.in_hand.wait().await;
    }

    /// How many pieces are in hand.
    #[must_use]
    pub fn in_hand(&self) -> usize {
        self.0.in_hand.len()
    }

    /// How many pieces ended by themselves since the drain began.
    #[must_use]
    pub fn finished(&self) -> u64 {
        self.0.finished.load(Ordering::Relaxed)
    }

    /// How many pieces were given back since the drain began.
    #[must_use]
    pub fn given_back(&self) -> u64 {
        self.0.given_back.load(Ordering::Relaxed)
    }
}

impl InHandGuard {
    /// This piece ends without being finished: somebody else will do it.
    pub const fn give_back(&mut self) {
        self.given_back = true;
    }
}

impl Drop for InHandGuard {
    fn drop(&mut self) {
        if !self.drain.is_draining() {
            return;
        }
        let counter = if self.given_back { &self.drain.0.given_back } else { &self.drain.0.finished };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}
