//! Shards that stand still, for tests.

use std::sync::Arc;
use std::time::Duration;

use tandem_domain::models::Models;
use tandem_ports::index::LexicalQuery;
use tandem_ports::testsuite::index::MemoryIndex;
use tandem_ports::testsuite::samples::{model, model_place};
use tandem_ports::testsuite::{ManualClock, MemoryQueue, MemoryStore};
use tandem_ports::{Clock, MatchIndex};
use tokio::sync::watch;

use crate::filing::Filing;
use crate::hosted::{Hosted, HostedShards};
use crate::open_runs::OpenRuns;

/// Cuts as every [`MemoryIndex`] does.
pub(crate) fn cut(text: &str, most: usize) -> LexicalQuery {
    MemoryIndex::new(&model()).lexical_query(text, most)
}

/// A corpus of the one model of all samples.
pub(crate) fn models() -> watch::Receiver<Arc<Models>> {
    // The last value stays when the sender goes.
    watch::channel(Arc::new(Models::new(model_place()))).1
}

/// Filing into a store and a queue in memory.
pub(crate) fn filing(store: &Arc<MemoryStore>) -> Filing {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(1));
    let queue = Arc::new(MemoryQueue::new(clock.clone(), Duration::from_secs(60)));
    Filing { tasks: store.clone(), queue, clock }
}

/// These indexes as the shards from 0 on, each as far as its checkpoint.
pub(crate) fn hosted(indexes: Vec<MemoryIndex>, runs: Arc<OpenRuns>) -> HostedShards {
    let hosted = HostedShards::new(runs);
    for (shard, index) in (0..).zip(indexes) {
        let target = index.checkpoint();
        let (_, seen) = watch::channel(target);
        hosted.insert((model().key(), shard), Hosted { index: Arc::new(index), seen, target });
    }
    hosted
}
