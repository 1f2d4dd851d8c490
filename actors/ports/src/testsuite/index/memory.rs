//! The model of a match index: everything in memory, everything by brute force.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tandem_domain::chunk::ModelIdentity;
use tandem_domain::embedding::Embedding;
use tandem_domain::ids::{DocumentId, OwnerId};
use tandem_domain::ranked::Features;

use super::{brute_force, passes};
use crate::documents::LogPosition;
use crate::index::{
    CorpusStatistics, Filter, Hit, IndexChange, IndexError, IndexedDocument, LexicalQuery, MatchIndex,
};

const K1: f64 = 1.2;
const B: f64 = 0.75;

/// Shards by folder: dropping one and opening its folder again finds what it held. Nothing is written to disk.
#[derive(Debug, Default)]
pub struct MemoryIndexes {
    shards: Mutex<HashMap<PathBuf, Arc<MemoryIndex>>>,
}

impl MemoryIndexes {
    /// The shard of `folder` for documents of this model.
    pub fn open(&self, folder: &Path, model: &ModelIdentity) -> Arc<MemoryIndex> {
        let mut shards = self.shards.lock().unwrap_or_else(PoisonError::into_inner);
        shards.entry(folder.to_owned()).or_insert_with(|| Arc::new(MemoryIndex::new(model))).clone()
    }
}

/// One shard.
#[derive(Debug)]
pub struct MemoryIndex {
    model: ModelIdentity,
    state: Mutex<State>,
}

#[derive(Debug, Clone, Default)]
struct State {
    checkpoint: LogPosition,
    documents: BTreeMap<(OwnerId, DocumentId), IndexedDocument>,
}

impl MemoryIndex {
    /// An empty shard for documents of this model.
    #[must_use]
    pub fn new(model: &ModelIdentity) -> Self {
        Self { model: model.clone(), state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check(&self, features: &Features) -> Result<(), IndexError> {
        let vectors = std::iter::once(&features.document).chain(&features.chunks);
        if features.model != self.model {
            return Err(IndexError::Model);
        }
        vectors.into_iter().try_for_each(|vector| self.check_length(vector))
    }

    fn check_length(&self, vector: &Embedding) -> Result<(), IndexError> {
        let fits = vector.coordinates().len() == self.model.dimensions as usize;
        fits.then_some(()).ok_or(IndexError::Model)
    }
}

/// Lower-cased runs of letters and digits with their counts.
fn counts(text: &str) -> BTreeMap<String, u32> {
    let mut counts = BTreeMap::new();
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.for_each(|word| *counts.entry(word.to_lowercase()).or_insert(0) += 1);
    counts
}

impl MatchIndex for MemoryIndex {
    fn checkpoint(&self) -> LogPosition {
        self.state().checkpoint
    }

    fn apply(&self, changes: &[IndexChange], up_to: LogPosition) -> Result<(), IndexError> {
        let mut state = self.state();
        let mut next = state.clone();
        for change in changes {
            match change {
                IndexChange::Upsert(document) => {
                    self.check(&document.features)?;
                    next.documents
                        .insert((document.owner.clone(), document.id), IndexedDocument::clone(document));
                }
                IndexChange::Remove { owner, id } => {
                    next.documents.remove(&(owner.clone(), *id));
                }
            }
        }
        next.checkpoint = up_to;
        *state = next;
        Ok(())
    }

    fn documents(&self) -> u64 {
        self.state().documents.len() as u64
    }

    fn lexical_query(&self, text: &str, most: usize) -> LexicalQuery {
        let mut terms: Vec<(String, u32)> = counts(text).into_iter().collect();
        terms.sort_by_key(|(_, count)| Reverse(*count));
        terms.truncate(most);
        terms.sort();
        LexicalQuery { terms }
    }

    fn statistics(&self, query: &LexicalQuery) -> Result<CorpusStatistics, IndexError> {
        let mut statistics = CorpusStatistics::default();
        for document in self.state().documents.values() {
            let words = counts(&document.ranked_text);
            statistics.documents += 1;
            statistics.words += words.values().map(|count| u64::from(*count)).sum::<u64>();
            for (term, _) in query.terms.iter().filter(|(term, _)| words.contains_key(term)) {
                *statistics.frequencies.entry(term.clone()).or_default() += 1;
            }
        }
        Ok(statistics)
    }

    fn lexical(
        &self,
        query: &LexicalQuery,
        statistics: &CorpusStatistics,
        filter: &Filter,
        limit: usize,
    ) -> Result<Vec<Hit>, IndexError> {
        let state = self.state();
        let mut hits: Vec<Hit> = state
            .documents
            .values()
            .filter(|document| passes(filter, document))
            .filter_map(|document| {
                let score = bm25(&counts(&document.ranked_text), query, statistics)?;
                Some(Hit { score, digest: document.features.digest, document: document.id })
            })
            .collect();
        hits.sort_by(Hit::order);
        hits.truncate(limit);
        Ok(hits)
    }

    fn dense(&self, vector: &Embedding, filter: &Filter, limit: usize) -> Result<Vec<Hit>, IndexError> {
        self.check_length(vector)?;
        let documents: Vec<IndexedDocument> = self.state().documents.values().cloned().collect();
        Ok(brute_force(&documents, vector, filter, limit))
    }

    fn features(
        &self,
        owner: &OwnerId,
        documents: &[DocumentId],
    ) -> Result<Vec<(DocumentId, Arc<Features>)>, IndexError> {
        let state = self.state();
        let find = |id: &DocumentId| {
            let document = state.documents.get(&(owner.clone(), *id))?;
            Some((*id, Arc::new(document.features.clone())))
        };
        Ok(documents.iter().filter_map(find).collect())
    }
}

/// Robertson & Zaragoza 2009, with the inverse document frequency kept positive as Lucene does; in thousandths.
/// `None` when no word matches.
fn bm25(words: &BTreeMap<String, u32>, query: &LexicalQuery, statistics: &CorpusStatistics) -> Option<i64> {
    let length: u32 = words.values().sum();
    let documents = statistics.documents as f64;
    let average = statistics.words as f64 / documents;
    let mut sum = None;
    for (term, asked) in &query.terms {
        let Some(count) = words.get(term) else { continue };
        let frequency = statistics.frequencies.get(term).copied().unwrap_or(0) as f64;
        let rarity = (1.0 + (documents - frequency + 0.5) / (frequency + 0.5)).ln();
        let count = f64::from(*count);
        let saturated = count * (K1 + 1.0) / (count + K1 * (1.0 - B + B * f64::from(length) / average));
        *sum.get_or_insert(0.0) += f64::from(*asked) * rarity * saturated;
    }
    sum.map(|score| (score * 1000.0).round() as i64)
}
