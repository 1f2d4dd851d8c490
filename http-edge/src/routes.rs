//! The handlers: each translates a request into questions, and the replies into an answer.

pub(crate) mod documents;
pub(crate) mod matches;
pub(crate) mod runs;

pub(crate) mod health;
