//! What makes vectors of texts, and how much of it there is.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use crate::node_config::NodeConfig;

section! {
    /// The encoder.
    EmbeddingConfig {
        /// What computes.
        engine: EmbeddingEngine,
        /// Where it computes.
        device: EmbeddingDevice,
        /// A folder; empty = the default place.
        model_dir: PathBuf,
        /// What the native engine's products are computed in.
        precision: EmbeddingPrecision,
        /// 8..=512.
        max_tokens: usize,
        /// 0..=256; 0 = one per processor.
        threads: usize,
        /// 0..=3650; 0 = not at all.
        cache_days: u64,
        /// 0..=256; 0 = four for each thread.
        workers: usize,
    }
}

/// What computes vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EmbeddingEngine {
    /// The program's own.
    Native,
    /// rust-bert on libtorch, where it is built in.
    RustBert,
}

/// Where vectors are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum EmbeddingDevice {
    /// The processor.
    Cpu,
    /// A graphics card of NVIDIA, by its number.
    Cuda(u16),
}

/// In what numbers the model's products are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmbeddingPrecision {
    /// Bytes, with a scale for each token and each output.
    Int8,
    /// The upper halves of floats.
    Bf16,
    /// Floats.
    F32,
}

impl EmbeddingConfig {
    /// How long vectors of texts are kept; `None` = not at all.
    #[must_use]
    pub fn vectors_kept(&self) -> Option<Duration> {
        (self.cache_days > 0).then(|| Duration::from_secs(self.cache_days * 86_400))
    }
}

impl TryFrom<String> for EmbeddingDevice {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let numbered = || name.strip_prefix("cuda:")?.parse().ok().map(Self::Cuda);
        let device = if name == "cpu" { Some(Self::Cpu) } else { numbered() };
        device.ok_or_else(|| "expected `cpu`, or `cuda:0` and so on".to_owned())
    }
}

impl NodeConfig {
    /// The first key of embedding that does not fit the others, and why.
    pub(crate) fn check_embedding(&self) -> Result<(), (&'static str, String)> {
        match (self.embedding.engine, self.embedding.device) {
            (EmbeddingEngine::Native, EmbeddingDevice::Cuda(_)) => {
                let reason =
                    "the native engine computes on the processor: set embedding.engine = \"rust-bert\"";
                Err(("embedding.device", reason.to_owned()))
            }
            (EmbeddingEngine::Native | EmbeddingEngine::RustBert, _) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
