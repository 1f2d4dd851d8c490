//! One worker pool's view of a queue.

use std::num::NonZeroU16;
use std::pin::pin;
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::Connection;
use tandem_domain::task::TaskKind;
use tandem_domain::time::Timestamp;
use tandem_ports::queue::{Deliveries, Delivery, QueueError};
use tokio::time::timeout;

use super::certain;
use super::claim::{Claimed, claim};
use crate::store::EmbeddedStore;
use crate::writer::End;

/// Who waits looks again after this long, whatever comes due: the machine's clock may have been set.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The shortest wait for what comes due: clocks and timers are no finer.
const SHORTEST: Duration = Duration::from_millis(1);

pub(super) struct Subscription {
    store: EmbeddedStore,
    kind: TaskKind,
    id: u64,
}

impl Subscription {
    pub(super) fn new(store: EmbeddedStore, kind: TaskKind, prefetch: NonZeroU16) -> Self {
        let id = store.board().open(usize::from(prefetch.get()));
        Self { store, kind, id }
    }

    /// Fills the room under the prefetch; gives the time at which more comes due. What it claims is on the board even
    /// if nobody waits for the answer.
    async fn claim(&self) -> Result<Option<Timestamp>, QueueError> {
        let (id, kind, visibility) = (self.id, self.kind, self.store.visibility());
        let (clock, board) = (self.store.clock().clone(), self.store.board().clone());
        let work =
            move |connection: &Connection| claim(connection, &board, (id, kind), clock.now(), visibility);
        let board = self.store.board().clone();
        let claimed = move |end: &End<Claimed>| match end {
            End::Done(claimed) => {
                board.given_back(&claimed.returned);
                board.claimed(id, &claimed.deliveries, claimed.until);
            }
            End::Failed(_) | End::Unknown => board.unclaimed(id),
        };
        Ok(certain(self.store.writer().write_then(work, claimed).await)?.next)
    }
}

#[async_trait]
impl Deliveries for Subscription {
    async fn next(&mut self) -> Result<Option<Delivery>, QueueError> {
        let board = self.store.board();
        loop {
            let mut changed = pin!(board.changed(self.kind));
            changed.as_mut().enable();
            if board.is_closed() {
                return Ok(None);
            }
            let now = self.store.clock().now();
            if let Some(delivery) = board.hand_out(self.id, now) {
                return Ok(Some(delivery));
            }
            let mut wait = LOOK_AGAIN;
            if board.room(self.id, now) > 0 {
                let next = match self.claim().await {
                    Err(_) if board.is_closed() => return Ok(None),
                    next => next?,
                };
                if let Some(delivery) = board.hand_out(self.id, now) {
                    return Ok(Some(delivery));
                }
                let ahead = next.map_or(i64::MAX, |next| next.millis().saturating_sub(now.millis()));
                let ahead = Duration::from_millis(ahead.max(0).unsigned_abs());
                wait = ahead.clamp(SHORTEST, LOOK_AGAIN);
            }
            // Awoken or not, the next turn looks at everything anew.
            drop(timeout(wait, changed).await);
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.store.board().drop_holder(self.id, self.kind);
    }
}
