//! Who asks: what credentials are worth.

pub(crate) mod callers;
