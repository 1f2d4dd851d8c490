//! One shard of the match index: words, vectors and features of its documents.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tandem_domain::document::{DocumentKind, Failure, Version};
use tandem_domain::embedding::Embedding;
use tandem_domain::error::ErrorCode;
use tandem_domain::ids::{ContentDigest, DocumentId, OwnerId};
use tandem_domain::ranked::Features;

use crate::documents::LogPosition;

/// A document version as the index keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexedDocument {
    /// Whose.
    pub owner: OwnerId,
    /// Which.
    pub id: DocumentId,
    /// Which version.
    pub version: Version,
    /// Résumé or job.
    pub kind: DocumentKind,
    /// The ranked text: its words are what BM25 sees.
    pub ranked_text: String,
    /// What the scorer sees; its document vector is what the dense scan sees.
    pub features: Features,
}

/// What is applied to a shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexChange {
    /// Make this version searchable in place of any other of the same document.
    Upsert(Box<IndexedDocument>),
    /// Forget a document.
    Remove {
        /// Whose.
        owner: OwnerId,
        /// Which.
        id: DocumentId,
    },
}

/// Which documents may be found.
#[derive(Debug, Clone)]
pub struct Filter {
    /// Whose.
    pub owner: OwnerId,
    /// Résumés or jobs.
    pub kind: DocumentKind,
    /// Only these, if given.
    pub among: Option<Arc<HashSet<DocumentId>>>,
}

/// Terms of a lexical query as the index cuts them: sorted, each once, with how often the query has it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LexicalQuery {
    /// Term and count.
    pub terms: Vec<(String, u32)>,
}

/// What BM25 needs to know of a corpus. Shards answer for themselves; sums answer for all.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CorpusStatistics {
    /// Documents.
    pub documents: u64,
    /// Words in all documents.
    pub words: u64,
    /// Documents per term.
    pub frequencies: BTreeMap<String, u64>,
}

impl CorpusStatistics {
    /// Adds another shard's statistics.
    pub fn add(&mut self, other: &Self) {
        self.documents = self.documents.saturating_add(other.documents);
        self.words = self.words.saturating_add(other.words);
        for (term, count) in &other.frequencies {
            let sum = self.frequencies.entry(term.clone()).or_default();
            *sum = sum.saturating_add(*count);
        }
    }
}

/// One found document. Hits are ordered by score, highest first, then by digest, then by id: see [`Hit::order`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hit {
    /// Higher is better: thousandths of BM25, or the exact cosine in points.
    pub score: i64,
    /// Breaks ties the same way on every node and in every run.
    pub digest: ContentDigest,
    /// The document.
    pub document: DocumentId,
}

impl Hit {
    /// Best first.
    #[must_use]
    pub fn order(&self, other: &Self) -> std::cmp::Ordering {
        (other.score.cmp(&self.score))
            .then_with(|| self.digest.cmp(&other.digest))
            .then_with(|| self.document.cmp(&other.document))
    }
}

/// Why a shard gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IndexError {
    /// Reading or writing its files failed.
    #[error("the index shard cannot be read or written: {0}")]
    Io(String),
    /// A file does not have the checksum or form it should have: the shard must be rebuilt.
    #[error("the index shard is damaged and must be rebuilt: {0}")]
    Damaged(String),
    /// A vector of another model or length.
    #[error("the vector was made by another model than the shard's")]
    Model,
}

impl IndexError {
    /// The code for programs.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Io(_) => ErrorCode::Unavailable,
            Self::Damaged(_) | Self::Model => ErrorCode::Internal,
        }
    }
}

impl From<IndexError> for Failure {
    fn from(error: IndexError) -> Self {
        Self { code: error.code(), reason: error.to_string() }
    }
}

/// A shard of the index. Its methods use the processor and the disk: async callers run them on blocking threads.
/// One writer at a time; any number of readers, who see the shard as of some applied batch.
pub trait MatchIndex: Send + Sync + 'static {
    /// Everything up to this position of the change log has been applied and is durable.
    fn checkpoint(&self) -> LogPosition;

    /// Applies a batch and moves the checkpoint, both or neither; durable and searchable when it returns. Applying the
    /// same batch again changes nothing. An empty batch says that nothing waits: afterwards no byte of a removed document
    /// is left.
    ///
    /// # Errors
    /// The shard is as it was before.
    fn apply(&self, changes: &[IndexChange], up_to: LogPosition) -> Result<(), IndexError>;

    /// How many documents are searchable.
    fn documents(&self) -> u64;

    /// Cuts a text into a query with the index's own rules for words; at most `most` terms; of more, those
    /// are kept that the text has most often, then by their spelling.
    fn lexical_query(&self, text: &str, most: usize) -> LexicalQuery;

    /// This shard's part of the corpus statistics for a query.
    ///
    /// # Errors
    /// See [`IndexError`].
    fn statistics(&self, query: &LexicalQuery) -> Result<CorpusStatistics, IndexError>;

    /// The best `limit` documents by BM25 (Robertson & Zaragoza 2009, k1 = 1.2, b = .75) under the statistics of the
    /// whole corpus, so that a document's score does not depend on the shard it lies in.
    ///
    /// # Errors
    /// See [`IndexError`].
    fn lexical(
        &self,
        query: &LexicalQuery,
        statistics: &CorpusStatistics,
        filter: &Filter,
        limit: usize,
    ) -> Result<Vec<Hit>, IndexError>;

    /// The best `limit` documents by exact cosine of the document vectors.
    ///
    /// # Errors
    /// See [`IndexError`].
    fn dense(&self, vector: &Embedding, filter: &Filter, limit: usize) -> Result<Vec<Hit>, IndexError>;

    /// The features of those of the owner's documents that lie here, in the order asked for.
    ///
    /// # Errors
    /// See [`IndexError`].
    fn features(
        &self,
        owner: &OwnerId,
        documents: &[DocumentId],
    ) -> Result<Vec<(DocumentId, Arc<Features>)>, IndexError>;
}
