//! The harness of the integration tests: it runs real `tandem` processes in sandboxes and judges what they leave behind.
//!
//! Everything here fails by panicking, with what a person needs to go on: the node's last words, the seed, the answer.

pub mod poll;
pub mod seed;

pub mod paths;
pub mod sample;

pub mod process;
pub mod slots;

pub mod cli;
pub mod sandbox;

pub mod cluster;
pub mod services;

pub mod client;
pub mod collector;
pub mod oracle;
pub mod tokens;
