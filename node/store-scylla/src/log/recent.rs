//! The end of the log as this process read it last: the shards of a node read the same entries, once from the store.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tandem_ports::documents::Change;

/// The most entries that are kept: about 1 MB.
const MAX_ENTRIES: usize = 8_192;

/// Entries without gaps. An entry that was read never changes, so what is here needs no second look.
#[derive(Default)]
pub(crate) struct Recent(Mutex<Run>);

#[derive(Default)]
struct Run {
    /// The index of the first.
    first: i64,
    entries: VecDeque<Change>,
}

impl Run {
    fn end(&self) -> i64 {
        self.first + i64::try_from(self.entries.len()).unwrap_or(i64::MAX)
    }
}

impl Recent {
    /// At most `most` entries from an index on; none where nothing is kept.
    pub(super) fn from(&self, index: i64, most: usize) -> Vec<Change> {
        let run = self.run();
        match usize::try_from(index - run.first) {
            Ok(skip) => run.entries.iter().skip(skip).take(most).cloned().collect(),
            Err(_) => Vec::new(),
        }
    }

    /// Whether a group ends right before this index: nothing is kept but whole groups.
    pub(super) fn ends_at(&self, index: i64) -> bool {
        let run = self.run();
        !run.entries.is_empty() && run.end() == index
    }

    /// Keeps entries that were read from an index on, unless they lie before what is kept: a shard that is far behind
    /// must not drive out what the others need.
    pub(super) fn keep(&self, index: i64, entries: &[Change]) {
        let mut run = self.run();
        if run.entries.is_empty() || index > run.end() {
            *run = Run { first: index, entries: entries.iter().cloned().collect() };
        } else if index >= run.first {
            let known = usize::try_from(run.end() - index).unwrap_or(usize::MAX);
            run.entries.extend(entries.iter().skip(known).cloned());
        }
        let surplus = run.entries.len().saturating_sub(MAX_ENTRIES);
        run.entries.drain(..surplus);
        run.first += i64::try_from(surplus).unwrap_or(i64::MAX);
    }

    /// Forgets everything: for tests that empty the tables under a store.
    #[cfg(test)]
    pub(crate) fn clear(&self) {
        *self.run() = Run::default();
    }

    fn run(&self) -> MutexGuard<'_, Run> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
