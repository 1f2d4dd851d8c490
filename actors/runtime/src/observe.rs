//! What the status page shows of the actors.

use crate::kind::ActorKind;

/// Whether an actor lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ActorState {
    /// It takes messages.
    Running = 0,
    /// It is starting or waits for its next start.
    Restarting = 1,
    /// It ended and stays so.
    Stopped = 2,
}

impl ActorState {
    /// `running`, `restarting` or `stopped`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Restarting => "restarting",
            Self::Stopped => "stopped",
        }
    }

    pub(crate) const fn from_u8(value: u8) -> Self {
        match value {
            0 => Self::Running,
            1 => Self::Restarting,
            _ => Self::Stopped,
        }
    }
}

/// One supervised actor, as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActorReport {
    /// Its kind.
    pub kind: ActorKind,
    /// Its name on this node.
    pub name: String,
    /// Whether it lives.
    pub state: ActorState,
    /// How often it was restarted.
    pub restarts: u32,
    /// Pieces of work it has in hand.
    pub in_hand: usize,
    /// Pieces of work it has ended since its first start.
    pub finished: u64,
}
