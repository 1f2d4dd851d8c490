//! Conservation: whatever was acknowledged is an obligation, and must be found exactly once.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::client::{Client, Kind, Row, text};

/// Documents that a node has acknowledged.
#[derive(Debug, Default)]
pub struct Oracle {
    acknowledged: BTreeMap<Kind, BTreeSet<String>>,
}

impl Oracle {
    /// Takes down an acknowledged document.
    ///
    /// # Panics
    /// When the answer names no document.
    pub fn acknowledge(&mut self, kind: Kind, submitted: &Value) {
        self.acknowledged.entry(kind).or_default().insert(text(submitted, "id"));
    }

    /// The documents of a kind that are owed.
    pub fn owed(&self, kind: Kind) -> impl Iterator<Item = &String> {
        self.acknowledged.get(&kind).into_iter().flatten()
    }

    /// How many are owed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.acknowledged.values().map(BTreeSet::len).sum()
    }

    /// Whether nothing is owed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Waits until everything that is owed is complete, and looks that it is listed exactly once, that no content is
    /// there twice, and that whatever else is listed is complete as well.
    ///
    /// # Panics
    /// When something is lost, double, failed or takes too long.
    pub fn expect_conserved(&self, client: &Client) {
        for kind in [Kind::Job, Kind::Resume] {
            client.expect_complete(kind, self.owed(kind));
            let listed = client.all(kind);
            let mut ids: BTreeMap<String, usize> = BTreeMap::new();
            let mut contents: BTreeMap<String, usize> = BTreeMap::new();
            for document in &listed {
                *ids.entry(text(document, "id")).or_default() += 1;
                *contents.entry(text(document, "sha256")).or_default() += 1;
            }
            let lost: Vec<&String> = self.owed(kind).filter(|id| !ids.contains_key(*id)).collect();
            assert!(lost.is_empty(), "{kind:?}: acknowledged and lost: {lost:?}");
            let double: Vec<_> = ids.iter().chain(&contents).filter(|(_, times)| **times > 1).collect();
            assert!(double.is_empty(), "{kind:?}: there more than once: {double:?}");
            client.expect_complete(kind, ids.keys());
        }
    }
}

/// Looks that each query's rows are ranked 1, 2, 3 … by falling score and name every candidate once.
///
/// # Panics
/// When they do not.
pub fn expect_each_row_once(rows: &[Row]) {
    let mut items: BTreeMap<i64, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        items.entry(row.item).or_default().push(row);
    }
    for (item, rows) in items {
        let ranks: Vec<i64> = rows.iter().map(|row| row.rank).collect();
        let expected: Vec<i64> = (1..).take(ranks.len()).collect();
        assert_eq!(ranks, expected, "the ranks of item {item}");
        assert!(rows.is_sorted_by(|a, b| a.score >= b.score), "item {item} is not in order of score");
        let candidates: BTreeSet<&String> = rows.iter().map(|row| &row.candidate).collect();
        assert_eq!(candidates.len(), rows.len(), "item {item} names a candidate twice");
    }
}
