//! What an actor has in hand, and until when each piece must have moved: what the watchdog reads.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The mark of one supervised actor, kept over its restarts. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Progress(Arc<Marks>);

#[derive(Debug)]
struct Marks {
    limit: Duration,
    next: AtomicU64,
    finished: AtomicU64,
    due: Mutex<BTreeMap<u64, Instant>>,
}

/// A piece of work in an actor's hands; dropping it means that it is finished.
#[derive(Debug)]
#[must_use = "work is in hand for as long as this lives"]
pub struct InHand {
    marks: Arc<Marks>,
    key: u64,
    limit: Duration,
}

impl Progress {
    /// With the limit for pieces that bring none of their own.
    #[must_use]
    pub fn new(limit: Duration) -> Self {
        Self(Arc::new(Marks {
            limit,
            next: AtomicU64::new(0),
            finished: AtomicU64::new(0),
            due: Mutex::new(BTreeMap::new()),
        }))
    }

    /// A piece of work begins; it is stuck when it does not end or [`InHand::touch`] within the kind's limit.
    pub fn begin(&self) -> InHand {
        self.begin_within(self.0.limit)
    }

    /// A piece of work begins that may take `limit` without a sign of progress.
    pub fn begin_within(&self, limit: Duration) -> InHand {
        let key = self.0.next.fetch_add(1, Ordering::Relaxed);
        self.0.due().insert(key, Instant::now() + limit);
        InHand { marks: Arc::clone(&self.0), key, limit }
    }

    /// How many pieces are in hand.
    #[must_use]
    pub fn in_hand(&self) -> usize {
        self.0.due().len()
    }

    /// How many pieces have ended since the actor was first started.
    #[must_use]
    pub fn finished(&self) -> u64 {
        self.0.finished.load(Ordering::Relaxed)
    }

    /// How long ago the piece that is stuck longest should have moved; `None` when nothing is stuck.
    pub(crate) fn overdue(&self, now: Instant) -> Option<Duration> {
        let earliest = self.0.due().values().min().copied()?;
        (earliest < now).then(|| now - earliest)
    }

    /// Forgets what an earlier incarnation had in hand: it will never finish it.
    pub(crate) fn forget(&self) {
        self.0.due().clear();
    }
}

impl Marks {
    fn due(&self) -> MutexGuard<'_, BTreeMap<u64, Instant>> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl InHand {
    /// It has moved: its limit counts from now.
    pub fn touch(&self) {
        if let Some(due) = self.marks.due().get_mut(&self.key) {
            *due = Instant::now() + self.limit;
        }
    }
}

impl Drop for InHand {
    fn drop(&mut self) {
        if self.marks.due().remove(&self.key).is_some() {
            self.marks.finished.fetch_add(1, Ordering::Relaxed);
        }
    }
}
