//! The trace that the work at hand belongs to. It is with a future wherever that is polled, so that what the work hands on
//! through a port (a message, a task) belongs to the same trace without every signature between saying so.

use tandem_domain::trace::TraceContext;
use tokio::task_local;

task_local! {
    static CURRENT: Option<TraceContext>;
}

/// What the work at hand is a part of; `None` = of no trace.
#[must_use]
pub fn current() -> Option<TraceContext> {
    CURRENT.try_with(|current| *current).ok().flatten()
}

/// Runs `work` as a part of a trace. What it spawns is not a part of it.
pub fn within<F: Future>(trace: Option<TraceContext>, work: F) -> impl Future<Output = F::Output> {
    CURRENT.scope(trace, work)
}

#[cfg(test)]
mod tests;
