//! How the node is put together: which adapter stands behind which port, and which actor holds which.

use std::future::Future;
use std::num::{NonZeroU16, NonZeroUsize};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tandem_config::{NodeConfig, Role, per_processor};
use tandem_domain::document::{Failure, MediaKind};
use tandem_domain::task::Urgency;
use tandem_embedding::EmbedWork;
use tandem_index_tantivy::lexical_query;
use tandem_ingestion::{
    Eraser, EraserPorts, Ingestion, IngestionOptions, Ingestor, IngestorOptions, IngestorPorts,
    UploadSweeper, UploadSweeperOptions, Uploads, UploadsOptions, UploadsPorts,
};
use tandem_matching::{
    Allowance, Corpus, Filing, HostedShards, InteractiveWork, Matching, OpenRuns, Refund, RunWork,
    SearchOptions, Searcher, ShardHost, ShardHostOptions, ShardPeers, ShardPorts,
};
use tandem_messages::GatewayHandle;
use tandem_parsing::child::{ExtractPool, ExtractPoolOptions};
use tandem_parsing::stage::{ParsePorts, ParseWork};
use tandem_ports::{AuditLog, Clock, ObjectStore};
use tandem_runtime::placement::NodeName;
use tandem_runtime::{
    Relay, RelayOptions, ShutdownReport, Stage, StageOptions, StagePorts, StageWork, Supervisor,
    SupervisorHandle,
};
use tokio::sync::watch;
use toml::Value;

use crate::adapters::{Adapters, Ground, shard_opener};
use crate::cluster::{Cluster, Keeper, KeeperOptions, NodeState};
use crate::gateway::quota::Metering;
use crate::gateway::users::Exporter;
use crate::gateway::{NodeGateway, Parts};
use crate::models::{ModelKeeper, ModelPorts};
use crate::upload_key::upload_key;

/// Threads that may block at the same time on files, SQLite, the encoder and the index: some for the node as a whole
/// and some for each processor, which has an encoder, an item of a run and its shards to serve.
const BLOCKING_THREADS: usize = 48;
const BLOCKING_THREADS_PER_PROCESSOR: usize = 16;
/// Documents that are embedded at the same time, for each thread that computes: while it computes the texts of one, the
/// next ones are read, cut and written.
const DOCUMENTS_PER_THREAD: NonZeroUsize = NonZeroUsize::new(4).unwrap();
/// Documents that are removed at the same time.
const ERASERS: NonZeroUsize = NonZeroUsize::new(4).unwrap();
/// How long threads that block may go on when the process ends: everything durable is safe without them.
const LAST_BREATH: Duration = Duration::from_secs(2);

/// The longest part of a stop that waits for others to take over this node's shards.
const HAND_OVER_LIMIT: Duration = Duration::from_secs(8);

/// A running node.
pub(crate) struct Node {
    /// The door into the actors.
    pub(crate) gateway: GatewayHandle,
    /// Holds every actor.
    pub(crate) supervisor: SupervisorHandle,
    ground: Ground,
    extractor: Arc<ExtractPool>,
    keeper: Option<Keeper>,
    cluster: Option<Cluster>,
}

impl Node {
    /// Opens what the configuration names and starts every actor of the node's roles. When it returns, the node takes
    /// work. `edge` is where others find the node's edge.
    ///
    /// # Errors
    /// Says what is missing and what to do about it, such as the command that brings the model.
    pub(crate) async fn start(config: &NodeConfig, edge: &str) -> anyhow::Result<Self> {
        let supervisor = Supervisor::start(&config.node.name).await?;
        let adapters = Adapters::open(config, supervisor.spawner()).await?;
        let extractor = Arc::new(extract_pool(config)?);
        let (changed, changes) = watch::channel(0);
        let runs = Arc::new(OpenRuns::new(adapters.runs()));
        let hosted = HostedShards::new(Arc::clone(&runs));
        let state = NodeState::of(config, edge, adapters.corpus.as_ref().map(|corpus| corpus.id));
        let boot = adapters.clock.new_id();
        let cluster = Cluster::join(&supervisor, config, boot, &state, hosted.clone()).await?;
        let host = shard_host(&supervisor, config, &adapters, changes, hosted.clone())?;
        let keeper = match &cluster {
            Some(cluster) => Some(start_keeper(&supervisor, config, cluster, host.clone(), &state).await?),
            None => {
                // Nobody else could hold a part of the index for this node.
                if config.has(Role::Index) {
                    host.hold(&(0..config.index.shards).collect()).await?;
                }
                None
            }
        };
        let models = start_models(&supervisor, config, &adapters, host, cluster.clone()).await?;
        let peers = cluster.clone().map(|cluster| Arc::new(cluster) as Arc<dyn ShardPeers>);
        let corpus = Corpus::new(config.index.shards, hosted.clone(), peers);
        let eraser = eraser(&adapters, Arc::clone(&adapters.objects), adapters.clock(), changed.clone());
        let metering = metering(&supervisor, config, &adapters);
        start_stages(&supervisor, config, &adapters, Arc::clone(&extractor), changed).await?;
        if config.has(Role::Match) {
            let items = run_work(config, &adapters, corpus, runs, metering.clone());
            let workers = per_processor(config.matching.bulk_workers);
            start_stage(&supervisor, config, &adapters, Arc::new(items), workers).await?;
            let work = interactive_work(&adapters, metering.clone());
            let workers = per_processor(config.matching.interactive_workers);
            start_stage(&supervisor, config, &adapters, Arc::new(work), workers).await?;
        }
        if config.has(Role::Ingest) {
            start_stage(&supervisor, config, &adapters, Arc::new(eraser.clone()), ERASERS).await?;
        }
        let relay = RelayOptions::default();
        Relay::start(&supervisor, relay, adapters.tasks(), adapters.queue(), adapters.clock()).await?;
        let parts = Parts {
            ingestion: start_ingestion(&supervisor, config, &adapters).await?,
            uploads: start_uploads(&supervisor, config, &adapters).await?,
            eraser,
            matching: matching(&adapters),
            documents: adapters.documents(),
            queue: adapters.queue(),
            accounts: adapters.accounts(),
            audit: AuditLog::new(adapters.audit()),
            exporter: exporter(&adapters),
            clock: adapters.clock(),
            metering,
            supervisor: supervisor.clone(),
            hosted,
            models,
            cluster: cluster.clone(),
            name: node_name(config)?,
            state,
            takes_documents: config.has(Role::Ingest),
        };
        let gateway = NodeGateway::start(&supervisor, parts).await?;
        let gateway = GatewayHandle::new(Arc::new(gateway));
        Ok(Self { gateway, supervisor, ground: adapters.into_ground(), extractor, keeper, cluster })
    }

    /// Lets others take over what this node alone answers for, before anything of it stops; at most a third of `limit`.
    pub(crate) async fn hand_over(&self, limit: Duration) {
        if let Some(keeper) = &self.keeper {
            let moved = keeper.hand_over(HAND_OVER_LIMIT.min(limit / 3)).await;
            tracing::info!(moved, "handed the shards over");
        }
    }

    /// Finishes the work in hand within `limit`, gives back the rest and closes the store.
    pub(crate) async fn shutdown(self, limit: Duration) -> ShutdownReport {
        // What is in hand may still ask other nodes, so they are left when it is done.
        self.supervisor.drain().begin_within(limit);
        let idle = tokio::time::timeout(limit, self.supervisor.drain().idle()).await;
        if let Some(cluster) = &self.cluster {
            cluster.leave().await;
        }
        let rest = if idle.is_ok() { limit } else { Duration::ZERO };
        let report = self.supervisor.shutdown(rest).await;
        self.extractor.close().await;
        self.ground.close().await;
        report
    }
}

fn node_name(config: &NodeConfig) -> anyhow::Result<NodeName> {
    config.node.name.parse().context("node.name cannot be the name of a node")
}

fn matching(adapters: &Adapters) -> Matching {
    let (documents, runs) = (adapters.documents(), adapters.runs());
    Matching::new(documents, runs, adapters.tasks(), adapters.queue(), adapters.clock())
}

fn metering(supervisor: &SupervisorHandle, config: &NodeConfig, adapters: &Adapters) -> Option<Metering> {
    Metering::of(config, supervisor, adapters.quotas(), adapters.runs(), adapters.clock())
}

/// Items of runs, which take their pairs before they are ranked.
fn run_work(
    config: &NodeConfig,
    adapters: &Adapters,
    corpus: Corpus,
    open: Arc<OpenRuns>,
    metering: Option<Metering>,
) -> RunWork {
    let search = SearchOptions { pool: config.matching.pool, terms: config.matching.terms };
    let searcher = Searcher::new(corpus, lexical_query, search);
    let allowance = metering.map(|metering| Arc::new(metering) as Arc<dyn Allowance>);
    let models = adapters.models.subscribe();
    RunWork::new(adapters.documents(), adapters.runs(), models, filing(adapters), searcher, open)
        .metered(allowance)
}

/// What somebody waits for; a pair that cannot be scored costs nothing.
fn interactive_work(adapters: &Adapters, metering: Option<Metering>) -> InteractiveWork {
    let refund = metering.map(|metering| Arc::new(metering) as Arc<dyn Refund>);
    let models = adapters.models.subscribe();
    InteractiveWork::new(adapters.documents(), adapters.runs(), models).refunding(refund)
}

async fn start_ingestion(
    supervisor: &SupervisorHandle,
    config: &NodeConfig,
    adapters: &Adapters,
) -> anyhow::Result<Ingestion> {
    let ingestor = Ingestor::new(
        IngestorOptions { max_bytes: config.documents.max_bytes, sniff },
        IngestorPorts {
            documents: adapters.documents(),
            intents: adapters.intents(),
            tasks: adapters.tasks(),
            queue: adapters.queue(),
            objects: Arc::clone(&adapters.objects),
            clock: adapters.clock(),
        },
    );
    let options = IngestionOptions {
        workers: NonZeroUsize::new(config.documents.workers).unwrap_or(NonZeroUsize::MIN),
        queue: config.documents.queue,
    };
    Ok(Ingestion::start(supervisor, options, ingestor).await?)
}

/// Files that are sent by signed URLs; what nobody completes is swept by every node that takes documents in.
async fn start_uploads(
    supervisor: &SupervisorHandle,
    config: &NodeConfig,
    adapters: &Adapters,
) -> anyhow::Result<Uploads> {
    let options = UploadsOptions {
        max_bytes: config.documents.max_bytes,
        good_for: config.uploads.good_for(),
        key: upload_key(config)?,
    };
    let ports = UploadsPorts {
        documents: adapters.documents(),
        intents: adapters.intents(),
        objects: Arc::clone(&adapters.objects),
        clock: adapters.clock(),
    };
    let uploads = Uploads::new(options, ports);
    if config.has(Role::Ingest) {
        UploadSweeper::start(supervisor, UploadSweeperOptions::default(), uploads.clone()).await?;
    }
    Ok(uploads)
}

fn shard_host(
    supervisor: &SupervisorHandle,
    config: &NodeConfig,
    adapters: &Adapters,
    changes: watch::Receiver<u64>,
    hosted: HostedShards,
) -> anyhow::Result<ShardHost> {
    let options = ShardHostOptions { shards: config.index.shards, batch: config.index.batch };
    let open = shard_opener(config, adapters.corpus.as_ref())?;
    let ports = ShardPorts {
        documents: adapters.documents(),
        filing: filing(adapters),
        models: adapters.models.subscribe(),
        changed: changes,
    };
    Ok(ShardHost::new(supervisor.clone(), options, open, ports, hosted))
}

fn filing(adapters: &Adapters) -> Filing {
    Filing { tasks: adapters.tasks(), queue: adapters.queue(), clock: adapters.clock() }
}

/// Follows what the store says of the corpus' models.
async fn start_models(
    supervisor: &SupervisorHandle,
    config: &NodeConfig,
    adapters: &Adapters,
    host: ShardHost,
    cluster: Option<Cluster>,
) -> anyhow::Result<ModelKeeper> {
    let ports = ModelPorts {
        store: adapters.models_store(),
        documents: adapters.documents(),
        models: adapters.models.clone(),
        engines: adapters.engines.clone(),
        host,
        cluster,
    };
    Ok(ModelKeeper::start(supervisor, config, ports).await?)
}

async fn start_keeper(
    supervisor: &SupervisorHandle,
    config: &NodeConfig,
    cluster: &Cluster,
    host: ShardHost,
    state: &NodeState,
) -> anyhow::Result<Keeper> {
    let options = KeeperOptions {
        state: state.clone(),
        hold_down: Duration::from_secs(config.mesh.hold_down_s),
        expects_others: !config.mesh.seeds.is_empty(),
    };
    Ok(Keeper::start(supervisor, cluster.clone(), host, options).await?)
}

async fn start_stages(
    supervisor: &SupervisorHandle,
    config: &NodeConfig,
    adapters: &Adapters,
    extractor: Arc<ExtractPool>,
    changed: watch::Sender<u64>,
) -> anyhow::Result<()> {
    let threads = per_processor(config.embedding.threads);
    let mut stages: Vec<(Arc<dyn StageWork>, NonZeroUsize)> = Vec::new();
    if config.has(Role::Parse) {
        let ports = ParsePorts {
            documents: adapters.documents(),
            tasks: adapters.tasks(),
            queue: adapters.queue(),
            objects: Arc::clone(&adapters.objects),
            clock: adapters.clock(),
        };
        for urgency in Urgency::ALL {
            let parse = ParseWork::new(ports.clone(), Arc::clone(&extractor), config.as_of(), urgency);
            stages.push((Arc::new(parse), per_processor(config.parsing.workers)));
        }
    }
    if config.has(Role::Embed) {
        let workers = match config.embedding.workers {
            0 => threads.saturating_mul(DOCUMENTS_PER_THREAD),
            workers => per_processor(workers),
        };
        for urgency in Urgency::ALL {
            let (documents, engines) = (adapters.documents(), adapters.engines.subscribe());
            let mut embed = EmbedWork::new(documents, engines, changed.clone(), urgency);
            if let Some(kept_for) = config.embedding.vectors_kept() {
                embed = embed.caching(adapters.vectors(), kept_for);
            }
            stages.push((Arc::new(embed), workers));
        }
    }
    for (work, capacity) in stages {
        start_stage(supervisor, config, adapters, work, capacity).await?;
    }
    Ok(())
}

async fn start_stage(
    supervisor: &SupervisorHandle,
    config: &NodeConfig,
    adapters: &Adapters,
    work: Arc<dyn StageWork>,
    capacity: NonZeroUsize,
) -> anyhow::Result<()> {
    let ports = StagePorts { queue: adapters.queue(), tasks: adapters.tasks(), clock: adapters.clock() };
    let capacity = NonZeroU16::try_from(NonZeroUsize::min(capacity, NonZeroU16::MAX.into()))?;
    let lease = Duration::from_secs(config.queue.lease_s);
    let options = StageOptions { lease, ..StageOptions::new(capacity) };
    Stage::start(supervisor, options, ports, work).await?;
    Ok(())
}

fn exporter(adapters: &Adapters) -> Exporter {
    Exporter {
        documents: adapters.documents(),
        runs: adapters.runs(),
        accounts: adapters.accounts(),
        quotas: adapters.quotas(),
        audit: adapters.audit(),
    }
}

/// Removes what lies on this ground and beside it.
pub(crate) fn eraser(
    ground: &Ground,
    objects: Arc<dyn ObjectStore>,
    clock: Arc<dyn Clock>,
    changed: watch::Sender<u64>,
) -> Eraser {
    Eraser::new(EraserPorts {
        documents: ground.documents(),
        tasks: ground.tasks(),
        queue: ground.queue(),
        objects,
        runs: ground.runs(),
        accounts: ground.accounts(),
        clock,
        changed,
    })
}

/// The pool of child processes that read foreign bytes: this program, in its hidden role.
pub(crate) fn extract_pool(config: &NodeConfig) -> anyhow::Result<ExtractPool> {
    let program = std::env::current_exe().context("cannot find the program's own file")?;
    let parsing = &config.parsing;
    let mut options = ExtractPoolOptions::new(program, vec!["extract".into(), "--child".into()]);
    options.size = per_processor(parsing.workers).get();
    options.wall = Duration::from_secs(parsing.timeout_s);
    options.recycle_after = parsing.recycle_after;
    options.limits.file_bytes = config.documents.max_bytes;
    options.limits.pages = parsing.max_pages;
    Ok(ExtractPool::new(options))
}

/// The type check of ingestion, which parsing knows and wiring hands over: stages do not see one another.
fn sniff(bytes: &[u8], file_name: &str) -> Result<MediaKind, Failure> {
    tandem_parsing::extract::sniff(bytes, file_name).map_err(Failure::from)
}

/// The override that a `--data` argument stands for.
pub(crate) fn data_override(data: Option<&Path>) -> Vec<(&'static str, Value)> {
    let value = data.map(|dir| Value::String(dir.to_string_lossy().into_owned()));
    value.map(|value| ("node.data_dir", value)).into_iter().collect()
}

/// Runs `work` on the process's runtime and ends the runtime's threads.
pub(crate) fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let processors = per_processor(0).get();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS + processors * BLOCKING_THREADS_PER_PROCESSOR)
        .thread_name("tandem")
        .build()
        .context("cannot start threads")?;
    let result = runtime.block_on(work);
    runtime.shutdown_timeout(LAST_BREATH);
    result
}
