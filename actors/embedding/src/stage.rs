//! The embed stage: a parsed version becomes vectors and a line in the change log.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tandem_domain::chunk::{Chunk, EmbeddedVersion, ModelIdentity, ModelKey};
use tandem_domain::document::{Document, DocumentState, Failure, Version};
use tandem_domain::embedding::Embedding;
use tandem_domain::error::ErrorCode;
use tandem_domain::ids::{DocumentId, OwnerId};
use tandem_domain::profile::Span;
use tandem_domain::task::{Task, TaskKind, TaskSubject, Urgency};
use tandem_ports::documents::{Change, ChangeAction};
use tandem_ports::{DocumentStore, Embedder, VectorCache, Write};
use tandem_runtime::StageWork;
use tokio::sync::watch;

use crate::cached::{CachedVectors, Origin};
use crate::chunker::{Chunk as TextChunk, Chunker};
use crate::metrics;
use crate::tokenizer::WordPieces;
use crate::vectors::weighted_mean;

#[cfg(test)]
mod tests;

/// A model that is loaded: what cuts texts for it, and what makes its vectors. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    embedder: Arc<dyn Embedder>,
    chunker: Arc<Chunker>,
    pieces: Arc<WordPieces>,
}

impl Engine {
    /// Texts are cut by `chunker` into the windows of `embedder`'s model, whose tokenizer is `pieces`.
    #[must_use]
    pub fn new(embedder: Arc<dyn Embedder>, chunker: Chunker, pieces: Arc<WordPieces>) -> Self {
        Self { embedder, chunker: Arc::new(chunker), pieces }
    }

    /// Which model it is.
    #[must_use]
    pub fn identity(&self) -> &ModelIdentity {
        self.embedder.identity()
    }
}

/// The models that are loaded.
#[derive(Clone)]
pub struct Engines {
    /// The one that serves: every new version gets its vectors.
    pub serving: Engine,
    /// One that the corpus is moved to or from: its vectors are made when they are asked for.
    pub second: Option<Engine>,
}

impl Engines {
    fn find(&self, key: ModelKey) -> Option<&Engine> {
        std::iter::once(&self.serving).chain(&self.second).find(|engine| engine.identity().key() == key)
    }
}

/// What the embed stage works with.
pub struct EmbedWork {
    documents: Arc<dyn DocumentStore>,
    engines: watch::Receiver<Engines>,
    vectors: CachedVectors,
    changed: watch::Sender<u64>,
    urgency: Urgency,
}

impl EmbedWork {
    /// Work on these ports, for vectors that are wanted so soon, with the models that are loaded when a task comes.
    /// `changed` is raised after each line in the change log, and when vectors are there that a shard waits for, so that
    /// shards need not wait for their next look.
    pub fn new(
        documents: Arc<dyn DocumentStore>,
        engines: watch::Receiver<Engines>,
        changed: watch::Sender<u64>,
        urgency: Urgency,
    ) -> Self {
        Self { documents, engines, vectors: CachedVectors::default(), changed, urgency }
    }

    /// Keeps the vectors of windows in `cache` for `kept_for`, so that a text which comes again costs nothing.
    #[must_use]
    pub fn caching(self, cache: Arc<dyn VectorCache>, kept_for: Duration) -> Self {
        Self { vectors: CachedVectors::kept(cache, kept_for), ..self }
    }

    /// Makes the vectors of a version that is parsed, unless they are there.
    async fn put(&self, engine: &Engine, origin: Origin<'_>) -> Result<(), Failure> {
        let Origin { owner, document, version } = origin;
        if self.documents.embedded(owner, document, version, engine.identity()).await?.is_some() {
            return Ok(());
        }
        let parsed = self.documents.parsed(owner, document, version).await?;
        let parsed = parsed.ok_or_else(|| Failure {
            code: ErrorCode::NotReady,
            reason: "the version is not parsed yet".to_owned(),
        })?;
        let embedded = self.embed(engine, origin, parsed.ranked_text).await?;
        self.documents.put_embedded(owner, document, version, &embedded).await?.certain()
    }

    async fn embed(
        &self,
        engine: &Engine,
        origin: Origin<'_>,
        ranked_text: String,
    ) -> Result<EmbeddedVersion, Failure> {
        let (chunker, pieces) = (Arc::clone(&engine.chunker), Arc::clone(&engine.pieces));
        let (text, chunks) = tokio::task::spawn_blocking(move || {
            let chunks = chunker.chunks(&ranked_text, &pieces);
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
        let vectors = self.vectors.embed(engine.embedder.as_ref(), origin, windows, self.urgency).await?;
        metrics::embedded(chunks.len(), count, chunks.iter().map(TextChunk::tokens).sum());
        Ok(assemble(engine.identity(), &chunks, &vectors))
    }

    async fn current(
        &self,
        owner: &OwnerId,
        document: DocumentId,
        version: Version,
    ) -> Result<Option<Document>, Failure> {
        let found = self.documents.document(owner, document).await?;
        if found.is_none() {
            // It was removed; what an earlier delivery kept since goes as well.
            self.documents.forget_version(owner, document, version).await?;
        }
        Ok(found.and_then(|document| document.at(version)))
    }

    /// A new version: its vectors by the model that serves, and a line in the change log. One that is gone or settled
    /// needs none: the delivery is an echo.
    async fn finish_version(&self, origin: Origin<'_>) -> Result<(), Failure> {
        let Origin { owner, document, version } = origin;
        let current = self.current(owner, document, version).await?;
        if current.is_none_or(|current| current.state.is_settled()) {
            return Ok(());
        }
        let engine = self.engines.borrow().serving.clone();
        self.put(&engine, origin).await?;
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

    /// The vectors by a model that a version has none of.
    async fn add_vectors(&self, origin: Origin<'_>, model: ModelKey) -> Result<(), Failure> {
        let Origin { owner, document, version } = origin;
        if self.current(owner, document, version).await?.is_none() {
            return Ok(());
        }
        let engine = self.engines.borrow().find(model).cloned();
        let engine = engine.ok_or_else(|| Failure {
            code: ErrorCode::NotReady,
            reason: "the model that is asked for is not loaded on this node".to_owned(),
        })?;
        self.put(&engine, origin).await?;
        // Whoever removed the document meanwhile may not have found them.
        self.current(owner, document, version).await?;
        self.changed.send_modify(|count| *count += 1);
        Ok(())
    }
}

/// A chunk is the mean of its windows, a document the mean of its chunks, each weighted by tokens.
fn assemble(identity: &ModelIdentity, chunks: &[TextChunk], windows: &[Vec<f32>]) -> EmbeddedVersion {
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

#[async_trait]
impl StageWork for EmbedWork {
    fn kind(&self) -> TaskKind {
        TaskKind::embed(self.urgency)
    }

    async fn perform(&self, task: &Task) -> Result<(), Failure> {
        let owner = &task.owner;
        match task.subject {
            TaskSubject::Version { document, version } => {
                self.finish_version(Origin { owner, document, version }).await
            }
            TaskSubject::Vectors { document, version, model, .. } => {
                self.add_vectors(Origin { owner, document, version }, model).await
            }
            TaskSubject::Match { .. }
            | TaskSubject::Run { .. }
            | TaskSubject::RunItem { .. }
            | TaskSubject::RunCancel { .. }
            | TaskSubject::Erasure { .. }
            | TaskSubject::Person { .. } => Err(internal("an embed task must name a document version")),
        }
    }

    /// A version that cannot be embedded says so. Vectors by a second model have nowhere to say so: the shard that waits
    /// for them finds the dead task.
    async fn give_up(&self, task: &Task, failure: &Failure) -> Result<(), Failure> {
        let TaskSubject::Version { document, version } = task.subject else { return Ok(()) };
        let current = self.current(&task.owner, document, version).await?;
        if current.is_none_or(|current| current.state.is_settled()) {
            return Ok(());
        }
        let next = DocumentState::Failed(failure.clone());
        self.documents.advance(&task.owner, document, version, &next).await?.certain()
    }
}

fn internal(reason: &str) -> Failure {
    Failure { code: ErrorCode::Internal, reason: reason.to_owned() }
}
