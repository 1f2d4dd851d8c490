//! Contract suites and in-memory models.
