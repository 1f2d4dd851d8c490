//! Store of the cluster, on ScyllaDB or Cassandra.
//!
//! Every value has an owner in its key and lies in a cell that only conditional writes touch, each under an operation id
//! of its own: a lost reply is resolved by reading the cell back at serial consistency. What spans partitions (lists,
//! large values, rows of an item) is written before the cell that makes it count, so that a crash in between leaves
//! nothing but hints that no reader believes.

mod error;
mod options;
mod store;

mod accounts;
mod audit;
mod documents;
mod embedded;
mod intents;
mod models;
mod quotas;
mod runs;
mod tasks;
mod vectors;
mod versions;

mod agreement;
mod log;

mod cells;
mod lists;
mod parts;
mod unique;

mod codec;
mod lwt;
mod metrics;
mod statements;

mod migrations;
mod schema;
mod session;

#[cfg(test)]
mod fault_tests;
#[cfg(test)]
mod testing;

pub use error::ScyllaError;
pub use migrations::{MigrationReport, migrate};
pub use options::{Replication, ScyllaOptions};
pub use schema::{Difference, drift};
pub use store::ScyllaStore;
