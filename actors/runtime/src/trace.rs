//! Spans: pieces of work of a trace, each of which is told of when it ends, however it ends. What is told are names that
//! stand in the code, ids, counts and outcomes: never what the work is about.

use std::sync::Arc;

use tandem_domain::ids::TaskId;
use tandem_domain::trace::{SPANS, SpanId, TraceContext, TraceId};
use tandem_ports::trace;
use tracing::field;

use crate::metrics::Stopwatch;

#[cfg(test)]
mod tests;

/// What a span is to its trace, numbered as in OTLP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpanKind {
    /// A part of what this process does.
    Internal = 1,
    /// The answer to another process.
    Server = 2,
    /// A question to another process.
    Client = 3,
    /// Work that came through the queue.
    Consumer = 5,
}

/// A piece of work that has begun. When it is dropped without having ended, it was given up.
#[derive(Debug)]
pub struct Span(Option<Live>);

#[derive(Debug)]
struct Live {
    own: TraceContext,
    parent: Option<SpanId>,
    name: Arc<str>,
    kind: SpanKind,
    since: Stopwatch,
    notes: Notes,
    /// What came of it, and whether that is a failure.
    end: (&'static str, bool),
}

/// What else is told of a span.
#[derive(Debug, Default)]
struct Notes {
    task: Option<TaskId>,
    attempt: Option<u32>,
    peer: Option<String>,
}

impl Span {
    /// Begins a part of the work at hand; of none, where that belongs to no trace.
    #[must_use]
    pub fn begin(name: impl Into<Arc<str>>, kind: SpanKind) -> Self {
        Self::below(trace::current(), name, kind)
    }

    /// Begins a part of this span. `name` is one of few, and says nothing of anybody's data.
    #[must_use]
    pub fn below(parent: Option<TraceContext>, name: impl Into<Arc<str>>, kind: SpanKind) -> Self {
        Self(parent.map(|parent| Live::new(parent.at(some_id()), Some(parent.span), name.into(), kind)))
    }

    /// Begins the first part of a trace.
    #[must_use]
    pub fn first(trace: TraceId, name: impl Into<Arc<str>>, kind: SpanKind) -> Self {
        let own = TraceContext { trace, span: some_id(), sampled: true };
        Self(Some(Live::new(own, None, name.into(), kind)))
    }

    /// Notes which task it is about, and which attempt at it, from 1.
    #[must_use]
    pub fn of_task(mut self, task: TaskId, attempt: u32) -> Self {
        if let Some(live) = &mut self.0 {
            (live.notes.task, live.notes.attempt) = (Some(task), Some(attempt));
        }
        self
    }

    /// Notes with which node it is done.
    #[must_use]
    pub fn with_peer(mut self, peer: &str) -> Self {
        if let Some(live) = &mut self.0 {
            live.notes.peer = Some(peer.to_owned());
        }
        self
    }

    /// What work on its behalf is a part of.
    #[must_use]
    pub fn trace(&self) -> Option<TraceContext> {
        self.0.as_ref().map(|live| live.own)
    }

    /// Does a piece of its work.
    pub async fn run<F: Future>(&self, work: F) -> F::Output {
        trace::within(self.trace(), work).await
    }

    /// It is over. `outcome` is one of few.
    pub fn end(mut self, outcome: &'static str, failed: bool) {
        if let Some(live) = &mut self.0 {
            live.end = (outcome, failed);
        }
    }
}

/// It tells spans apart and nothing else: somebody may guess it.
fn some_id() -> SpanId {
    SpanId::new(fastrand::u64(..))
}

impl Live {
    fn new(own: TraceContext, parent: Option<SpanId>, name: Arc<str>, kind: SpanKind) -> Self {
        let (since, notes, end) = (Stopwatch::start(), Notes::default(), ("dropped", true));
        Self { own, parent, name, kind, since, notes, end }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let Self { own, parent, name, kind, since, notes, end: (outcome, failed) } = self;
        if !own.sampled {
            return;
        }
        tracing::info!(
            target: SPANS,
            trace = own.trace.get(),
            span = own.span.get(),
            parent = parent.map(SpanId::get),
            name = &**name,
            kind = *kind as u64,
            nanos = u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX),
            failed = *failed,
            outcome = *outcome,
            task = notes.task.map(field::display),
            attempt = notes.attempt,
            peer = notes.peer.as_deref(),
        );
    }
}
