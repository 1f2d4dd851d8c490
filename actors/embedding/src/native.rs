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

use crate::{EmbeddingError, Encoder, Scratch};

/// An encoder with a fixed number of threads. Texts wait in order for a thread; each is encoded alone.
pub struct NativeEmbedder {
    encoder: Arc<Encoder>,
    idle: Arc<Mutex<Vec<Scratch>>>,
    threads: Arc<Semaphore>,
}

impl NativeEmbedder {
    /// Computes with `encoder` on `threads` threads.
    ///
    /// # Errors
    /// [`EmbeddingError::Thread`] when the system has no thread to give.
    pub fn new(encoder: Arc<Encoder>, threads: NonZeroUsize) -> Result<Self, EmbeddingError> {
        let idle = Arc::new(Mutex::new(Scratch::many(threads)?));
        Ok(Self { encoder, idle, threads: Arc::new(Semaphore::new(threads.get())) })
    }

    async fn one(&self, text: String) -> Result<Vec<f32>, EmbedderError> {
        let permit =
            Arc::clone(&self.threads).acquire_owned().await.map_err(|_| EmbedderError::Unavailable)?;
        let (encoder, idle) = (Arc::clone(&self.encoder), Arc::clone(&self.idle));
        let encoded = spawn_blocking(move || {
            let _permit = permit;
            let kept = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            // A scratch that was lost to a panic is made anew, so that the number of threads never shrinks.
            let mut scratch = kept.map_or_else(Scratch::new, Ok)?;
            let vector = encoder.encode(&text, &mut scratch);
            idle.lock().unwrap_or_else(PoisonError::into_inner).push(scratch);
            vector
        });
        let vector = encoded.await.map_err(|_| EmbedderError::Failed("the encoder panicked".to_owned()))?;
        vector.map_err(|error| EmbedderError::Failed(error.to_string()))
    }
}

#[async_trait]
impl Embedder for NativeEmbedder {
    fn identity(&self) -> &ModelIdentity {
        self.encoder.identity()
    }

    async fn embed(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>, EmbedderError> {
        try_join_all(texts.into_iter().map(|text| self.one(text))).await
    }
}
