//! The one integration binary: it looks at the house itself, and at real nodes from the outside.
//!
//! A test that checks an invariant of the architecture has the invariant's number in its name.

#![allow(clippy::unwrap_used, reason = "tests may")]

mod contracts;
mod harness;
mod tidy;

mod node;
mod sample;
mod score;

mod accounts;
mod audit;
mod blind;
mod secrets;

mod cancel;
mod cluster;
mod contract;
mod crash;
mod drain;
mod edge;
mod erasure;
mod hostile;
mod quota;
mod reembed;
mod traces;
