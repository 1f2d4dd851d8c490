//! The HTTP edge, and axum's only home: it turns requests into questions to the actors, and their replies into answers.
//!
//! A request passes the door: where it comes from, its id and its trace, its span and metrics, the rule for pages of other
//! origins, the net under panics, the deadline, who its caller is and whether it may use the route; then, on routes of the
//! API only, its caller's rate, admission, the tag of its answer; and the handler. A handler translates, asks the gateway
//! once or twice, and translates back.

pub mod openapi;
pub mod router;
pub mod serve;

mod answer;
mod auth;
mod caller;
mod compression;
mod decode;
mod docs;
mod door;
mod dto;
mod etag;
mod forwarded;
mod headers;
mod json;
mod limits;
mod lines;
mod metrics;
mod problem;
mod query;
mod rates;
mod request_id;
mod rights;
mod routes;
mod stall;
mod trace;
mod unread;
mod upload;

#[cfg(test)]
#[allow(clippy::wildcard_enum_match_arm, reason = "a test's gateway knows the few requests of that test")]
mod tests;

pub use auth::jwks::KeysError;
pub use auth::token::{Claims, Refusal, Tokens};
pub use dto::users::{export_end, export_lines};
pub use router::{EdgeState, app};
pub use serve::{serve, serve_with};
