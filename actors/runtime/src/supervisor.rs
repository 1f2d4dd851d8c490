//! The supervisor of a node: starts actors, restarts them by the table, escalates, stops them in order.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use ractor::{Actor, ActorCell, ActorRef, SpawnErr};
use tokio::sync::watch;

use crate::drain::Drain;
use crate::kind::{ActorKind, Phase};
use crate::observe::ActorReport;
use crate::progress::Progress;
use crate::seat::{Address, Seat};
use crate::spawn::Spawner;
use crate::watchdog;

use actor::{Child, Root, SupervisorMessage};

mod actor;
#[cfg(test)]
mod tests;

/// The longest start of an actor: its `pre_start` must be done by then.
pub const START_LIMIT: Duration = Duration::from_secs(30);
/// The most supervised actors of a node.
pub const MOST_ACTORS: usize = 10_000;
/// How long the supervisor itself may take to answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);
/// How long an actor may take to stop after it was asked to in a shutdown, at most.
const STOP_LIMIT: Duration = Duration::from_secs(5);
/// How long the end of an actor that was killed is waited for.
const KILL_LIMIT: Duration = Duration::from_secs(1);
/// Time past the drain's limit in which work is given back.
const GIVE_BACK_LIMIT: Duration = Duration::from_secs(10);

/// Why an actor was not started.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// The node is stopping, or its supervisor is gone.
    #[error("the node is stopping")]
    Stopping,
    /// A living actor of this node has that name.
    #[error("there is an actor named {0} already")]
    NameTaken(String),
    /// There are [`MOST_ACTORS`] already.
    #[error("there are too many actors")]
    TooMany,
    /// It refused, panicked or took longer than [`START_LIMIT`].
    #[error("the actor {name} did not start: {reason}")]
    Failed {
        /// Which.
        name: String,
        /// Why.
        reason: String,
    },
}

/// An actor came down more often than its kind allows: the node should exit with a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Escalated {
    /// The actor's kind.
    pub kind: ActorKind,
    /// Its name on this node.
    pub name: String,
    /// Its last words.
    pub reason: String,
}

/// How a shutdown went.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ShutdownReport {
    /// Pieces of work that were finished after the drain had begun.
    pub finished: u64,
    /// Pieces that were given back to the queue.
    pub given_back: u64,
    /// Pieces that were neither: their leases will run out.
    pub abandoned: u64,
    /// Actors that did not stop by themselves.
    pub killed: Vec<String>,
}

/// Makes and starts one incarnation.
type Start = Box<dyn Fn(ActorCell) -> BoxFuture<'static, Result<ActorCell, SpawnErr>> + Send + Sync>;

/// Starts the supervisor of a node.
#[derive(Debug)]
pub struct Supervisor;

/// Holds the supervisor of a node. Cheap to clone.
#[derive(Debug, Clone)]
pub struct SupervisorHandle(Arc<Node>);

#[derive(Debug)]
struct Node {
    name: String,
    root: ActorRef<SupervisorMessage>,
    seats: Seats,
    spawner: Spawner,
    drain: Drain,
    escalated: watch::Receiver<Option<Escalated>>,
}

/// The seats of all actors of a node, in order of their first start.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seats(Arc<Mutex<Vec<Arc<Seat>>>>);

impl Seats {
    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Seat>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn all(&self) -> Vec<Arc<Seat>> {
        self.lock().clone()
    }
}

impl Supervisor {
    /// Starts the supervisor of the node `node`, with its watchdog. Names of actors begin with the node's name, because
    /// names are global in a process: two nodes of one process need different names.
    ///
    /// # Errors
    /// When the name is taken in this process.
    pub async fn start(node: &str) -> Result<SupervisorHandle, StartError> {
        let (escalate, escalated) = watch::channel(None);
        let (seats, spawner) = (Seats::default(), Spawner::default());
        let state = actor::RootState::new(node, seats.clone(), spawner.clone(), escalate);
        let (root, _) = Actor::spawn(Some(format!("{node}/supervisor")), Root, state)
            .await
            .map_err(|error| start_error("supervisor", &error))?;
        let drain = Drain::new();
        let handle = SupervisorHandle(Arc::new(Node {
            name: node.to_owned(),
            root,
            seats,
            spawner,
            drain,
            escalated,
        }));
        watchdog::start(&handle).await?;
        Ok(handle)
    }
}

fn start_error(name: &str, error: &SpawnErr) -> StartError {
    StartError::Failed { name: name.to_owned(), reason: error.to_string() }
}

impl SupervisorHandle {
    /// Starts an actor and keeps it running as its kind says. `make` is called for every incarnation; the [`Progress`]
    /// it gets is the actor's mark for the watchdog and the status page. `name` is unique on the node, such as
    /// `parse/consumer`. Returns when the first incarnation is up.
    ///
    /// # Errors
    /// See [`StartError`]; an actor whose first start fails is not tried again.
    pub async fn supervise<A: Actor>(
        &self,
        kind: ActorKind,
        name: &str,
        make: impl Fn(&Progress) -> (A, A::Arguments) + Send + Sync + 'static,
    ) -> Result<Address<A::Msg>, StartError> {
        let seat = Arc::new(Seat::new(&self.0.name, kind, name));
        let make = Arc::new(make);
        let at = Arc::clone(&seat);
        let start: Start = Box::new(move |supervisor| {
            let (make, at) = (Arc::clone(&make), Arc::clone(&at));
            let incarnation = async move {
                let (actor, arguments) = make(&at.progress);
                let name = Some(at.full_name.clone());
                let (actor, _) = A::spawn_linked(name, actor, arguments, supervisor).await?;
                Ok(actor.get_cell())
            };
            let caught = AssertUnwindSafe(incarnation).catch_unwind();
            caught
                .map(|result| result.unwrap_or_else(|_| Err(SpawnErr::StartupFailed("it panicked".into()))))
                .boxed()
        });
        let child = Child::new(Arc::clone(&seat), start);
        let limit = START_LIMIT + ANSWER_LIMIT;
        match ractor::rpc::call(
            &self.0.root,
            |reply| SupervisorMessage::Adopt(Box::new(child), reply),
            Some(limit),
        )
        .await
        {
            Ok(ractor::rpc::CallResult::Success(result)) => result.map(|()| Address::new(seat)),
            Ok(ractor::rpc::CallResult::Timeout | ractor::rpc::CallResult::SenderError) | Err(_) => {
                Err(StartError::Stopping)
            }
        }
    }

    /// Stops an actor for good and forgets it, such as a shard that moved away. Does nothing when there is none.
    pub async fn release(&self, name: &str) {
        let Some(seat) = self.seat(name) else { return };
        let cell = seat.cell();
        let asked = ractor::rpc::call(
            &self.0.root,
            |reply| SupervisorMessage::Release(seat.full_name.clone(), reply),
            Some(ANSWER_LIMIT),
        );
        if let (Ok(_), Some(cell)) = (asked.await, cell) {
            stop(cell, &seat).await;
        }
    }

    /// Kills an actor of this node; it is restarted as its kind says. For operators and fault tests. Says whether there
    /// was a living one.
    pub fn kill(&self, name: &str) -> bool {
        let cell = self.seat(name).and_then(|seat| seat.cell());
        cell.inspect(ActorCell::kill).is_some()
    }

    /// Waits until an actor came down too often, or the supervisor itself died.
    pub async fn escalated(&self) -> Escalated {
        let mut escalated = self.0.escalated.clone();
        let found = escalated.wait_for(Option::is_some).await.ok().and_then(|found| found.clone());
        found.unwrap_or_else(|| Escalated {
            kind: ActorKind::Root,
            name: "supervisor".to_owned(),
            reason: "the supervisor ended".to_owned(),
        })
    }

    /// The node's name.
    #[must_use]
    pub fn node(&self) -> &str {
        &self.0.name
    }

    /// The node's drain.
    #[must_use]
    pub fn drain(&self) -> &Drain {
        &self.0.drain
    }

    /// What runs futures beside the actors.
    #[must_use]
    pub fn spawner(&self) -> &Spawner {
        &self.0.spawner
    }

    /// Every supervised actor as it stands, in order of their first start.
    #[must_use]
    pub fn actors(&self) -> Vec<ActorReport> {
        self.0.seats.all().iter().map(|seat| seat.report()).collect()
    }

    /// Ends everything at once, as when the process dies.
    #[cfg(test)]
    pub(crate) async fn crash(&self) {
        self.0.root.kill();
        assert!(self.0.spawner.end(KILL_LIMIT).await);
    }

    pub(crate) fn seats(&self) -> &Seats {
        &self.0.seats
    }

    fn seat(&self, name: &str) -> Option<Arc<Seat>> {
        self.0.seats.lock().iter().find(|seat| seat.name == name).cloned()
    }

    /// Ends the node's work: drains for at most `limit`, then stops what takes work in, what does it, and the rest, and
    /// at last the supervisor. Takes at most `limit` and half a minute.
    pub async fn shutdown(&self, limit: Duration) -> ShutdownReport {
        let drain = &self.0.drain;
        drain.begin_within(limit);
        let idle = tokio::time::timeout(limit + GIVE_BACK_LIMIT, drain.idle()).await;
        let abandoned = if idle.is_ok() { 0 } else { drain.in_hand() as u64 };
        let mut report = ShutdownReport { abandoned, ..ShutdownReport::default() };
        // From here on nothing is restarted. If the supervisor is gone already, neither is anything.
        let closed = ractor::rpc::call(&self.0.root, SupervisorMessage::Close, Some(ANSWER_LIMIT)).await;
        tracing::debug!(answered = closed.is_ok(), "supervisor closed");
        for phase in [Phase::Intake, Phase::Work, Phase::Ground] {
            let seats = self.0.seats.all();
            let ends = seats
                .iter()
                .filter(|seat| seat.kind.spec().phase == phase)
                .filter_map(|seat| Some(stop(seat.cell()?, seat)));
            report.killed.extend(futures::future::join_all(ends).await.into_iter().flatten());
        }
        if self.0.root.stop_and_wait(None, Some(STOP_LIMIT)).await.is_err() {
            self.0.root.kill();
        }
        if !self.0.spawner.end(STOP_LIMIT).await {
            tracing::error!(running = self.0.spawner.running(), "background tasks did not end");
        }
        report.finished = drain.finished();
        report.given_back = drain.given_back();
        report
    }
}

/// Stops an actor; kills it when it does not stop in time. Returns its name in that case.
async fn stop(cell: ActorCell, seat: &Seat) -> Option<String> {
    cell.stop(Some("shutdown".to_owned()));
    if cell.wait(Some(STOP_LIMIT)).await.is_ok() {
        return None;
    }
    tracing::warn!(actor = %seat.full_name, "actor did not stop and is killed");
    cell.kill();
    if cell.wait(Some(KILL_LIMIT)).await.is_err() {
        tracing::error!(actor = %seat.full_name, "actor blocks its thread and cannot be killed");
    }
    Some(seat.name.clone())
}
