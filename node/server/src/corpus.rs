//! What all nodes of a cluster must have in common, or their answers would not be the same.

use std::fmt;

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use tandem_config::NodeConfig;
use tandem_domain::chunk::ModelIdentity;
use tandem_store_scylla::ScyllaStore;
use uuid::Uuid;

#[cfg(test)]
mod tests;

/// The corpus of a cluster, as its first node made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Corpus {
    /// Tells this keyspace from every other one, also from an earlier one of the same name.
    pub(crate) id: Uuid,
    model: ModelIdentity,
    /// Word pieces per window.
    window: usize,
    /// Parts of the index.
    shards: u16,
}

impl Corpus {
    /// What a node of this configuration would make of a new keyspace.
    pub(crate) fn of(config: &NodeConfig, model: ModelIdentity, id: Uuid) -> Self {
        Self { id, model, window: config.embedding.max_tokens, shards: config.index.shards }
    }

    /// The corpus of the store's keyspace: this one if the keyspace is new.
    ///
    /// # Errors
    /// When the keyspace was made with another model or another cut of the index: says what differs and what to set.
    pub(crate) async fn join(self, store: &ScyllaStore) -> anyhow::Result<Self> {
        let proposal = serde_json::to_vec(&self).context("cannot describe the corpus")?;
        let kept =
            store.agree(&proposal).await.context("cannot learn what the cluster's index is made of")?;
        let kept = serde_json::from_slice(&kept)
            .context("the description of the cluster's index is of another version of this program")?;
        self.must_fit(kept)
    }

    fn must_fit(self, kept: Self) -> anyhow::Result<Self> {
        let mut differences = Vec::new();
        compare(&mut differences, "index.shards", &self.shards, &kept.shards);
        compare(&mut differences, "embedding.max_tokens", &self.window, &kept.window);
        if self.model != kept.model {
            differences.push(format!(
                "the model here is {}, there {}",
                Short(&self.model),
                Short(&kept.model)
            ));
        }
        if !differences.is_empty() {
            bail!(
                "this node does not fit the cluster, whose vectors and shards were made otherwise: {}. Configure it as \
                 the others are, or use another store.scylla.keyspace",
                differences.join("; ")
            );
        }
        Ok(kept)
    }
}

fn compare<T: PartialEq + fmt::Display>(differences: &mut Vec<String>, key: &str, here: &T, there: &T) {
    if here != there {
        differences.push(format!("{key} is {here} here and {there} there"));
    }
}

/// A model in a few words.
struct Short<'a>(&'a ModelIdentity);

impl fmt::Display for Short<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digest: String = self.0.weights_digest.chars().take(12).collect();
        write!(f, "{} ({digest})", self.0.id)
    }
}
