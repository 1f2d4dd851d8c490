//! A shard as of one commit. Readers keep theirs as long as they like: nothing in it changes.

use std::sync::Arc;

use tandem_domain::chunk::ModelIdentity;
use tandem_domain::ids::{DocumentId, OwnerId};
use tandem_domain::ranked::Features;
use tandem_ports::documents::LogPosition;
use tandem_ports::index::{Filter, Hit, IndexError};

use crate::manifest::{Entry, Manifest};
use crate::rows::Tag;
use crate::segment::Segment;
use crate::tiers::Fill;

/// A shard as of one commit.
#[derive(Clone)]
pub(crate) struct Snapshot {
    pub(crate) checkpoint: LogPosition,
    pub(crate) parts: Vec<Part>,
}

/// A segment and what is left of it.
#[derive(Clone)]
pub(crate) struct Part {
    pub(crate) segment: Arc<Segment>,
    /// One bit per row; empty when none is dead.
    dead: Arc<Vec<u64>>,
    living: u32,
    words: u64,
}

impl Part {
    pub(crate) fn new(segment: Arc<Segment>, dead: Vec<u64>) -> Self {
        let part = Self { segment, dead: Arc::new(dead), living: 0, words: 0 };
        let (living, words) = (0..part.segment.rows.len())
            .filter(|row| !part.is_dead(*row))
            .fold((0, 0), |(living, words), row| {
                (living + 1, words + u64::from(part.segment.rows.words(row)))
            });
        Self { living, words, ..part }
    }

    pub(crate) fn is_dead(&self, row: usize) -> bool {
        self.dead.get(row / 64).is_some_and(|bits| bits >> (row % 64) & 1 == 1)
    }

    pub(crate) fn has_dead(&self) -> bool {
        !self.dead.is_empty()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.living == 0
    }

    /// Marks a living row dead.
    pub(crate) fn kill(&mut self, row: usize) {
        let dead = Arc::make_mut(&mut self.dead);
        if dead.is_empty() {
            dead.resize(self.segment.rows.len().div_ceil(64), 0);
        }
        if let Some(bits) = dead.get_mut(row / 64) {
            *bits |= 1 << (row % 64);
            self.living -= 1;
            self.words -= u64::from(self.segment.rows.words(row));
        }
    }

    /// The living row of a document.
    pub(crate) fn find(&self, owner: &OwnerId, id: DocumentId) -> Option<usize> {
        let rows = &self.segment.rows;
        rows.find(id).find(|&row| !self.is_dead(row) && rows.owner(row) == Some(owner))
    }

    /// The tag of all that may pass; `None` when nothing here does.
    pub(crate) fn tag(&self, filter: &Filter) -> Option<Tag> {
        self.segment.rows.tag(&filter.owner, filter.kind)
    }

    /// Whether a row is alive and passes a filter whose tag this is.
    pub(crate) fn passes(&self, row: usize, tag: Tag, filter: &Filter) -> bool {
        let among = || filter.among.as_ref().is_none_or(|among| among.contains(&self.segment.rows.id(row)));
        self.segment.rows.is(row, tag) && !self.is_dead(row) && among()
    }

    pub(crate) fn hit(&self, row: usize, score: i64) -> Hit {
        let rows = &self.segment.rows;
        Hit { score, digest: rows.digest(row), document: rows.id(row) }
    }

    pub(crate) fn fill(&self) -> Fill {
        Fill { rows: self.segment.rows.len() as u32, living: self.living }
    }
}

impl Snapshot {
    pub(crate) fn documents(&self) -> u64 {
        self.parts.iter().map(|part| u64::from(part.living)).sum()
    }

    /// Words of all living documents.
    pub(crate) fn words(&self) -> u64 {
        self.parts.iter().map(|part| part.words).sum()
    }

    /// Where a document lies: a part's place and a row. At most one is alive.
    pub(crate) fn find(&self, owner: &OwnerId, id: DocumentId) -> Option<(usize, usize)> {
        self.parts.iter().enumerate().find_map(|(place, part)| Some((place, part.find(owner, id)?)))
    }

    pub(crate) fn features(
        &self,
        owner: &OwnerId,
        documents: &[DocumentId],
    ) -> Result<Vec<(DocumentId, Arc<Features>)>, IndexError> {
        let found = documents.iter().filter_map(|id| Some((*id, self.find(owner, *id)?)));
        found
            .map(|(id, (place, row))| Ok((id, Arc::new(self.parts[place].segment.rows.features(row)?))))
            .collect()
    }

    pub(crate) fn manifest(&self, model: &ModelIdentity) -> Manifest {
        let entry = |part: &Part| Entry { segment: part.segment.identity.clone(), dead: part.dead.to_vec() };
        Manifest {
            model: model.clone(),
            checkpoint: self.checkpoint,
            segments: self.parts.iter().map(entry).collect(),
        }
    }
}

/// The best hits seen, at most so many.
pub(crate) struct Best {
    limit: usize,
    heap: std::collections::BinaryHeap<Worst>,
}

/// The greatest is the worst.
#[derive(PartialEq, Eq)]
struct Worst(Hit);

impl Ord for Worst {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.order(&other.0)
    }
}

impl PartialOrd for Worst {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Best {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, heap: std::collections::BinaryHeap::new() }
    }

    /// Nothing under this score can get in; `i64::MIN` while there is room.
    pub(crate) fn floor(&self) -> i64 {
        if self.heap.len() < self.limit { i64::MIN } else { self.heap.peek().map_or(i64::MAX, |w| w.0.score) }
    }

    pub(crate) fn offer(&mut self, hit: Hit) {
        if self.heap.len() < self.limit {
            self.heap.push(Worst(hit));
        } else if let Some(mut worst) = self.heap.peek_mut()
            && Worst(hit) < *worst
        {
            *worst = Worst(hit);
        }
    }

    pub(crate) fn into_hits(self) -> Vec<Hit> {
        self.heap.into_sorted_vec().into_iter().map(|Worst(hit)| hit).collect()
    }
}
