//! One query against every shard: retrieve, fuse, score, merge.

use std::collections::HashSet;
use std::sync::Arc;

use futures::future::try_join_all;
use tandem_domain::document::{DocumentKind, Failure};
use tandem_domain::error::ErrorCode;
use tandem_domain::ids::{ContentDigest, DocumentId, OwnerId};
use tandem_domain::ranked::Features;
use tandem_domain::score::{MatchScore, Score, Weights};
use tandem_ports::MatchIndex;
use tandem_ports::index::{CorpusStatistics, Filter, Hit, IndexError, LexicalQuery};
use tokio::task::spawn_blocking;

use crate::fusion::{MIN_POOL, fuse, merge};
use crate::metrics;
use crate::scorer::score;

#[cfg(test)]
mod tests;

/// How wide retrieval looks.
#[derive(Debug, Clone, Copy)]
pub struct SearchOptions {
    /// Candidates for the scorer; at least [`MIN_POOL`] are taken.
    pub pool: usize,
    /// Terms of the lexical query, at most.
    pub terms: usize,
}

/// A document that looks for its best counterparts.
#[derive(Debug, Clone)]
pub struct Query {
    /// Whose corpus is searched.
    pub owner: OwnerId,
    /// The side that asks; the other side is ranked.
    pub kind: DocumentKind,
    /// Its ranked text.
    pub ranked_text: String,
    /// What the scorer sees of it.
    pub features: Arc<Features>,
    /// Only these candidates, if given.
    pub among: Option<Arc<HashSet<DocumentId>>>,
    /// How much each category counts.
    pub weights: Weights,
    /// Candidates wanted.
    pub top: usize,
    /// Candidates under this score are left out.
    pub min_score: Score,
}

/// A candidate with its score.
#[derive(Debug, Clone)]
pub struct Ranked {
    /// The candidate.
    pub document: DocumentId,
    /// Its features.
    pub features: Arc<Features>,
    /// Its score with reasons.
    pub score: MatchScore,
}

/// Asks every shard and merges the answers. Cheap to clone.
#[derive(Clone)]
pub struct Searcher {
    shards: Arc<[Arc<dyn MatchIndex>]>,
    options: SearchOptions,
}

impl Searcher {
    /// Searches these shards, which together are the corpus.
    #[must_use]
    pub fn new(shards: Vec<Arc<dyn MatchIndex>>, options: SearchOptions) -> Self {
        Self { shards: shards.into(), options }
    }

    /// How many documents are searchable.
    #[must_use]
    pub fn documents(&self) -> u64 {
        self.shards.iter().map(|shard| shard.documents()).sum()
    }

    /// The best candidates, best first; equal scores in the order of their digests. The result does not depend on the
    /// number of shards.
    ///
    /// # Errors
    /// When a shard fails.
    pub async fn rank(&self, query: Query) -> Result<Vec<Ranked>, Failure> {
        let query = Arc::new(query);
        let pool: Arc<[DocumentId]> = self.pool(&query).await?.into();
        let scored = self.on_every_shard(|| {
            let (query, pool) = (Arc::clone(&query), Arc::clone(&pool));
            move |shard: &dyn MatchIndex| score_members(shard, &query, &pool)
        });
        let mut ranked: Vec<Ranked> = scored.await?.into_iter().flatten().collect();
        metrics::scored(ranked.len());
        ranked.retain(|candidate| candidate.score.total >= query.min_score);
        ranked.sort_by(|a, b| {
            let key = |r: &Ranked| -> (ContentDigest, DocumentId) { (r.features.digest, r.document) };
            b.score.total.cmp(&a.score.total).then_with(|| key(a).cmp(&key(b)))
        });
        ranked.truncate(query.top);
        Ok(ranked)
    }

    /// The candidate pool: the fused best of both arms.
    async fn pool(&self, query: &Arc<Query>) -> Result<Vec<DocumentId>, Failure> {
        let Some(first) = self.shards.first().cloned() else { return Ok(Vec::new()) };
        let (asking, terms) = (Arc::clone(query), self.options.terms);
        let words = spawn_blocking(move || first.lexical_query(&asking.ranked_text, terms)).await;
        let words = Arc::new(words.map_err(|_| panicked())?);
        let parts = self.on_every_shard(|| {
            let words = Arc::clone(&words);
            move |shard: &dyn MatchIndex| shard.statistics(&words)
        });
        let mut corpus = CorpusStatistics::default();
        for part in parts.await? {
            corpus.add(&part);
        }
        let corpus = Arc::new(corpus);
        let limit = self.options.pool.max(MIN_POOL);
        let answers = self.on_every_shard(|| {
            let (query, words, corpus) = (Arc::clone(query), Arc::clone(&words), Arc::clone(&corpus));
            move |shard: &dyn MatchIndex| both_arms(shard, &query, &words, &corpus, limit)
        });
        let (dense, lexical): (Vec<_>, Vec<_>) = answers.await?.into_iter().unzip();
        Ok(fuse(&merge(dense, limit), &merge(lexical, limit), limit))
    }

    /// Runs one piece of work per shard on blocking threads and waits for all.
    async fn on_every_shard<T, W>(&self, make: impl Fn() -> W) -> Result<Vec<T>, Failure>
    where
        T: Send + 'static,
        W: FnOnce(&dyn MatchIndex) -> Result<T, IndexError> + Send + 'static,
    {
        let jobs = self.shards.iter().map(|shard| {
            let (shard, work) = (Arc::clone(shard), make());
            spawn_blocking(move || work(shard.as_ref()))
        });
        let answers = try_join_all(jobs).await.map_err(|_| panicked())?;
        answers.into_iter().map(|answer| answer.map_err(Failure::from)).collect()
    }
}

fn panicked() -> Failure {
    Failure { code: ErrorCode::Internal, reason: "searching an index shard panicked".to_owned() }
}

fn both_arms(
    shard: &dyn MatchIndex,
    query: &Query,
    words: &LexicalQuery,
    corpus: &CorpusStatistics,
    limit: usize,
) -> Result<(Vec<Hit>, Vec<Hit>), IndexError> {
    let kind = match query.kind {
        DocumentKind::Job => DocumentKind::Resume,
        DocumentKind::Resume => DocumentKind::Job,
    };
    let filter = Filter { owner: query.owner.clone(), kind, among: query.among.clone() };
    let dense = shard.dense(&query.features.document, &filter, limit)?;
    let lexical = shard.lexical(words, corpus, &filter, limit)?;
    Ok((dense, lexical))
}

/// Scores those of the pool that lie in this shard.
fn score_members(
    shard: &dyn MatchIndex,
    query: &Query,
    pool: &[DocumentId],
) -> Result<Vec<Ranked>, IndexError> {
    let members = shard.features(&query.owner, pool)?;
    let ranked = members.into_iter().map(|(document, features)| {
        let score = match query.kind {
            DocumentKind::Job => score(&query.features, &features, &query.weights),
            DocumentKind::Resume => score(&features, &query.features, &query.weights),
        };
        Ranked { document, features, score }
    });
    Ok(ranked.collect())
}
