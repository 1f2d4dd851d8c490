//! The way to a peer's gateway, with the bounds of what may be on it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use ractor::concurrency::{OneshotReceiver, oneshot};
use ractor::{ActorCell, ActorRef, Message};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::gateway::GatewayMessage;
use super::{MeshError, MeshLimits};
use crate::spawn::Spawner;

#[cfg(test)]
mod tests;

/// A link to a peer. Cheap to clone; all clones share the bounds.
#[derive(Clone)]
pub(super) struct Link {
    gateway: ActorRef<GatewayMessage>,
    asks: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
}

/// Places of an ask on a link.
type Places = (OwnedSemaphorePermit, OwnedSemaphorePermit);

/// An ask on its way. It keeps its places until the peer has answered or the session has ended, also when nobody waits
/// any more: until then its bytes may lie in the queues, which have no bound of their own.
pub(super) struct InFlight {
    waiting: Option<(OneshotReceiver<Vec<u8>>, Places)>,
    spawner: Spawner,
}

impl Link {
    /// To the gateway behind a shim of ractor's.
    pub(super) fn new(shim: ActorCell, limits: &MeshLimits) -> Self {
        let asks = Arc::new(Semaphore::new(limits.asks));
        let bytes = Arc::new(Semaphore::new(limits.bytes));
        Self { gateway: shim.into(), asks, bytes }
    }

    /// Sends a frame that nobody answers.
    pub(super) fn tell(&self, frame: Vec<u8>) {
        if self.gateway.send_message(GatewayMessage::Tell(frame)).is_err() {
            tracing::trace!("a link went down before it was told something");
        }
    }

    /// Sends a frame that is answered.
    pub(super) fn ask(&self, frame: Vec<u8>, spawner: &Spawner) -> Result<InFlight, MeshError> {
        let size = u32::try_from(frame.len()).map_err(|_| MeshError::TooLarge)?;
        let place = Arc::clone(&self.asks).try_acquire_owned().map_err(|_| MeshError::Busy)?;
        let room = Arc::clone(&self.bytes).try_acquire_many_owned(size).map_err(|_| MeshError::Busy)?;
        let (reply, answer) = oneshot();
        // No time limit for ractor: it would let go of an ask whose answer is still to come.
        let message = GatewayMessage::Ask(frame, reply.into());
        self.gateway.send_message(message).map_err(|_| MeshError::Gone)?;
        Ok(InFlight { waiting: Some((answer, (place, room))), spawner: spawner.clone() })
    }

    /// Ends the session, and with it every link in it.
    pub(super) fn cut(&self) {
        cut(&self.gateway);
    }
}

/// Ends the session to which a shim belongs.
pub(super) fn cut(shim: &ActorCell) {
    if let Some(session) = shim.try_get_supervisor() {
        session.stop(Some("cut by the mesh".to_owned()));
    }
}

impl InFlight {
    /// The answer, at most after `deadline`.
    pub(super) async fn within(mut self, deadline: Duration) -> Result<Bytes, MeshError> {
        let Some((answer, _)) = self.waiting.as_mut() else { return Err(MeshError::Gone) };
        let Ok(answer) = tokio::time::timeout(deadline, answer).await else { return Err(MeshError::Timeout) };
        self.waiting = None;
        answer.map(Bytes::from).map_err(|_| MeshError::Gone)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if let Some((answer, places)) = self.waiting.take() {
            self.spawner.spawn("late answer", async move {
                drop(answer.await);
                drop(places);
            });
        }
    }
}

impl Message for GatewayMessage {
    fn serializable() -> bool {
        true
    }

    fn serialize(self) -> Result<ractor::message::SerializedMessage, ractor::message::BoxedDowncastErr> {
        use ractor::message::SerializedMessage::{Call, Cast};
        let variant = String::new();
        Ok(match self {
            Self::Tell(args) => Cast { variant, args, metadata: None },
            Self::Ask(args, reply) => Call { variant, args, reply, metadata: None },
        })
    }

    /// Whatever comes is taken as it is: a frame that cannot be read is answered too.
    fn deserialize(
        message: ractor::message::SerializedMessage,
    ) -> Result<Self, ractor::message::BoxedDowncastErr> {
        use ractor::message::SerializedMessage::{Call, CallReply, Cast};
        match message {
            Cast { args, .. } => Ok(Self::Tell(args)),
            Call { args, reply, .. } => Ok(Self::Ask(args, reply)),
            CallReply(..) => Err(ractor::message::BoxedDowncastErr),
        }
    }
}
