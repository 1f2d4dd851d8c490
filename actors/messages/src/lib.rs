//! What the edge and other nodes may say to the actors: requests, their replies, and the handle to say them through.
//!
//! Every question has a type that names its reply ([`Ask`]); [`Request`] and [`Reply`] are the same conversations as
//! enums, in the form in which they can travel between nodes.

pub mod accounts;
pub mod audit;
pub mod documents;
pub mod health;
pub mod matches;
pub mod models;
pub mod quota;
pub mod runs;
pub mod status;
pub mod uploads;
pub mod users;

pub mod gateway;

pub use gateway::{Ask, Context, Gateway, GatewayHandle, Reply, Request};
