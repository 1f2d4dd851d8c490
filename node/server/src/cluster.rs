//! This node among the others: what it tells them of itself, which shards it holds, whom it asks for the rest.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use bytes::Bytes;
use tandem_config::NodeConfig;
use tandem_domain::chunk::ModelKey;
use tandem_domain::document::Failure;
use tandem_domain::error::ErrorCode;
use tandem_matching::{HostedShards, ShardPeers};
use tandem_runtime::SupervisorHandle;
use tandem_runtime::mesh::{Cookie, Member, Mesh, MeshOptions, MeshTls, PeerService};
use tandem_runtime::placement::{NodeName, owners};
use tokio::sync::watch;
use uuid::Uuid;

pub(crate) use keeper::{Keeper, KeeperOptions};
#[cfg(test)]
pub(crate) use state::ShardState;
pub(crate) use state::{Neighbor, NodeState, shard_states};

mod keeper;
mod ownership;
mod state;

/// The node's place in the cluster. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Cluster {
    mesh: Mesh,
    me: NodeName,
    /// Nodes of another corpus are of another cluster, whatever their certificate says.
    corpus: Option<Uuid>,
    seen: Arc<Mutex<Seen>>,
}

/// The members as they were understood last, so that they are read once and not with every question.
#[derive(Default)]
struct Seen {
    members: Arc<Vec<Member>>,
    neighbors: Arc<Vec<Neighbor>>,
    strangers: BTreeSet<NodeName>,
}

/// Answers what other nodes ask.
struct Service {
    hosted: HostedShards,
}

#[async_trait]
impl PeerService for Service {
    async fn answer(&self, _from: NodeName, request: Bytes, deadline: Duration) -> Bytes {
        self.hosted.answer_peer(&request, deadline).await
    }
}

impl Cluster {
    /// Joins the mesh that the configuration names; `None` if it names none.
    pub(crate) async fn join(
        supervisor: &SupervisorHandle,
        config: &NodeConfig,
        boot: Uuid,
        state: &NodeState,
        hosted: HostedShards,
    ) -> anyhow::Result<Option<Self>> {
        let mesh = &config.mesh;
        if mesh.listen.is_empty() {
            return Ok(None);
        }
        let me: NodeName = config.node.name.parse().context("the node's name cannot be one of the mesh")?;
        let cookie = Cookie::read(&mesh.cookie_file)
            .with_context(|| format!("cannot use the cookie in {}", mesh.cookie_file.display()))?;
        let options = MeshOptions {
            node: me.clone(),
            boot,
            listen: mesh.listen.parse().context("mesh.listen is no address")?,
            advertise: if mesh.advertise.is_empty() { mesh.listen.clone() } else { mesh.advertise.clone() },
            seeds: mesh.seeds.clone(),
            tls: MeshTls { ca: mesh.ca.clone(), cert: mesh.cert.clone(), key: mesh.key.clone() },
            cookie,
            limits: tandem_runtime::mesh::MeshLimits::default(),
        };
        let service = Arc::new(Service { hosted });
        let mesh = Mesh::start(supervisor, options, service).await.context("cannot join the mesh")?;
        Ok(Some(Self { mesh, me, corpus: state.corpus, seen: Arc::default() }))
    }

    /// The node's own name.
    pub(crate) const fn me(&self) -> &NodeName {
        &self.me
    }

    /// Tells the others how this node stands.
    pub(crate) fn announce(&self, state: &NodeState) {
        if let Err(error) = self.mesh.announce(state.encode()) {
            tracing::error!(%error, "the other nodes cannot be told how this one stands");
        }
    }

    /// The nodes that are there now and can be understood, this one included once it has announced itself.
    pub(crate) fn neighbors(&self) -> Arc<Vec<Neighbor>> {
        let members = self.mesh.members().borrow().clone();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if !Arc::ptr_eq(&seen.members, &members) {
            seen.look_at(members, self.corpus);
        }
        Arc::clone(&seen.neighbors)
    }

    /// Waits until the members or what they say have changed.
    pub(crate) fn changes(&self) -> watch::Receiver<Arc<Vec<Member>>> {
        self.mesh.members()
    }

    /// Takes leave of the others.
    pub(crate) async fn leave(&self) {
        self.mesh.leave().await;
    }
}

impl Seen {
    fn look_at(&mut self, members: Arc<Vec<Member>>, corpus: Option<Uuid>) {
        let mut strangers = BTreeSet::new();
        let mut neighbors = Vec::with_capacity(members.len());
        for member in members.iter() {
            match NodeState::decode(&member.state).filter(|state| state.corpus == corpus) {
                Some(state) => neighbors.push(Neighbor { name: member.node.clone(), state }),
                // Nothing is announced in a node's first moment.
                None if member.state.is_empty() => {}
                None => {
                    strangers.insert(member.node.clone());
                }
            }
        }
        for stranger in strangers.difference(&self.strangers) {
            tracing::warn!(
                node = %stranger,
                "a node of the mesh is passed over: it keeps another store's documents or is of another version"
            );
        }
        *self = Self { members, neighbors: Arc::new(neighbors), strangers };
    }
}

#[async_trait]
impl ShardPeers for Cluster {
    fn serving(&self, model: ModelKey, shard: u16) -> Vec<String> {
        let neighbors = self.neighbors();
        let serving: BTreeMap<&NodeName, bool> = neighbors
            .iter()
            .filter(|neighbor| neighbor.name != self.me && neighbor.state.serves(model, shard))
            .map(|neighbor| (&neighbor.name, neighbor.state.draining))
            .collect();
        let mut order = owners(&shard_key(shard), serving.keys().copied(), serving.len());
        // One that is about to leave still answers, but is asked last.
        order.sort_by_key(|name| serving.get(name).copied().unwrap_or(true));
        order.into_iter().map(ToString::to_string).collect()
    }

    async fn ask(&self, node: &str, request: Bytes, limit: Duration) -> Result<Bytes, Failure> {
        let node: NodeName = node.parse().map_err(|_| Failure {
            code: ErrorCode::Internal,
            reason: "not the name of a node".to_owned(),
        })?;
        let answer = self.mesh.ask(&node, request, limit).await;
        answer.map_err(|error| {
            // A time that was too short for another node says nothing against the work.
            let timed_out = error.code() == ErrorCode::Timeout;
            let code = if timed_out { ErrorCode::Unavailable } else { error.code() };
            Failure { code, reason: format!("another node of the cluster did not answer: {error}") }
        })
    }
}

/// What stands for a shard when its owners are chosen.
fn shard_key(shard: u16) -> [u8; 2] {
    shard.to_be_bytes()
}
