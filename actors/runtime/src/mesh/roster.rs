//! Who is there, as a pure state machine: links come and go, heartbeats arrive, silence is noticed.
//!
//! A peer is one process of a node. It is a member from its first heartbeat on, for as long as it has a link and is not
//! silent. What a call returns are links that are to be cut: their peers are forgotten already.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::Member;
use super::wire::Identity;
use crate::placement::NodeName;

#[cfg(test)]
mod tests;

/// A link to a peer: the session, and the gateway's number on the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LinkId {
    pub(super) session: u64,
    pub(super) gateway: u64,
}

/// What a peer says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Card {
    pub(super) advertise: String,
    pub(super) state: Bytes,
}

struct Peer<L> {
    links: BTreeMap<LinkId, L>,
    /// When it was heard of; at first, when its first link came up.
    heard: Instant,
    /// Since when it is a member, and what it last said of itself.
    joined: Option<(Instant, Card)>,
    /// It said that it leaves.
    left: bool,
}

/// What makes peers come and go.
#[derive(Debug, Clone, Copy)]
pub(super) struct RosterLimits {
    /// The most peers.
    pub(super) peers: usize,
    /// The time between two ticks.
    pub(super) tick: Duration,
    /// The longest silence.
    pub(super) silence: Duration,
}

/// The peers of a node, with links `L`.
pub(super) struct Roster<L> {
    own: NodeName,
    limits: RosterLimits,
    peers: BTreeMap<Identity, Peer<L>>,
    last_tick: Instant,
}

impl<L: Clone> Roster<L> {
    pub(super) const fn new(own: NodeName, limits: RosterLimits, now: Instant) -> Self {
        Self { own, limits, peers: BTreeMap::new(), last_tick: now }
    }

    /// A link came up. `false` when it must be cut: there are too many peers, or this is another process with this
    /// node's own name.
    pub(super) fn linked(&mut self, peer: &Identity, id: LinkId, link: L, now: Instant) -> bool {
        let full = self.peers.len() >= self.limits.peers && !self.peers.contains_key(peer);
        if full || peer.node == self.own {
            return false;
        }
        let fresh = || Peer { links: BTreeMap::new(), heard: now, joined: None, left: false };
        self.peers.entry(peer.clone()).or_insert_with(fresh).links.insert(id, link);
        true
    }

    /// A link went down; with its last one a peer is gone.
    pub(super) fn unlinked(&mut self, id: LinkId) {
        self.peers.retain(|_, peer| {
            peer.links.remove(&id);
            !peer.links.is_empty()
        });
    }

    /// A heartbeat came. Of two processes of one node only the younger is kept.
    pub(super) fn heard(&mut self, from: &Identity, card: Card, now: Instant) -> Vec<L> {
        let Some(peer) = self.peers.get_mut(from).filter(|peer| !peer.left) else { return Vec::new() };
        peer.heard = now;
        let since = peer.joined.take().map(|(since, _)| since);
        peer.joined = Some((since.unwrap_or(now), card));
        if since.is_some() {
            return Vec::new();
        }
        let twins = self.peers.iter().filter(|(id, peer)| id.node == from.node && peer.joined.is_some());
        let youngest = twins.map(|(id, _)| id.boot).max();
        self.forget(|id, _| id.node == from.node && Some(id.boot) < youngest)
    }

    /// A peer said that it leaves. Its links are left to it.
    pub(super) fn left(&mut self, who: &Identity) {
        if let Some(peer) = self.peers.get_mut(who) {
            peer.left = true;
        }
    }

    /// Time has passed. Forgets the silent; but while this node was asleep itself it could hear nobody, so that time
    /// does not count.
    pub(super) fn tick(&mut self, now: Instant) -> Vec<L> {
        let passed = now.saturating_duration_since(self.last_tick);
        self.last_tick = now;
        if passed > self.limits.tick * 2 {
            let asleep = passed - self.limits.tick;
            for peer in self.peers.values_mut() {
                peer.heard = (peer.heard + asleep).min(now);
            }
        }
        let silence = self.limits.silence;
        self.forget(|_, peer| now.saturating_duration_since(peer.heard) > silence)
    }

    fn forget(&mut self, whom: impl Fn(&Identity, &Peer<L>) -> bool) -> Vec<L> {
        let gone = self.peers.extract_if(.., |id, peer| whom(id, peer));
        gone.flat_map(|(_, peer)| peer.links.into_values()).collect()
    }

    /// Whether a peer has a link of this session.
    pub(super) fn has_session(&self, session: u64) -> bool {
        let mut links = self.peers.values().flat_map(|peer| peer.links.keys());
        links.any(|link| link.session == session)
    }

    /// The newest link of every peer that stays, member or not.
    pub(super) fn links(&self) -> impl Iterator<Item = &L> {
        self.peers.values().filter(|peer| !peer.left).filter_map(|peer| peer.links.values().next_back())
    }

    /// The members besides this node with their newest links, sorted by name.
    pub(super) fn members(&self) -> impl Iterator<Item = (Member, &L)> {
        self.peers.iter().filter(|(_, peer)| !peer.left).filter_map(|(id, peer)| {
            let (since, card) = peer.joined.as_ref()?;
            let member = Member {
                node: id.node.clone(),
                boot: id.boot,
                advertise: card.advertise.clone(),
                state: card.state.clone(),
                since: *since,
            };
            Some((member, peer.links.values().next_back()?))
        })
    }
}
