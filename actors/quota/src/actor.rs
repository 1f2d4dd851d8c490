//! The actor of one owner: makes its changes one after another, and goes when there have been none for a while.

use std::sync::Arc;
use std::time::Duration;

use tandem_domain::ids::{OwnerId, derived};
use tandem_runtime::{
    Actor, ActorKind, ActorProcessingErr, ActorRef, Address, Message, Progress, RpcReplyPort, StartError,
    SupervisorHandle, answer,
};

use crate::directory::{Directory, Place};
use crate::error::QuotaError;
use crate::ledger::{Command, Ledger, Outcome, Ports};

/// What an owner's actor is told.
#[derive(Debug)]
pub(crate) enum OwnerMessage {
    /// Change the row.
    Perform(Box<Command>, RpcReplyPort<Result<Outcome, QuotaError>>),
    /// Another while has passed.
    Look,
}

impl Message for OwnerMessage {}

/// What an actor is started with.
pub(crate) struct Start {
    pub(crate) ports: Arc<Ports>,
    pub(crate) directory: Arc<Directory>,
    pub(crate) place: Place,
    pub(crate) owner: OwnerId,
    pub(crate) idle: Duration,
}

struct OwnerActor;

struct OwnerState {
    ledger: Ledger,
    idle: Duration,
    progress: Progress,
    /// Whether anything was asked since the last look.
    used: bool,
    _place: Leaving,
}

/// Frees the place however the actor ends.
struct Leaving {
    directory: Arc<Directory>,
    owner: OwnerId,
    place: Place,
}

impl Drop for Leaving {
    fn drop(&mut self) {
        self.directory.vacate(&self.owner, &self.place);
    }
}

/// Names do not tell whose actor it is: they are logged.
pub(crate) fn name(owner: &OwnerId) -> String {
    format!("quota/{}", derived("quota", &[owner.as_str().as_bytes()]))
}

pub(crate) async fn start(
    supervisor: &SupervisorHandle,
    start: Start,
) -> Result<Address<OwnerMessage>, StartError> {
    let name = name(&start.owner);
    let make = move |progress: &Progress| {
        let Start { ports, directory, place, owner, idle } = &start;
        let state = OwnerState {
            ledger: Ledger::new(Arc::clone(ports), owner.clone()),
            idle: *idle,
            progress: progress.clone(),
            used: true,
            _place: Leaving {
                directory: Arc::clone(directory),
                owner: owner.clone(),
                place: Arc::clone(place),
            },
        };
        (OwnerActor, state)
    };
    supervisor.supervise(ActorKind::Quota, &name, make).await
}

impl Actor for OwnerActor {
    type Msg = OwnerMessage;
    type State = OwnerState;
    type Arguments = OwnerState;

    async fn pre_start(
        &self,
        myself: ActorRef<OwnerMessage>,
        state: OwnerState,
    ) -> Result<OwnerState, ActorProcessingErr> {
        myself.send_interval(state.idle, || OwnerMessage::Look);
        Ok(state)
    }

    async fn handle(
        &self,
        myself: ActorRef<OwnerMessage>,
        message: OwnerMessage,
        state: &mut OwnerState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            OwnerMessage::Perform(command, reply) => {
                state.used = true;
                let _in_hand = state.progress.begin();
                answer(reply, state.ledger.perform(&command)).await;
            }
            OwnerMessage::Look if state.used => state.used = false,
            // What comes at this very moment is told that the actor is gone, and tries again.
            OwnerMessage::Look => myself.stop(None),
        }
        Ok(())
    }
}
