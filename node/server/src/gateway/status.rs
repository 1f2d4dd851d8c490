//! The cluster as this node sees it.

use futures::future::try_join_all;
use tandem_domain::document::Failure;
use tandem_domain::task::TaskKind;
use tandem_messages::status::{NodeStatus, QueueStatus, ShardOwner, ShardStatus, Status};

use super::Parts;
use crate::cluster::{Neighbor, shard_states};

impl Parts {
    pub(super) async fn status(&self) -> Result<Status, Failure> {
        let head = self.documents.log_head().await?;
        let depths = TaskKind::ALL.map(|kind| async move {
            let depth = self.queue.depth(kind).await?;
            let (waiting, in_flight, dead) = (depth.waiting, depth.in_flight, depth.dead);
            Ok::<_, Failure>(QueueStatus { kind: kind.name().to_owned(), waiting, in_flight, dead })
        });
        let queues = try_join_all(depths).await?;
        let nodes = self.nodes();
        let shards = (0..self.state.shard_count).map(|shard| owners_of(shard, head.0, &nodes)).collect();
        let node = |node: &Neighbor| NodeStatus {
            name: node.name.to_string(),
            version: node.state.version.clone(),
            edge: node.state.edge.clone(),
            roles: node.state.roles.clone(),
            draining: node.state.draining,
            shards: node.state.shards.len() as u32,
        };
        let nodes = nodes.iter().map(node).collect();
        Ok(Status { node: self.supervisor.node().to_owned(), log_head: head.0, nodes, shards, queues })
    }

    /// Every node that is there. This one is known better than by what it last said.
    pub(super) fn nodes(&self) -> Vec<Neighbor> {
        let mut nodes = self.cluster.as_ref().map(|cluster| cluster.neighbors()).unwrap_or_default();
        let mut state = self.state.clone();
        state.draining = self.supervisor.drain().is_draining();
        state.shards = shard_states(&self.hosted);
        nodes.retain(|node| node.name != self.name);
        nodes.push(Neighbor { name: self.name.clone(), state });
        nodes.sort_by(|a, b| a.name.cmp(&b.name));
        nodes
    }
}

fn owners_of(shard: u16, head: u64, nodes: &[Neighbor]) -> ShardStatus {
    let owner = |node: &Neighbor| {
        let state = node.state.shards.iter().find(|state| state.shard == shard)?;
        Some(ShardOwner {
            node: node.name.to_string(),
            caught_up: state.caught_up,
            lag: head.saturating_sub(state.seen),
            documents: state.documents,
        })
    };
    ShardStatus { shard, owners: nodes.iter().filter_map(owner).collect() }
}
