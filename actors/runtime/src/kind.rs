//! The kinds of actors and how each is restarted: one table, and the decision as a pure state machine.

use std::collections::VecDeque;
use std::time::Duration;

#[cfg(test)]
mod tests;

/// What an actor is for. The kind decides how it is restarted, watched and stopped; it is a metric label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ActorKind {
    /// The supervisor itself: it is never restarted, its end is the node's end.
    Root,
    /// Takes requests from the edge or from other nodes.
    Gateway,
    /// Accepts documents.
    Ingestion,
    /// Takes deliveries from a queue.
    Consumer,
    /// A bounded pool of workers.
    Pool,
    /// Owns an index shard.
    Shard,
    /// Decides which shards the node holds.
    Keeper,
    /// Carries one request over many shards and ends with it.
    Coordinator,
    /// Changes the quota of one owner, and ends when there is nothing to change.
    Quota,
    /// Publishes again what a crash left unpublished.
    Relay,
    /// Looks for actors that do not move.
    Watchdog,
    /// Keeps the connections to other nodes.
    Mesh,
}

/// When an actor is started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restart {
    /// However it ended.
    Always,
    /// When it failed, panicked or was killed; not when it stopped by itself.
    OnFailure,
    /// Never; it is forgotten when it ends.
    Never,
}

/// When an actor is stopped in a shutdown: the earlier phase is down before the later one is touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// What brings work in.
    Intake,
    /// What does the work.
    Work,
    /// What the work leans on.
    Ground,
}

/// How actors of a kind are treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KindSpec {
    /// For names and labels: lower case, no spaces.
    pub name: &'static str,
    /// When it is started again.
    pub restart: Restart,
    /// More restarts than this within `window` are an escalation.
    pub most_restarts: u32,
    /// The span of time in which restarts are counted.
    pub window: Duration,
    /// How long the first restart waits; each further one within the window waits twice as long.
    pub back_off_first: Duration,
    /// The longest wait.
    pub back_off_most: Duration,
    /// Something in hand without progress for longer is stuck, unless its own limit was given.
    pub stuck_after: Duration,
    /// When it is stopped.
    pub phase: Phase,
}

impl ActorKind {
    /// Every kind.
    pub const ALL: [Self; 12] = [
        Self::Root,
        Self::Gateway,
        Self::Ingestion,
        Self::Consumer,
        Self::Pool,
        Self::Shard,
        Self::Keeper,
        Self::Coordinator,
        Self::Quota,
        Self::Relay,
        Self::Watchdog,
        Self::Mesh,
    ];

    /// The table. For kinds that are restarted, the waits of `most_restarts` restarts fit into `window`: an actor that
    /// never comes up again is therefore always escalated.
    #[must_use]
    pub const fn spec(self) -> KindSpec {
        match self {
            Self::Root => KindSpec { name: "root", restart: Restart::Never, ..COMMON },
            Self::Gateway => KindSpec { name: "gateway", phase: Phase::Intake, ..COMMON },
            Self::Ingestion => KindSpec { name: "ingestion", phase: Phase::Intake, ..COMMON },
            Self::Consumer => KindSpec { name: "consumer", phase: Phase::Intake, ..COMMON },
            Self::Pool => KindSpec { name: "pool", phase: Phase::Work, ..COMMON },
            Self::Shard => KindSpec {
                name: "shard",
                // Opening a shard reads files: give a full disk or a slow one time before the node gives up.
                most_restarts: 8,
                window: Duration::from_secs(300),
                back_off_first: Duration::from_millis(500),
                back_off_most: Duration::from_secs(30),
                stuck_after: Duration::from_secs(300),
                ..COMMON
            },
            Self::Keeper => KindSpec {
                name: "keeper",
                // A change of what is held opens and builds shards.
                stuck_after: Duration::from_secs(300),
                phase: Phase::Intake,
                ..COMMON
            },
            Self::Coordinator => {
                KindSpec { name: "coordinator", restart: Restart::Never, phase: Phase::Work, ..COMMON }
            }
            Self::Quota => KindSpec { name: "quota", restart: Restart::Never, ..COMMON },
            Self::Relay => KindSpec { name: "relay", phase: Phase::Intake, ..COMMON },
            Self::Watchdog => KindSpec { name: "watchdog", ..COMMON },
            Self::Mesh => KindSpec { name: "mesh", ..COMMON },
        }
    }

    /// The kind's name, such as `consumer`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.spec().name
    }
}

/// What holds for a kind unless its row says otherwise.
const COMMON: KindSpec = KindSpec {
    name: "",
    restart: Restart::Always,
    most_restarts: 10,
    window: Duration::from_secs(60),
    back_off_first: Duration::from_millis(100),
    back_off_most: Duration::from_secs(5),
    stuck_after: Duration::from_secs(60),
    phase: Phase::Ground,
};

/// How an actor ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It stopped by itself or was asked to.
    Stopped,
    /// It returned an error, panicked, was killed or did not come up.
    Failed,
}

/// What is to happen to an actor that ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Start it again after this long.
    RestartAfter(Duration),
    /// Its end was meant.
    StayDown,
    /// It came down too often: the one above must know.
    GiveUp,
}

/// Counts the restarts of one actor. Time is a duration since any fixed moment and must not go backwards.
#[derive(Debug, Clone)]
pub struct RestartState {
    spec: KindSpec,
    restarts: VecDeque<Duration>,
}

impl RestartState {
    /// Of an actor that was never restarted.
    #[must_use]
    pub const fn new(spec: KindSpec) -> Self {
        Self { spec, restarts: VecDeque::new() }
    }

    /// What is to happen now that the actor has ended. The wait doubles with every restart in the window.
    pub fn decide(&mut self, now: Duration, exit: Exit) -> Decision {
        let again = match (self.spec.restart, exit) {
            (Restart::Always, Exit::Stopped | Exit::Failed) | (Restart::OnFailure, Exit::Failed) => true,
            (Restart::OnFailure, Exit::Stopped) | (Restart::Never, Exit::Stopped | Exit::Failed) => false,
        };
        if !again {
            return Decision::StayDown;
        }
        while self.restarts.front().is_some_and(|at| now.saturating_sub(*at) > self.spec.window) {
            self.restarts.pop_front();
        }
        let earlier = self.restarts.len();
        if earlier >= self.spec.most_restarts as usize {
            return Decision::GiveUp;
        }
        self.restarts.push_back(now);
        Decision::RestartAfter(self.spec.back_off(earlier))
    }
}

impl KindSpec {
    /// The wait after `earlier` restarts within the window: doubling, capped.
    #[must_use]
    pub fn back_off(&self, earlier: usize) -> Duration {
        doubled(self.back_off_first, earlier).min(self.back_off_most)
    }
}

/// `first` doubled `times` times; saturates.
pub(crate) fn doubled(first: Duration, times: usize) -> Duration {
    first.saturating_mul(1u32.checked_shl(u32::try_from(times).unwrap_or(u32::MAX)).unwrap_or(u32::MAX))
}
