//! Engines behind the `Embedder` port.

use std::num::NonZeroUsize;
use std::sync::Arc;

use async_trait::async_trait;
use tandem_domain::chunk::ModelIdentity;
use tandem_domain::task::Urgency;
use tandem_ports::Embedder;
use tandem_ports::embedder::EmbedderError;
use tokio::task::spawn_blocking;

use crate::batches::{Batches, Compute};
use crate::sentence::SentenceModel;
use crate::{EmbeddingError, Encoder, Scratch};

#[cfg(test)]
mod tests;

/// An engine with a fixed number of threads, which texts of all who ask share.
pub struct BatchedEmbedder {
    model: Arc<SentenceModel>,
    batches: Batches,
}

impl BatchedEmbedder {
    /// Computes with the native `encoder` on `threads` threads.
    #[must_use]
    pub fn new(encoder: Arc<Encoder>, threads: NonZeroUsize) -> Self {
        let model = Arc::clone(encoder.model());
        let compute = move |texts: &[Vec<u32>], scratch: &mut Scratch| encoder.run(texts, scratch);
        Self::with(model, Box::new(compute), threads)
    }

    /// Computes with another engine, which `threads` threads ask at the same time.
    #[must_use]
    pub fn with(model: Arc<SentenceModel>, compute: Box<Compute>, threads: NonZeroUsize) -> Self {
        Self { model, batches: Batches::new(compute, threads) }
    }

    /// The model that it computes with.
    #[must_use]
    pub fn model(&self) -> &Arc<SentenceModel> {
        &self.model
    }
}

#[async_trait]
impl Embedder for BatchedEmbedder {
    fn identity(&self) -> &ModelIdentity {
        self.model.identity()
    }

    async fn embed(&self, texts: Vec<String>, urgency: Urgency) -> Result<Vec<Vec<f32>>, EmbedderError> {
        let model = Arc::clone(&self.model);
        // Before the line, not in it: a batch is made by its tokens, and other texts are computed meanwhile.
        let framed = spawn_blocking(move || {
            texts.iter().map(|text| model.framed(text)).collect::<Result<Vec<_>, EmbeddingError>>()
        });
        let framed = framed.await.map_err(|_| EmbedderError::Failed("the tokenizer panicked".to_owned()))?;
        let framed = framed.map_err(|error| EmbedderError::Failed(error.to_string()))?;
        self.batches.vectors(framed, urgency).await
    }
}
