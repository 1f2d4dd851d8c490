//! Takes connections from peers. A connection that does not get through its handshake in time is closed, and many of
//! them cannot keep a peer out: the oldest one makes room.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef, Message};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::hello::{self, Hello, Welcome};
use super::peers::PeersMessage;
use super::shared::Shared;
use super::stream::MeshStream;
use super::tls;
use crate::metrics;
use crate::seat::Address;

/// The longest wait in one message, so that a stop is never far.
const TURN: Duration = Duration::from_millis(200);

pub(super) struct Listener;

/// Take the next connection.
pub(super) struct Accept;

impl Message for Accept {}

/// What the listener works with; it outlives the actor.
#[derive(Clone)]
pub(super) struct ListenerState {
    pub(super) shared: Arc<Shared>,
    pub(super) listener: Arc<TcpListener>,
    pub(super) acceptor: TlsAcceptor,
    pub(super) peers: Address<PeersMessage>,
    /// Places of connections after their handshake, dialed ones too.
    pub(super) places: Arc<Semaphore>,
    pub(super) waiting: Arc<Waiting>,
}

/// The connections in their handshake, oldest first.
#[derive(Default)]
pub(super) struct Waiting(Mutex<VecDeque<CancellationToken>>);

impl Waiting {
    /// One more; the oldest one ends when there are `most`.
    fn enter(&self, most: usize) -> CancellationToken {
        let token = CancellationToken::new();
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // What has ended stands here until now, cancelled by itself.
        tokens.retain(|token| !token.is_cancelled());
        while tokens.len() >= most.max(1) {
            tokens.pop_front().inspect(CancellationToken::cancel);
        }
        tokens.push_back(token.clone());
        token
    }
}

impl Actor for Listener {
    type Msg = Accept;
    type State = ListenerState;
    type Arguments = ListenerState;

    async fn pre_start(
        &self,
        myself: ActorRef<Accept>,
        state: ListenerState,
    ) -> Result<ListenerState, ActorProcessingErr> {
        myself.send_message(Accept)?;
        Ok(state)
    }

    async fn handle(
        &self,
        myself: ActorRef<Accept>,
        _: Accept,
        state: &mut ListenerState,
    ) -> Result<(), ActorProcessingErr> {
        match tokio::time::timeout(TURN, state.listener.accept()).await {
            Ok(Ok((tcp, _))) => state.take(tcp),
            Ok(Err(error)) => {
                // Too many open files, most likely: trying again at once would not help.
                tracing::warn!(%error, "the mesh could not take a connection");
                myself.send_after(TURN, || Accept);
                return Ok(());
            }
            Err(_) => {}
        }
        myself.send_message(Accept)?;
        Ok(())
    }
}

impl ListenerState {
    fn take(&self, tcp: TcpStream) {
        let token = self.waiting.enter(self.shared.limits.handshakes);
        let this = self.clone();
        self.shared.spawner.spawn("handshake with a peer", async move {
            let limit = this.shared.limits.handshake;
            let welcomed = tokio::time::timeout(limit, token.run_until_cancelled(this.welcome(tcp))).await;
            let refused = match welcomed {
                Ok(Some(Ok(()))) => None,
                Ok(Some(Err(reason))) => Some(reason),
                Ok(None) => Some("crowded_out"),
                Err(_) => Some("too_slow"),
            };
            refused.into_iter().for_each(metrics::mesh_refused);
            token.cancel();
        });
    }

    /// Shakes hands and hands the connection on, or says why not.
    async fn welcome(&self, tcp: TcpStream) -> Result<(), &'static str> {
        let broken = |_: io::Error| "broken";
        let socket = tls::tune(&tcp, self.shared.limits.unconfirmed).map_err(broken)?;
        let mut io = self.acceptor.accept(tcp).await.map_err(|error| {
            tracing::debug!(%error, "the mesh refused a connection");
            "tls"
        })?;
        let Hello::V1(who) = hello::hear(&mut io).await.map_err(|_| "hello")?;
        let refusal = self.shared.admit(&who).err();
        let answer = Welcome::V1 { from: self.shared.own.clone(), refusal };
        hello::say(&mut io, &answer).await.map_err(broken)?;
        if refusal.is_some() {
            return Err("not_wanted");
        }
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| "full")?;
        let stream = Box::new(MeshStream::new(io, who.node.as_str(), socket, place));
        self.peers.send(PeersMessage::Connected { stream, dialed: false }).map_err(|_| "not_ready")
    }
}
