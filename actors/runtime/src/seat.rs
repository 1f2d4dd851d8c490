//! The seat of a supervised actor: what stays while incarnations come and go, and the address that points at it.

use std::fmt;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use ractor::{ActorCell, Message};
use tandem_domain::error::ErrorCode;
use tokio::sync::Semaphore;

use crate::kind::ActorKind;
use crate::metrics;
use crate::observe::{ActorReport, ActorState};
use crate::progress::Progress;

/// The most asks of one actor that may be waiting for their answers; mailboxes themselves have no bound.
pub(crate) const MOST_ASKS: usize = 1_024;

/// The actor is down: it is being restarted, was stopped, or died with the message in its mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the actor is not running")]
pub struct Gone;

impl Gone {
    /// The code for programs.
    #[must_use]
    pub const fn code(self) -> ErrorCode {
        ErrorCode::Unavailable
    }
}

/// What is known of a supervised actor.
#[derive(Debug)]
pub(crate) struct Seat {
    pub(crate) kind: ActorKind,
    /// Its name on this node, such as `parse/consumer`.
    pub(crate) name: String,
    /// Its name in the process, such as `node-1/parse/consumer`.
    pub(crate) full_name: String,
    pub(crate) progress: Progress,
    pub(crate) asks: Arc<Semaphore>,
    cell: RwLock<Option<ActorCell>>,
    state: AtomicU8,
    restarts: AtomicU32,
}

impl Seat {
    pub(crate) fn new(node: &str, kind: ActorKind, name: &str) -> Self {
        Self {
            kind,
            name: name.to_owned(),
            full_name: format!("{node}/{name}"),
            progress: Progress::new(kind.spec().stuck_after),
            asks: Arc::new(Semaphore::new(MOST_ASKS)),
            cell: RwLock::new(None),
            state: AtomicU8::new(ActorState::Restarting as u8),
            restarts: AtomicU32::new(0),
        }
    }

    pub(crate) fn cell(&self) -> Option<ActorCell> {
        self.cell.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn occupy(&self, cell: ActorCell) {
        if self.cell.write().unwrap_or_else(PoisonError::into_inner).replace(cell).is_none() {
            metrics::actor_up(self.kind);
        }
        self.state.store(ActorState::Running as u8, Ordering::Relaxed);
    }

    /// The incarnation has ended; what it had in hand is forgotten.
    pub(crate) fn vacate(&self, state: ActorState) {
        if self.cell.write().unwrap_or_else(PoisonError::into_inner).take().is_some() {
            metrics::actor_down(self.kind);
        }
        self.state.store(state as u8, Ordering::Relaxed);
        self.progress.forget();
    }

    pub(crate) fn count_restart(&self) {
        self.restarts.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn report(&self) -> ActorReport {
        ActorReport {
            kind: self.kind,
            name: self.name.clone(),
            state: ActorState::from_u8(self.state.load(Ordering::Relaxed)),
            restarts: self.restarts.load(Ordering::Relaxed),
            in_hand: self.progress.in_hand(),
            finished: self.progress.finished(),
        }
    }
}

/// A handle of a supervised actor that takes messages `M`. It survives restarts: each use reaches the incarnation that
/// lives now. Cheap to clone.
pub struct Address<M> {
    pub(crate) seat: Arc<Seat>,
    message: PhantomData<fn(M)>,
}

impl<M> Clone for Address<M> {
    fn clone(&self) -> Self {
        Self { seat: Arc::clone(&self.seat), message: PhantomData }
    }
}

impl<M> fmt::Debug for Address<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Address").field(&self.seat.full_name).finish()
    }
}

impl<M: Message> Address<M> {
    pub(crate) const fn new(seat: Arc<Seat>) -> Self {
        Self { seat, message: PhantomData }
    }

    /// The actor's kind.
    #[must_use]
    pub fn kind(&self) -> ActorKind {
        self.seat.kind
    }

    /// The actor's name on its node.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.seat.name
    }

    /// Puts a message into the actor's mailbox without waiting. `Ok` does not mean that it will be handled: if the actor
    /// dies first, its mailbox is lost. Only for senders that bound themselves, such as timers; work for clients goes
    /// through [`crate::ask`] or a [`crate::Pool`].
    ///
    /// # Errors
    /// [`Gone`] while the actor is down.
    pub fn send(&self, message: M) -> Result<(), Gone> {
        let cell = self.seat.cell().ok_or(Gone)?;
        cell.send_message(message).map_err(|_| Gone)
    }

    /// Ends the actor at once, wherever it is; its supervisor treats it as a failure. For the watchdog and for tests.
    pub fn kill(&self) {
        if let Some(cell) = self.seat.cell() {
            cell.kill();
        }
    }
}
