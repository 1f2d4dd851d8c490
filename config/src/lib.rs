//! The typed, validated configuration. `default.toml` is compiled in and is its documentation; a file goes over it and
//! environment variables go over both. It is resolved once, before any port is bound.

#[macro_use]
mod section;

mod layers;
mod node_config;

mod auth;
mod cluster;
mod embedding;
mod limits;
mod quota;
mod telemetry;
mod uploads;

pub use auth::{Auth, Jwt};
pub use cluster::{
    Mesh, Objects, ObjectsEngine, QueueEngine, RabbitMq, S3, Scylla, Secret, Store, StoreEngine,
};
pub use embedding::{EmbeddingConfig, EmbeddingDevice, EmbeddingEngine, EmbeddingPrecision};
pub use layers::{ConfigError, ENV_PREFIX, ENV_SEPARATOR, Source};
pub use limits::{Limits, Rate};
pub use node_config::{
    Documents, Edge, Index, Log, LogFormat, Matching, Node, NodeConfig, Parsing, Queue, Role, Shutdown,
    per_processor,
};
pub use quota::{PlanLimits, Plans, Quota};
pub use telemetry::{Otlp, Telemetry};
pub use uploads::Uploads;

/// The defaults with their comments, as they were compiled in.
pub const DEFAULT_TOML: &str = include_str!("../default.toml");

#[cfg(test)]
mod tests;
