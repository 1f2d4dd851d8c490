//! Retrieval, the integer scorer, explanations and runs.
//!
//! The scorer and the fusion are pure. The searcher puts questions to the corpus: all shards, each here or on another
//! node. Shards that this node holds follow the change log and answer. The two stages carry out what the handle took in.

pub mod scorer;

pub mod fusion;

mod searcher;

mod corpus;
mod hosted;
mod question;

mod shard;
mod shard_host;

mod allowance;
mod filing;
mod open_runs;
mod work;

mod handle;

mod metrics;

#[cfg(test)]
mod testing;

pub use allowance::{Allowance, Coverage, Refund};
pub use corpus::{Corpus, ShardPeers};
pub use filing::Filing;
pub use handle::{Matching, run_id};
pub use hosted::{HostedShards, ShardReport};
pub use open_runs::OpenRuns;
pub use question::Among;
pub use searcher::{CutQuery, Query, Ranked, SearchOptions, Searcher};
pub use shard_host::{OpenShard, ShardHost, ShardHostOptions, ShardPorts};
pub use work::{InteractiveWork, RunWork};
