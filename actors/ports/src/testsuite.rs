//! Contract suites and in-memory models.
//!
//! A suite is a plain function that takes what makes the thing under test and panics at the first broken promise. The
//! models here pass them, and every adapter runs the same ones in its own tests. Each sentence of a trait's
//! documentation has its test; a new sentence needs a new one.
#![allow(clippy::unwrap_used, reason = "a suite is a test: the first broken promise ends it")]

pub mod samples;

pub mod clock;

pub mod documents;
pub mod intents;
pub mod models;
pub mod runs;
pub mod tasks;
pub mod vectors;

pub mod accounts;
pub mod audit;
pub mod quotas;

pub mod queue;

pub mod index;
pub mod objects;

mod memory;

pub use clock::ManualClock;
pub use index::{MemoryIndex, MemoryIndexes};
pub use memory::MemoryStore;
pub use objects::MemoryObjects;
pub use queue::MemoryQueue;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A model's state; a panic elsewhere leaves it usable, so that one broken promise does not hide behind another.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
