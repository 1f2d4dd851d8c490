//! The mesh: the nodes of a cluster find each other, see who is there, and ask each other. What they say is bytes here.
//!
//! It stands on ractor_cluster, whose sessions carry the frames, with what that lacks around it: mutual TLS on both sides
//! with time limits, reconnection, heartbeats, bounds, and an answer to everything. One mesh per process, because the
//! names and groups of actors are global in it. Every peer holds a certificate of the cluster's authority and knows its
//! cookie: peers are trusted to be who they say they are.
//!
//! The mesh is an optimization: whatever uses it still works, slower, while it is down.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;
use uuid::Uuid;

use crate::kind::ActorKind;
use crate::metrics::{self, Stopwatch};
use crate::seat::Address;
use crate::supervisor::SupervisorHandle;
use crate::trace::{Span, SpanKind};

use dialer::{Dialer, DialerArguments};
use gateway::{Gateway, GatewayState};
use listener::{Listener, ListenerState, Waiting};
use peers::{PeersActor, PeersArguments, PeersMessage};
use shared::Shared;
use wire::{Frame, Identity, Verdict};

mod error;
mod options;

mod roster;
mod wire;

mod gateway;
mod link;
mod peers;
mod shared;

mod dialer;
mod hello;
mod listener;
mod stream;
mod tls;

#[cfg(test)]
mod tests;

pub use crate::placement::NodeName;
pub use error::MeshError;
pub use options::{Cookie, MAX_SEEDS, MIN_COOKIE, MeshLimits, MeshOptions, MeshTls};

/// How long peers may take to confirm that this node leaves.
const FAREWELL: Duration = Duration::from_secs(1);

/// What a node does with what its peers ask.
#[async_trait]
pub trait PeerService: Send + Sync + 'static {
    /// Answers `request` of the node `from`, which waits for at most `deadline`: then the future is dropped. At most
    /// [`MeshLimits::serving`] run at the same time. When it panics, the asker gets [`MeshError::Gone`]. Both request and
    /// answer have at most [`MeshLimits::body`] bytes.
    async fn answer(&self, from: NodeName, request: Bytes, deadline: Duration) -> Bytes;
}

/// A node that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its stable name.
    pub node: NodeName,
    /// Its process: another one after every restart.
    pub boot: Uuid,
    /// Where it is reached, as `host:port`.
    pub advertise: String,
    /// What it announced last, at most [`MeshLimits::state`] bytes.
    pub state: Bytes,
    /// Since when it is a member in this node's eyes.
    pub since: Instant,
}

/// A node's place in the mesh. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Mesh(Arc<Inner>);

struct Inner {
    shared: Arc<Shared>,
    supervisor: SupervisorHandle,
    peers: Address<PeersMessage>,
    listening: SocketAddr,
}

impl fmt::Debug for Mesh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Identity { node, boot } = &self.0.shared.own;
        f.debug_struct("Mesh").field("node", node).field("boot", boot).finish_non_exhaustive()
    }
}

const PEERS: &str = "mesh/peers";
const LISTENER: &str = "mesh/listener";
const DIALER: &str = "mesh/dialer";

impl Mesh {
    /// Starts the node's part of the mesh under the supervisor. Returns once it listens; peers come later, see
    /// [`Mesh::members`].
    ///
    /// # Errors
    /// When options do not fit, a file cannot be used, the address is taken, or the supervisor starts nothing more.
    pub async fn start(
        supervisor: &SupervisorHandle,
        options: MeshOptions,
        service: Arc<dyn PeerService>,
    ) -> Result<Self, MeshError> {
        options.check()?;
        let (acceptor, connector) = tls::load(&options.tls)?;
        let refused = |error: std::io::Error| {
            let reason = error.to_string();
            MeshError::Listen { address: options.listen, reason }
        };
        let listener = Arc::new(TcpListener::bind(options.listen).await.map_err(refused)?);
        let listening = listener.local_addr().map_err(refused)?;

        let own = Identity { node: options.node, boot: options.boot };
        let spawner = supervisor.spawner().clone();
        let shared = Arc::new(Shared::new(own, options.advertise, options.limits, spawner));
        let arguments = PeersArguments { shared: Arc::clone(&shared), cookie: options.cookie };
        let peers =
            supervisor.supervise(ActorKind::Mesh, PEERS, move |_| (PeersActor, arguments.clone())).await?;
        let places = Arc::new(Semaphore::new(shared.limits.connections));
        let mesh =
            Self(Arc::new(Inner { shared, supervisor: supervisor.clone(), peers: peers.clone(), listening }));
        let shared = &mesh.0.shared;
        let gateway = GatewayState {
            shared: Arc::clone(shared),
            service,
            peers: peers.clone(),
            serving: Arc::new(Semaphore::new(shared.limits.serving)),
        };
        let listener = ListenerState {
            shared: Arc::clone(shared),
            listener,
            acceptor,
            peers: peers.clone(),
            places: Arc::clone(&places),
            waiting: Arc::new(Waiting::default()),
        };
        let seeds = options.seeds.into();
        let dialer = DialerArguments { shared: Arc::clone(shared), seeds, connector, peers, places };
        if let Err(error) = mesh.start_rest(gateway, listener, dialer).await {
            mesh.stop().await;
            return Err(error);
        }
        Ok(mesh)
    }

    async fn start_rest(
        &self,
        gateway: GatewayState,
        listener: ListenerState,
        dialer: DialerArguments,
    ) -> Result<(), MeshError> {
        let supervisor = &self.0.supervisor;
        let name = gateway::name(&self.0.shared.own);
        supervisor.supervise(ActorKind::Mesh, &name, move |_| (Gateway, gateway.clone())).await?;
        supervisor.supervise(ActorKind::Mesh, LISTENER, move |_| (Listener, listener.clone())).await?;
        supervisor.supervise(ActorKind::Mesh, DIALER, move |_| (Dialer, dialer.clone())).await?;
        Ok(())
    }

    async fn stop(&self) {
        for name in [DIALER, LISTENER, &gateway::name(&self.0.shared.own), PEERS] {
            self.0.supervisor.release(name).await;
        }
    }

    /// Asks a peer, and waits for its answer at most `deadline` (cut to [`MeshLimits::deadline`]). After
    /// [`MeshError::Timeout`] and [`MeshError::Gone`] it is not known whether the peer has acted.
    ///
    /// # Errors
    /// [`MeshError::NoSuchPeer`], also for this node itself; [`MeshError::Busy`], [`MeshError::TooLarge`],
    /// [`MeshError::Timeout`], [`MeshError::Gone`].
    pub async fn ask(&self, peer: &NodeName, request: Bytes, deadline: Duration) -> Result<Bytes, MeshError> {
        let watch = Stopwatch::start();
        let span = Span::begin("mesh/ask", SpanKind::Client).with_peer(peer.as_str());
        let answer = self.ask_unmeasured(peer, &request, deadline, &span).await;
        let outcome = match &answer {
            Ok(_) => metrics::ANSWERED,
            Err(MeshError::NoSuchPeer) => metrics::NO_PEER,
            Err(MeshError::Busy) => metrics::OVERLOADED,
            Err(MeshError::TooLarge) => metrics::TOO_LARGE,
            Err(MeshError::Timeout) => metrics::TIMEOUT,
            Err(_) => metrics::GONE,
        };
        metrics::mesh_asked(outcome, watch.elapsed());
        span.end(outcome, answer.is_err());
        answer
    }

    async fn ask_unmeasured(
        &self,
        peer: &NodeName,
        request: &[u8],
        deadline: Duration,
        span: &Span,
    ) -> Result<Bytes, MeshError> {
        let shared = &self.0.shared;
        if request.len() > shared.limits.body {
            return Err(MeshError::TooLarge);
        }
        let link = shared.link(peer).ok_or(MeshError::NoSuchPeer)?;
        let deadline = deadline.min(shared.limits.deadline);
        let ask = async |head: Frame| {
            let ask = link.ask(wire::encode(&head, request), &shared.spawner)?;
            wire::decode(ask.within(deadline).await?).ok_or(MeshError::Gone)
        };
        let (from, deadline_ms) = (shared.own.node.clone(), wire::millis(deadline));
        let plain = Frame::Ask { from: from.clone(), deadline_ms };
        let (verdict, body) = match span.trace() {
            None => ask(plain).await?,
            Some(trace) => match ask(Frame::TracedAsk { from, deadline_ms, trace }).await? {
                // Not begun: it is an older node.
                (Verdict::Unreadable, _) => ask(plain).await?,
                answer => answer,
            },
        };
        match verdict {
            Verdict::Done => Ok(body),
            Verdict::Busy => Err(MeshError::Busy),
            Verdict::Late => Err(MeshError::Timeout),
            Verdict::Died | Verdict::Unreadable => Err(MeshError::Gone),
            Verdict::TooLarge => Err(MeshError::TooLarge),
        }
    }

    /// Says something new of this node. Peers see it in [`Member::state`] at once, and so does this node.
    ///
    /// # Errors
    /// [`MeshError::TooLarge`] when it has more than [`MeshLimits::state`] bytes; the former state stays.
    pub fn announce(&self, state: Bytes) -> Result<(), MeshError> {
        let Inner { shared, peers, .. } = &*self.0;
        if state.len() > shared.limits.state {
            return Err(MeshError::TooLarge);
        }
        shared.set_state(state);
        if peers.send(PeersMessage::Announced).is_err() {
            tracing::debug!("a new state waits until the mesh runs again");
        }
        Ok(())
    }

    /// The members, this node included, sorted by name; each name once. A member can be asked as soon as it is shown.
    #[must_use]
    pub fn members(&self) -> watch::Receiver<Arc<Vec<Member>>> {
        self.0.shared.members()
    }

    /// Where the node listens.
    #[must_use]
    pub fn listening(&self) -> SocketAddr {
        self.0.listening
    }

    /// Tells the peers that this node leaves, so that they drop it at once, and closes the sessions. What is still asked
    /// ends as [`MeshError::Gone`]. Takes a few seconds at most; leaving twice changes nothing.
    pub async fn leave(&self) {
        let shared = &self.0.shared;
        shared.leave();
        let farewell = wire::encode(&Frame::Leave(shared.own.clone()), &[]);
        let links = shared.links();
        let told = links.iter().filter_map(|link| link.ask(farewell.clone(), &shared.spawner).ok());
        let answers = futures::future::join_all(told.map(|ask| ask.within(FAREWELL))).await;
        let heard = answers.iter().filter(|answer| answer.is_ok()).count();
        tracing::info!(heard, peers = links.len(), "this node leaves the mesh");
        self.stop().await;
    }
}
