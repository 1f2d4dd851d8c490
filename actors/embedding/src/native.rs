//! The native encoder behind the `Embedder` port.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures::future::try_join_all;
use tandem_domain::chunk::ModelIdentity;
use tandem_ports::Embedder;
use tandem_ports::embedder::EmbedderError;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::{Encoder, Scratch};

/// Texts that one thread encodes together.
const PACK_TEXTS: usize = 8;

/// An encoder with a fixed number of threads. Texts wait in order for a thread, in packs of a few.
pub struct NativeEmbedder {
    encoder: Arc<Encoder>,
    idle: Arc<Mutex<Vec<Scratch>>>,
    threads: Arc<Semaphore>,
    count: NonZeroUsize,
}

impl NativeEmbedder {
    /// Computes with `encoder` on `threads` threads.
    #[must_use]
    pub fn new(encoder: Arc<Encoder>, threads: NonZeroUsize) -> Self {
        let idle = Arc::new(Mutex::new(Vec::new()));
        Self { encoder, idle, threads: Arc::new(Semaphore::new(threads.get())), count: threads }
    }

    async fn pack(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, EmbedderError> {
        let permit =
            Arc::clone(&self.threads).acquire_owned().await.map_err(|_| EmbedderError::Unavailable)?;
        let (encoder, idle, texts) = (Arc::clone(&self.encoder), Arc::clone(&self.idle), texts.to_vec());
        let encoded = spawn_blocking(move || {
            let _permit = permit;
            let kept = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut scratch = kept.unwrap_or_default();
            let vectors = encoder.encode_pack(&texts, &mut scratch);
            idle.lock().unwrap_or_else(PoisonError::into_inner).push(scratch);
            vectors
        });
        let vectors = encoded.await.map_err(|_| EmbedderError::Failed("the encoder panicked".to_owned()))?;
        vectors.map_err(|error| EmbedderError::Failed(error.to_string()))
    }
}

#[async_trait]
impl Embedder for NativeEmbedder {
    fn identity(&self) -> &ModelIdentity {
        self.encoder.identity()
    }

    async fn embed(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>, EmbedderError> {
        let size = texts.len().div_ceil(self.count.get()).clamp(1, PACK_TEXTS);
        let packs = try_join_all(texts.chunks(size).map(|pack| self.pack(pack))).await?;
        Ok(packs.into_iter().flatten().collect())
    }
}
