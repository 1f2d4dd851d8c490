//! Retrieval, the integer scorer, explanations and runs.
//!
//! The scorer and the fusion are pure; the searcher asks every shard and merges; the shard writer follows the change
//! log; the two stages carry out what the handle took in.

pub mod scorer;

pub mod fusion;

mod searcher;

mod shard;

mod work;

mod handle;

mod metrics;

pub use handle::Matching;
pub use searcher::{Query, Ranked, SearchOptions, Searcher};
pub use shard::{CaughtUp, ShardOptions, ShardWriter};
pub use work::{ItemFiling, PairWork, RunWork};
