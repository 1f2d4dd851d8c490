//! Texts of many documents on a few threads.
//!
//! Texts wait in two lines, one for those that somebody waits for. A thread takes a batch from the front of a line:
//! about what it computes in [`BATCH_TIME`], and no more than its share of what waits, so that one document alone uses
//! every thread. Nothing waits for a batch to fill: a thread that has nothing to do takes what there is.

use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::try_join_all;
use tandem_domain::task::Urgency;
use tandem_ports::embedder::EmbedderError;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use tokio::time::Instant;

use crate::metrics;
use crate::{EmbeddingError, Scratch};
use lines::{Lines, Waiting};

mod lines;

#[cfg(test)]
mod tests;

/// How long a batch is meant to take: what is urgent waits about as long for a thread at most.
const BATCH_TIME: Duration = Duration::from_millis(20);
/// Tokens of a batch before it is known how fast a thread is.
const FIRST_TOKENS: usize = 256;
/// Tokens of a batch, at most, however fast a thread is.
const MAX_TOKENS: usize = 16_384;
/// How much of the speed that is counted on is that of the last batch.
const NEWEST: f64 = 0.2;

/// Makes the vectors of texts, given as their tokens, in order, on the thread that calls it.
pub type Compute = dyn Fn(&[Vec<u32>], &mut Scratch) -> Result<Vec<Vec<f32>>, EmbeddingError> + Send + Sync;

/// What a text becomes.
type Answer = Result<Vec<f32>, EmbedderError>;

/// A text that waits.
struct Text {
    tokens: Vec<u32>,
    since: Instant,
    answer: oneshot::Sender<Answer>,
}

impl Waiting for Text {
    fn length(&self) -> usize {
        self.tokens.len()
    }

    fn is_wanted(&self) -> bool {
        !self.answer.is_closed()
    }
}

/// Batches on a fixed number of threads, which live as long as there is something to do. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Batches(Arc<Shared>);

struct Shared {
    compute: Box<Compute>,
    threads: NonZeroUsize,
    state: Mutex<State>,
}

struct State {
    lines: Lines<Text>,
    /// Threads at work.
    working: usize,
    /// Memory of threads that are not.
    idle: Vec<Scratch>,
    /// Tokens that a thread computes in [`BATCH_TIME`].
    pace: f64,
}

impl Batches {
    /// Computes on at most `threads` threads.
    pub(crate) fn new(compute: Box<Compute>, threads: NonZeroUsize) -> Self {
        let (lines, pace) = (Lines::default(), FIRST_TOKENS as f64);
        let state = Mutex::new(State { lines, working: 0, idle: Vec::new(), pace });
        Self(Arc::new(Shared { compute, threads, state }))
    }

    /// The vectors of texts, given as their tokens, in order. Dropping the future takes back what has not begun.
    pub(crate) async fn vectors(
        &self,
        texts: Vec<Vec<u32>>,
        urgency: Urgency,
    ) -> Result<Vec<Vec<f32>>, EmbedderError> {
        let since = Instant::now();
        let (texts, answers): (Vec<_>, Vec<_>) = texts
            .into_iter()
            .map(|tokens| {
                let (answer, receiver) = oneshot::channel();
                (Text { tokens, since, answer }, receiver)
            })
            .unzip();
        let helpers = {
            let mut state = self.0.state();
            let helpers = texts.len().min(self.0.threads.get().saturating_sub(state.working));
            state.lines.extend(urgency, texts);
            state.working += helpers;
            helpers
        };
        for _ in 0..helpers {
            let shared = Arc::clone(&self.0);
            // Its end is told by the texts' answers.
            drop(spawn_blocking(move || shared.work()));
        }
        let answers =
            answers.into_iter().map(async |answer| answer.await.unwrap_or(Err(EmbedderError::Unavailable)));
        try_join_all(answers).await
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes batch after batch until there is none.
    fn work(&self) {
        let mut scratch = self.state().idle.pop().unwrap_or_default();
        loop {
            let (urgency, batch) = {
                let mut state = self.state();
                let most = (state.pace as usize).clamp(1, MAX_TOKENS);
                let Some(next) = state.lines.take(most, self.threads) else {
                    state.working -= 1;
                    state.idle.push(scratch);
                    return;
                };
                next
            };
            if let Some(pace) = self.run(urgency, batch, &mut scratch) {
                let mut state = self.state();
                state.pace += NEWEST * (pace - state.pace);
            }
        }
    }

    /// Computes a batch and answers; gives its pace.
    fn run(&self, urgency: Urgency, batch: Vec<Text>, scratch: &mut Scratch) -> Option<f64> {
        let begun = Instant::now();
        for text in &batch {
            metrics::waited(urgency, begun.saturating_duration_since(text.since));
        }
        let (tokens, answers): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|text| (text.tokens, text.answer)).unzip();
        let vectors =
            catch_unwind(AssertUnwindSafe(|| (self.compute)(&tokens, scratch))).unwrap_or_else(|_| {
                // What it left there may be anything.
                *scratch = Scratch::default();
                Err(EmbeddingError::Panicked)
            });
        let (taken, count) = (begun.elapsed(), tokens.iter().map(Vec::len).sum());
        metrics::batch(urgency, answers.len(), count, taken);
        match vectors {
            Ok(vectors) => {
                for (answer, vector) in answers.into_iter().zip(vectors) {
                    // Whoever asked may have gone meanwhile.
                    drop(answer.send(Ok(vector)));
                }
                let seconds = taken.as_secs_f64();
                (seconds > 0.0)
                    .then(|| (count as f64 * BATCH_TIME.as_secs_f64() / seconds).min(MAX_TOKENS as f64))
            }
            Err(error) => {
                let error = EmbedderError::Failed(error.to_string());
                for answer in answers {
                    drop(answer.send(Err(error.clone())));
                }
                None
            }
        }
    }
}
