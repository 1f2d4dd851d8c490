//! Sweeps away files that were sent and never completed: at the start and every few minutes.
//!
//! Every node that takes documents in does so; what another has swept already is no harm.

use std::time::Duration;

use tandem_runtime::{
    Actor, ActorKind, ActorProcessingErr, ActorRef, Message, Progress, StartError, SupervisorHandle,
};

use super::Uploads;

/// The longest sweep; the next one goes on where it ended.
const LIMIT: Duration = Duration::from_secs(120);

/// How often is swept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UploadSweeperOptions {
    /// From the end of one sweep to the next.
    pub period: Duration,
}

impl Default for UploadSweeperOptions {
    fn default() -> Self {
        Self { period: Duration::from_secs(300) }
    }
}

/// Starts the sweeper of a node.
#[derive(Debug)]
pub struct UploadSweeper;

impl UploadSweeper {
    /// Starts it under the supervisor, as `uploads`.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start(
        supervisor: &SupervisorHandle,
        options: UploadSweeperOptions,
        uploads: Uploads,
    ) -> Result<(), StartError> {
        let make = move |progress: &Progress| {
            (SweeperActor, Sweeper { options, uploads: uploads.clone(), progress: progress.clone() })
        };
        supervisor.supervise(ActorKind::Ingestion, "uploads", make).await?;
        Ok(())
    }
}

/// What the sweeper is told.
#[derive(Debug)]
struct Sweep;

impl Message for Sweep {}

struct Sweeper {
    options: UploadSweeperOptions,
    uploads: Uploads,
    progress: Progress,
}

struct SweeperActor;

impl Actor for SweeperActor {
    type Msg = Sweep;
    type State = Sweeper;
    type Arguments = Sweeper;

    async fn pre_start(
        &self,
        myself: ActorRef<Sweep>,
        sweeper: Sweeper,
    ) -> Result<Sweeper, ActorProcessingErr> {
        myself.send_message(Sweep)?;
        Ok(sweeper)
    }

    async fn handle(
        &self,
        myself: ActorRef<Sweep>,
        Sweep: Sweep,
        sweeper: &mut Sweeper,
    ) -> Result<(), ActorProcessingErr> {
        let in_hand = sweeper.progress.begin_within(LIMIT * 2);
        match tokio::time::timeout(LIMIT, sweeper.uploads.sweep()).await {
            Ok(Ok(0)) => {}
            Ok(Ok(swept)) => tracing::info!(swept, "swept what was uploaded and not completed"),
            Ok(Err(error)) => {
                tracing::warn!(%error, "what was uploaded and not completed could not be swept")
            }
            Err(_) => tracing::warn!("sweeping what was uploaded and not completed took too long"),
        }
        drop(in_hand);
        myself.send_after(sweeper.options.period, || Sweep);
        Ok(())
    }
}
