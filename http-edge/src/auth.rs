//! Who asks: what credentials are worth.

pub(crate) mod callers;
pub(crate) mod jwks;
mod keys;
pub(crate) mod token;

#[cfg(test)]
mod testing;
