//! The actor that keeps the node's shards as they should be, and the others informed.

use std::collections::BTreeSet;
use std::time::Duration;

use tandem_matching::{ShardHost, ShardReport};
use tandem_runtime::placement::NodeName;
use tandem_runtime::{
    Actor, ActorKind, ActorProcessingErr, ActorRef, Progress, StartError, SupervisorHandle,
};
use tokio::sync::watch;
use tokio::time::Instant;

use super::Cluster;
use super::ownership::Ownership;
use super::state::{Neighbor, NodeState, shard_states};

/// How often the shards are looked at when nobody says that something has changed.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long a node that expects others looks for them before it holds everything alone.
const LOOK_FOR_OTHERS: Duration = Duration::from_secs(3);
/// How long the same nodes must have been there before the first shards are opened: of nodes that start together, the
/// first to be ready would otherwise open all of them.
const SETTLED: Duration = Duration::from_secs(1);
/// The shortest time from one look to the next, however much the others have to say.
const SHORTEST_REST: Duration = Duration::from_millis(50);
/// The longest time that opening some shards may take.
const CHANGE_LIMIT: Duration = Duration::from_secs(120);
/// Shards opened at the same time.
const OPENED_AT_ONCE: usize = 4;

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
                there: Vec::new(),
                settled_at: Instant::now(),
                announced: None,
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
        let mut others = self.cluster.neighbors().to_vec();
        others.retain(|other| {
            other.name != *self.cluster.me() && !other.state.draining && other.state.holds_shards
        });
        let mut shards = self.host.hosted().reports();
        shards.retain(|report| report.model == self.host.serving());
        let answered =
            |report: &ShardReport| others.iter().any(|other| other.state.serves(report.model, report.shard));
        others.is_empty() || shards.iter().all(answered)
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
    /// The nodes that were there at the last look.
    there: Vec<NodeName>,
    /// When they will have been there for long enough.
    settled_at: Instant,
    /// What the others were told last, and when.
    announced: Option<(NodeState, Instant)>,
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
        tokio::time::sleep(SHORTEST_REST).await;
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
        let in_hand = self.progress.begin_within(CHANGE_LIMIT);
        self.announce();
        if !self.state.holds_shards {
            return;
        }
        let (neighbors, now) = (self.keeper.cluster.neighbors(), Instant::now());
        let mut held: BTreeSet<u16> =
            self.keeper.host.hosted().reports().into_iter().map(|report| report.shard).collect();
        if held.is_empty() && !self.has_settled(&neighbors, now) {
            return;
        }
        let wanted = self.ownership.wanted(now, self.keeper.host.serving(), &neighbors, &held);
        if wanted == held {
            return;
        }
        tracing::info!(from = held.len(), to = wanted.len(), "the shards of this node change");
        let missing: Vec<u16> = wanted.difference(&held).copied().collect();
        held.retain(|shard| wanted.contains(shard));
        // In steps, so that the others hear of each part as soon as it answers. The first step also lets go.
        let steps = missing.chunks(OPENED_AT_ONCE).map(Some).chain(missing.is_empty().then_some(None));
        for step in steps {
            held.extend(step.unwrap_or_default());
            if let Err(failure) = self.keeper.host.hold(&held).await {
                tracing::error!(error = %failure, "a shard cannot be held; it is tried again");
            }
            in_hand.touch();
            self.announce();
        }
    }

    /// Whether it is clear who else is there.
    fn has_settled(&mut self, neighbors: &[Neighbor], now: Instant) -> bool {
        let there: Vec<NodeName> = neighbors.iter().map(|neighbor| neighbor.name.clone()).collect();
        let others_expected = now < self.alone_from;
        if there != self.there {
            self.settled_at = now + SETTLED;
            self.there = there;
        }
        if neighbors.len() < 2 { !others_expected } else { now >= self.settled_at }
    }

    /// Tells the others how this node stands: at once what decides whom they ask, and how far its shards have come with
    /// the next look that nobody asked for. Each of the others looks at its own shards when it hears something.
    fn announce(&mut self) {
        self.state.draining = *self.draining.borrow();
        self.state.shards = shard_states(self.keeper.host.hosted());
        let now = Instant::now();
        let is_due = self.announced.as_ref().is_none_or(|(told, at)| {
            *told != self.state && (now.duration_since(*at) >= LOOK_EVERY || told.weighs_other(&self.state))
        });
        if is_due {
            self.keeper.cluster.announce(&self.state);
            self.announced = Some((self.state.clone(), now));
        }
    }
}
