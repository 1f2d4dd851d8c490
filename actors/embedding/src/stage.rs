//! The embed stage: a parsed version becomes vectors and a line in the change log.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tandem_domain::chunk::{Chunk, EmbeddedVersion};
use tandem_domain::document::{Document, DocumentState, Failure, Version};
use tandem_domain::embedding::Embedding;
use tandem_domain::error::ErrorCode;
use tandem_domain::ids::DocumentId;
use tandem_domain::profile::Span;
use tandem_domain::task::{Task, TaskKind, TaskSubject};
use tandem_ports::documents::{Change, ChangeAction};
use tandem_ports::{DocumentStore, Embedder, VectorCache, Write};
use tandem_runtime::StageWork;
use tokio::sync::watch;

use crate::cached::{CachedVectors, Origin};
use crate::chunker::{Chunk as TextChunk, Chunker};
use crate::metrics;
use crate::vectors::weighted_mean;
use crate::{EmbeddingError, Encoder};

#[cfg(test)]
mod tests;

/// Cuts a text into chunks with the model's own tokenizer.
pub struct TextCutter {
    chunker: Chunker,
    encoder: Arc<Encoder>,
}

impl TextCutter {
    /// Cuts for this encoder.
    #[must_use]
    pub const fn new(chunker: Chunker, encoder: Arc<Encoder>) -> Self {
        Self { chunker, encoder }
    }

    fn cut(&self, text: &str) -> Result<Vec<TextChunk>, EmbeddingError> {
        self.chunker.chunks(text, self.encoder.tokenizer())
    }
}

/// What the embed stage works with.
pub struct EmbedWork {
    documents: Arc<dyn DocumentStore>,
    vectors: CachedVectors,
    cutter: Arc<TextCutter>,
    changed: watch::Sender<u64>,
}

impl EmbedWork {
    /// Work on these ports. `changed` is raised after each line in the change log, so that shards need not wait for
    /// their next look.
    pub fn new(
        documents: Arc<dyn DocumentStore>,
        embedder: Arc<dyn Embedder>,
        cutter: TextCutter,
        changed: watch::Sender<u64>,
    ) -> Self {
        Self { documents, vectors: CachedVectors::new(embedder), cutter: Arc::new(cutter), changed }
    }

    /// Keeps the vectors of windows in `cache` for `kept_for`, so that a text which comes again costs nothing.
    #[must_use]
    pub fn caching(self, cache: Arc<dyn VectorCache>, kept_for: Duration) -> Self {
        Self { vectors: self.vectors.kept(cache, kept_for), ..self }
    }

    async fn embed(&self, origin: Origin<'_>, ranked_text: String) -> Result<EmbeddedVersion, Failure> {
        let cutter = Arc::clone(&self.cutter);
        let (text, chunks) = tokio::task::spawn_blocking(move || {
            let chunks = cutter.cut(&ranked_text);
            (ranked_text, chunks)
        })
        .await
        .map_err(|_| internal("cutting the text panicked"))?;
        let chunks = chunks.map_err(|error| internal(&error.to_string()))?;
        let windows: Vec<String> = chunks
            .iter()
            .flat_map(|chunk| &chunk.windows)
            .map(|window| text.get(window.range.clone()).unwrap_or_default().to_owned())
            .collect();
        let count = windows.len();
        let vectors = self.vectors.embed(origin, windows).await?;
        metrics::embedded(chunks.len(), count, chunks.iter().map(TextChunk::tokens).sum());
        Ok(self.assemble(&chunks, &vectors))
    }

    /// A chunk is the mean of its windows, a document the mean of its chunks, each weighted by tokens.
    fn assemble(&self, chunks: &[TextChunk], windows: &[Vec<f32>]) -> EmbeddedVersion {
        let identity = self.vectors.embedder().identity();
        let dimensions = identity.dimensions as usize;
        let mut windows = windows.iter().map(Vec::as_slice);
        let means: Vec<Vec<f32>> = chunks
            .iter()
            .map(|chunk| {
                let tokens = chunk.windows.iter().map(|window| window.tokens());
                let parts = windows.by_ref().take(chunk.windows.len()).zip(tokens);
                weighted_mean(parts, dimensions).unwrap_or_else(|| vec![0.0; dimensions])
            })
            .collect();
        let weighted = means.iter().map(Vec::as_slice).zip(chunks.iter().map(TextChunk::tokens));
        let document = weighted_mean(weighted, dimensions).unwrap_or_else(|| vec![0.0; dimensions]);
        EmbeddedVersion {
            model: identity.clone(),
            document: Embedding::quantize(&document),
            chunks: chunks
                .iter()
                .zip(&means)
                .map(|(chunk, mean)| Chunk {
                    number: chunk.index as u32,
                    span: Span::new(chunk.range.start as u32, chunk.range.end as u32),
                    tokens: chunk.tokens() as u32,
                    embedding: Embedding::quantize(mean),
                })
                .collect(),
        }
    }

    async fn current(&self, task: &Task) -> Result<Option<(Document, DocumentId, Version)>, Failure> {
        let TaskSubject::Version { document, version } = task.subject else {
            return Err(internal("an embed task must name a document version"));
        };
        let found = self.documents.document(&task.owner, document).await?;
        if found.is_none() {
            // It was removed; what an earlier delivery kept since goes as well.
            self.documents.forget_version(&task.owner, document, version).await?;
        }
        let found = found.and_then(|d| d.at(version)).filter(|d| !d.state.is_settled());
        Ok(found.map(|d| (d, document, version)))
    }
}

#[async_trait]
impl StageWork for EmbedWork {
    fn kind(&self) -> TaskKind {
        TaskKind::Embed
    }

    async fn perform(&self, task: &Task) -> Result<(), Failure> {
        // A version that is gone or settled needs no vectors: the delivery is an echo.
        let Some((_, document, version)) = self.current(task).await? else { return Ok(()) };
        let owner = &task.owner;
        if self.documents.embedded(owner, document, version).await?.is_none() {
            let parsed = self.documents.parsed(owner, document, version).await?;
            let parsed = parsed.ok_or_else(|| Failure {
                code: ErrorCode::NotReady,
                reason: "the version is not parsed yet".to_owned(),
            })?;
            let origin = Origin { owner, document, version };
            let embedded = self.embed(origin, parsed.ranked_text).await?;
            self.documents.put_embedded(owner, document, version, &embedded).await?.certain()?;
        }
        let change = Change { owner: owner.clone(), document, version, action: ChangeAction::Upsert };
        self.documents.log_change(&change).await?.certain()?;
        let end = self.documents.advance(owner, document, version, &DocumentState::Embedded).await?;
        if end == Write::Conflict(None) {
            self.documents.forget_version(owner, document, version).await?;
        }
        end.certain()?;
        self.changed.send_modify(|count| *count += 1);
        Ok(())
    }

    async fn give_up(&self, task: &Task, failure: &Failure) -> Result<(), Failure> {
        let Some((_, document, version)) = self.current(task).await? else { return Ok(()) };
        let next = DocumentState::Failed(failure.clone());
        self.documents.advance(&task.owner, document, version, &next).await?.certain()
    }
}

fn internal(reason: &str) -> Failure {
    Failure { code: ErrorCode::Internal, reason: reason.to_owned() }
}
