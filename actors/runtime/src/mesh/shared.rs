//! What the parts of a node's mesh share, and what outlives their restarts.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;
use tokio::time::Instant;

use super::link::Link;
use super::wire::Identity;
use super::{Member, MeshLimits};
use crate::metrics;
use crate::placement::NodeName;
use crate::spawn::Spawner;

/// The most addresses that are remembered.
const MOST_ADDRESSES: usize = 256;
/// How long an address is tried after its node was last heard of.
const ADDRESS_KEEP: Duration = Duration::from_secs(600);

pub(super) struct Shared {
    pub(super) own: Identity,
    pub(super) advertise: String,
    pub(super) limits: MeshLimits,
    pub(super) spawner: Spawner,
    /// When this node's mesh started.
    since: Instant,
    state: Mutex<Bytes>,
    members: watch::Sender<Arc<Vec<Member>>>,
    links: RwLock<HashMap<NodeName, Link>>,
    learned: Mutex<BTreeMap<String, Learned>>,
    leaving: AtomicBool,
}

/// An address that a peer told.
#[derive(Debug, Clone)]
struct Learned {
    node: NodeName,
    at: Instant,
}

/// Why a process must not join, or not over this connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum Refusal {
    /// It is this very process.
    Myself,
    /// It is a member already.
    Member,
    /// A younger process of its node is a member, or has this node's own name.
    Older,
    /// This node is leaving.
    Leaving,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(super) fn new(own: Identity, advertise: String, limits: MeshLimits, spawner: Spawner) -> Self {
        let shared = Self {
            own,
            advertise,
            limits,
            spawner,
            since: Instant::now(),
            state: Mutex::default(),
            members: watch::Sender::default(),
            links: RwLock::default(),
            learned: Mutex::default(),
            leaving: AtomicBool::new(false),
        };
        shared.publish(Vec::new(), HashMap::new());
        shared
    }

    pub(super) fn state(&self) -> Bytes {
        locked(&self.state).clone()
    }

    pub(super) fn set_state(&self, state: Bytes) {
        *locked(&self.state) = state;
    }

    pub(super) fn members(&self) -> watch::Receiver<Arc<Vec<Member>>> {
        self.members.subscribe()
    }

    pub(super) fn members_now(&self) -> Arc<Vec<Member>> {
        Arc::clone(&self.members.borrow())
    }

    pub(super) fn link(&self, node: &NodeName) -> Option<Link> {
        self.links.read().unwrap_or_else(PoisonError::into_inner).get(node).cloned()
    }

    pub(super) fn links(&self) -> Vec<Link> {
        self.links.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Shows the members, given without this node, and takes their links. Who sees a member can ask it.
    pub(super) fn publish(&self, mut members: Vec<Member>, links: HashMap<NodeName, Link>) {
        *self.links.write().unwrap_or_else(PoisonError::into_inner) = links;
        members.push(Member {
            node: self.own.node.clone(),
            boot: self.own.boot,
            advertise: self.advertise.clone(),
            state: self.state(),
            since: self.since,
        });
        members.sort_by(|a, b| a.node.cmp(&b.node));
        metrics::mesh_members(members.len());
        self.members.send_if_modified(|shown| {
            let changed = **shown != members;
            if changed {
                *shown = Arc::new(members);
            }
            changed
        });
    }

    pub(super) fn leave(&self) {
        self.leaving.store(true, Ordering::Release);
    }

    pub(super) fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::Acquire)
    }

    /// Whether a process may join over a new connection.
    pub(super) fn admit(&self, who: &Identity) -> Result<(), Refusal> {
        if self.is_leaving() {
            return Err(Refusal::Leaving);
        }
        if *who == self.own {
            return Err(Refusal::Myself);
        }
        let members = self.members_now();
        match members.iter().find(|member| member.node == who.node) {
            Some(member) if member.boot == who.boot => Err(Refusal::Member),
            // Which of two that have this node's own name is older, each of them would see otherwise: neither joins.
            Some(member) if member.boot > who.boot || member.node == self.own.node => Err(Refusal::Older),
            Some(_) | None => Ok(()),
        }
    }

    /// Remembers where a node is reached.
    pub(super) fn learn(&self, node: &NodeName, address: &str, now: Instant) {
        if *node == self.own.node || address == self.advertise {
            return;
        }
        let mut learned = locked(&self.learned);
        learned.retain(|_, known| now.saturating_duration_since(known.at) < ADDRESS_KEEP);
        if learned.len() < MOST_ADDRESSES || learned.contains_key(address) {
            learned.insert(address.to_owned(), Learned { node: node.clone(), at: now });
        }
    }

    /// Forgets where a node is reached: it has left.
    pub(super) fn unlearn(&self, node: &NodeName) {
        locked(&self.learned).retain(|_, known| known.node != *node);
    }

    /// Where nodes may be reached.
    pub(super) fn learned(&self) -> Vec<(String, NodeName)> {
        locked(&self.learned).iter().map(|(address, known)| (address.clone(), known.node.clone())).collect()
    }
}
