//! Looks for actors that have something in hand and do not move, and ends them so that they are restarted.

use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef, Message};
use tokio::time::Instant;

use crate::kind::ActorKind;
use crate::metrics;
use crate::supervisor::{Seats, StartError, SupervisorHandle};

#[cfg(test)]
mod tests;

/// How often it looks.
pub(crate) const PERIOD: Duration = Duration::from_secs(5);

/// Starts the watchdog of a node.
pub(crate) async fn start(supervisor: &SupervisorHandle) -> Result<(), StartError> {
    let seats = supervisor.seats().clone();
    supervisor.supervise(ActorKind::Watchdog, "watchdog", move |_| (Watchdog, seats.clone())).await?;
    Ok(())
}

struct Watchdog;

/// What the watchdog is told.
enum WatchdogMessage {
    /// Look now.
    Look,
}

impl Message for WatchdogMessage {}

impl Actor for Watchdog {
    type Msg = WatchdogMessage;
    type State = Seats;
    type Arguments = Seats;

    async fn pre_start(
        &self,
        myself: ActorRef<Self::Msg>,
        seats: Seats,
    ) -> Result<Seats, ActorProcessingErr> {
        myself.send_after(PERIOD, || WatchdogMessage::Look);
        Ok(seats)
    }

    async fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        message: Self::Msg,
        seats: &mut Seats,
    ) -> Result<(), ActorProcessingErr> {
        let WatchdogMessage::Look = message;
        let now = Instant::now();
        for seat in seats.all() {
            let (Some(overdue), Some(cell)) = (seat.progress.overdue(now), seat.cell()) else { continue };
            tracing::error!(actor = %seat.full_name, ?overdue, "actor does not move and is ended");
            metrics::stuck(seat.kind);
            cell.kill();
        }
        myself.send_after(PERIOD, || WatchdogMessage::Look);
        Ok(())
    }
}
