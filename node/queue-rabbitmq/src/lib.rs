//! The queue of a cluster: the only crate that speaks to RabbitMQ.
//!
//! How it holds under faults: lapin's own recovery is off. A session is two connections, one that publishes and one that
//! consumes; whatever goes wrong on either, or takes longer than its limit, ends the whole session. The supervisor drops
//! everything, waits and builds a new one from the declared topology. What was delivered and not settled comes again, what
//! was not confirmed is an error to its publisher: nothing is lost, and something may come twice.

mod board;
mod dead;
mod error;
mod metrics;
mod options;
mod queue;
mod session;
mod subscription;
mod supervisor;
mod topology;
mod wire;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use dead::DeadLetter;
pub use error::RabbitError;
pub use options::{Limits, RabbitOptions, Shape};
pub use queue::RabbitQueue;
