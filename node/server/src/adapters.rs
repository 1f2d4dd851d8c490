//! Which adapter stands behind which port: what the configuration names is opened here.

use std::fs;
use std::io::ErrorKind;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use tandem_config::{NodeConfig, ObjectsEngine, S3, Scylla, StoreEngine};
use tandem_domain::chunk::{ModelIdentity, ModelKey};
use tandem_domain::document::Failure;
use tandem_domain::error::ErrorCode;
use tandem_domain::models::Models;
use tandem_embedding::{Engine, Engines};
use tandem_index_tantivy::{Options as ShardFiles, TantivyIndex};
use tandem_matching::OpenShard;
use tandem_objects::{LocalObjects, S3Objects, S3Options};
use tandem_ports::index::IndexError;
use tandem_ports::{
    AccountStore, AuditStore, Clock, DocumentStore, IntentStore, MatchIndex, ModelStore, ObjectStore,
    QuotaStore, RunStore, TaskStore, VectorCache, WorkQueue,
};
use tandem_queue_rabbitmq::{RabbitOptions, RabbitQueue};
use tandem_runtime::Spawner;
use tandem_store_embedded::{EmbeddedStore, OpenOptions};
use tandem_store_scylla::{Replication, ScyllaOptions, ScyllaStore};
use tokio::sync::watch;
use uuid::Uuid;

use crate::clock::SystemClock;
use crate::corpus::Corpus;
use crate::engine::{LoadedModel, ModelSpec};
use crate::models::load_exactly;

/// How long one request to a bucket may take, and its connection.
const BUCKET_LIMIT: Duration = Duration::from_secs(30);
const BUCKET_CONNECT_LIMIT: Duration = Duration::from_secs(5);
const BUCKET_RETRIES: u32 = 3;
/// How often it is looked which model a new corpus is of.
const FIRST_MODELS: u32 = 5;

/// The open adapters.
pub(crate) struct Adapters {
    ground: Ground,
    pub(crate) objects: Arc<dyn ObjectStore>,
    /// The models that the corpus has, as this node follows them.
    pub(crate) models: watch::Sender<Arc<Models>>,
    /// Those that are loaded.
    pub(crate) engines: watch::Sender<Engines>,
    pub(crate) clock: Arc<dyn Clock>,
    /// What this node has in common with the others of its cluster.
    pub(crate) corpus: Option<Corpus>,
}

/// Where rows and tasks lie.
#[derive(Clone)]
pub(crate) enum Ground {
    /// In a file of this machine.
    Embedded(EmbeddedStore),
    /// In a database and a broker that all nodes share.
    Cluster(ScyllaStore, RabbitQueue),
}

impl Ground {
    pub(crate) fn documents(&self) -> Arc<dyn DocumentStore> {
        match self {
            Self::Embedded(store) => Arc::new(store.clone()),
            Self::Cluster(store, _) => Arc::new(store.clone()),
        }
    }

    pub(crate) fn tasks(&self) -> Arc<dyn TaskStore> {
        match self {
            Self::Embedded(store) => Arc::new(store.clone()),
            Self::Cluster(store, _) => Arc::new(store.clone()),
        }
    }

    pub(crate) fn vectors(&self) -> Arc<dyn VectorCache> {
        match self {
            Self::Embedded(store) => Arc::new(store.clone()),
            Self::Cluster(store, _) => Arc::new(store.clone()),
        }
    }

    pub(crate) fn models_store(&self) -> Arc<dyn ModelStore> {
        match self {
            Self::Embedded(store) => Arc::new(store.clone()),
            Self::Cluster(store, _) => Arc::new(store.clone()),
        }
    }

    pub(crate) fn intents(&self) -> Arc<dyn IntentStore> {
        match self {
            Self::Embedded(store) => Arc::new(store.clone()),
            Self::Cluster(store, _) => Arc::new(store.clone()),
        }
    }

    pub(crate) fn runs(&self) -> Arc<dyn RunStore> {
        match self {
            Self::Embedded(store) => Arc::new(store.clone()),
            Self::Cluster(store, _) => Arc::new(store.clone()),
        }
    }

    pub(crate) fn quotas(&self) -> Arc<dyn QuotaStore> {
        match self {
            Self::Embedded(store) => Arc::new(store.clone()),
            Self::Cluster(store, _) => Arc::new(store.clone()),
        }
    }

    pub(crate) fn accounts(&self) -> Arc<dyn AccountStore> {
        match self {
            Self::Embedded(store) => Arc::new(store.clone()),
            Self::Cluster(store, _) => Arc::new(store.clone()),
        }
    }

    pub(crate) fn audit(&self) -> Arc<dyn AuditStore> {
        match self {
            Self::Embedded(store) => Arc::new(store.clone()),
            Self::Cluster(store, _) => Arc::new(store.clone()),
        }
    }

    pub(crate) fn queue(&self) -> Arc<dyn WorkQueue> {
        match self {
            Self::Embedded(store) => Arc::new(store.clone()),
            Self::Cluster(_, queue) => Arc::new(queue.clone()),
        }
    }

    /// Closes what is open; nothing is lost by not getting here.
    pub(crate) async fn close(self) {
        match self {
            Self::Embedded(store) => store.close().await,
            Self::Cluster(_, queue) => queue.close().await,
        }
    }
}

impl Deref for Adapters {
    type Target = Ground;

    fn deref(&self) -> &Ground {
        &self.ground
    }
}

impl Adapters {
    /// Opens everything that needs the disk or the network: the model and the store at the same time, because both take
    /// a while.
    pub(crate) async fn open(config: &NodeConfig, spawner: &Spawner) -> anyhow::Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let model = ModelSpec::of(config)?.load();
        let ground = open_ground(config, &clock, spawner);
        let (model, ground) = tokio::join!(model, ground);
        let (ground, objects) = (ground?, open_objects(config).await?);
        let corpus = match &ground {
            Ground::Embedded(_) => None,
            Ground::Cluster(store, _) => Some(Corpus::of(config, clock.new_id()).join(store).await?),
        };
        let (models, serving) = models_of(ground.models_store().as_ref(), model, config).await?;
        let engines = watch::Sender::new(Engines { serving, second: None });
        let models = watch::Sender::new(Arc::new(models));
        Ok(Self { ground, objects, models, engines, clock, corpus })
    }

    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    pub(crate) fn into_ground(self) -> Ground {
        self.ground
    }
}

/// The models of the corpus, and the one that serves, loaded: what the store says, or the configuration's where the corpus
/// is new.
async fn models_of(
    store: &dyn ModelStore,
    configured: anyhow::Result<LoadedModel>,
    config: &NodeConfig,
) -> anyhow::Result<(Models, Engine)> {
    for _ in 0..FIRST_MODELS {
        if let Some(models) = store.models().await? {
            let serving = &models.serving;
            if let Ok(LoadedModel { place, engine }) = configured
                && place.identity == serving.identity
            {
                return Ok((models, engine));
            }
            tracing::warn!(
                model = serving.identity.id,
                folder = serving.folder,
                "the corpus is of another model than the configuration names, and goes on with its own; \
                 `tandem reembed` moves it"
            );
            let engine = load_exactly(serving, config).await?;
            return Ok((models, engine));
        }
        let Ok(LoadedModel { place, .. }) = &configured else { break };
        // Whoever is first decides, which the next look tells.
        let first = store.put_models(&Models::new(place.clone())).await?;
        tracing::debug!(?first, "a new corpus");
    }
    configured?;
    bail!("the store does not keep which model the corpus is of")
}

/// Opens where rows and tasks lie.
pub(crate) async fn open_ground(
    config: &NodeConfig,
    clock: &Arc<dyn Clock>,
    spawner: &Spawner,
) -> anyhow::Result<Ground> {
    match config.store.engine {
        StoreEngine::Embedded => {
            let options = embedded_options(config, Arc::clone(clock));
            refuse_orphaned_index(&config.node.data_dir, &options)?;
            let store = tokio::task::spawn_blocking(move || EmbeddedStore::open(options));
            Ok(Ground::Embedded(store.await.context("opening the store panicked")??))
        }
        StoreEngine::Scylla => {
            let store = ScyllaStore::connect(scylla_options(&config.store.scylla, Arc::clone(clock)));
            let queue = connect_queue(config, Arc::clone(clock), spawner.clone());
            let (store, queue) = tokio::join!(store, queue);
            Ok(Ground::Cluster(store?, queue?))
        }
    }
}

/// The queue on the configured broker.
pub(crate) async fn connect_queue(
    config: &NodeConfig,
    clock: Arc<dyn Clock>,
    spawner: Spawner,
) -> anyhow::Result<RabbitQueue> {
    let broker = &config.queue.rabbitmq;
    let urls = broker.urls.iter().map(|url| url.reveal().to_owned()).collect();
    let ca_file = Some(broker.ca.clone()).filter(|file| !file.as_os_str().is_empty());
    let prefix = broker.prefix.clone();
    let (attempts, back_off) = (broker.attempts, Duration::from_millis(broker.back_off_ms));
    let options =
        RabbitOptions { prefix, ca_file, attempts, back_off, ..RabbitOptions::new(urls, clock, spawner) };
    Ok(RabbitQueue::connect(options).await?)
}

/// The options of the database file.
pub(crate) fn embedded_options(config: &NodeConfig, clock: Arc<dyn Clock>) -> OpenOptions {
    let visibility = Duration::from_secs(config.queue.visibility_timeout_s);
    OpenOptions { visibility, ..OpenOptions::new(&config.node.data_dir, clock) }
}

/// The options of the database cluster.
pub(crate) fn scylla_options(config: &Scylla, clock: Arc<dyn Clock>) -> ScyllaOptions {
    ScyllaOptions {
        keyspace: config.keyspace.clone(),
        replication: Replication::Factor(config.replication),
        connect_timeout: Duration::from_secs(config.connect_timeout_s),
        request_timeout: Duration::from_millis(config.request_timeout_ms),
        conditional_timeout: Duration::from_millis(config.conditional_timeout_ms),
        attempts: config.attempts,
        back_off: Duration::from_millis(config.back_off_ms),
        concurrency: config.concurrency,
        ..ScyllaOptions::new(config.nodes.clone(), clock)
    }
}

/// Opens where originals lie.
pub(crate) async fn open_objects(config: &NodeConfig) -> anyhow::Result<Arc<dyn ObjectStore>> {
    let objects = &config.objects;
    match objects.engine {
        ObjectsEngine::Folder => {
            let configured = Some(&objects.folder).filter(|folder| !folder.as_os_str().is_empty());
            let folder = configured.cloned().unwrap_or_else(|| config.node.data_dir.join("objects"));
            Ok(Arc::new(LocalObjects::open(folder)?))
        }
        ObjectsEngine::S3 => {
            let bucket = S3Objects::open(bucket_options(&objects.s3))?;
            bucket.check().await?;
            Ok(Arc::new(bucket))
        }
    }
}

fn bucket_options(config: &S3) -> S3Options {
    S3Options {
        endpoint: given(&config.endpoint),
        public_endpoint: given(&config.public_endpoint),
        region: config.region.clone(),
        bucket: config.bucket.clone(),
        prefix: config.prefix.clone(),
        access_key_id: config.access_key_id.reveal().to_owned(),
        secret_access_key: config.secret_access_key.reveal().to_owned(),
        path_style: config.path_style,
        allow_http: config.allow_http,
        connect_timeout: BUCKET_CONNECT_LIMIT,
        request_timeout: BUCKET_LIMIT,
        retries: BUCKET_RETRIES,
    }
}

fn given(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// Opens shards in the node's data folder, those of each model in a folder of their own. Their number is fixed by the
/// folder's first use, since each document lies in one of them. Shards of another corpus are removed: what they know of its
/// change log is not true of this one.
pub(crate) fn shard_opener(config: &NodeConfig, corpus: Option<&Corpus>) -> anyhow::Result<OpenShard> {
    let folder = index_folder(config);
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    if let Some(corpus) = corpus {
        keep_only(&folder, corpus.id)?;
    }
    fix_shard_count(&folder, config.index.shards)?;
    Ok(Arc::new(move |model, number| {
        let place = shard_folder(&folder, model.key(), number);
        let opened = take_over(&folder, &place, model, number)
            .and_then(|()| TantivyIndex::open(&place, ShardFiles { model: model.clone() }));
        match opened {
            Ok(index) => Ok(Arc::new(index) as Arc<dyn MatchIndex>),
            Err(error) => {
                let reason = format!("the index shard {} {}: {error}", place.display(), advice(&error));
                Err(Failure { code: ErrorCode::Internal, reason })
            }
        }
    }))
}

/// Moves a shard to where those of its model are, if it lies where shards lay when there was one model.
fn take_over(folder: &Path, place: &Path, model: &ModelIdentity, number: u16) -> Result<(), IndexError> {
    let before = folder.join(shard_name(number));
    if place.exists() || TantivyIndex::model_of(&before)?.as_ref() != Some(model) {
        return Ok(());
    }
    let parent = place.parent().unwrap_or(folder);
    fs::create_dir_all(parent)
        .and_then(|()| fs::rename(&before, place))
        .map_err(|error| IndexError::Io(error.to_string()))
}

/// Removes the shards of models that are not in use.
pub(crate) fn keep_shards_of(folder: &Path, models: &Models) -> anyhow::Result<()> {
    let kept: Vec<String> = models.in_use().map(|place| model_name(place.identity.key())).collect();
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries.collect::<Result<Vec<_>, _>>(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => Err(error),
    };
    for entry in entries.with_context(|| format!("cannot read {}", folder.display()))? {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with(MODEL_PREFIX) && !kept.contains(&name) {
            tracing::info!(folder = name, "removing the shards of a model that is not used");
            fs::remove_dir_all(entry.path()).with_context(|| format!("cannot remove {name}"))?;
        }
    }
    Ok(())
}

/// Where a node keeps its shards.
pub(crate) fn index_folder(config: &NodeConfig) -> PathBuf {
    config.node.data_dir.join("index")
}

const MODEL_PREFIX: &str = "model-";

fn model_name(model: ModelKey) -> String {
    format!("{MODEL_PREFIX}{model}")
}

/// Where a shard's files may be: of each model, and where they were when there was one.
pub(crate) fn shard_folders(index: &Path, number: u16) -> anyhow::Result<Vec<PathBuf>> {
    let name = shard_name(number);
    let mut folders = vec![index.join(&name)];
    if index.exists() {
        let entries = fs::read_dir(index).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let entries = entries.with_context(|| format!("cannot read {}", index.display()))?;
        let of_models = entries.iter().filter(|e| e.file_name().to_string_lossy().starts_with(MODEL_PREFIX));
        folders.extend(of_models.map(|entry| entry.path().join(&name)));
    }
    Ok(folders)
}

/// The name of a shard's folder among those of its model.
fn shard_name(number: u16) -> String {
    format!("shard-{number}")
}

fn shard_folder(index: &Path, model: ModelKey, number: u16) -> PathBuf {
    index.join(model_name(model)).join(shard_name(number))
}

fn advice(error: &IndexError) -> &'static str {
    match error {
        IndexError::Model => {
            "holds vectors of another model than its folder says: `tandem shard rebuild` builds it again"
        }
        IndexError::Damaged(_) => "is damaged: `tandem shard rebuild` builds it again from the store",
        IndexError::Io(_) => "cannot be opened",
    }
}

/// An index whose store is gone knows positions of a change log that no longer exists, and would wait for them for ever.
fn refuse_orphaned_index(data: &Path, store: &OpenOptions) -> anyhow::Result<()> {
    let (database, index) = (store.folder.join(&store.file_name), data.join("index"));
    if index.exists() && !database.exists() {
        bail!(
            "there is an index but no database in {}: put {} back, or remove {} to begin anew",
            data.display(),
            store.file_name,
            index.display()
        );
    }
    Ok(())
}

/// Empties an index folder that was filled from another corpus, and writes down whose it is.
fn keep_only(folder: &Path, corpus: Uuid) -> anyhow::Result<()> {
    let mark = folder.join("corpus");
    if read_mark(&mark)?.is_some_and(|found| found == corpus.to_string()) {
        return Ok(());
    }
    let emptied = fs::read_dir(folder)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .and_then(|entries| entries.iter().try_for_each(|entry| remove(&entry.path())));
    emptied.with_context(|| format!("cannot empty {} of another cluster's shards", folder.display()))?;
    write_mark(folder, &mark, &corpus.to_string())
}

fn remove(path: &Path) -> std::io::Result<()> {
    tracing::warn!(path = %path.display(), "removing a part of an index that was built from another store");
    if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }
}

/// Compares the configured number of shards with the folder's, and writes it down at the first use.
fn fix_shard_count(folder: &Path, shards: u16) -> anyhow::Result<()> {
    let mark = folder.join("shards");
    let Some(found) = read_mark(&mark)? else { return write_mark(folder, &mark, &shards.to_string()) };
    if found != shards.to_string() {
        bail!(
            "the index in {} has {found} shards and the configuration says {shards}: set index.shards = {found} \
             or use another data folder",
            folder.display(),
        );
    }
    Ok(())
}

fn read_mark(mark: &Path) -> anyhow::Result<Option<String>> {
    match fs::read_to_string(mark) {
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", mark.display())),
    }
}

/// Writes a mark so that it is there whole or not at all, also after a crash.
fn write_mark(folder: &Path, mark: &Path, text: &str) -> anyhow::Result<()> {
    let fresh = mark.with_extension("new");
    fs::write(&fresh, format!("{text}\n"))
        .and_then(|()| fs::File::open(&fresh)?.sync_all())
        .and_then(|()| fs::rename(&fresh, mark))
        .and_then(|()| fs::File::open(folder)?.sync_all())
        .with_context(|| format!("cannot write {}", mark.display()))
}
