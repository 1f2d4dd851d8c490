//! The handlers: each translates a request into questions, and the replies into an answer.

pub(crate) mod accounts;
pub(crate) mod audit;
pub(crate) mod bulk;
pub(crate) mod callbacks;
pub(crate) mod documents;
pub(crate) mod events;
pub(crate) mod matches;
pub(crate) mod removal;
pub(crate) mod runs;
pub(crate) mod uploads;
pub(crate) mod versions;

pub(crate) mod quota;
pub(crate) mod users;

pub(crate) mod health;
pub(crate) mod models;
