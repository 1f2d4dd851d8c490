//! What a node tells the others of itself with every heartbeat.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tandem_config::{NodeConfig, Role};
use tandem_domain::chunk::ModelKey;
use tandem_matching::{HostedShards, ShardReport};
use tandem_runtime::placement::NodeName;
use uuid::Uuid;

/// A node that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Neighbor {
    pub(crate) name: NodeName,
    pub(crate) state: NodeState,
}

/// How a node stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NodeState {
    /// The version of its program.
    pub(crate) version: String,
    /// Where its edge listens.
    pub(crate) edge: String,
    /// Its roles, by name.
    pub(crate) roles: Vec<String>,
    /// Whether it holds shards.
    pub(crate) holds_shards: bool,
    /// Whether it is about to leave.
    pub(crate) draining: bool,
    /// Into how many shards it cuts the index.
    pub(crate) shard_count: u16,
    /// Whose index it holds a part of.
    pub(crate) corpus: Option<Uuid>,
    /// Those that it holds.
    pub(crate) shards: Vec<ShardState>,
}

/// A shard on a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ShardState {
    /// The model of its vectors.
    pub(crate) model: ModelKey,
    pub(crate) shard: u16,
    /// The position of the change log that it has come to.
    pub(crate) seen: u64,
    /// Whether it answers for all that was there when it was opened.
    pub(crate) caught_up: bool,
    pub(crate) documents: u64,
}

/// How the shards that are held here stand.
pub(crate) fn shard_states(hosted: &HostedShards) -> Vec<ShardState> {
    let state = |report: ShardReport| ShardState {
        model: report.model,
        shard: report.shard,
        seen: report.seen.0,
        caught_up: report.caught_up,
        documents: report.documents,
    };
    hosted.reports().into_iter().map(state).collect()
}

/// A version, so that nodes of two releases understand or pass over one another.
#[derive(Serialize, Deserialize)]
enum Wire {
    V2(NodeState),
}

impl NodeState {
    /// What a node of this configuration says, before it holds any shard.
    pub(crate) fn of(config: &NodeConfig, edge: &str, corpus: Option<Uuid>) -> Self {
        let mut roles = config.node.roles.clone();
        roles.sort();
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            edge: edge.to_owned(),
            roles: roles.into_iter().map(|role| role.name().to_owned()).collect(),
            holds_shards: config.has(Role::Index),
            draining: false,
            shard_count: config.index.shards,
            corpus,
            shards: Vec::new(),
        }
    }

    /// Whether others would decide otherwise if they knew the newer state.
    pub(crate) fn weighs_other(&self, newer: &Self) -> bool {
        let weight = |state: &Self| {
            let shards: Vec<(ModelKey, u16, bool)> =
                state.shards.iter().map(|s| (s.model, s.shard, s.caught_up)).collect();
            (state.draining, shards)
        };
        weight(self) != weight(newer)
    }

    /// Whether it answers questions about a shard of a model.
    pub(crate) fn serves(&self, model: ModelKey, shard: u16) -> bool {
        self.shards.iter().any(|state| state.model == model && state.shard == shard && state.caught_up)
    }

    pub(crate) fn encode(&self) -> Bytes {
        // Writing numbers and texts into memory has no way to fail; an empty state would be passed over.
        postcard::to_allocvec(&Wire::V2(self.clone())).map(Bytes::from).unwrap_or_default()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let Wire::V2(state) = postcard::from_bytes(bytes).ok()?;
        Some(state)
    }
}
