//! Which shards a node should hold: decided by every node for itself, from what all of them see.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tandem_domain::chunk::ModelKey;
use tandem_runtime::placement::{NodeName, owners};
use tokio::time::Instant;

use super::shard_key;
use super::state::Neighbor;

#[cfg(test)]
mod tests;

/// Owners of each shard, if there are as many nodes.
const OWNERS: usize = 2;

/// Remembers who was there: the shards of a node that is gone wait for its return for a while, because building them
/// elsewhere costs more than waiting, and their other owner answers meanwhile.
#[derive(Debug)]
pub(crate) struct Ownership {
    me: NodeName,
    shards: u16,
    hold_down: Duration,
    last_seen: BTreeMap<NodeName, Instant>,
}

impl Ownership {
    pub(crate) const fn new(me: NodeName, shards: u16, hold_down: Duration) -> Self {
        Self { me, shards, hold_down, last_seen: BTreeMap::new() }
    }

    /// The shards that this node should hold now, of which it holds `held`.
    ///
    /// They are those that it owns, and those that it holds for owners that do not answer for them yet by the model that
    /// serves.
    pub(crate) fn wanted(
        &mut self,
        now: Instant,
        serving: ModelKey,
        neighbors: &[Neighbor],
        held: &BTreeSet<u16>,
    ) -> BTreeSet<u16> {
        let counted = self.counted(now, neighbors);
        let others: Vec<&Neighbor> = neighbors.iter().filter(|neighbor| neighbor.name != self.me).collect();
        (0..self.shards)
            .filter(|shard| {
                let owners = owners(&shard_key(*shard), &counted, OWNERS);
                let answers = |owner: &NodeName| {
                    others.iter().any(|other| other.name == *owner && other.state.serves(serving, *shard))
                };
                let mine = owners.contains(&&self.me);
                // With no owner left, as when every node leaves, what is held is kept until the work in hand is done.
                let taken_over = !owners.is_empty() && owners.iter().all(|owner| answers(owner));
                mine || (held.contains(shard) && !taken_over)
            })
            .collect()
    }

    /// The nodes that shards are given to: those that hold shards and do not leave, and for a while those that vanished.
    fn counted(&mut self, now: Instant, neighbors: &[Neighbor]) -> Vec<NodeName> {
        for neighbor in neighbors {
            if neighbor.state.holds_shards && !neighbor.state.draining {
                self.last_seen.insert(neighbor.name.clone(), now);
            } else {
                self.last_seen.remove(&neighbor.name);
            }
        }
        let hold_down = self.hold_down;
        self.last_seen.retain(|_, seen| now.duration_since(*seen) <= hold_down);
        self.last_seen.keys().cloned().collect()
    }
}
