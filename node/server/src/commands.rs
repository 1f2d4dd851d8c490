//! The commands of the command line, one file each.

pub(crate) mod config;
pub(crate) mod extract;
pub(crate) mod matching;
pub(crate) mod migrate;
pub(crate) mod serve;
