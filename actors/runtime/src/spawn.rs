//! The only place that puts a future onto the executor by itself: named, logged when it panics, waited for at the end.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Runs futures beside the actors. Cheap to clone; all clones share one set of tasks.
#[derive(Debug, Clone, Default)]
pub struct Spawner {
    tasks: TaskTracker,
    ended: CancellationToken,
}

impl Spawner {
    /// Runs `future` until it ends or the node does. The caller bounds how many it starts. `name` is for the log.
    pub fn spawn<F>(&self, name: &'static str, future: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let ended = self.ended.clone();
        self.tasks.spawn(async move {
            let watched = AssertUnwindSafe(future).catch_unwind();
            if let Some(Err(_)) = ended.run_until_cancelled(watched).await {
                tracing::error!(task = name, "background task panicked");
            }
        });
    }

    /// How many run.
    #[must_use]
    pub fn running(&self) -> usize {
        self.tasks.len()
    }

    /// Cancels what still runs and waits for it, at most `limit`; says whether all ended.
    pub(crate) async fn end(&self, limit: Duration) -> bool {
        self.ended.cancel();
        self.tasks.close();
        tokio::time::timeout(limit, self.tasks.wait()).await.is_ok()
    }
}
