//! Questions to actors. There is no question without a deadline (invariant 4).

use std::pin::pin;
use std::time::Duration;

use ractor::rpc::{CallResult, call};
use ractor::{ActorStatus, Message, MessagingErr, RpcReplyPort};
use tandem_domain::document::Failure;
use tandem_domain::error::ErrorCode;
use tokio::time::timeout;

use crate::metrics;
use crate::seat::Address;

#[cfg(test)]
mod tests;

/// How often an asker looks whether the actor still lives.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Why a question got no answer. Whether it had its effect is not known for `Timeout` and `Gone`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// The deadline passed.
    #[error("the actor did not answer in time")]
    Timeout,
    /// The actor is down or died before it answered.
    #[error("the actor is not running")]
    Gone,
    /// Too many questions wait for this actor already.
    #[error("too many requests wait for this actor")]
    Overloaded,
}

impl AskError {
    /// The code for programs.
    #[must_use]
    pub const fn code(self) -> ErrorCode {
        match self {
            Self::Timeout => ErrorCode::Timeout,
            Self::Gone => ErrorCode::Unavailable,
            Self::Overloaded => ErrorCode::Overloaded,
        }
    }
}

impl From<AskError> for Failure {
    fn from(error: AskError) -> Self {
        Self { code: error.code(), reason: error.to_string() }
    }
}

/// Asks an actor and waits for its answer, at most `deadline`. At most 1,024 questions wait for one actor at a time.
/// After the deadline the actor may still act on the message: handlers skip it with [`answer`].
///
/// # Errors
/// See [`AskError`].
pub async fn ask<M, T>(
    address: &Address<M>,
    deadline: Duration,
    message: impl FnOnce(RpcReplyPort<T>) -> M + Send,
) -> Result<T, AskError>
where
    M: Message,
    T: Send + 'static,
{
    let answer = ask_uncounted(address, deadline, message).await;
    let outcome = match answer {
        Ok(_) => metrics::ANSWERED,
        Err(AskError::Timeout) => metrics::TIMEOUT,
        Err(AskError::Gone) => metrics::GONE,
        Err(AskError::Overloaded) => metrics::OVERLOADED,
    };
    metrics::asked(address.kind(), outcome);
    answer
}

async fn ask_uncounted<M, T>(
    address: &Address<M>,
    deadline: Duration,
    message: impl FnOnce(RpcReplyPort<T>) -> M + Send,
) -> Result<T, AskError>
where
    M: Message,
    T: Send + 'static,
{
    let _place = address.seat.asks.try_acquire().map_err(|_| AskError::Overloaded)?;
    let cell = address.seat.cell().ok_or(AskError::Gone)?;
    let mut asked = pin!(call(&cell, message, Some(deadline)));
    // A message that is sent in the instant in which its actor dies can stay in the closed mailbox, and its reply port
    // with it: nobody would ever drop it while the asker holds the mailbox's other end.
    let result: Result<CallResult<T>, MessagingErr<M>> = loop {
        let dead = cell.get_status() == ActorStatus::Stopped;
        match timeout(if dead { Duration::ZERO } else { LOOK_EVERY }, asked.as_mut()).await {
            Ok(result) => break result,
            Err(_) if dead => return Err(AskError::Gone),
            Err(_) => {}
        }
    };
    match result {
        Ok(CallResult::Success(value)) => Ok(value),
        Ok(CallResult::Timeout) => Err(AskError::Timeout),
        Ok(CallResult::SenderError) | Err(_) => Err(AskError::Gone),
    }
}

/// For handlers: works out the answer and sends it; does not begin when nobody waits for it any more. Returns whether
/// somebody got it.
pub async fn answer<T: Send>(reply: RpcReplyPort<T>, work: impl Future<Output = T> + Send) -> bool {
    if reply.is_closed() {
        return false;
    }
    reply.send(work.await).is_ok()
}
