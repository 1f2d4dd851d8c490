//! Models: how the configuration and the store name them, and how they are loaded.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, bail};
use tandem_config::{EmbeddingDevice, EmbeddingEngine, EmbeddingPrecision, NodeConfig, per_processor};
use tandem_domain::models::ModelPlace;
use tandem_embed_rust_bert::{Device, RustBertOptions};
use tandem_embedding::{
    BatchedEmbedder, ChunkOptions, Chunker, Encoder, EncoderOptions, Engine, ModelFiles, Precision,
};

#[cfg(test)]
mod tests;

/// The engine of this program's own.
const NATIVE: &str = "native";
/// The one on libtorch, where it is built in.
const RUST_BERT: &str = "rust-bert";

/// How a model is loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ModelSpec {
    pub(crate) engine: String,
    pub(crate) folder: PathBuf,
    pub(crate) precision: String,
    pub(crate) max_tokens: u32,
    /// Threads that compute.
    pub(crate) threads: NonZeroUsize,
    /// Where rust-bert computes.
    pub(crate) device: Device,
}

/// Whether the names in a place are ones that a node knows; says which is not, without repeating it.
pub(crate) fn expect_names(place: &ModelPlace) -> Result<(), String> {
    if ![NATIVE, RUST_BERT].contains(&place.engine.as_str()) {
        return Err(format!("field `engine`: expected {NATIVE} or {RUST_BERT}"));
    }
    if place.precision.parse::<Precision>().is_err() {
        return Err("field `precision`: expected int8, bf16 or f32".to_owned());
    }
    if place.folder.is_empty() { Err("field `folder`: expected a name".to_owned()) } else { Ok(()) }
}

/// A model that is loaded.
pub(crate) struct LoadedModel {
    pub(crate) place: ModelPlace,
    pub(crate) engine: Engine,
}

impl ModelSpec {
    /// The one that the configuration names.
    pub(crate) fn of(config: &NodeConfig) -> anyhow::Result<Self> {
        let embedding = &config.embedding;
        let configured = Some(embedding.model_dir.clone()).filter(|dir| !dir.as_os_str().is_empty());
        let folder = configured
            .or_else(ModelFiles::default_dir)
            .context("there is no home folder to look for the model in: set embedding.model_dir")?;
        let (engine, precision) = match embedding.engine {
            EmbeddingEngine::Native => (NATIVE, native_precision(embedding.precision)),
            EmbeddingEngine::RustBert => (RUST_BERT, Precision::F32),
        };
        Ok(Self {
            engine: engine.to_owned(),
            folder,
            precision: precision.to_string(),
            max_tokens: embedding.max_tokens.try_into().context("embedding.max_tokens is too large")?,
            threads: per_processor(embedding.threads),
            device: device(embedding.device),
        })
    }

    /// The one of a place, on as many threads as the configuration says.
    pub(crate) fn at(place: &ModelPlace, config: &NodeConfig) -> Self {
        Self {
            engine: place.engine.clone(),
            folder: PathBuf::from(&place.folder),
            precision: place.precision.clone(),
            max_tokens: place.max_tokens,
            threads: per_processor(config.embedding.threads),
            device: device(config.embedding.device),
        }
    }

    /// Loads it.
    ///
    /// # Errors
    /// Says what is missing in the folder, or what the engine does not know.
    pub(crate) async fn load(self) -> anyhow::Result<LoadedModel> {
        let loaded = tokio::task::spawn_blocking(move || self.load_here());
        loaded.await.context("loading the model panicked")?
    }

    fn load_here(self) -> anyhow::Result<LoadedModel> {
        let max_tokens = self.max_tokens as usize;
        let precision: Precision = self.precision.parse()?;
        let embedder = match self.engine.as_str() {
            NATIVE => {
                let options = EncoderOptions { max_tokens, precision, ..EncoderOptions::new(&self.folder) };
                BatchedEmbedder::new(Arc::new(Encoder::load(&options)?), self.threads)
            }
            RUST_BERT if precision != Precision::F32 => {
                bail!("{RUST_BERT} computes in {}, not in {precision}", Precision::F32)
            }
            RUST_BERT => {
                let (dir, device, threads) = (self.folder.clone(), self.device, self.threads);
                tandem_embed_rust_bert::open(&RustBertOptions { dir, max_tokens, device, threads })?
            }
            other => bail!("there is no engine {other:?}; there is {NATIVE:?} and {RUST_BERT:?}"),
        };
        let pieces = Arc::clone(embedder.model().tokenizer());
        let identity = embedder.model().identity().clone();
        let chunker = Chunker::new(ChunkOptions { window_tokens: max_tokens, ..ChunkOptions::default() })?;
        let Self { engine, folder, precision, max_tokens, .. } = self;
        let folder = folder.to_str().context("the name of the model's folder is no text")?.to_owned();
        Ok(LoadedModel {
            place: ModelPlace { identity, engine, folder, precision, max_tokens },
            engine: Engine::new(Arc::new(embedder), chunker, pieces),
        })
    }
}

const fn native_precision(precision: EmbeddingPrecision) -> Precision {
    match precision {
        EmbeddingPrecision::Int8 => Precision::Int8,
        EmbeddingPrecision::Bf16 => Precision::Bf16,
        EmbeddingPrecision::F32 => Precision::F32,
    }
}

const fn device(device: EmbeddingDevice) -> Device {
    match device {
        EmbeddingDevice::Cpu => Device::Cpu,
        EmbeddingDevice::Cuda(number) => Device::Cuda(number),
    }
}
