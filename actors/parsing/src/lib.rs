//! Bytes to visible text to Profile; foreign bytes are read in a sandboxed child process.

pub mod extract;

pub mod child;

pub mod structure;

pub mod redact;

pub mod stage;

mod metrics;
