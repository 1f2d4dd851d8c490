//! The native encoder behind the `Embedder` port.

use std::num::NonZeroUsize;
use std::sync::Arc;

use async_trait::async_trait;
use tandem_domain::chunk::ModelIdentity;
use tandem_ports::Embedder;
use tandem_ports::embedder::{EmbedderError, Urgency};
use tokio::task::spawn_blocking;

use crate::batches::Batches;
use crate::{EmbeddingError, Encoder, Scratch};

#[cfg(test)]
mod tests;

/// An encoder with a fixed number of threads, which texts of all who ask share.
pub struct NativeEmbedder {
    encoder: Arc<Encoder>,
    batches: Batches,
}

impl NativeEmbedder {
    /// Computes with `encoder` on `threads` threads.
    #[must_use]
    pub fn new(encoder: Arc<Encoder>, threads: NonZeroUsize) -> Self {
        let computes = Arc::clone(&encoder);
        let compute = move |texts: &[Vec<u32>], scratch: &mut Scratch| computes.run(texts, scratch);
        Self { encoder, batches: Batches::new(Box::new(compute), threads) }
    }
}

#[async_trait]
impl Embedder for NativeEmbedder {
    fn identity(&self) -> &ModelIdentity {
        self.encoder.identity()
    }

    async fn embed(&self, texts: Vec<String>, urgency: Urgency) -> Result<Vec<Vec<f32>>, EmbedderError> {
        let encoder = Arc::clone(&self.encoder);
        // Before the line, not in it: a batch is made by its tokens, and other texts are computed meanwhile.
        let framed = spawn_blocking(move || {
            texts.iter().map(|text| encoder.framed(text)).collect::<Result<Vec<_>, EmbeddingError>>()
        });
        let framed = framed.await.map_err(|_| EmbedderError::Failed("the tokenizer panicked".to_owned()))?;
        let framed = framed.map_err(|error| EmbedderError::Failed(error.to_string()))?;
        self.batches.vectors(framed, urgency).await
    }
}
