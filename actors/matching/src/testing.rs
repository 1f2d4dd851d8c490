//! Shards that stand still, for tests.

use std::sync::Arc;

use tandem_ports::MatchIndex;
use tandem_ports::index::LexicalQuery;
use tandem_ports::testsuite::index::MemoryIndex;
use tandem_ports::testsuite::samples::model;
use tokio::sync::watch;

use crate::hosted::{Hosted, HostedShards};
use crate::open_runs::OpenRuns;

/// Cuts as every [`MemoryIndex`] does.
pub(crate) fn cut(text: &str, most: usize) -> LexicalQuery {
    MemoryIndex::new(&model()).lexical_query(text, most)
}

/// These indexes as the shards from 0 on, each as far as its checkpoint.
pub(crate) fn hosted(indexes: Vec<MemoryIndex>, runs: Arc<OpenRuns>) -> HostedShards {
    let hosted = HostedShards::new(runs);
    for (shard, index) in (0..).zip(indexes) {
        let target = index.checkpoint();
        let (_, seen) = watch::channel(target);
        hosted.insert(shard, Hosted { index: Arc::new(index), seen, target });
    }
    hosted
}
