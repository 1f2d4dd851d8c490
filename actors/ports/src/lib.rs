//! The traits for everything that lies outside the actors. Adapters under `node/` fulfill them; each trait has a contract
//! suite and an in-memory model in `testsuite` (feature of that name), and every adapter runs the same suite.
//!
//! Three rules hold for all of them. A row of a user's data is reached through its owner (invariant 10): no method asks
//! without one. A write ends as [`Write::Applied`], [`Write::Conflict`] or [`Write::Unknown`] (invariant 6). An error of
//! a write means that it has certainly not happened.

pub mod clock;
pub mod error;

pub mod documents;
pub mod intents;
pub mod runs;
pub mod tasks;

pub mod accounts;
pub mod audit;
pub mod quotas;

pub mod queue;
pub mod trace;

pub mod embedder;
pub mod models;
pub mod vectors;

pub mod index;
pub mod objects;

#[cfg(feature = "testsuite")]
pub mod testsuite;

pub use accounts::AccountStore;
pub use audit::{AuditLog, AuditStore};
pub use clock::Clock;
pub use documents::DocumentStore;
pub use embedder::Embedder;
pub use error::{StoreError, Write};
pub use index::MatchIndex;
pub use intents::IntentStore;
pub use models::ModelStore;
pub use objects::ObjectStore;
pub use queue::WorkQueue;
pub use quotas::QuotaStore;
pub use runs::RunStore;
pub use tasks::TaskStore;
pub use vectors::VectorCache;
