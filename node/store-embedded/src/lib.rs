//! Store and queue of the single node, on SQLite.
//!
//! One file, one process, one writer thread. Writes wait in a bounded queue; the writer takes all that wait into one
//! transaction and answers after its commit, so that many writers share one `fsync`. Reads run beside it on a few
//! read-only connections.

mod error;
mod options;
mod store;

mod accounts;
mod audit;
mod documents;
mod intents;
mod queue;
mod quotas;
mod runs;
mod tasks;
mod vectors;

mod codec;
mod codes;

mod connection;
mod drift;
mod lock;
mod migrations;
mod models;
mod readers;
mod writer;

#[cfg(test)]
mod crash_tests;
#[cfg(test)]
mod testing;

pub use drift::{Difference, drift};
pub use error::EmbeddedError;
pub use migrations::{MigrationReport, migrate};
pub use options::OpenOptions;
pub use queue::DeadLetter;
pub use store::EmbeddedStore;
