//! Retrieval, the integer scorer, explanations and runs.

pub mod scorer;

pub mod fusion;
