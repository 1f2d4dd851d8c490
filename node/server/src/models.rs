//! The actor that follows what the store says of the corpus' models: loads them, holds their shards, carries a move to
//! its switch and removes what a move leaves behind.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::stream::{StreamExt, TryStreamExt, iter};
use tandem_config::{NodeConfig, Role};
use tandem_domain::chunk::{ModelIdentity, ModelKey};
use tandem_domain::document::Failure;
use tandem_domain::error::ErrorCode;
use tandem_domain::models::{ModelPlace, Models, MoveRefusal};
use tandem_embedding::{Engine, Engines};
use tandem_matching::ShardHost;
use tandem_messages::models::{ModelsView, MoveTo, SecondView};
use tandem_ports::documents::{BucketRange, Change, ChangeAction, LogPosition};
use tandem_ports::{DocumentStore, ModelStore, StoreError, Write};
use tandem_runtime::{
    Actor, ActorKind, ActorProcessingErr, ActorRef, Progress, StartError, SupervisorHandle,
};
use tokio::sync::{Notify, watch};

use crate::adapters::{index_folder, keep_shards_of};
use crate::cluster::{Cluster, NodeState, shard_states};
use crate::engine::{self, LoadedModel, ModelSpec};

/// How often the store is asked whether the models are others.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The longest time that one look may take: it may load a model and open shards.
const LOOK_LIMIT: Duration = Duration::from_secs(180);
/// Changes of the log whose leftover vectors are removed in one look, and how many at the same time.
const SWEPT_PAGE: u32 = 500;
const SWEPT_AT_ONCE: usize = 32;
/// How often a change of the models is tried that another one overtakes.
const CHANGES: u32 = 5;

/// What models are followed with.
pub(crate) struct ModelPorts {
    pub(crate) store: Arc<dyn ModelStore>,
    pub(crate) documents: Arc<dyn DocumentStore>,
    pub(crate) models: watch::Sender<Arc<Models>>,
    pub(crate) engines: watch::Sender<Engines>,
    pub(crate) host: ShardHost,
    pub(crate) cluster: Option<Cluster>,
}

/// A handle of the actor `index/models`. Cheap to clone.
#[derive(Clone)]
pub(crate) struct ModelKeeper(Arc<Shared>);

struct Shared {
    ports: ModelPorts,
    config: NodeConfig,
    /// Wakes the actor before its rest is over.
    wake: Notify,
    /// Why this node does not follow, if it does not.
    problem: Mutex<Option<String>>,
}

impl ModelKeeper {
    /// Starts the actor.
    pub(crate) async fn start(
        supervisor: &SupervisorHandle,
        config: &NodeConfig,
        ports: ModelPorts,
    ) -> Result<Self, StartError> {
        let shared = Shared { ports, config: config.clone(), wake: Notify::new(), problem: Mutex::default() };
        let keeper = Self(Arc::new(shared));
        let mine = keeper.clone();
        let make = move |progress: &Progress| {
            let following = Following {
                shared: Arc::clone(&mine.0),
                followed: 0,
                loaded: HashMap::new(),
                swept: LogPosition::START,
                progress: progress.clone(),
            };
            (ModelActor, following)
        };
        supervisor.supervise(ActorKind::Keeper, "index/models", make).await?;
        Ok(keeper)
    }

    /// The key of the model that serves.
    pub(crate) fn serving(&self) -> ModelKey {
        self.0.ports.models.borrow().serving.identity.key()
    }

    /// The models and how far a move has come, as the store and the nodes say.
    pub(crate) async fn view(&self, states: &[NodeState]) -> Result<ModelsView, Failure> {
        let models = self.0.read().await?;
        let head = self.0.ports.documents.log_head().await?.0;
        let shards = self.0.config.index.shards;
        let second = models.second.as_ref().map(|second| {
            let key = second.place.identity.key();
            let seen = |shard: u16| {
                let states = states.iter().flat_map(|state| &state.shards);
                let of = states.filter(|state| state.model == key && state.shard == shard);
                of.map(|state| state.seen.min(head)).max().unwrap_or(0)
            };
            let served = |shard: &u16| states.iter().any(|state| state.serves(key, *shard));
            SecondView {
                place: second.place.clone(),
                stage: second.stage,
                shards,
                caught_up: (0..shards).filter(served).count() as u16,
                changes: head * u64::from(shards),
                seen: (0..shards).map(seen).sum(),
            }
        });
        let problem = self.0.problem.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(ModelsView {
            serving: models.serving,
            second,
            removing: !models.leftover.is_empty(),
            problems: problem.into_iter().collect(),
        })
    }

    /// Begins to move the corpus to another model.
    pub(crate) async fn move_to(&self, to: MoveTo) -> Result<(), Failure> {
        let serving = self.0.read().await?.serving;
        let wanted = ModelPlace {
            folder: to.folder.unwrap_or(serving.folder),
            engine: to.engine.unwrap_or(serving.engine),
            precision: to.precision.unwrap_or(serving.precision),
            max_tokens: to.max_tokens.unwrap_or(serving.max_tokens),
            identity: serving.identity,
        };
        engine::expect_names(&wanted).map_err(unusable)?;
        let loaded = ModelSpec::at(&wanted, &self.0.config).load().await;
        // What was sent is not repeated.
        let LoadedModel { place, .. } = loaded.map_err(|error| {
            let reason = format!("{error:#}").replace(&wanted.folder, "`folder`");
            unusable(format!("this model cannot be used: {reason}"))
        })?;
        self.change(|models| models.moving_to(place.clone())).await
    }

    /// Changes what the store says, and has this node follow at once.
    pub(crate) async fn change(
        &self,
        step: impl Fn(&Models) -> Result<Models, MoveRefusal>,
    ) -> Result<(), Failure> {
        let mut models = self.0.read().await?;
        for _ in 0..CHANGES {
            let refused =
                |refusal: MoveRefusal| Failure { code: ErrorCode::Conflict, reason: refusal.to_string() };
            let next = step(&models).map_err(refused)?;
            match self.0.ports.store.put_models(&next).await? {
                Write::Applied => {
                    self.0.wake.notify_one();
                    return Ok(());
                }
                Write::Conflict(Some(there)) => models = there,
                Write::Conflict(None) | Write::Unknown => {
                    models = self.0.read().await?;
                    if models == next {
                        self.0.wake.notify_one();
                        return Ok(());
                    }
                }
            }
        }
        let reason = "the models are being changed by somebody else; try again".to_owned();
        Err(Failure { code: ErrorCode::Conflict, reason })
    }
}

impl Shared {
    async fn read(&self) -> Result<Models, Failure> {
        self.ports.store.models().await?.ok_or_else(|| Failure {
            code: ErrorCode::Internal,
            reason: "the store does not say which model the corpus is of".to_owned(),
        })
    }

    /// The nodes that are there, this one as it stands now.
    fn states(&self) -> Vec<NodeState> {
        let Some(cluster) = &self.ports.cluster else {
            let own = NodeState {
                shards: shard_states(self.ports.host.hosted()),
                ..NodeState::of(&self.config, "", None)
            };
            return vec![own];
        };
        cluster.neighbors().iter().map(|neighbor| neighbor.state.clone()).collect()
    }

    /// Whether it is this node that removes leftovers: one is enough, and two do no harm.
    fn sweeps(&self) -> bool {
        let Some(cluster) = &self.ports.cluster else { return true };
        cluster.neighbors().iter().map(|neighbor| &neighbor.name).min() == Some(cluster.me())
    }
}

struct ModelActor;

/// The one thing that the actor says to itself.
#[derive(Debug)]
struct Look;

impl tandem_runtime::Message for Look {}

struct Following {
    shared: Arc<Shared>,
    /// The revision of the models that this node does everything for.
    followed: u64,
    loaded: HashMap<ModelKey, Engine>,
    /// Leftover vectors are removed up to here.
    swept: LogPosition,
    progress: Progress,
}

impl Actor for ModelActor {
    type Msg = Look;
    type State = Following;
    type Arguments = Following;

    async fn pre_start(
        &self,
        myself: ActorRef<Look>,
        following: Following,
    ) -> Result<Following, ActorProcessingErr> {
        myself.send_message(Look)?;
        Ok(following)
    }

    /// One look or one rest per message, so that a stop is never far.
    async fn handle(
        &self,
        myself: ActorRef<Look>,
        _: Look,
        following: &mut Following,
    ) -> Result<(), ActorProcessingErr> {
        let looked = following.look().await;
        let problem = looked.as_ref().err().map(|failure| failure.reason.clone());
        let known = {
            let mut place = following.shared.problem.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *place, problem.clone())
        };
        if let Some(problem) = problem.filter(|problem| known.as_ref() != Some(problem)) {
            tracing::error!(problem, "this node does not follow the models of the corpus; it tries again");
        }
        if !matches!(looked, Ok(true)) {
            let _woken = tokio::time::timeout(LOOK_EVERY, following.shared.wake.notified()).await;
        }
        myself.send_message(Look)?;
        Ok(())
    }
}

impl Following {
    /// Whether there is more to do at once.
    async fn look(&mut self) -> Result<bool, Failure> {
        let _in_hand = self.progress.begin_within(LOOK_LIMIT);
        let models = self.shared.read().await?;
        if models.rev != self.followed {
            self.follow(&models).await?;
            self.followed = models.rev;
            self.swept = LogPosition::START;
        }
        if let Some(next) = models.next()
            && self.is_answered_for(next)
        {
            let (from, to) = (models.serving.identity.id.as_str(), next.identity.id.as_str());
            if self.shared.ports.store.put_models(&models.switched().map_err(odd)?).await?.is_there() {
                tracing::info!(from, to, "another model serves");
            }
            return Ok(true);
        }
        if models.leftover.is_empty() || !self.shared.sweeps() {
            return Ok(false);
        }
        self.sweep(&models).await
    }

    /// Does on this node what the models say. Shards of all of them are held before any is used, and what is used no
    /// longer is let go last.
    async fn follow(&mut self, models: &Models) -> Result<(), Failure> {
        let shared = Arc::clone(&self.shared);
        let (ports, mut lacking) = (&shared.ports, None);
        if self.shared.config.has(Role::Embed) {
            for place in models.in_use() {
                lacking = self.load(place).await.err().or(lacking);
            }
            self.loaded.retain(|key, _| models.find(*key).is_some());
            let serving = self.loaded.get(&models.serving.identity.key()).cloned();
            let others = self.loaded.iter().filter(|(key, _)| **key != models.serving.identity.key());
            let second = others.map(|(_, engine)| engine.clone()).next();
            if let Some(serving) = serving {
                ports.engines.send_replace(Engines { serving, second });
            }
        }
        ports.models.send_replace(Arc::new(models.clone()));
        ports.host.follow_models().await?;
        let (folder, kept) = (index_folder(&self.shared.config), models.clone());
        let removed = tokio::task::spawn_blocking(move || keep_shards_of(&folder, &kept)).await;
        let removed = removed.map_err(|_| internal("removing shards panicked".to_owned()))?;
        removed.map_err(|error| internal(format!("{error:#}")))?;
        lacking.map_or(Ok(()), Err)
    }

    async fn load(&mut self, place: &ModelPlace) -> Result<(), Failure> {
        let key = place.identity.key();
        if self.loaded.contains_key(&key) {
            return Ok(());
        }
        let engines = self.shared.ports.engines.borrow().clone();
        let mut running = std::iter::once(engines.serving).chain(engines.second);
        if let Some(engine) = running.find(|engine| *engine.identity() == place.identity) {
            self.loaded.insert(key, engine);
            return Ok(());
        }
        let engine = load_exactly(place, &self.shared.config)
            .await
            .map_err(|error| Failure { code: ErrorCode::Unavailable, reason: format!("{error:#}") })?;
        tracing::info!(model = place.identity.id, "loaded another model");
        self.loaded.insert(key, engine);
        Ok(())
    }

    /// Whether each shard of a model has caught up on some node.
    fn is_answered_for(&self, place: &ModelPlace) -> bool {
        let (states, key) = (self.shared.states(), place.identity.key());
        (0..self.shared.config.index.shards).all(|shard| states.iter().any(|state| state.serves(key, shard)))
    }

    /// Removes the leftover vectors of the next changes in the log; whether there is more to do.
    async fn sweep(&mut self, models: &Models) -> Result<bool, Failure> {
        let ports = &self.shared.ports;
        let all = BucketRange::of_shard(0, 1);
        let page = ports.documents.changes(all, self.swept, SWEPT_PAGE).await?;
        let upserts = page.changes.iter().filter(|(_, change)| change.action == ChangeAction::Upsert);
        let gone: Vec<Change> = upserts.map(|(_, change)| change.clone()).collect();
        for model in &models.leftover {
            iter(gone.clone())
                .map(|change| forget(ports.documents.as_ref(), change, model))
                .buffer_unordered(SWEPT_AT_ONCE)
                .try_collect::<()>()
                .await?;
        }
        if !page.changes.is_empty() {
            self.swept = page.seen;
            return Ok(true);
        }
        if ports.store.put_models(&models.swept()).await?.is_there() {
            tracing::info!("nothing is left of models that are not used");
        }
        Ok(true)
    }
}

async fn forget(
    documents: &dyn DocumentStore,
    change: Change,
    model: &ModelIdentity,
) -> Result<(), StoreError> {
    documents.forget_embedded(&change.owner, change.document, change.version, model).await
}

/// Loads the model of a place; another one that lies there is refused.
pub(crate) async fn load_exactly(place: &ModelPlace, config: &NodeConfig) -> anyhow::Result<Engine> {
    let LoadedModel { place: found, engine } = ModelSpec::at(place, config).load().await?;
    anyhow::ensure!(
        found.identity == place.identity,
        "the model in {} is {}, and the corpus is of {}: put the same files there as on the other nodes",
        PathBuf::from(&place.folder).display(),
        found.identity.id,
        place.identity.id
    );
    Ok(engine)
}

/// The request is sound, and this node has no such model.
fn unusable(reason: String) -> Failure {
    Failure { code: ErrorCode::Conflict, reason }
}

fn odd(refusal: MoveRefusal) -> Failure {
    internal(refusal.to_string())
}

fn internal(reason: String) -> Failure {
    Failure { code: ErrorCode::Internal, reason }
}
