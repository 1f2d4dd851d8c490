//! The gateway: the one actor of a node that its peers can reach.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use tandem_domain::trace::TraceContext;
use tokio::sync::Semaphore;
use tracing::Instrument;

use super::peers::PeersMessage;
use super::roster::Card;
use super::shared::Shared;
use super::wire::{self, Frame, Identity, Verdict};
use super::{MeshLimits, PeerService};
use crate::metrics;
use crate::placement::NodeName;
use crate::seat::Address;
use crate::trace::{Span, SpanKind};

/// The process group of all gateways, known to every node.
pub(super) const GROUP: &str = "gw";

/// The name of a gateway's actor on its node.
pub(super) fn name(own: &Identity) -> String {
    format!("{GROUP}/{}/{}", own.node, own.boot)
}

/// Whose gateway has this name; what stands before the group's name is the supervisor's.
pub(super) fn whose(name: &str) -> Option<Identity> {
    let mut parts = name.rsplit('/');
    let boot = parts.next()?.parse().ok()?;
    let node = NodeName::new(parts.next()?).ok()?;
    (parts.next()? == GROUP).then_some(Identity { node, boot })
}

/// What a gateway is sent, as bytes: see [`Frame`].
pub(super) enum GatewayMessage {
    /// A frame that is not answered.
    Tell(Vec<u8>),
    /// A frame that is answered, whatever becomes of it.
    Ask(Vec<u8>, RpcReplyPort<Vec<u8>>),
}

pub(super) struct Gateway;

/// What a gateway works with; it outlives the actor.
#[derive(Clone)]
pub(super) struct GatewayState {
    pub(super) shared: Arc<Shared>,
    pub(super) service: Arc<dyn PeerService>,
    pub(super) peers: Address<PeersMessage>,
    pub(super) serving: Arc<Semaphore>,
}

impl Actor for Gateway {
    type Msg = GatewayMessage;
    type State = GatewayState;
    type Arguments = GatewayState;

    async fn pre_start(
        &self,
        _myself: ActorRef<GatewayMessage>,
        state: GatewayState,
    ) -> Result<GatewayState, ActorProcessingErr> {
        Ok(state)
    }

    async fn post_start(
        &self,
        myself: ActorRef<GatewayMessage>,
        _state: &mut GatewayState,
    ) -> Result<(), ActorProcessingErr> {
        ractor::pg::join(GROUP.to_owned(), vec![myself.get_cell()]);
        Ok(())
    }

    async fn handle(
        &self,
        _myself: ActorRef<GatewayMessage>,
        message: GatewayMessage,
        state: &mut GatewayState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            GatewayMessage::Tell(frame) => drop(state.take(frame.into())),
            GatewayMessage::Ask(frame, reply) => match state.take(frame.into()) {
                Taken::Request(request) => state.serve(request, reply),
                Taken::Noted => answer(reply, Verdict::Done, &[]),
                Taken::Unreadable => answer(reply, Verdict::Unreadable, &[]),
            },
        }
        Ok(())
    }
}

/// What a frame was.
enum Taken {
    /// News, which has been passed on.
    Noted,
    Request(Request),
    Unreadable,
}

/// What a peer asks.
struct Request {
    from: NodeName,
    deadline: Duration,
    trace: Option<TraceContext>,
    body: Bytes,
}

impl GatewayState {
    fn take(&self, frame: Bytes) -> Taken {
        let Some((head, body)) = wire::decode::<Frame>(frame) else { return Taken::Unreadable };
        let news = match head {
            Frame::Ask { from, deadline_ms } => {
                let deadline = Duration::from_millis(deadline_ms.into());
                return Taken::Request(Request { from, deadline, trace: None, body });
            }
            Frame::TracedAsk { from, deadline_ms, trace } => {
                let deadline = Duration::from_millis(deadline_ms.into());
                return Taken::Request(Request { from, deadline, trace: Some(trace), body });
            }
            Frame::Beat(beat) if !beat.is_sound() || body.len() > self.limits().state => {
                return Taken::Unreadable;
            }
            Frame::Beat(beat) => {
                let card = Card { advertise: beat.advertise, state: body };
                PeersMessage::Heard { from: beat.from, card, known: beat.known }
            }
            Frame::Leave(who) => PeersMessage::Left(who),
        };
        if self.peers.send(news).is_err() {
            tracing::debug!("news of a peer came while nobody was a peer");
        }
        Taken::Noted
    }

    fn limits(&self) -> &MeshLimits {
        &self.shared.limits
    }

    fn serve(&self, request: Request, reply: RpcReplyPort<Vec<u8>>) {
        let Request { from, deadline, trace, body } = request;
        let most = self.limits().body;
        if body.len() > most {
            return answer(reply, Verdict::TooLarge, &[]);
        }
        let Ok(place) = Arc::clone(&self.serving).try_acquire_owned() else {
            return answer(reply, Verdict::Busy, &[]);
        };
        let service = Arc::clone(&self.service);
        let deadline = deadline.min(self.limits().deadline);
        self.shared.spawner.spawn("answer to a peer", async move {
            let span = Span::below(trace, "mesh/answer", SpanKind::Server).with_peer(from.as_str());
            let work = AssertUnwindSafe(span.run(service.answer(from, body, deadline))).catch_unwind();
            let done = tokio::time::timeout(deadline, work.instrument(log_of(trace))).await;
            drop(place);
            span.end("answered", !matches!(done, Ok(Ok(_))));
            match done {
                Ok(Ok(body)) if body.len() > most => answer(reply, Verdict::TooLarge, &[]),
                Ok(Ok(body)) => answer(reply, Verdict::Done, &body),
                Ok(Err(_)) => {
                    tracing::error!("the service for peers panicked");
                    answer(reply, Verdict::Died, &[]);
                }
                Err(_) => answer(reply, Verdict::Late, &[]),
            }
        });
    }
}

/// What log lines of the answer to a request are told with.
fn log_of(trace: Option<TraceContext>) -> tracing::Span {
    match trace {
        Some(context) => tracing::info_span!("peer", trace_id = %context.trace),
        None => tracing::Span::none(),
    }
}

fn answer(reply: RpcReplyPort<Vec<u8>>, verdict: Verdict, body: &[u8]) {
    metrics::mesh_served(match verdict {
        Verdict::Done => metrics::ANSWERED,
        Verdict::Busy => metrics::OVERLOADED,
        Verdict::Late => metrics::TIMEOUT,
        Verdict::Died => metrics::DIED,
        Verdict::TooLarge => metrics::TOO_LARGE,
        Verdict::Unreadable => metrics::UNREADABLE,
    });
    if reply.send(wire::encode(&verdict, body)).is_err() {
        tracing::trace!("a peer's session ended before it was answered");
    }
}
