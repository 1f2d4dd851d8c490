//! What can go wrong with the broker, and what to look at then. No message holds a password.

use std::time::Duration;

use lapin::ErrorKind;
use lapin::protocol::{AMQPErrorKind, AMQPHardError, AMQPSoftError};
use tandem_ports::queue::QueueError;

/// Why the broker gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RabbitError {
    /// The options cannot be used; says which and why, without the value where it may hold a password.
    #[error("{0}")]
    Options(String),
    /// A step failed; `host` is `host:port`.
    #[error("RabbitMQ at {host}: {step} failed: {reason}; {check}")]
    Broker {
        /// Where.
        host: String,
        /// What was tried.
        step: &'static str,
        /// What the broker or the network said.
        reason: String,
        /// What to look at.
        check: &'static str,
    },
    /// A step took longer than its limit.
    #[error(
        "RabbitMQ at {host}: {step} took longer than {} s; check that the broker is healthy and can be reached",
        limit.as_secs_f32()
    )]
    Late {
        /// Where.
        host: String,
        /// What was tried.
        step: &'static str,
        /// The limit.
        limit: Duration,
    },
    /// The broker is short of memory or disk and takes no messages for now.
    #[error("RabbitMQ at {host} takes no messages: it is short of memory or disk; check its alarms")]
    Blocked {
        /// Where.
        host: String,
    },
    /// The session ended meanwhile.
    #[error("the session with RabbitMQ ended: {0}")]
    Ended(String),
    /// The queue was closed.
    #[error("the queue is closed")]
    Closed,
}

impl RabbitError {
    pub(crate) fn broker(host: &str, step: &'static str, error: &lapin::Error) -> Self {
        Self::Broker { host: host.to_owned(), step, reason: error.to_string(), check: check(error) }
    }
}

impl From<RabbitError> for QueueError {
    fn from(error: RabbitError) -> Self {
        match error {
            RabbitError::Late { .. } => Self::Timeout,
            RabbitError::Options(_)
            | RabbitError::Broker { .. }
            | RabbitError::Blocked { .. }
            | RabbitError::Ended(_)
            | RabbitError::Closed => Self::Unavailable(error.to_string()),
        }
    }
}

/// A step within its limit.
pub(crate) async fn bounded<T>(
    host: &str,
    step: &'static str,
    limit: Duration,
    work: impl Future<Output = lapin::Result<T>>,
) -> Result<T, RabbitError> {
    match tokio::time::timeout(limit, work).await {
        Ok(done) => done.map_err(|error| RabbitError::broker(host, step, &error)),
        Err(_) => Err(RabbitError::Late { host: host.to_owned(), step, limit }),
    }
}

fn check(error: &lapin::Error) -> &'static str {
    // What TLS finds wrong comes as invalid data.
    if matches!(error.kind(), ErrorKind::IOError(io) if io.kind() == std::io::ErrorKind::InvalidData) {
        return "check the scheme of the URL, and that the broker's certificate is for this host and of a known CA";
    }
    let ErrorKind::ProtocolError(error) = error.kind() else {
        return "check that the broker runs there, and host, port and scheme of the URL";
    };
    match error.kind() {
        AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED) => {
            "check user and password of the URL and the user's permissions"
        }
        AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED) => {
            "check the virtual host of the URL and the user's permissions"
        }
        AMQPErrorKind::Soft(AMQPSoftError::PRECONDITIONFAILED) => {
            "check for queues of the same names that were declared with other arguments"
        }
        AMQPErrorKind::Soft(_) | AMQPErrorKind::Hard(_) => "look into the broker's log",
    }
}
