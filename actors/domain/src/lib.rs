//! The nouns and rules of matching, without any IO: no clock is read, nothing is random, nothing waits.
//!
//! Read in this order: what is kept (`ids`, `time`, `document`), what is understood (`profile`, `taxonomy`, `finding`),
//! what is compared (`chunk`, `models`, `embedding`, `ranked`, `score`), how work goes on (`task`, `run`), what it may cost
//! (`plan`, `quota`), who asks (`account`), who did what (`audit`), what it follows from
//! (`trace`), how it fails (`error`).

pub mod ids;
pub mod time;

pub mod document;
pub mod finding;
pub mod profile;
pub mod taxonomy;

pub mod points;

pub mod embedding;

pub mod chunk;
pub mod models;
pub mod ranked;
pub mod score;

pub mod run;
pub mod task;

pub mod plan;
pub mod quota;

pub mod account;
pub mod audit;

pub mod trace;

pub mod error;
