//! Keeps a session: opens it, watches it, drops it at its first fault and opens the next.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use lapin::tcp::OwnedTLSConfig;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::board::Board;
use crate::error::RabbitError;
use crate::metrics;
use crate::options::{Broker, RabbitOptions};
use crate::session::{Opened, Session};
use crate::topology::Topology;

#[cfg(test)]
mod tests;

/// The wait after the first fault; doubles.
const BACK_OFF_FIRST: Duration = Duration::from_millis(200);
/// The longest wait. A session that lived longer than this was a good one: the next wait is the first.
const BACK_OFF_MOST: Duration = Duration::from_secs(15);
/// The longest opening, over all brokers: each step has its own limit, and there are many.
const OPEN_MOST: Duration = Duration::from_secs(60);

/// Whether there is a session.
#[derive(Clone)]
pub(crate) enum State {
    Up(Arc<Session>),
    /// None, and why.
    Down(RabbitError),
    Closed,
}

/// What the queue, its subscriptions and the supervisor share.
pub(crate) struct Shared {
    pub(crate) options: RabbitOptions,
    pub(crate) topology: Topology,
    pub(crate) board: Board,
    pub(crate) state: watch::Sender<State>,
    pub(crate) closed: CancellationToken,
    brokers: Vec<Broker>,
    tls: OwnedTLSConfig,
}

impl Shared {
    pub(crate) fn new(options: RabbitOptions) -> Result<Self, RabbitError> {
        let (brokers, tls) = (options.brokers()?, options.tls()?);
        let topology = Topology::new(&options.prefix, &options.shape);
        let state = watch::Sender::new(State::Down(RabbitError::Ended("there was none yet".to_owned())));
        let (board, closed) = (Board::default(), CancellationToken::new());
        Ok(Self { options, topology, board, state, closed, brokers, tls })
    }

    /// The session, as soon as there is one.
    pub(crate) async fn session(&self, deadline: Instant) -> Result<Arc<Session>, RabbitError> {
        let mut state = self.state.subscribe();
        loop {
            let down = match state.borrow_and_update().clone() {
                State::Up(session) if session.is_ended() => session.reason(),
                State::Up(session) => return Ok(session),
                State::Down(error) => error,
                State::Closed => return Err(RabbitError::Closed),
            };
            match timeout_at(deadline, state.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return Err(RabbitError::Closed),
                Err(_) => return Err(down),
            }
        }
    }

    /// The first session, which may need several attempts.
    pub(crate) async fn open_first(&self) -> Result<Opened, RabbitError> {
        let RabbitOptions { attempts, back_off, .. } = self.options;
        for attempt in 1..attempts {
            match self.open().await {
                Ok(opened) => return Ok(opened),
                Err(error) => {
                    tracing::warn!(attempt, attempts, %error, "no session with rabbitmq yet");
                    tokio::time::sleep(back_off.saturating_mul(attempt)).await;
                }
            }
        }
        self.open().await
    }

    /// A new session with the first broker that takes one.
    pub(crate) async fn open(&self) -> Result<Opened, RabbitError> {
        let deadline = Instant::now() + OPEN_MOST;
        let mut last = RabbitError::Closed;
        for broker in &self.brokers {
            let id = self.board.number();
            let opening = Session::open(id, broker, self.options.limits, &self.topology, &self.tls);
            match timeout_at(deadline, opening).await {
                Ok(Ok(opened)) => return Ok(opened),
                Ok(Err(error)) => last = error,
                Err(_) => {
                    let host = broker.host.clone();
                    return Err(RabbitError::Late { host, step: "opening a session", limit: OPEN_MOST });
                }
            }
            if self.brokers.len() > 1 {
                tracing::warn!(error = %last, "a broker of several cannot be used");
            }
        }
        Err(last)
    }
}

/// Runs until the queue is closed.
pub(crate) async fn supervise(shared: Arc<Shared>, first: Opened) {
    let (mut next, mut failures, mut is_first) = (Some(first), 0, true);
    while !shared.closed.is_cancelled() {
        if let Some(opened) = next.take() {
            let session = Arc::clone(&opened.session);
            shared.state.send_replace(State::Up(Arc::clone(&session)));
            tracing::info!(host = session.host(), "session with rabbitmq is up");
            let up = metrics::Up::new(is_first);
            is_first = false;
            let good = Instant::now() + BACK_OFF_MOST;
            watch(opened, &shared.closed).await;
            drop(up);
            // The next session learns it anew.
            session.set_blocked(false);
            failures = if Instant::now() > good { 0 } else { failures };
            shared.state.send_replace(State::Down(session.reason()));
            shared.board.drop_session(session.id());
            session.close().await;
        } else {
            match shared.closed.run_until_cancelled(shared.open()).await {
                Some(Ok(opened)) => {
                    next = Some(opened);
                    continue;
                }
                Some(Err(error)) => {
                    tracing::warn!(%error, failures, "no session with rabbitmq");
                    shared.state.send_replace(State::Down(error));
                }
                None => break,
            }
        }
        let wait = back_off(failures, RandomState::new().hash_one(failures));
        failures = failures.saturating_add(1);
        shared.closed.run_until_cancelled(tokio::time::sleep(wait)).await;
    }
    shared.state.send_replace(State::Closed);
}

/// Until the session's end.
async fn watch(opened: Opened, closed: &CancellationToken) {
    let Opened { session, mut publishing, mut consuming } = opened;
    while !session.is_ended() {
        tokio::select! {
            biased;
            () = session.ended() => {}
            () = closed.cancelled() => session.end("the queue was closed"),
            event = publishing.next() => session.told(event),
            event = consuming.next() => session.told(event),
        }
    }
}

/// The wait before attempt `failures + 1`: doubled each time, and between half of that and the whole by `random`, so that
/// the nodes of a cluster do not all come at once.
fn back_off(failures: u32, random: u64) -> Duration {
    let doubled = BACK_OFF_FIRST.saturating_mul(1_u32.checked_shl(failures).unwrap_or(u32::MAX));
    let half = doubled.min(BACK_OFF_MOST) / 2;
    let share = u32::try_from(random % 1_001).unwrap_or(0);
    half + half * share / 1_000
}
