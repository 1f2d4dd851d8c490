//! The supervisor's actor. Its handlers never wait: starts run beside it and report back, because an actor that starts
//! may itself ask the supervisor for something.

use std::collections::HashMap;
use std::sync::Arc;

use ractor::concurrency::Instant;
use ractor::{
    Actor, ActorCell, ActorProcessingErr, ActorRef, ActorStatus, Message, RpcReplyPort, SpawnErr,
    SupervisionEvent,
};
use tokio::sync::watch;

use super::{Escalated, MOST_ACTORS, START_LIMIT, Seats, Start, StartError};
use crate::kind::{Decision, Exit, Restart, RestartState};
use crate::metrics;
use crate::observe::ActorState;
use crate::seat::Seat;
use crate::spawn::Spawner;

/// One supervised actor.
pub(super) struct Child {
    seat: Arc<Seat>,
    start: Arc<Start>,
    restarts: RestartState,
    /// Who waits for the first start.
    starter: Option<RpcReplyPort<Result<(), StartError>>>,
    /// It was up at least once.
    came_up: bool,
}

impl Child {
    pub(super) fn new(seat: Arc<Seat>, start: Start) -> Self {
        let restarts = RestartState::new(seat.kind.spec());
        Self { seat, start: Arc::new(start), restarts, starter: None, came_up: false }
    }
}

/// What the supervisor is told.
pub(super) enum SupervisorMessage {
    /// Start and keep this actor.
    Adopt(Box<Child>, RpcReplyPort<Result<(), StartError>>),
    /// How a start ended; the name is the full one, here and below.
    Started(String, Result<ActorCell, String>),
    /// The wait before a restart is over.
    Restart(String),
    /// Forget this actor.
    Release(String, RpcReplyPort<()>),
    /// Restart nothing any more.
    Close(RpcReplyPort<()>),
}

impl Message for SupervisorMessage {}

pub(super) struct Root;

/// What the supervisor knows.
pub(super) struct RootState {
    node: String,
    born: Instant,
    children: HashMap<String, Child>,
    seats: Seats,
    spawner: Spawner,
    escalate: watch::Sender<Option<Escalated>>,
    closed: bool,
}

impl Actor for Root {
    type Msg = SupervisorMessage;
    type State = RootState;
    type Arguments = RootState;

    async fn pre_start(
        &self,
        _myself: ActorRef<Self::Msg>,
        state: RootState,
    ) -> Result<RootState, ActorProcessingErr> {
        Ok(state)
    }

    async fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        message: Self::Msg,
        state: &mut RootState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            SupervisorMessage::Adopt(child, reply) => state.adopt(&myself, *child, reply),
            SupervisorMessage::Started(name, Ok(cell)) => state.started(&name, cell),
            SupervisorMessage::Started(name, Err(reason)) => {
                state.ended(&myself, &name, Exit::Failed, &reason)
            }
            SupervisorMessage::Restart(name) => state.start(&myself, &name),
            SupervisorMessage::Release(name, reply) => {
                state.forget(&name);
                tell(reply, ());
            }
            SupervisorMessage::Close(reply) => {
                state.closed = true;
                tell(reply, ());
            }
        }
        Ok(())
    }

    /// The default would stop the supervisor with its first child.
    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<Self::Msg>,
        event: SupervisionEvent,
        state: &mut RootState,
    ) -> Result<(), ActorProcessingErr> {
        let (who, exit, reason) = match event {
            SupervisionEvent::ActorFailed(who, error) => (who, Exit::Failed, error.to_string()),
            SupervisionEvent::ActorTerminated(who, last_state, reason) => {
                // Killed and cancelled actors leave a reason or no state; whoever stops by itself leaves its state.
                let reason = reason.unwrap_or_default();
                let violent = last_state.is_none() || reason == "killed";
                (who, if violent { Exit::Failed } else { Exit::Stopped }, reason)
            }
            SupervisionEvent::ActorStarted(_)
            | SupervisionEvent::ProcessGroupChanged(_)
            | SupervisionEvent::PidLifecycleEvent(_) => return Ok(()),
        };
        if let Some(name) = who.get_name() {
            state.ended(&myself, &name, exit, &reason);
        }
        Ok(())
    }
}

impl RootState {
    pub(super) fn new(
        node: &str,
        seats: Seats,
        spawner: Spawner,
        escalate: watch::Sender<Option<Escalated>>,
    ) -> Self {
        let children = HashMap::new();
        Self {
            node: node.to_owned(),
            born: Instant::now(),
            children,
            seats,
            spawner,
            escalate,
            closed: false,
        }
    }

    fn adopt(
        &mut self,
        myself: &ActorRef<SupervisorMessage>,
        mut child: Child,
        reply: RpcReplyPort<Result<(), StartError>>,
    ) {
        let name = child.seat.full_name.clone();
        let refusal = if self.closed {
            Some(StartError::Stopping)
        } else if self.children.contains_key(&name) {
            Some(StartError::NameTaken(child.seat.name.clone()))
        } else {
            (self.children.len() >= MOST_ACTORS).then_some(StartError::TooMany)
        };
        if let Some(refusal) = refusal {
            return tell(reply, Err(refusal));
        }
        child.starter = Some(reply);
        self.seats.lock().push(Arc::clone(&child.seat));
        self.children.insert(name.clone(), child);
        self.start(myself, &name);
    }

    /// Starts an incarnation beside the supervisor.
    fn start(&self, myself: &ActorRef<SupervisorMessage>, name: &str) {
        let Some(child) = self.children.get(name).filter(|_| !self.closed) else { return };
        let (start, supervisor, name) = (Arc::clone(&child.start), myself.clone(), name.to_owned());
        self.spawner.spawn("start of an actor", async move {
            let result = match tokio::time::timeout(START_LIMIT, start(supervisor.get_cell())).await {
                Ok(Ok(cell)) => Ok(cell),
                Ok(Err(SpawnErr::StartupFailed(error))) => Err(error.to_string()),
                Ok(Err(error)) => Err(error.to_string()),
                Err(_) => Err(format!("it was not up after {} s", START_LIMIT.as_secs())),
            };
            if supervisor.send_message(SupervisorMessage::Started(name, result)).is_err() {
                tracing::debug!("an actor came up after its supervisor had ended");
            }
        });
    }

    fn started(&mut self, name: &str, cell: ActorCell) {
        let Some(child) = self.children.get_mut(name).filter(|_| !self.closed) else {
            return cell.stop(Some("released or shut down while starting".to_owned()));
        };
        if cell.get_status() < ActorStatus::Stopping {
            child.seat.occupy(cell);
        } // else its end was, or will be, reported by ractor
        child.came_up = true;
        if let Some(starter) = child.starter.take() {
            tell(starter, Ok(()));
        }
    }

    /// An incarnation ended or did not come up.
    fn ended(&mut self, myself: &ActorRef<SupervisorMessage>, name: &str, exit: Exit, reason: &str) {
        let Some(child) = self.children.get_mut(name) else { return };
        let seat = Arc::clone(&child.seat);
        if let Some(starter) = child.starter.take().filter(|_| !child.came_up) {
            self.forget(name);
            let reason = reason.to_owned();
            return tell(starter, Err(StartError::Failed { name: seat.name.clone(), reason }));
        }
        if self.closed {
            return seat.vacate(ActorState::Stopped);
        }
        match child.restarts.decide(self.born.elapsed(), exit) {
            Decision::RestartAfter(wait) => {
                tracing::warn!(actor = name, reason, ?wait, "actor ended and is restarted");
                seat.vacate(ActorState::Restarting);
                seat.count_restart();
                metrics::restarted(seat.kind);
                let name = name.to_owned();
                myself.send_after(wait, move || SupervisorMessage::Restart(name));
            }
            Decision::StayDown if seat.kind.spec().restart == Restart::Never => self.forget(name),
            Decision::StayDown => seat.vacate(ActorState::Stopped),
            Decision::GiveUp => {
                tracing::error!(actor = name, node = %self.node, reason, "actor came down too often");
                seat.vacate(ActorState::Stopped);
                let (kind, name) = (seat.kind, seat.name.clone());
                self.escalate.send_replace(Some(Escalated { kind, name, reason: reason.to_owned() }));
            }
        }
    }

    fn forget(&mut self, name: &str) {
        if let Some(child) = self.children.remove(name) {
            child.seat.vacate(ActorState::Stopped);
            self.seats.lock().retain(|seat| !Arc::ptr_eq(seat, &child.seat));
        }
    }
}

/// Who asked may have stopped waiting: then there is nobody to tell.
fn tell<T>(reply: RpcReplyPort<T>, value: T) {
    if reply.send(value).is_err() {
        tracing::trace!("nobody waits for the supervisor's answer");
    }
}

impl std::fmt::Debug for RootState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RootState").field("node", &self.node).finish_non_exhaustive()
    }
}
