//! The supervision kit on ractor: every actor of the house is started, watched, restarted and drained through it.
//!
//! Nobody outside sees an `ActorRef`: an actor is reached through its [`Address`], which survives restarts; asked with
//! [`ask`], which always has a deadline; and given work through a [`Pool`] or a [`Stage`], which are bounded.
//! Nothing durable lives in an actor (invariant 2): the kit may kill any of them at any moment.

mod kind;

mod progress;
mod seat;
mod supervisor;

mod ask;
mod pool;

mod drain;
mod filing;
mod relay;
mod stage;

pub mod certs;
pub mod mesh;
pub mod placement;

mod metrics;
mod observe;
mod spawn;
mod trace;
mod watchdog;

#[cfg(test)]
mod test_kit;

pub use ask::{AskError, answer, ask};
pub use drain::{Drain, InHandGuard};
pub use filing::{FileError, Filed, file_task};
pub use kind::{ActorKind, Decision, Exit, KindSpec, Phase, Restart, RestartState};
pub use metrics::Stopwatch;
pub use observe::{ActorReport, ActorState};
pub use pool::{Pool, PoolError, PoolGauges, PoolOptions};
pub use progress::{InHand, Progress};
pub use relay::{Relay, RelayOptions};
pub use seat::{Address, Gone};
pub use spawn::Spawner;
pub use stage::{Stage, StageOptions, StagePorts, StageWork};
pub use supervisor::{
    Escalated, MOST_ACTORS, START_LIMIT, ShutdownReport, StartError, Supervisor, SupervisorHandle,
};
pub use trace::{Span, SpanKind};

/// What a stage needs of ractor to write an actor, so that its version is named in one place.
pub use ractor::{Actor, ActorProcessingErr, ActorRef, Message, RpcReplyPort};
