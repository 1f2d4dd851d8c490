//! The actor that keeps the node's shards as they should be, and the others informed.

use std::collections::BTreeSet;
use std::time::Duration;

use tandem_matching::ShardHost;
use tandem_runtime::{
    Actor, ActorKind, ActorProcessingErr, ActorRef, Progress, StartError, SupervisorHandle,
};
use tokio::sync::watch;
use tokio::time::Instant;

use super::Cluster;
use super::ownership::Ownership;
use super::state::{NodeState, shard_states};

/// How often the shards are looked at when nobody says that something has changed.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long a node that expects others looks for them before it holds everything alone.
const LOOK_FOR_OTHERS: Duration = Duration::from_secs(3);
/// The longest time one change of what is held may take.
const CHANGE_LIMIT: Duration = Duration::from_secs(120);

/// What the keeper knows from the start.
#[derive(Clone)]
pub(crate) struct KeeperOptions {
    /// What the node says of itself, but for its shards.
    pub(crate) state: NodeState,
    /// How long shards of a node that is gone wait for it.
    pub(crate) hold_down: Duration,
    /// Whether others are expected: then a node that sees nobody yet does not build the whole index at once.
    pub(crate) expects_others: bool,
}

/// A handle of the keeper. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Keeper {
    cluster: Cluster,
    host: ShardHost,
    draining: watch::Sender<bool>,
}

impl Keeper {
    /// Starts the actor `index/keeper`.
    pub(crate) async fn start(
        supervisor: &SupervisorHandle,
        cluster: Cluster,
        host: ShardHost,
        options: KeeperOptions,
    ) -> Result<Self, StartError> {
        let keeper = Self { cluster, host, draining: watch::Sender::new(false) };
        let mine = keeper.clone();
        let make = move |progress: &Progress| {
            let ownership =
                Ownership::new(mine.cluster.me().clone(), options.state.shard_count, options.hold_down);
            let state = Keeping {
                keeper: mine.clone(),
                state: options.state.clone(),
                ownership,
                draining: mine.draining.subscribe(),
                alone_from: Instant::now()
                    + if options.expects_others { LOOK_FOR_OTHERS } else { Duration::ZERO },
                progress: progress.clone(),
            };
            (KeeperActor, state)
        };
        supervisor.supervise(ActorKind::Keeper, "index/keeper", make).await?;
        Ok(keeper)
    }

    /// Moves ownership: tells the others that this node leaves and waits until each of its shards is answered for
    /// elsewhere, at most `limit`. It goes on answering meanwhile. Says whether all have moved.
    pub(crate) async fn hand_over(&self, limit: Duration) -> bool {
        self.draining.send_replace(true);
        let mut changes = self.cluster.changes();
        let handed_over = async {
            while !self.is_answered_elsewhere() {
                // The mesh ends with this node only.
                let _changed = tokio::time::timeout(LOOK_EVERY, changes.changed()).await;
            }
        };
        tokio::time::timeout(limit, handed_over).await.is_ok()
    }

    /// Whether others answer for all that is held here. With nobody left to hold shards there is nothing to wait for.
    fn is_answered_elsewhere(&self) -> bool {
        let mut others = self.cluster.neighbors();
        others.retain(|other| {
            other.name != *self.cluster.me() && !other.state.draining && other.state.holds_shards
        });
        let shards = self.host.hosted().reports();
        let answered = |shard: u16| others.iter().any(|other| other.state.serves(shard));
        others.is_empty() || shards.iter().all(|report| answered(report.shard))
    }
}

struct KeeperActor;

/// The one thing that the actor says to itself.
#[derive(Debug)]
struct Look;

impl tandem_runtime::Message for Look {}

struct Keeping {
    keeper: Keeper,
    state: NodeState,
    ownership: Ownership,
    draining: watch::Receiver<bool>,
    /// Before that, being alone means only that nobody has been met yet.
    alone_from: Instant,
    progress: Progress,
}

impl Actor for KeeperActor {
    type Msg = Look;
    type State = Keeping;
    type Arguments = Keeping;

    async fn pre_start(
        &self,
        myself: ActorRef<Look>,
        keeping: Keeping,
    ) -> Result<Keeping, ActorProcessingErr> {
        myself.send_message(Look)?;
        Ok(keeping)
    }

    /// One look or one rest per message, so that a stop is never far.
    async fn handle(
        &self,
        myself: ActorRef<Look>,
        _: Look,
        keeping: &mut Keeping,
    ) -> Result<(), ActorProcessingErr> {
        let mut changes = keeping.keeper.cluster.changes();
        changes.mark_unchanged();
        keeping.draining.mark_unchanged();
        keeping.look().await;
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            _ = changes.changed() => {}
            _ = keeping.draining.changed() => {}
        }
        myself.send_message(Look)?;
        Ok(())
    }
}

impl Keeping {
    async fn look(&mut self) {
        let _in_hand = self.progress.begin_within(CHANGE_LIMIT);
        self.announce();
        if !self.state.holds_shards {
            return;
        }
        let (neighbors, now) = (self.keeper.cluster.neighbors(), Instant::now());
        if neighbors.len() < 2 && now < self.alone_from {
            return;
        }
        let held: BTreeSet<u16> =
            self.keeper.host.hosted().reports().into_iter().map(|report| report.shard).collect();
        let wanted = self.ownership.wanted(now, &neighbors, &held);
        if wanted == held {
            return;
        }
        tracing::info!(from = held.len(), to = wanted.len(), "the shards of this node change");
        if let Err(failure) = self.keeper.host.hold(&wanted).await {
            tracing::error!(error = %failure, "a shard cannot be held; it is tried again");
        }
        self.announce();
    }

    fn announce(&mut self) {
        self.state.draining = *self.draining.borrow();
        self.state.shards = shard_states(self.keeper.host.hosted());
        self.keeper.cluster.announce(&self.state);
    }
}
