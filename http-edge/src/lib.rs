//! The HTTP edge, and axum's only home: it turns requests into questions to the actors, and their replies into answers.
//!
//! A request passes, in this order: its id and span, the metrics, the net under panics, the deadline, admission (API
//! routes only), the handler. A handler translates, asks the gateway once or twice, and translates back.

pub mod openapi;
pub mod router;
pub mod serve;

mod answer;
mod caller;
mod decode;
mod dto;
mod etag;
mod headers;
mod json;
mod limits;
mod lines;
mod metrics;
mod problem;
mod query;
mod rates;
mod request_id;
mod routes;
mod stall;
mod upload;

#[cfg(test)]
#[allow(clippy::wildcard_enum_match_arm, reason = "a test's gateway knows the few requests of that test")]
mod tests;

pub use router::{EdgeState, app};
pub use serve::serve;
