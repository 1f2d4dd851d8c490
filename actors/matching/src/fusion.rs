//! From ranked lists to one candidate pool, in integers and with fixed ties, so that the pool does not depend on who
//! answered first or on how many shards there are.

use std::collections::{HashMap, HashSet};

use tandem_domain::ids::DocumentId;
use tandem_ports::index::Hit;

#[cfg(test)]
mod tests;

/// The smallest pool: the right document has been seen as deep as rank 147 of a single arm.
pub const MIN_POOL: usize = 300;
/// Damps the first ranks (Cormack, Clarke & Büttcher 2009 use 60).
const RANK_OFFSET: u64 = 60;
/// One, in the unit of the reciprocal ranks: fine enough that ranks up to a million stay apart.
const ONE: u64 = 1 << 48;

/// One pool from the two arms, best first: at most `pool` documents, or [`MIN_POOL`] where that is more.
///
/// Reciprocal rank fusion (Cormack, Clarke & Büttcher 2009): a document is worth `Σ 1 / (60 + rank)` over the lists that
/// have it. Both lists come best first, each document once. Ties go by digest, then id.
#[must_use]
pub fn fuse(dense: &[Hit], lexical: &[Hit], pool: usize) -> Vec<DocumentId> {
    let mut worth: HashMap<DocumentId, (u64, &Hit)> = HashMap::with_capacity(dense.len() + lexical.len());
    for list in [dense, lexical] {
        for (hit, rank) in list.iter().zip(1u64..) {
            worth.entry(hit.document).or_insert((0, hit)).0 += ONE / (RANK_OFFSET + rank);
        }
    }
    let mut fused: Vec<(u64, &Hit)> = worth.into_values().collect();
    fused.sort_unstable_by(|(left, a), (right, b)| {
        right.cmp(left).then_with(|| a.digest.cmp(&b.digest)).then_with(|| a.document.cmp(&b.document))
    });
    fused.truncate(pool.max(MIN_POOL));
    fused.into_iter().map(|(_, hit)| hit.document).collect()
}

/// The best `limit` hits of several shards' answers, in [`Hit::order`]. A document that two owners of a shard both
/// report counts once, at its better place.
#[must_use]
pub fn merge(answers: impl IntoIterator<Item = Vec<Hit>>, limit: usize) -> Vec<Hit> {
    let mut hits: Vec<Hit> = answers.into_iter().flatten().collect();
    hits.sort_unstable_by(Hit::order);
    let mut seen = HashSet::with_capacity(hits.len());
    hits.retain(|hit| seen.insert(hit.document));
    hits.truncate(limit);
    hits
}
