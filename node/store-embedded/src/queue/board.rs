//! Who holds what, in this process. It is rebuilt from nothing: what it forgets comes back from the table in time.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tandem_domain::task::{TaskKind, TaskRef};
use tandem_domain::time::Timestamp;
use tandem_ports::queue::Delivery;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// Subscriptions, their deliveries, and what wakes them.
#[derive(Debug, Default)]
pub(crate) struct Board {
    closed: AtomicBool,
    /// One for each kind, at its number.
    changed: [Notify; TaskKind::ALL.len()],
    last_token: AtomicU64,
    holders: Mutex<Holders>,
}

#[derive(Debug, Default)]
struct Holders {
    last: u64,
    open: HashMap<u64, Holder>,
    /// What dropped subscriptions held and the table does not know of yet: at most what was in flight.
    returned: Vec<Returned>,
}

#[derive(Debug)]
struct Holder {
    prefetch: usize,
    held: HashMap<u64, Held>,
    /// Claimed and not yet handed out, with the end of their time.
    near: VecDeque<(Delivery, Timestamp)>,
}

#[derive(Debug)]
struct Held {
    task: TaskRef,
    until: Timestamp,
    handed_out: bool,
}

/// A delivery that goes back.
#[derive(Debug, Clone)]
pub(super) struct Returned {
    pub(super) task: TaskRef,
    pub(super) token: u64,
    /// False = nobody ever saw it, so it does not count as a delivery.
    pub(super) handed_out: bool,
}

impl Board {
    fn holders(&self) -> MutexGuard<'_, Holders> {
        self.holders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    const fn notify(&self, kind: TaskKind) -> &Notify {
        &self.changed[kind as usize]
    }

    /// Ends every subscription.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.changed.iter().for_each(Notify::notify_waiters);
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Resolves at the next change in the queue of a kind.
    pub(super) fn changed(&self, kind: TaskKind) -> Notified<'_> {
        self.notify(kind).notified()
    }

    pub(super) fn wake(&self, kind: TaskKind) {
        self.notify(kind).notify_waiters();
    }

    pub(super) fn open(&self, prefetch: usize) -> u64 {
        let mut holders = self.holders();
        holders.last += 1;
        let id = holders.last;
        let holder = Holder { prefetch, held: HashMap::new(), near: VecDeque::new() };
        holders.open.insert(id, holder);
        id
    }

    /// Ends a subscription; what it held goes back.
    pub(super) fn drop_holder(&self, id: u64, kind: TaskKind) {
        let mut holders = self.holders();
        if let Some(holder) = holders.open.remove(&id) {
            let returned =
                |(token, held): (u64, Held)| Returned { task: held.task, token, handed_out: held.handed_out };
            holders.returned.extend(holder.held.into_iter().map(returned));
        }
        drop(holders);
        self.wake(kind);
    }

    pub(super) fn returned(&self) -> Vec<Returned> {
        self.holders().returned.clone()
    }

    /// The table knows now.
    pub(super) fn given_back(&self, tokens: &[u64]) {
        if !tokens.is_empty() {
            self.holders().returned.retain(|returned| !tokens.contains(&returned.token));
        }
    }

    /// How many more a subscription may hold; what has run out of time is not held any more.
    pub(super) fn room(&self, id: u64, now: Timestamp) -> usize {
        let mut holders = self.holders();
        let Some(holder) = holders.open.get_mut(&id) else { return 0 };
        holder.held.retain(|_, held| held.until > now);
        holder.prefetch.saturating_sub(holder.held.len())
    }

    /// Gives a claim its token and counts it against the prefetch, before it is committed, so that claims in a row
    /// never take more than there is room for.
    pub(super) fn claim(&self, id: u64, task: &TaskRef, until: Timestamp) -> u64 {
        let token = self.last_token.fetch_add(1, Ordering::AcqRel) + 1;
        if let Some(holder) = self.holders().open.get_mut(&id) {
            holder.held.insert(token, Held { task: task.clone(), until, handed_out: false });
        }
        token
    }

    /// Claims were committed. A subscription that went in the meantime has given them back already.
    pub(super) fn claimed(&self, id: u64, deliveries: &[Delivery], until: Timestamp) {
        if let Some(holder) = self.holders().open.get_mut(&id) {
            holder.near.extend(deliveries.iter().map(|delivery| (delivery.clone(), until)));
        }
    }

    /// Claims of a subscription were not committed: all that it holds and is neither near nor handed out.
    pub(super) fn unclaimed(&self, id: u64) {
        if let Some(holder) = self.holders().open.get_mut(&id) {
            let Holder { held, near, .. } = holder;
            held.retain(|token, held| {
                held.handed_out || near.iter().any(|(delivery, _)| delivery.token == *token)
            });
        }
    }

    /// Hands out the next claimed delivery whose time has not run out.
    pub(super) fn hand_out(&self, id: u64, now: Timestamp) -> Option<Delivery> {
        let mut holders = self.holders();
        let holder = holders.open.get_mut(&id)?;
        while let Some((delivery, until)) = holder.near.pop_front() {
            if until > now
                && let Some(held) = holder.held.get_mut(&delivery.token)
            {
                held.handed_out = true;
                return Some(delivery);
            }
        }
        None
    }

    pub(super) fn settled(&self, token: u64) {
        for holder in self.holders().open.values_mut() {
            holder.held.remove(&token);
        }
    }
}
