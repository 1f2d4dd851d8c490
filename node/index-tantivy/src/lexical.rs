//! The lexical arm: exact corpus statistics, and BM25 whose sum does not depend on how documents are spread.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use tandem_ports::index::{CorpusStatistics, Filter, Hit, IndexError, LexicalQuery};
use tantivy::postings::{Postings, SegmentPostings};
use tantivy::{DocSet, TERMINATED};

use crate::snapshot::{Best, Part, Snapshot};
use crate::words::cut;

/// Saturation of a word's count.
const K1: f64 = 1.2;
/// How much a document's length counts.
const B: f64 = 0.75;
/// Contributions are summed as integers of this unit, so that their order does not matter.
const UNIT: f64 = 1e9;
/// Units in a thousandth, in which hits are scored.
const UNITS_PER_POINT: i64 = 1_000_000;
/// A row that no word has touched.
const UNTOUCHED: i64 = -1;

/// Cuts a text into a query of at most `most` terms: what every shard's `lexical_query` does.
#[must_use]
pub fn query(text: &str, most: usize) -> LexicalQuery {
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for word in cut(text) {
        let count = counts.entry(word).or_default();
        *count = count.saturating_add(1);
    }
    let mut terms: Vec<(String, u32)> = counts.into_iter().collect();
    // Stable: equal counts stay in the order of their spelling.
    terms.sort_by_key(|(_, count)| Reverse(*count));
    terms.truncate(most);
    terms.sort_unstable();
    LexicalQuery { terms }
}

/// Exact numbers of living documents and words: Tantivy's own count dead ones until they are merged away, which would
/// let a score depend on what was deleted, and on where.
pub(crate) fn statistics(snapshot: &Snapshot, query: &LexicalQuery) -> Result<CorpusStatistics, IndexError> {
    let mut frequencies = BTreeMap::new();
    for (term, _) in &query.terms {
        let mut sum = 0;
        for part in &snapshot.parts {
            if let Some(postings) = part.segment.postings(term)? {
                sum += frequency(part, postings);
            }
        }
        frequencies.insert(term.clone(), sum);
    }
    Ok(CorpusStatistics { documents: snapshot.documents(), words: snapshot.words(), frequencies })
}

fn frequency(part: &Part, mut postings: SegmentPostings) -> u64 {
    if !part.has_dead() {
        return u64::from(postings.doc_freq());
    }
    let mut count = 0;
    let mut row = postings.doc();
    while row != TERMINATED {
        count += u64::from(!part.is_dead(row as usize));
        row = postings.advance();
    }
    count
}

/// The best documents. Word by word, each posting adds to its row: with no positions and no skipping there is nothing
/// a cleverer order could save, and integers make the sum exact.
pub(crate) fn search(
    snapshot: &Snapshot,
    query: &LexicalQuery,
    statistics: &CorpusStatistics,
    filter: &Filter,
    limit: usize,
) -> Result<Vec<Hit>, IndexError> {
    let mut best = Best::new(limit);
    let average = statistics.words.max(1) as f64 / statistics.documents.max(1) as f64;
    for part in &snapshot.parts {
        let Some(tag) = part.tag(filter) else { continue };
        let rows = &part.segment.rows;
        let mut sums = vec![UNTOUCHED; rows.len()];
        for (term, asked) in &query.terms {
            let Some(mut postings) = part.segment.postings(term)? else { continue };
            let weight = f64::from(*asked) * rarity(statistics, term) * (K1 + 1.0);
            let mut row = postings.doc();
            while row != TERMINATED {
                let count = f64::from(postings.term_freq());
                let length = f64::from(rows.words(row as usize));
                let part = weight * count / (count + K1 * (1.0 - B + B * length / average));
                if let Some(sum) = sums.get_mut(row as usize) {
                    *sum = (*sum).max(0).saturating_add((part * UNIT).round() as i64);
                }
                row = postings.advance();
            }
        }
        for (row, sum) in sums.into_iter().enumerate() {
            let points = sum.saturating_add(UNITS_PER_POINT / 2) / UNITS_PER_POINT;
            if sum != UNTOUCHED && points >= best.floor() && part.passes(row, tag, filter) {
                best.offer(part.hit(row, points));
            }
        }
    }
    Ok(best.into_hits())
}

/// The inverse document frequency in the form that is never negative (Lucene's), to nine decimals: so far every
/// machine's logarithm agrees.
fn rarity(statistics: &CorpusStatistics, term: &str) -> f64 {
    let documents = statistics.documents as f64;
    let with = statistics.frequencies.get(term).map_or(0.0, |count| *count as f64).min(documents);
    let rarity = (1.0 + (documents - with + 0.5) / (with + 0.5)).ln();
    (rarity * UNIT).round() / UNIT
}
