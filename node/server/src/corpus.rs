//! What all nodes of a cluster must have in common, or their answers would not be the same.

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use tandem_config::NodeConfig;
use tandem_store_scylla::ScyllaStore;
use uuid::Uuid;

#[cfg(test)]
mod tests;

/// The corpus of a cluster, as its first node made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Corpus {
    /// Tells this keyspace from every other one, also from an earlier one of the same name.
    pub(crate) id: Uuid,
    /// Parts of the index.
    shards: u16,
}

impl Corpus {
    /// What a node of this configuration would make of a new keyspace.
    pub(crate) const fn of(config: &NodeConfig, id: Uuid) -> Self {
        Self { id, shards: config.index.shards }
    }

    /// The corpus of the store's keyspace: this one if the keyspace is new.
    ///
    /// # Errors
    /// When the keyspace was made with another cut of the index: says what differs and what to set.
    pub(crate) async fn join(self, store: &ScyllaStore) -> anyhow::Result<Self> {
        let proposal = serde_json::to_vec(&self).context("cannot describe the corpus")?;
        let kept =
            store.agree(&proposal).await.context("cannot learn what the cluster's index is made of")?;
        let kept = serde_json::from_slice(&kept)
            .context("the description of the cluster's index is of another version of this program")?;
        self.must_fit(kept)
    }

    fn must_fit(self, kept: Self) -> anyhow::Result<Self> {
        if self.shards != kept.shards {
            bail!(
                "this node does not fit the cluster, whose index was cut otherwise: index.shards is {} here and {} there. \
                 Configure it as the others are, or use another store.scylla.keyspace",
                self.shards,
                kept.shards
            );
        }
        Ok(kept)
    }
}
