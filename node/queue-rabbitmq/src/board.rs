//! Who holds what: the deliveries of this node that are not settled.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lapin::Acker;
use tandem_domain::task::TaskKind;

use crate::session::Session;

/// A delivery that was handed out.
#[derive(Clone)]
pub(crate) struct Held {
    pub(crate) session: Arc<Session>,
    pub(crate) subscription: u64,
    pub(crate) kind: TaskKind,
    /// Settles it on the channel that it came from.
    pub(crate) acker: Acker,
}

/// All of them, by the token of each. Bounded by the prefetches of the subscriptions.
#[derive(Default)]
pub(crate) struct Board {
    held: Mutex<HashMap<u64, Held>>,
    tokens: AtomicU64,
}

impl Board {
    /// A number that this process gives once: for deliveries, subscriptions and sessions.
    pub(crate) fn number(&self) -> u64 {
        self.tokens.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Writes down a delivery; gives its token.
    pub(crate) fn hand_out(&self, held: Held) -> u64 {
        let token = self.number();
        self.lock().insert(token, held);
        token
    }

    /// The delivery of this token, if it is not settled and its session lives.
    pub(crate) fn held(&self, token: u64) -> Option<Held> {
        let held = self.lock().get(&token).cloned()?;
        (!held.session.is_ended() && held.acker.usable()).then_some(held)
    }

    pub(crate) fn settled(&self, token: u64) {
        self.lock().remove(&token);
    }

    /// The deliveries of a dropped subscription are in nobody's hands.
    pub(crate) fn drop_subscription(&self, id: u64) {
        self.lock().retain(|_, held| held.subscription != id);
    }

    /// So are those of a session that ended.
    pub(crate) fn drop_session(&self, id: u64) {
        self.lock().retain(|_, held| held.session.id() != id);
    }

    pub(crate) fn in_flight(&self, kind: TaskKind) -> u64 {
        self.lock().values().filter(|held| held.kind == kind && !held.session.is_ended()).count() as u64
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Held>> {
        // Each change is one call, so a panic elsewhere leaves it whole.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
