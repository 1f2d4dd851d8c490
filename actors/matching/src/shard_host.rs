//! Which shards this node holds: starts a writer for each and stops it when the shard moves away.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::future::join_all;
use tandem_domain::chunk::{ModelIdentity, ModelKey};
use tandem_domain::document::Failure;
use tandem_domain::error::ErrorCode;
use tandem_domain::models::Models;
use tandem_ports::documents::BucketRange;
use tandem_ports::{DocumentStore, MatchIndex};
use tandem_runtime::SupervisorHandle;
use tokio::sync::{Mutex, watch};
use tokio::task::spawn_blocking;

use crate::filing::Filing;
use crate::hosted::{Held, Hosted, HostedShards};
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
}

/// What shards follow and write to.
#[derive(Clone)]
pub struct ShardPorts {
    /// The change log, and what it speaks of.
    pub documents: Arc<dyn DocumentStore>,
    /// Where vectors are asked for that a version has none of.
    pub filing: Filing,
    /// The models that the corpus has; each shard is held once for each of them.
    pub models: watch::Receiver<Arc<Models>>,
    /// Raised when this node has changed the log.
    pub changed: watch::Receiver<u64>,
}

/// Opens the index of a shard with vectors of a model. It uses the disk and is called on a blocking thread.
pub type OpenShard = Arc<dyn Fn(&ModelIdentity, u16) -> Result<Arc<dyn MatchIndex>, Failure> + Send + Sync>;

/// Holds shards. Cheap to clone.
#[derive(Clone)]
pub struct ShardHost {
    supervisor: SupervisorHandle,
    options: ShardHostOptions,
    open: OpenShard,
    ports: ShardPorts,
    hosted: HostedShards,
    /// The numbers that are wanted. One change of what is held at a time.
    wanted: Arc<Mutex<BTreeSet<u16>>>,
}

impl ShardHost {
    /// Holds nothing yet.
    #[must_use]
    pub fn new(
        supervisor: SupervisorHandle,
        options: ShardHostOptions,
        open: OpenShard,
        ports: ShardPorts,
        hosted: HostedShards,
    ) -> Self {
        Self { supervisor, options, open, ports, hosted, wanted: Arc::default() }
    }

    /// The model that serves.
    #[must_use]
    pub fn serving(&self) -> ModelKey {
        self.ports.models.borrow().serving.identity.key()
    }

    /// The shards as readers see them.
    #[must_use]
    pub const fn hosted(&self) -> &HostedShards {
        &self.hosted
    }

    /// Holds exactly these shards, of each model that the corpus has: opens those that are missing and lets go of the
    /// others, whose files stay for their return.
    ///
    /// # Errors
    /// The first shard that cannot be opened or whose writer does not start; the others are held nevertheless.
    pub async fn hold(&self, wanted: &BTreeSet<u16>) -> Result<(), Failure> {
        let mut numbers = self.wanted.lock().await;
        numbers.clone_from(wanted);
        self.settle(&numbers).await
    }

    /// Holds the same shards as before, of each model that the corpus has now.
    ///
    /// # Errors
    /// As [`ShardHost::hold`].
    pub async fn follow_models(&self) -> Result<(), Failure> {
        let numbers = self.wanted.lock().await;
        self.settle(&numbers).await
    }

    async fn settle(&self, numbers: &BTreeSet<u16>) -> Result<(), Failure> {
        let models = Arc::clone(&self.ports.models.borrow());
        let serving = models.serving.identity.key();
        let of = |model: &ModelIdentity| {
            let (model, key) = (model.clone(), model.key());
            numbers.iter().map(move |number| ((key, *number), model.clone()))
        };
        let wanted: BTreeMap<Held, ModelIdentity> =
            models.in_use().flat_map(|place| of(&place.identity)).collect();
        let held = self.hosted.held();
        for at in held.iter().filter(|at| !wanted.contains_key(at)) {
            self.hosted.remove(*at);
            self.supervisor.release(&ShardWriter::name(*at)).await;
            metrics::let_go(at.1, at.0 == serving);
        }
        let starting = wanted.into_iter().filter(|(at, _)| !held.contains(at));
        let started = join_all(starting.map(|((_, number), model)| self.start(model, number))).await;
        metrics::holds(self.hosted.held().iter().filter(|(model, _)| *model == serving).count());
        started.into_iter().collect()
    }

    async fn start(&self, model: ModelIdentity, number: u16) -> Result<(), Failure> {
        let target = self.ports.documents.log_head().await?;
        let (open, identity) = (Arc::clone(&self.open), model.clone());
        let opened = spawn_blocking(move || open(&identity, number)).await;
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
            model,
        };
        let at = (options.model.key(), number);
        let hosted = Hosted { index: Arc::clone(&index), seen: seen.subscribe(), target };
        ShardWriter::start(&self.supervisor, options, index, self.ports.clone(), seen)
            .await
            .map_err(|error| internal(error.to_string()))?;
        self.hosted.insert(at, hosted);
        Ok(())
    }
}

fn internal(reason: String) -> Failure {
    Failure { code: ErrorCode::Internal, reason }
}
