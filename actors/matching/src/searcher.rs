//! One query against every shard: retrieve, fuse, score, merge.

use std::collections::HashMap;
use std::sync::Arc;

use tandem_domain::chunk::ModelKey;
use tandem_domain::document::{DocumentKind, Failure};
use tandem_domain::error::ErrorCode;
use tandem_domain::ids::{ContentDigest, DocumentId, OwnerId};
use tandem_domain::ranked::Features;
use tandem_domain::score::{MatchScore, Score, Weights};
use tandem_ports::documents::LogPosition;
use tandem_ports::index::{CorpusStatistics, LexicalQuery};
use tokio::task::spawn_blocking;

use crate::corpus::Corpus;
use crate::fusion::{MIN_POOL, fuse, merge};
use crate::metrics;
use crate::question::{Among, Answer, CandidateQuestion, Question, Total, TotalsQuestion};
use crate::scorer::score;

#[cfg(test)]
mod tests;

/// How often the best are looked for when one of them vanishes before its features are read.
const ROUNDS: u32 = 4;

/// How wide retrieval looks.
#[derive(Debug, Clone, Copy)]
pub struct SearchOptions {
    /// Candidates for the scorer; at least [`MIN_POOL`] are taken.
    pub pool: usize,
    /// Terms of the lexical query, at most.
    pub terms: usize,
}

/// Cuts a text into a query of at most so many terms, by the index's own rules: see
/// [`tandem_ports::MatchIndex::lexical_query`].
pub type CutQuery = fn(&str, usize) -> LexicalQuery;

/// A document that looks for its best counterparts.
#[derive(Debug, Clone)]
pub struct Query {
    /// Whose corpus is searched.
    pub owner: OwnerId,
    /// The side that asks; the other side is ranked.
    pub kind: DocumentKind,
    /// Its ranked text.
    pub ranked_text: String,
    /// What the scorer sees of it; those that are found have vectors of the same model.
    pub features: Arc<Features>,
    /// Who may be found.
    pub among: Among,
    /// Every shard answers as of this position of the change log, or a later one.
    pub at: LogPosition,
    /// How much each category counts.
    pub weights: Weights,
    /// Candidates wanted.
    pub top: usize,
    /// Candidates under this score are left out.
    pub min_score: Score,
}

impl Query {
    /// Vectors of this model are searched: that of the query's own.
    fn model(&self) -> ModelKey {
        self.features.model.key()
    }
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
    corpus: Corpus,
    cut: CutQuery,
    options: SearchOptions,
}

impl Searcher {
    /// Searches this corpus.
    #[must_use]
    pub fn new(corpus: Corpus, cut: CutQuery, options: SearchOptions) -> Self {
        Self { corpus, cut, options }
    }

    /// The best candidates, best first; equal scores in the order of their digests. The result does not depend on the
    /// number of shards, nor on which node holds which.
    ///
    /// Shards answer with totals alone, so that no list of reasons travels for a candidate that is not among the best;
    /// those of the best are made here, by the same scorer from the same features.
    ///
    /// # Errors
    /// When no owner of some shard answers, or when those found vanish again and again before they are read.
    pub async fn rank(&self, query: Query) -> Result<Vec<Ranked>, Failure> {
        let features = self.retrieve(&query).await?;
        let ranking = spawn_blocking(move || {
            let explain = |(document, features): (DocumentId, Arc<Features>)| {
                let score = match query.kind {
                    DocumentKind::Job => score(&query.features, &features, &query.weights),
                    DocumentKind::Resume => score(&features, &query.features, &query.weights),
                };
                Ranked { document, features, score }
            };
            let mut ranked: Vec<Ranked> = features.into_iter().map(explain).collect();
            ranked.sort_by(|a, b| {
                let key = |r: &Ranked| -> (ContentDigest, DocumentId) { (r.features.digest, r.document) };
                b.score.total.cmp(&a.score.total).then_with(|| key(a).cmp(&key(b)))
            });
            ranked
        });
        ranking.await.map_err(|_| internal("scoring panicked"))
    }

    /// The features of the best. Should one of them be removed before its features are read, the next best takes its
    /// place, so all is looked for anew.
    async fn retrieve(&self, query: &Query) -> Result<Vec<(DocumentId, Arc<Features>)>, Failure> {
        for _ in 0..ROUNDS {
            let pool = self.pool(query).await?;
            let best = self.best(query, pool).await?;
            let features = self.features(query, &best).await?;
            if features.len() == best.len() {
                return Ok(features);
            }
        }
        let reason = "documents vanish from the index faster than they are ranked".to_owned();
        Err(Failure { code: ErrorCode::NotReady, reason })
    }

    /// The candidate pool: the fused best of both arms.
    async fn pool(&self, query: &Query) -> Result<Vec<DocumentId>, Failure> {
        let (cut, text, terms) = (self.cut, query.ranked_text.clone(), self.options.terms);
        let words = spawn_blocking(move || cut(&text, terms)).await;
        let words = Arc::new(words.map_err(|_| internal("cutting a query into words panicked"))?);
        let mut corpus = CorpusStatistics::default();
        for answer in
            self.corpus.ask(query.model(), query.at, &Question::Statistics(Arc::clone(&words))).await?
        {
            let Answer::Statistics(part) = answer else { return Err(wrong_answer()) };
            corpus.add(&part);
        }
        let limit = self.options.pool.max(MIN_POOL);
        let question = CandidateQuestion {
            owner: query.owner.clone(),
            kind: match query.kind {
                DocumentKind::Job => DocumentKind::Resume,
                DocumentKind::Resume => DocumentKind::Job,
            },
            among: query.among,
            vector: query.features.document.clone(),
            words,
            corpus,
            limit: u32::try_from(limit).unwrap_or(u32::MAX),
        };
        let (mut dense, mut lexical) = (Vec::new(), Vec::new());
        for answer in
            self.corpus.ask(query.model(), query.at, &Question::Candidates(Arc::new(question))).await?
        {
            let Answer::Candidates { dense: d, lexical: l } = answer else { return Err(wrong_answer()) };
            dense.push(d);
            lexical.push(l);
        }
        Ok(fuse(&merge(dense, limit), &merge(lexical, limit), limit))
    }

    /// The best of the pool by their totals.
    async fn best(&self, query: &Query, pool: Vec<DocumentId>) -> Result<Vec<DocumentId>, Failure> {
        let question = TotalsQuestion {
            owner: query.owner.clone(),
            kind: query.kind,
            features: Arc::clone(&query.features),
            weights: query.weights,
            pool,
        };
        let mut totals: Vec<Total> = Vec::new();
        for answer in self.corpus.ask(query.model(), query.at, &Question::Totals(Arc::new(question))).await? {
            let Answer::Totals(part) = answer else { return Err(wrong_answer()) };
            totals.extend(part);
        }
        metrics::scored(totals.len());
        totals.retain(|total| total.score >= query.min_score);
        totals.sort_by(Total::order);
        totals.truncate(query.top);
        Ok(totals.into_iter().map(|total| total.document).collect())
    }

    /// The features of these; one that was removed meanwhile is left out. Each round brings at least one, so the
    /// rounds end.
    async fn features(
        &self,
        query: &Query,
        best: &[DocumentId],
    ) -> Result<Vec<(DocumentId, Arc<Features>)>, Failure> {
        let mut all: HashMap<DocumentId, Arc<Features>> = HashMap::with_capacity(best.len());
        let mut go_on = !best.is_empty();
        while go_on {
            let documents = best.iter().copied().filter(|id| !all.contains_key(id)).collect();
            let question = Question::Features { owner: query.owner.clone(), documents };
            let before = all.len();
            go_on = false;
            for answer in self.corpus.ask(query.model(), query.at, &question).await? {
                let Answer::Features { found, more } = answer else { return Err(wrong_answer()) };
                all.extend(found);
                go_on |= more;
            }
            go_on &= all.len() > before;
        }
        Ok(all.into_iter().collect())
    }
}

fn wrong_answer() -> Failure {
    internal("a shard answered another question")
}

fn internal(reason: &str) -> Failure {
    Failure { code: ErrorCode::Internal, reason: reason.to_owned() }
}
