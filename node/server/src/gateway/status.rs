//! The cluster as this node sees it.

use futures::future::try_join_all;
use tandem_domain::document::Failure;
use tandem_domain::task::TaskKind;
use tandem_messages::status::{NodeStatus, QueueStatus, ShardOwner, ShardStatus, Status};
use tokio::time::error::Elapsed;
use tokio::time::timeout;

use super::{CHECK_LIMIT, Parts};
use crate::cluster::{Neighbor, shard_states};

impl Parts {
    /// What is known. While the store or the queue is away, as when an operator most wants to look, the rest is shown.
    pub(super) async fn status(&self) -> Status {
        let mut problems = Vec::new();
        let mut learn = |failure: String| problems.push(failure);
        let depths = TaskKind::ALL.map(|kind| async move {
            let depth = self.queue.depth(kind).await?;
            let (waiting, in_flight, dead) = (depth.waiting, depth.in_flight, depth.dead);
            Ok::<_, Failure>(QueueStatus { kind: kind.name().to_owned(), waiting, in_flight, dead })
        });
        let (head, queues) = tokio::join!(
            timeout(CHECK_LIMIT, self.documents.log_head()),
            timeout(CHECK_LIMIT, try_join_all(depths))
        );
        let head = told("store", head.map(|head| head.map_err(Failure::from)), &mut learn);
        let queues = told("queue", queues, &mut learn).unwrap_or_default();
        let (mut nodes, serving) = (self.nodes(), self.models.serving());
        // Those of a second model have a place of their own.
        nodes.iter_mut().for_each(|node| node.state.shards.retain(|shard| shard.model == serving));
        let seen = nodes.iter().flat_map(|node| &node.state.shards).map(|shard| shard.seen).max();
        let furthest = head.map_or(seen.unwrap_or(0), |head| head.0);
        let shards = (0..self.state.shard_count).map(|shard| owners_of(shard, furthest, &nodes)).collect();
        let node = |node: &Neighbor| NodeStatus {
            name: node.name.to_string(),
            version: node.state.version.clone(),
            edge: node.state.edge.clone(),
            roles: node.state.roles.clone(),
            draining: node.state.draining,
            shards: node.state.shards.len() as u32,
        };
        let nodes = nodes.iter().map(node).collect();
        let node = self.supervisor.node().to_owned();
        Status { node, log_head: head.map(|head| head.0), nodes, shards, queues, problems }
    }

    /// Every node that is there. This one is known better than by what it last said.
    pub(super) fn nodes(&self) -> Vec<Neighbor> {
        let mut nodes = self.cluster.as_ref().map(|cluster| cluster.neighbors().to_vec()).unwrap_or_default();
        let mut state = self.state.clone();
        state.draining = self.supervisor.drain().is_draining();
        state.shards = shard_states(&self.hosted);
        nodes.retain(|node| node.name != self.name);
        nodes.push(Neighbor { name: self.name.clone(), state });
        nodes.sort_by(|a, b| a.name.cmp(&b.name));
        nodes
    }
}

/// What a part of the node said, or why it did not.
fn told<T>(
    part: &str,
    answer: Result<Result<T, Failure>, Elapsed>,
    mut problem: impl FnMut(String),
) -> Option<T> {
    match answer {
        Ok(Ok(answer)) => return Some(answer),
        Ok(Err(failure)) => problem(format!("the {part} cannot be asked: {}", failure.reason)),
        Err(_) => problem(format!("the {part} does not answer")),
    }
    None
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
