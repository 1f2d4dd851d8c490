//! Talk about the node's own well-being.

use serde::{Deserialize, Serialize};

/// Check the parts that every request needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetHealth;

/// How the node is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// Whether it takes work now: every check passed and it is not draining.
    pub ready: bool,
    /// The single checks.
    pub checks: Vec<HealthCheck>,
}

/// One part that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthCheck {
    /// The part, such as `store`.
    pub name: String,
    /// Whether it answered as it should.
    pub ok: bool,
    /// For people: what is wrong or how much is waiting.
    pub note: String,
}
