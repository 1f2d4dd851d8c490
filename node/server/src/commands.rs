//! The commands of the command line, one file each.

pub(crate) mod accounts;
pub(crate) mod audit;
pub(crate) mod bars;
pub(crate) mod certs;
pub(crate) mod config;
pub(crate) mod dead;
pub(crate) mod extract;
pub(crate) mod matching;
pub(crate) mod migrate;
pub(crate) mod quota;
pub(crate) mod reembed;
pub(crate) mod rows;
pub(crate) mod serve;
pub(crate) mod shard;
pub(crate) mod status;
pub(crate) mod users;
