//! Connecting, and how long each kind of request may take.

use std::sync::Arc;
use std::time::Duration;

use scylla::client::execution_profile::{ExecutionProfile, ExecutionProfileHandle};
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use scylla::policies::load_balancing::DefaultPolicy;
use scylla::policies::retry::FallthroughRetryPolicy;
use scylla::policies::speculative_execution::SimpleSpeculativeExecutionPolicy;
use scylla::statement::{Consistency, SerialConsistency};

use crate::error::ScyllaError;
use crate::options::ScyllaOptions;

/// A read that is not answered by then is asked of another node too.
const SPECULATE_AFTER: Duration = Duration::from_millis(250);
/// The most nodes that a read is asked of besides the first.
const SPECULATIONS: usize = 1;
/// The limit of a statement that changes the schema.
const DDL_TIMEOUT: Duration = Duration::from_secs(60);
/// The limit of a read of many rows at one replica.
const SCAN_TIMEOUT: Duration = Duration::from_secs(30);

/// How requests of each kind are carried out.
pub(crate) struct Profiles {
    /// Idempotent reads.
    pub(crate) read: ExecutionProfileHandle,
    /// Unconditional writes.
    pub(crate) write: ExecutionProfileHandle,
    /// Conditional writes and serial reads: never repeated by the driver, replicas in one order so that rounds collide
    /// less.
    pub(crate) conditional: ExecutionProfileHandle,
    /// Reads of tables of the system.
    pub(crate) scan: ExecutionProfileHandle,
    /// Changes of the schema.
    pub(crate) ddl: ExecutionProfileHandle,
}

impl Profiles {
    pub(crate) fn new(options: &ScyllaOptions) -> Self {
        let quorum = |timeout| {
            ExecutionProfile::builder()
                .consistency(Consistency::LocalQuorum)
                .serial_consistency(Some(SerialConsistency::LocalSerial))
                .request_timeout(Some(timeout))
        };
        let speculation = SimpleSpeculativeExecutionPolicy {
            max_retry_count: SPECULATIONS,
            retry_interval: SPECULATE_AFTER,
        };
        let same_order = DefaultPolicy::builder().enable_shuffling_replicas(false).build();
        Self {
            read: quorum(options.request_timeout)
                .speculative_execution_policy(Some(Arc::new(speculation)))
                .build()
                .into_handle(),
            write: quorum(options.request_timeout).build().into_handle(),
            conditional: quorum(options.conditional_timeout)
                .retry_policy(Arc::new(FallthroughRetryPolicy::new()))
                .load_balancing_policy(same_order)
                .build()
                .into_handle(),
            scan: quorum(SCAN_TIMEOUT).consistency(Consistency::LocalOne).build().into_handle(),
            ddl: quorum(DDL_TIMEOUT).build().into_handle(),
        }
    }
}

/// Does what a cluster may be too busy for at the moment, as often as the options say with a linear back-off. What a schema
/// or an option forbids is not tried again.
pub(crate) async fn tried<T>(
    options: &ScyllaOptions,
    act: impl AsyncFn() -> Result<T, ScyllaError>,
) -> Result<T, ScyllaError> {
    for attempt in 1..options.attempts {
        match act().await {
            Err(error @ ScyllaError::Statement { .. }) => {
                tracing::warn!(attempt, attempts = options.attempts, %error, "the store is not ready yet");
                tokio::time::sleep(options.back_off.saturating_mul(attempt)).await;
            }
            ended => return ended,
        }
    }
    act().await
}

/// Connects, trying as often as the options say with a linear back-off.
pub(crate) async fn connect(options: &ScyllaOptions) -> Result<Session, ScyllaError> {
    options.validate()?;
    let attempts = options.attempts.max(1);
    let mut reason = String::new();
    for attempt in 1..=attempts {
        let builder = SessionBuilder::new()
            .known_nodes(&options.nodes)
            .keyspaces_to_fetch([options.keyspace.as_str()])
            .connection_timeout(options.connect_timeout)
            .hostname_resolution_timeout(Some(options.connect_timeout))
            .schema_agreement_timeout(DDL_TIMEOUT)
            .driver_config_reporting(false);
        match tokio::time::timeout(options.connect_timeout, builder.build()).await {
            Ok(Ok(session)) => return Ok(session),
            Ok(Err(error)) => reason = error.to_string(),
            Err(_) => "nobody answered in time".clone_into(&mut reason),
        }
        tracing::warn!(attempt, attempts, error = %reason, "no connection to the store yet");
        if attempt < attempts {
            tokio::time::sleep(options.back_off.saturating_mul(attempt)).await;
        }
    }
    let nodes = options.nodes.join(", ");
    Err(ScyllaError::Connect { nodes, attempts, timeout: options.connect_timeout, reason })
}
