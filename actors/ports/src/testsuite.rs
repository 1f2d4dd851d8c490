//! Contract suites and in-memory models.
//!
//! A suite is a plain function that takes what makes the thing under test and panics at the first broken promise. The
//! models here pass them, and every adapter runs the same ones in its own tests. Each sentence of a trait's
//! documentation has its test; a new sentence needs a new one.
#![allow(clippy::unwrap_used, reason = "a suite is a test: the first broken promise ends it")]

pub mod samples;

pub mod index;

pub use index::MemoryIndexes;
