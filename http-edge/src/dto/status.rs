//! The cluster on the wire: for operators.

use serde::Serialize;
use tandem_messages::status;
use utoipa::ToSchema;

use super::all;

/// The cluster as one node sees it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Status {
    /// The node that was asked.
    #[schema(examples("node"))]
    pub(crate) node: String,
    /// The position that the change log has come to, 0 = nothing was ever indexed; `null` while the store does not say.
    pub(crate) log_head: Option<u64>,
    /// The nodes that are there, by name; the one that was asked is among them.
    pub(crate) nodes: Vec<NodeStatus>,
    /// Every shard of the index, by number.
    pub(crate) shards: Vec<ShardStatus>,
    /// Every queue; none while the queues do not say.
    pub(crate) queues: Vec<QueueStatus>,
    /// What could not be learned.
    pub(crate) problems: Vec<String>,
}

/// A node.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NodeStatus {
    /// Its name.
    #[schema(examples("node"))]
    pub(crate) name: String,
    /// The version of its program.
    #[schema(examples("0.1.0"))]
    pub(crate) version: String,
    /// Where its edge listens.
    #[schema(examples("127.0.0.1:8080"))]
    pub(crate) edge: String,
    /// Its roles.
    #[schema(examples(json!(["edge", "match"])))]
    pub(crate) roles: Vec<String>,
    /// Whether it is about to leave.
    pub(crate) draining: bool,
    /// How many shards it holds.
    pub(crate) shards: u32,
}

/// A shard of the index.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ShardStatus {
    /// Its number.
    pub(crate) shard: u16,
    /// The nodes that hold it, by name.
    pub(crate) owners: Vec<ShardOwner>,
}

/// A node that holds a shard.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ShardOwner {
    /// Its name.
    #[schema(examples("node"))]
    pub(crate) node: String,
    /// Whether it answers for all that was there when it opened the shard.
    pub(crate) caught_up: bool,
    /// How many positions of the change log it has not seen yet.
    pub(crate) lag: u64,
    /// Documents in it.
    pub(crate) documents: u64,
}

/// The queue of a kind of work.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QueueStatus {
    /// Its name.
    #[schema(examples("parse"))]
    pub(crate) kind: String,
    /// Deliverable now or later.
    pub(crate) waiting: u64,
    /// Delivered and not settled; on a broker, by the node that was asked.
    pub(crate) in_flight: u64,
    /// Put aside.
    pub(crate) dead: u64,
}

impl From<status::Status> for Status {
    fn from(status: status::Status) -> Self {
        let status::Status { node, log_head, nodes, shards, queues, problems } = status;
        Self { node, log_head, nodes: all(nodes), shards: all(shards), queues: all(queues), problems }
    }
}

impl From<status::NodeStatus> for NodeStatus {
    fn from(node: status::NodeStatus) -> Self {
        let status::NodeStatus { name, version, edge, roles, draining, shards } = node;
        Self { name, version, edge, roles, draining, shards }
    }
}

impl From<status::ShardStatus> for ShardStatus {
    fn from(shard: status::ShardStatus) -> Self {
        Self { shard: shard.shard, owners: all(shard.owners) }
    }
}

impl From<status::ShardOwner> for ShardOwner {
    fn from(owner: status::ShardOwner) -> Self {
        let status::ShardOwner { node, caught_up, lag, documents } = owner;
        Self { node, caught_up, lag, documents }
    }
}

impl From<status::QueueStatus> for QueueStatus {
    fn from(queue: status::QueueStatus) -> Self {
        let status::QueueStatus { kind, waiting, in_flight, dead } = queue;
        Self { kind, waiting, in_flight, dead }
    }
}
