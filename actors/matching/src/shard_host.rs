//! Which shards this node holds: starts a writer for each and stops it when the shard moves away.

use std::collections::BTreeSet;
use std::sync::Arc;

use tandem_domain::chunk::ModelIdentity;
use tandem_domain::document::Failure;
use tandem_domain::error::ErrorCode;
use tandem_ports::documents::BucketRange;
use tandem_ports::{DocumentStore, MatchIndex};
use tandem_runtime::SupervisorHandle;
use tokio::sync::{Mutex, watch};
use tokio::task::spawn_blocking;

use crate::hosted::{Hosted, HostedShards};
use crate::metrics;
use crate::shard::{ShardOptions, ShardWriter};

#[cfg(test)]
mod tests;

/// What all shards have in common.
#[derive(Debug, Clone)]
pub struct ShardHostOptions {
    /// How many shards the index has: fixed when it is made.
    pub shards: u16,
    /// Changes applied in one batch, at most.
    pub batch: u32,
    /// The model of the index.
    pub model: ModelIdentity,
}

/// Opens the index of a shard. It uses the disk and is called on a blocking thread.
pub type OpenShard = Arc<dyn Fn(u16) -> Result<Arc<dyn MatchIndex>, Failure> + Send + Sync>;

/// Holds shards. Cheap to clone.
#[derive(Clone)]
pub struct ShardHost {
    supervisor: SupervisorHandle,
    options: ShardHostOptions,
    open: OpenShard,
    documents: Arc<dyn DocumentStore>,
    changed: watch::Receiver<u64>,
    hosted: HostedShards,
    /// One change of what is held at a time.
    turn: Arc<Mutex<()>>,
}

impl ShardHost {
    /// Holds nothing yet. `changed` wakes the writers when this node has changed the log.
    #[must_use]
    pub fn new(
        supervisor: SupervisorHandle,
        options: ShardHostOptions,
        open: OpenShard,
        documents: Arc<dyn DocumentStore>,
        changed: watch::Receiver<u64>,
        hosted: HostedShards,
    ) -> Self {
        Self { supervisor, options, open, documents, changed, hosted, turn: Arc::default() }
    }

    /// The shards as readers see them.
    #[must_use]
    pub const fn hosted(&self) -> &HostedShards {
        &self.hosted
    }

    /// Holds exactly these shards: opens those that are missing and lets go of the others, whose files stay for their
    /// return.
    ///
    /// # Errors
    /// The first shard that cannot be opened or whose writer does not start; the others are held nevertheless.
    pub async fn hold(&self, wanted: &BTreeSet<u16>) -> Result<(), Failure> {
        let _turn = self.turn.lock().await;
        let held: BTreeSet<u16> = self.hosted.numbers().into_iter().collect();
        for shard in held.difference(wanted) {
            self.hosted.remove(*shard);
            self.supervisor.release(&ShardWriter::name(*shard)).await;
            metrics::let_go(*shard);
        }
        let starting = wanted.difference(&held).map(|shard| self.start(*shard));
        let started = futures::future::join_all(starting).await;
        metrics::holds(self.hosted.numbers().len());
        started.into_iter().collect()
    }

    async fn start(&self, number: u16) -> Result<(), Failure> {
        let target = self.documents.log_head().await?;
        let open = Arc::clone(&self.open);
        let opened = spawn_blocking(move || open(number)).await;
        let index = opened.map_err(|_| internal("opening an index shard panicked".to_owned()))??;
        if index.checkpoint() > target {
            return Err(internal(format!(
                "the index shard {number} has seen more of the change log than the store has: it belongs to another \
                 store; `tandem shard rebuild` builds it again from this one"
            )));
        }
        let seen = Arc::new(watch::Sender::new(index.checkpoint()));
        let options = ShardOptions {
            number,
            buckets: BucketRange::of_shard(number, self.options.shards),
            batch: self.options.batch,
            model: self.options.model.clone(),
        };
        let (documents, changed) = (Arc::clone(&self.documents), self.changed.clone());
        let hosted = Hosted { index: Arc::clone(&index), seen: seen.subscribe(), target };
        ShardWriter::start(&self.supervisor, options, index, documents, changed, seen)
            .await
            .map_err(|error| internal(error.to_string()))?;
        self.hosted.insert(number, hosted);
        Ok(())
    }
}

fn internal(reason: String) -> Failure {
    Failure { code: ErrorCode::Internal, reason }
}
