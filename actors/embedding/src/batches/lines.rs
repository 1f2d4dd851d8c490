//! What waits, and what comes next.

use std::collections::VecDeque;
use std::num::NonZeroUsize;

use tandem_domain::task::Urgency;

#[cfg(test)]
mod tests;

/// Batches of urgent texts in a row while others wait; then one of the others, so that they do not wait for ever.
const IN_A_ROW: u32 = 8;

/// Something in a line.
pub(super) trait Waiting {
    /// Its tokens.
    fn length(&self) -> usize;
    /// Whether anybody still waits for it.
    fn is_wanted(&self) -> bool;
}

/// Two lines, each in the order of arrival.
pub(super) struct Lines<T> {
    urgent: VecDeque<T>,
    others: VecDeque<T>,
    /// Batches of urgent texts since the last one of the others.
    row: u32,
}

impl<T> Default for Lines<T> {
    fn default() -> Self {
        Self { urgent: VecDeque::new(), others: VecDeque::new(), row: 0 }
    }
}

impl<T: Waiting> Lines<T> {
    /// Puts texts behind those of the same urgency.
    pub(super) fn extend(&mut self, urgency: Urgency, texts: impl IntoIterator<Item = T>) {
        match urgency {
            Urgency::Interactive => self.urgent.extend(texts),
            Urgency::Bulk => self.others.extend(texts),
        }
    }

    /// How many texts wait.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.urgent.len() + self.others.len()
    }

    /// The next batch, shortest text first: of one urgency, at most `most` tokens and a share of what waits for each of
    /// `threads`, but always one text. None when nothing waits.
    pub(super) fn take(&mut self, most: usize, threads: NonZeroUsize) -> Option<(Urgency, Vec<T>)> {
        self.urgent.retain(T::is_wanted);
        self.others.retain(T::is_wanted);
        let overdue = self.row >= IN_A_ROW && !self.others.is_empty();
        let urgency = if self.urgent.is_empty() || overdue { Urgency::Bulk } else { Urgency::Interactive };
        let (line, row) = match urgency {
            Urgency::Interactive => (&mut self.urgent, self.row + 1),
            Urgency::Bulk => (&mut self.others, 0),
        };
        let waiting: usize = line.iter().map(T::length).sum();
        let most = most.min(waiting.div_ceil(threads.get()));
        let mut tokens = 0;
        let more = |text: &&T| {
            tokens += text.length();
            tokens <= most
        };
        let count = line.iter().take_while(more).count().max(1).min(line.len());
        let mut batch: Vec<T> = line.drain(..count).collect();
        batch.sort_by_key(T::length);
        self.row = if self.others.is_empty() { 0 } else { row };
        (!batch.is_empty()).then_some((urgency, batch))
    }
}
