//! What every [`MatchIndex`] promises.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tandem_domain::document::DocumentKind;
use tandem_domain::embedding::Embedding;
use tandem_domain::ids::{DocumentId, OwnerId};

use super::samples::{self, Seeded};
use crate::documents::LogPosition;
use crate::index::{Filter, Hit, IndexChange, IndexedDocument, MatchIndex};

mod batches;
mod dense;
mod lexical;
mod memory;

#[cfg(test)]
mod tests;

pub use memory::{MemoryIndex, MemoryIndexes};

/// Opens the shard in a folder that may not exist yet, for documents of [`samples::model`].
pub type Open<'a> = &'a dyn Fn(&Path) -> Arc<dyn MatchIndex>;

/// Runs the whole suite. `open` is called with folders that are removed afterwards; a shard is dropped before its
/// folder is opened again.
///
/// # Panics
/// At the first broken promise.
pub fn contract(open: Open<'_>) {
    let home = tempfile::tempdir().unwrap();
    let shards = Shards { open, home: home.path() };
    batches::run(&shards);
    dense::run(&shards);
    lexical::run(&shards);
}

/// Makes shards in folders of their own.
struct Shards<'a> {
    open: Open<'a>,
    home: &'a Path,
}

impl Shards<'_> {
    fn folder(&self, name: &str) -> PathBuf {
        self.home.join(name)
    }

    fn open(&self, name: &str) -> Arc<dyn MatchIndex> {
        (self.open)(&self.folder(name))
    }

    /// A shard of this name that holds `documents` at checkpoint 1.
    fn filled(&self, name: &str, documents: &[IndexedDocument]) -> Arc<dyn MatchIndex> {
        let shard = self.open(name);
        shard.apply(&upserts(documents), LogPosition(1)).unwrap();
        shard
    }
}

fn upserts(documents: &[IndexedDocument]) -> Vec<IndexChange> {
    documents.iter().map(|d| IndexChange::Upsert(Box::new(d.clone()))).collect()
}

fn remove(document: &IndexedDocument) -> IndexChange {
    IndexChange::Remove { owner: document.owner.clone(), id: document.id }
}

fn alice() -> OwnerId {
    samples::owner("alice")
}

fn bob() -> OwnerId {
    samples::owner("bob")
}

fn all_of(owner: OwnerId, kind: DocumentKind) -> Filter {
    Filter { owner, kind, among: None }
}

fn only(owner: OwnerId, kind: DocumentKind, among: impl IntoIterator<Item = DocumentId>) -> Filter {
    Filter { owner, kind, among: Some(Arc::new(among.into_iter().collect::<HashSet<_>>())) }
}

fn passes(filter: &Filter, document: &IndexedDocument) -> bool {
    document.owner == filter.owner
        && document.kind == filter.kind
        && filter.among.as_ref().is_none_or(|among| among.contains(&document.id))
}

/// The order that every dense search must give.
fn brute_force(documents: &[IndexedDocument], vector: &Embedding, filter: &Filter, limit: usize) -> Vec<Hit> {
    let mut hits: Vec<Hit> = documents
        .iter()
        .filter(|document| passes(filter, document))
        .map(|document| Hit {
            score: i64::from(document.features.document.similarity(vector)),
            digest: document.features.digest,
            document: document.id,
        })
        .collect();
    hits.sort_by(Hit::order);
    hits.truncate(limit);
    hits
}

/// Words that no stemmer or stop list knows.
const WORDS: [&str; 10] = ["kubo", "zirn", "falo", "quax", "mirv", "dopu", "welk", "jorb", "tazz", "hupo"];

/// Documents of two owners and both kinds, 3 to 20 words each; every sixth equals its neighbor in text and vector, so
/// that there are ties.
fn corpus(count: u64) -> Vec<IndexedDocument> {
    let mut seeded = Seeded::new(7);
    let mut documents: Vec<IndexedDocument> = Vec::new();
    for number in 0..count {
        let owner = if number / 6 % 3 == 2 { bob() } else { alice() };
        let kind = if number / 6 % 2 == 0 { DocumentKind::Resume } else { DocumentKind::Job };
        let (text, vector) = match documents.last() {
            Some(last) if number % 6 == 5 => (last.ranked_text.clone(), last.features.document.clone()),
            Some(_) | None => (text(&mut seeded), seeded.vector()),
        };
        documents.push(samples::indexed(&owner, number, kind, &text, vector));
    }
    documents
}

fn text(seeded: &mut Seeded) -> String {
    let count = 3 + seeded.below(18);
    // The lower of two draws makes the first words common and the last ones rare.
    let word = |s: &mut Seeded| WORDS[s.below(10).min(s.below(10)) as usize];
    (0..count).map(|_| word(seeded)).collect::<Vec<_>>().join(" ")
}
