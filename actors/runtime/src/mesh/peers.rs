//! The actor that keeps the peers: it owns ractor's node server, feeds the roster and acts on what it says.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use ractor::pg::GroupChangeMessage;
use ractor::{Actor, ActorCell, ActorId, ActorProcessingErr, ActorRef, Message, SpawnErr, SupervisionEvent};
use ractor_cluster::node::{NodeConnectionMode, NodeServerSessionInformation};
use ractor_cluster::{ClusterBidiStream, NodeEventSubscription, NodeServer, NodeServerMessage};
use tokio::time::Instant;

use super::gateway::{self, GROUP};
use super::link::{self, Link};
use super::options::Cookie;
use super::roster::{Card, LinkId, Roster, RosterLimits};
use super::shared::Shared;
use super::stream;
use super::wire::{self, Beat, Frame, Identity, MAX_KNOWN};
use crate::placement::NodeName;

/// What the actor is told.
pub(super) enum PeersMessage {
    /// A heartbeat is due.
    Tick,
    /// A peer is behind this stream; `dialed` by this node or by the peer.
    Connected { stream: Box<dyn ClusterBidiStream>, dialed: bool },
    /// ractor made a session of a stream.
    Opened { session: u64, cell: ActorCell },
    /// A session ended.
    Closed { session: u64 },
    /// A heartbeat came.
    Heard { from: Identity, card: Card, known: Vec<(NodeName, String)> },
    /// A peer says that it leaves.
    Left(Identity),
    /// This node's state has changed.
    Announced,
}

impl Message for PeersMessage {}

pub(super) struct PeersActor;

/// What every incarnation begins with.
#[derive(Clone)]
pub(super) struct PeersArguments {
    pub(super) shared: Arc<Shared>,
    pub(super) cookie: Cookie,
}

/// A session of ractor's.
struct Session {
    cell: ActorCell,
    /// Since when it has no peer: at first nobody has shown the cookie yet.
    empty: Option<Instant>,
}

pub(super) struct Peers {
    shared: Arc<Shared>,
    server: ActorRef<NodeServerMessage>,
    roster: Roster<Link>,
    sessions: HashMap<u64, Session>,
}

impl Actor for PeersActor {
    type Msg = PeersMessage;
    type State = Peers;
    type Arguments = PeersArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<PeersMessage>,
        PeersArguments { shared, cookie }: PeersArguments,
    ) -> Result<Peers, ActorProcessingErr> {
        let server = node_server(&shared, &cookie, &myself).await?;
        ractor::pg::monitor(GROUP.to_owned(), myself.get_cell());
        let limits = RosterLimits {
            peers: shared.limits.peers,
            tick: shared.limits.heartbeat,
            silence: shared.limits.silence(),
        };
        let roster = Roster::new(shared.own.node.clone(), limits, Instant::now());
        let peers = Peers { shared, server, roster, sessions: HashMap::new() };
        peers.publish();
        myself.send_message(PeersMessage::Tick)?;
        Ok(peers)
    }

    async fn handle(
        &self,
        myself: ActorRef<PeersMessage>,
        message: PeersMessage,
        peers: &mut Peers,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            PeersMessage::Tick => {
                peers.tick(Instant::now());
                myself.send_after(peers.shared.limits.heartbeat, || PeersMessage::Tick);
            }
            PeersMessage::Connected { stream, dialed } => {
                let opened = NodeServerMessage::ConnectionOpenedExternal { stream, is_server: !dialed };
                peers.server.send_message(opened)?;
            }
            PeersMessage::Opened { session, cell } => {
                peers.sessions.insert(session, Session { cell, empty: Some(Instant::now()) });
            }
            PeersMessage::Closed { session } => drop(peers.sessions.remove(&session)),
            PeersMessage::Heard { from, card, known } => peers.heard(&from, card, &known),
            PeersMessage::Left(who) => {
                peers.roster.left(&who);
                peers.shared.unlearn(&who.node);
                peers.publish();
            }
            PeersMessage::Announced => {
                peers.publish();
                peers.beat();
            }
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _myself: ActorRef<PeersMessage>,
        event: SupervisionEvent,
        peers: &mut Peers,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ProcessGroupChanged(GroupChangeMessage::Join(_, _, shims)) => {
                shims.into_iter().for_each(|shim| peers.linked(shim));
            }
            SupervisionEvent::ProcessGroupChanged(GroupChangeMessage::Leave(_, _, shims)) => {
                shims.iter().filter_map(link_id).for_each(|id| peers.roster.unlinked(id));
                peers.publish();
            }
            SupervisionEvent::ActorTerminated(who, _, _) | SupervisionEvent::ActorFailed(who, _)
                if who.get_id() == peers.server.get_id() =>
            {
                return Err("ractor's node server ended".into());
            }
            SupervisionEvent::ActorStarted(_)
            | SupervisionEvent::ActorTerminated(..)
            | SupervisionEvent::ActorFailed(..)
            | SupervisionEvent::PidLifecycleEvent(_) => {}
        }
        Ok(())
    }

    async fn post_stop(
        &self,
        _myself: ActorRef<PeersMessage>,
        peers: &mut Peers,
    ) -> Result<(), ActorProcessingErr> {
        peers.shared.publish(Vec::new(), HashMap::new());
        Ok(())
    }
}

/// Starts ractor's node server below this actor. Its own listener, which has neither TLS nor time limits, is bound to
/// the loopback, and whatever comes in there is thrown out.
async fn node_server(
    shared: &Shared,
    cookie: &Cookie,
    myself: &ActorRef<PeersMessage>,
) -> Result<ActorRef<NodeServerMessage>, ActorProcessingErr> {
    // ractor takes a node that has its host and port for itself, and one with a known name for a ghost: the boot stands
    // in both.
    let Identity { node, boot } = &shared.own;
    let mode = Some(NodeConnectionMode::Isolated);
    let secret = cookie.secret().to_owned();
    let server = NodeServer::new(0, secret, node.to_string(), boot.to_string(), None, mode)
        .with_listen_addr(IpAddr::V4(Ipv4Addr::LOCALHOST))
        .with_max_inbound_frame_size(shared.limits.frame());
    let (server, _) = Actor::spawn_linked(None, server, (), myself.get_cell())
        .await
        .map_err(|error: SpawnErr| error.to_string())?;
    let subscription = Box::new(Sessions(myself.clone()));
    server.send_message(NodeServerMessage::SubscribeToEvents { id: GROUP.to_owned(), subscription })?;
    Ok(server)
}

/// Tells of sessions that come and go.
struct Sessions(ActorRef<PeersMessage>);

impl Sessions {
    fn tell(&self, message: PeersMessage) {
        if self.0.send_message(message).is_err() {
            tracing::trace!("a session changed while the mesh was stopping");
        }
    }
}

impl NodeEventSubscription for Sessions {
    fn node_session_opened(&self, session: NodeServerSessionInformation) {
        if stream::is_own(&session.peer_addr) {
            let cell = session.actor.get_cell();
            self.tell(PeersMessage::Opened { session: session.node_id, cell });
        } else {
            tracing::warn!("a connection past the mesh's own listener is closed");
            session.actor.stop(Some("not over mutual TLS".to_owned()));
        }
    }

    fn node_session_disconnected(&self, session: NodeServerSessionInformation) {
        self.tell(PeersMessage::Closed { session: session.node_id });
    }

    fn node_session_authenticated(&self, _session: NodeServerSessionInformation) {}
}

/// The link of a shim that stands for another node's actor.
fn link_id(shim: &ActorCell) -> Option<LinkId> {
    match shim.get_id() {
        ActorId::Remote { node_id, pid } => Some(LinkId { session: node_id, gateway: pid }),
        ActorId::Local(_) => None,
    }
}

impl Peers {
    fn linked(&mut self, shim: ActorCell) {
        let Some(id) = link_id(&shim) else { return };
        let Some(peer) = shim.get_name().as_deref().and_then(gateway::whose) else {
            tracing::warn!("a gateway without a node's name is cut");
            return link::cut(&shim);
        };
        let to = Link::new(shim.clone(), &self.shared.limits);
        if self.roster.linked(&peer, id, to.clone(), Instant::now()) {
            // It becomes a member there at once, not with the next heartbeat.
            to.tell(self.beat_frame());
        } else {
            tracing::warn!(peer = %peer.node, "there is no place for this peer");
            link::cut(&shim);
        }
    }

    fn heard(&mut self, from: &Identity, card: Card, known: &[(NodeName, String)]) {
        let now = Instant::now();
        self.shared.learn(&from.node, &card.advertise, now);
        known.iter().for_each(|(node, address)| self.shared.learn(node, address, now));
        for old in self.roster.heard(from, card, now) {
            tracing::info!(peer = %from.node, "an older process of a peer is cut");
            old.cut();
        }
        self.publish();
    }

    fn tick(&mut self, now: Instant) {
        for silent in self.roster.tick(now) {
            tracing::warn!("a silent peer is cut");
            silent.cut();
        }
        let limit = self.shared.limits.handshake;
        for (id, session) in &mut self.sessions {
            if self.roster.has_session(*id) {
                session.empty = None;
            } else if now.saturating_duration_since(*session.empty.get_or_insert(now)) > limit {
                tracing::warn!("a session with no peer behind it is ended");
                session.cell.stop(Some("no peer".to_owned()));
            }
        }
        self.publish();
        self.beat();
    }

    /// Shows who is there.
    fn publish(&self) {
        let (members, links): (Vec<_>, Vec<_>) = self.roster.members().unzip();
        let nodes = members.iter().map(|member| member.node.clone());
        let links = nodes.zip(links.into_iter().cloned()).collect();
        self.shared.publish(members, links);
    }

    fn beat_frame(&self) -> Vec<u8> {
        let members = self.roster.members().take(MAX_KNOWN);
        let beat = Beat {
            from: self.shared.own.clone(),
            advertise: self.shared.advertise.clone(),
            known: members.map(|(member, _)| (member.node, member.advertise)).collect(),
        };
        wire::encode(&Frame::Beat(beat), &self.shared.state())
    }

    fn beat(&self) {
        if self.shared.is_leaving() {
            return;
        }
        let frame = self.beat_frame();
        self.roster.links().for_each(|link| link.tell(frame.clone()));
    }
}
