//! How the node is put together: which adapter stands behind which port, and which actor holds which.

use std::fs;
use std::future::Future;
use std::io::ErrorKind;
use std::num::{NonZeroU16, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use tandem_config::{NodeConfig, per_processor};
use tandem_domain::chunk::ModelIdentity;
use tandem_domain::document::{Failure, MediaKind};
use tandem_embedding::{
    ChunkOptions, Chunker, EmbedWork, Encoder, EncoderOptions, ModelFiles, NativeEmbedder, TextCutter,
};
use tandem_index_tantivy::{Options as ShardFiles, TantivyIndex};
use tandem_ingestion::{Ingestion, IngestionOptions, Ingestor, IngestorOptions};
use tandem_matching::{
    CaughtUp, ItemFiling, Matching, PairWork, RunWork, SearchOptions, Searcher, ShardOptions, ShardWriter,
};
use tandem_messages::GatewayHandle;
use tandem_objects::LocalObjects;
use tandem_parsing::child::{ExtractPool, ExtractPoolOptions};
use tandem_parsing::stage::{ParsePorts, ParseWork};
use tandem_ports::documents::BucketRange;
use tandem_ports::index::IndexError;
use tandem_ports::{Clock, DocumentStore, Embedder, MatchIndex, ObjectStore, RunStore, TaskStore, WorkQueue};
use tandem_runtime::{
    Relay, RelayOptions, ShutdownReport, Stage, StageOptions, StagePorts, StageWork, Supervisor,
    SupervisorHandle,
};
use tandem_store_embedded::{EmbeddedStore, OpenOptions, migrate as migrate_store};
use tokio::sync::watch;
use toml::Value;

use crate::clock::SystemClock;
use crate::gateway::{NodeGateway, Parts};

/// Threads that may block at the same time on files, SQLite, the encoder and the index: some for the node as a whole
/// and some for each processor, which has an encoder, an item of a run and its shards to serve.
const BLOCKING_THREADS: usize = 48;
const BLOCKING_THREADS_PER_PROCESSOR: usize = 16;
/// How long threads that block may go on when the process ends: everything durable is safe without them.
const LAST_BREATH: Duration = Duration::from_secs(2);

/// A running node.
pub(crate) struct Node {
    /// The door into the actors.
    pub(crate) gateway: GatewayHandle,
    /// Holds every actor.
    pub(crate) supervisor: SupervisorHandle,
    store: EmbeddedStore,
    extractor: Arc<ExtractPool>,
}

/// The adapters that stand behind the ports.
struct Adapters {
    store: EmbeddedStore,
    objects: Arc<dyn ObjectStore>,
    shards: Vec<Arc<dyn MatchIndex>>,
    encoder: Arc<Encoder>,
    clock: Arc<dyn Clock>,
}

impl Adapters {
    /// Opens everything that needs the disk: the model and the store at the same time, because both take a while.
    async fn open(config: &NodeConfig) -> anyhow::Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let data = &config.node.data_dir;
        let encoder_options = encoder_options(config)?;
        let store_options = store_options(config, Arc::clone(&clock));
        refuse_orphaned_index(data, &store_options)?;
        let encoder = tokio::task::spawn_blocking(move || Encoder::load(&encoder_options));
        let store = tokio::task::spawn_blocking(move || EmbeddedStore::open(store_options));
        let encoder = Arc::new(encoder.await.context("loading the model panicked")??);
        let store = store.await.context("opening the store panicked")??;
        let objects = LocalObjects::open(data.join("objects"))
            .with_context(|| format!("cannot open the originals in {}", data.display()))?;
        let shards = open_shards(&data.join("index"), config.index.shards, encoder.identity()).await?;
        Ok(Self { store, objects: Arc::new(objects), shards, encoder, clock })
    }

    fn documents(&self) -> Arc<dyn DocumentStore> {
        Arc::new(self.store.clone())
    }

    fn tasks(&self) -> Arc<dyn TaskStore> {
        Arc::new(self.store.clone())
    }

    fn runs(&self) -> Arc<dyn RunStore> {
        Arc::new(self.store.clone())
    }

    fn queue(&self) -> Arc<dyn WorkQueue> {
        Arc::new(self.store.clone())
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    fn matching(&self) -> Matching {
        Matching::new(self.documents(), self.runs(), self.tasks(), self.queue(), self.clock())
    }

    fn ingestor(&self, config: &NodeConfig) -> Ingestor {
        let options = IngestorOptions { max_bytes: config.documents.max_bytes, sniff };
        let objects = Arc::clone(&self.objects);
        Ingestor::new(options, self.documents(), self.tasks(), self.queue(), objects, self.clock())
    }
}

impl Node {
    /// Opens the data folder and the model and starts every actor. When it returns, the node takes work.
    ///
    /// # Errors
    /// Says what is missing and what to do about it, such as the command that brings the model.
    pub(crate) async fn start(config: &NodeConfig) -> anyhow::Result<Self> {
        let adapters = Adapters::open(config).await?;
        let supervisor = Supervisor::start(&config.node.name).await?;
        let extractor = Arc::new(extract_pool(config)?);
        let (changed, changes) = watch::channel(0);
        let caught_up = CaughtUp::new(config.index.shards);
        start_shards(&supervisor, config, &adapters, &changes, &caught_up).await?;
        start_stages(&supervisor, config, &adapters, Arc::clone(&extractor), changed, &caught_up).await?;
        let relay = RelayOptions::default();
        Relay::start(&supervisor, relay, adapters.tasks(), adapters.queue(), adapters.clock()).await?;
        let options = IngestionOptions {
            workers: NonZeroUsize::new(config.documents.workers).unwrap_or(NonZeroUsize::MIN),
            queue: config.documents.queue,
        };
        let ingestion = Ingestion::start(&supervisor, options, adapters.ingestor(config)).await?;
        let parts = Parts {
            ingestion,
            matching: adapters.matching(),
            documents: adapters.documents(),
            queue: adapters.queue(),
            supervisor: supervisor.clone(),
            caught_up,
        };
        let gateway = NodeGateway::start(&supervisor, parts).await?;
        let gateway = GatewayHandle::new(Arc::new(gateway));
        Ok(Self { gateway, supervisor, store: adapters.store, extractor })
    }

    /// Finishes the work in hand within `limit`, gives back the rest and closes the store.
    pub(crate) async fn shutdown(self, limit: Duration) -> ShutdownReport {
        let report = self.supervisor.shutdown(limit).await;
        self.extractor.close().await;
        self.store.close().await;
        report
    }
}

fn store_options(config: &NodeConfig, clock: Arc<dyn Clock>) -> OpenOptions {
    let visibility = Duration::from_secs(config.queue.visibility_timeout_s);
    OpenOptions { visibility, ..OpenOptions::new(&config.node.data_dir, clock) }
}

/// Opens every shard. Their number is fixed by the folder's first use, since each document lies in one of them.
async fn open_shards(
    folder: &Path,
    shards: u16,
    model: &ModelIdentity,
) -> anyhow::Result<Vec<Arc<dyn MatchIndex>>> {
    fix_shard_count(folder, shards)?;
    let opening = (0..shards).map(|number| {
        let (place, files) = (folder.join(format!("shard-{number}")), ShardFiles { model: model.clone() });
        tokio::task::spawn_blocking(move || {
            let index = TantivyIndex::open(&place, files).map_err(|error| explain(&place, error))?;
            anyhow::Ok(Arc::new(index) as Arc<dyn MatchIndex>)
        })
    });
    let opened = futures::future::try_join_all(opening).await.context("opening an index shard panicked")?;
    opened.into_iter().collect()
}

fn explain(place: &Path, error: IndexError) -> anyhow::Error {
    let what = match error {
        IndexError::Model => {
            "was made with another model or another embedding.max_tokens: set them back or use another data folder"
        }
        IndexError::Damaged(_) => "is damaged: remove its folder, and it is built again from the store",
        IndexError::Io(_) => "cannot be opened",
    };
    anyhow::Error::new(error).context(format!("the index shard {} {what}", place.display()))
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

/// Compares the configured number of shards with the folder's, and writes it down at the first use.
fn fix_shard_count(folder: &Path, shards: u16) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mark = folder.join("shards");
    let found = match fs::read_to_string(&mark) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let fresh = folder.join("shards.new");
            return fs::write(&fresh, format!("{shards}\n"))
                .and_then(|()| fs::File::open(&fresh)?.sync_all())
                .and_then(|()| fs::rename(&fresh, &mark))
                .and_then(|()| fs::File::open(folder)?.sync_all())
                .with_context(|| format!("cannot write {}", mark.display()));
        }
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", mark.display())),
    };
    let found = found.trim();
    if found != shards.to_string() {
        bail!(
            "the index in {} has {found} shards and the configuration says {shards}: set index.shards = {found} \
             or use another data folder",
            folder.display(),
        );
    }
    Ok(())
}

async fn start_shards(
    supervisor: &SupervisorHandle,
    config: &NodeConfig,
    adapters: &Adapters,
    changes: &watch::Receiver<u64>,
    caught_up: &CaughtUp,
) -> anyhow::Result<()> {
    for (number, index) in (0u16..).zip(&adapters.shards) {
        let options = ShardOptions {
            number,
            buckets: BucketRange::of_shard(number, config.index.shards),
            batch: config.index.batch,
            model: adapters.encoder.identity().clone(),
        };
        let index = Arc::clone(index);
        ShardWriter::start(
            supervisor,
            options,
            index,
            adapters.documents(),
            changes.clone(),
            caught_up.clone(),
        )
        .await?;
    }
    Ok(())
}

async fn start_stages(
    supervisor: &SupervisorHandle,
    config: &NodeConfig,
    adapters: &Adapters,
    extractor: Arc<ExtractPool>,
    changed: watch::Sender<u64>,
    caught_up: &CaughtUp,
) -> anyhow::Result<()> {
    let ports = StagePorts { queue: adapters.queue(), tasks: adapters.tasks(), clock: adapters.clock() };
    let parse_ports = ParsePorts {
        documents: adapters.documents(),
        tasks: adapters.tasks(),
        queue: adapters.queue(),
        objects: Arc::clone(&adapters.objects),
        clock: adapters.clock(),
    };
    let search = SearchOptions { pool: config.matching.pool, terms: config.matching.terms };
    let searcher = Searcher::new(adapters.shards.clone(), search);
    let threads = per_processor(config.embedding.threads);
    let embedder: Arc<dyn Embedder> = Arc::new(NativeEmbedder::new(Arc::clone(&adapters.encoder), threads)?);
    let chunks = ChunkOptions { window_tokens: config.embedding.max_tokens, ..ChunkOptions::default() };
    let cutter = TextCutter::new(Chunker::new(chunks)?, Arc::clone(&adapters.encoder));
    let embed_workers = match config.embedding.workers {
        0 => threads,
        workers => per_processor(workers),
    };
    let parse = ParseWork::new(parse_ports, extractor, config.as_of());
    let embed = EmbedWork::new(adapters.documents(), embedder, cutter, changed);
    let pairs = PairWork::new(adapters.documents(), adapters.runs());
    let filing = ItemFiling { tasks: adapters.tasks(), queue: adapters.queue(), clock: adapters.clock() };
    let items = RunWork::new(adapters.documents(), adapters.runs(), filing, searcher, caught_up.clone());
    let stages: [(Arc<dyn StageWork>, NonZeroUsize); 4] = [
        (Arc::new(parse), per_processor(config.parsing.workers)),
        (Arc::new(embed), embed_workers),
        (Arc::new(pairs), per_processor(config.matching.interactive_workers)),
        (Arc::new(items), per_processor(config.matching.bulk_workers)),
    ];
    for (work, capacity) in stages {
        let capacity = NonZeroU16::try_from(NonZeroUsize::min(capacity, NonZeroU16::MAX.into()))?;
        let lease = Duration::from_secs(config.queue.lease_s);
        let options = StageOptions { lease, ..StageOptions::new(capacity) };
        Stage::start(supervisor, options, ports.clone(), work).await?;
    }
    Ok(())
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

fn encoder_options(config: &NodeConfig) -> anyhow::Result<EncoderOptions> {
    let configured = Some(config.embedding.model_dir.clone()).filter(|dir| !dir.as_os_str().is_empty());
    let dir: PathBuf = configured
        .or_else(ModelFiles::default_dir)
        .context("there is no home folder to look for the model in: set embedding.model_dir")?;
    Ok(EncoderOptions { max_tokens: config.embedding.max_tokens, ..EncoderOptions::new(dir) })
}

/// Brings the store to the newest schema; what was done, for people.
pub(crate) fn migrate(config: &NodeConfig) -> anyhow::Result<String> {
    let report = migrate_store(&store_options(config, Arc::new(SystemClock)))?;
    let file = report.file.display();
    Ok(if report.applied.is_empty() {
        format!("{file}: schema {} is the newest, nothing to do", report.to)
    } else {
        format!("{file}: schema {} -> {} ({})", report.from, report.to, report.applied.join(", "))
    })
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
