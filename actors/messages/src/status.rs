//! Talk about the cluster as a node sees it: for operators.

use serde::{Deserialize, Serialize};

/// Show nodes, shards and queues.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetStatus;

/// The cluster as one node sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The node that was asked.
    pub node: String,
    /// The position that the change log has come to, 0 = nothing was ever indexed; `None` while the store does not say.
    pub log_head: Option<u64>,
    /// The nodes that are there, by name; the one that was asked is among them.
    pub nodes: Vec<NodeStatus>,
    /// Every shard, by number.
    pub shards: Vec<ShardStatus>,
    /// Every queue; none while the queues do not say.
    pub queues: Vec<QueueStatus>,
    /// What could not be learned, for people.
    pub problems: Vec<String>,
}

/// A node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeStatus {
    /// Its name.
    pub name: String,
    /// The version of its program.
    pub version: String,
    /// Where its edge listens.
    pub edge: String,
    /// Its roles.
    pub roles: Vec<String>,
    /// Whether it is about to leave.
    pub draining: bool,
    /// How many shards it holds.
    pub shards: u32,
}

/// A shard of the index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardStatus {
    /// Its number.
    pub shard: u16,
    /// The nodes that hold it, by name.
    pub owners: Vec<ShardOwner>,
}

/// A node that holds a shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardOwner {
    /// Its name.
    pub node: String,
    /// Whether it answers for all that was there when it opened the shard.
    pub caught_up: bool,
    /// How many positions of the change log it has not seen yet.
    pub lag: u64,
    /// Documents in it.
    pub documents: u64,
}

/// The queue of a kind of work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueStatus {
    /// Its name, such as `parse`.
    pub kind: String,
    /// Deliverable now or later.
    pub waiting: u64,
    /// Delivered and not settled; on a broker, by the node that was asked.
    pub in_flight: u64,
    /// Put aside.
    pub dead: u64,
}
