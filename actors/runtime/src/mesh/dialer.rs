//! Reaches out to seeds and to addresses that peers tell, again and again until there is a peer behind each.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef, Message};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;

use super::hello::{self, Hello, Welcome};
use super::options::server_name;
use super::peers::PeersMessage;
use super::shared::{Refusal, Shared};
use super::stream::MeshStream;
use super::tls;
use super::wire::Identity;
use crate::placement::{NodeName, mix};
use crate::seat::Address;

/// The most attempts at the same time.
const MOST_DIALS: usize = 16;

pub(super) struct Dialer;

/// What the dialer is told.
pub(super) enum DialerMessage {
    /// See who is missing.
    Look,
    /// How an attempt ended.
    Dialed { address: String, result: Result<Reached, String> },
}

impl Message for DialerMessage {}

/// Who answered, and whether it wants the connection.
pub(super) struct Reached {
    who: Identity,
    refusal: Option<Refusal>,
}

/// What the dialer works with; it outlives the actor.
#[derive(Clone)]
pub(super) struct DialerArguments {
    pub(super) shared: Arc<Shared>,
    pub(super) seeds: Arc<[String]>,
    pub(super) connector: TlsConnector,
    pub(super) peers: Address<PeersMessage>,
    pub(super) places: Arc<Semaphore>,
}

/// What is known of an address.
struct Dial {
    /// Who answered there last.
    leads_to: Option<Identity>,
    under_way: bool,
    next: Instant,
    /// Why the last attempt failed, so that it is said once.
    failure: Option<String>,
}

pub(super) struct DialerState {
    with: DialerArguments,
    dials: BTreeMap<String, Dial>,
    attempts: u64,
}

impl Actor for Dialer {
    type Msg = DialerMessage;
    type State = DialerState;
    type Arguments = DialerArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<DialerMessage>,
        with: DialerArguments,
    ) -> Result<DialerState, ActorProcessingErr> {
        myself.send_message(DialerMessage::Look)?;
        Ok(DialerState { with, dials: BTreeMap::new(), attempts: 0 })
    }

    async fn handle(
        &self,
        myself: ActorRef<DialerMessage>,
        message: DialerMessage,
        state: &mut DialerState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            DialerMessage::Look => {
                state.look(&myself, Instant::now());
                myself.send_after(state.with.shared.limits.redial / 4, || DialerMessage::Look);
            }
            DialerMessage::Dialed { address, result } => state.dialed(&address, result),
        }
        Ok(())
    }
}

impl DialerState {
    fn look(&mut self, myself: &ActorRef<DialerMessage>, now: Instant) {
        let shared = Arc::clone(&self.with.shared);
        if shared.is_leaving() {
            return;
        }
        let learned = shared.learned();
        let known = |address: &String| learned.iter().any(|(other, _)| other == address);
        let seeds = Arc::clone(&self.with.seeds);
        self.dials.retain(|address, dial| dial.under_way || seeds.contains(address) || known(address));
        for seed in seeds.iter().filter(|seed| **seed != shared.advertise) {
            self.dials.entry(seed.clone()).or_insert_with(|| Dial::due(now));
        }
        for (address, node) in learned {
            let first = self.first_attempt(&node, now);
            self.dials.entry(address).or_insert_with(|| Dial::due(first));
        }
        let members = shared.members_now();
        let is_there = |address: &str, dial: &Dial| {
            let led = dial.leads_to.as_ref();
            members.iter().any(|member| {
                member.advertise == address
                    || led.is_some_and(|led| led.node == member.node && led.boot == member.boot)
            })
        };
        let mut free = MOST_DIALS - self.dials.values().filter(|dial| dial.under_way).count().min(MOST_DIALS);
        for (address, dial) in &mut self.dials {
            if free == 0 {
                break;
            }
            if dial.under_way || now < dial.next || is_there(address, dial) {
                continue;
            }
            dial.under_way = true;
            free -= 1;
            self.with.spawn(address.clone(), myself.clone());
        }
    }

    /// Of two nodes that learn of each other at the same time the one with the smaller name dials, and the other only
    /// when that did not work: two connections at once cost one of them.
    fn first_attempt(&self, node: &NodeName, now: Instant) -> Instant {
        let shared = &self.with.shared;
        if shared.own.node < *node { now } else { now + shared.limits.redial * 2 }
    }

    fn dialed(&mut self, address: &str, result: Result<Reached, String>) {
        let wait = self.pause();
        let Some(dial) = self.dials.get_mut(address) else { return };
        dial.under_way = false;
        dial.next = Instant::now() + wait;
        let failure = match result {
            Ok(Reached { who, refusal }) => {
                let failure = match refusal {
                    None | Some(Refusal::Myself | Refusal::Member | Refusal::Leaving) => None,
                    Some(Refusal::Older) => {
                        Some(format!("{} knows a younger process of this node", who.node))
                    }
                };
                dial.leads_to = Some(who);
                failure
            }
            Err(error) => Some(error),
        };
        if failure.is_some() && failure != dial.failure {
            tracing::warn!(address, error = failure.as_deref().unwrap_or_default(), "a peer is not reached");
        }
        dial.failure = failure;
    }

    /// The wait before the next attempt, different at each node and each time.
    fn pause(&mut self) -> Duration {
        self.attempts += 1;
        let redial = self.with.shared.limits.redial;
        let (chance, _) = self.with.shared.own.boot.as_u64_pair();
        let most = u64::try_from(redial.as_millis() / 2).unwrap_or(u64::MAX).max(1);
        redial + Duration::from_millis(mix(chance ^ mix(self.attempts)) % most)
    }
}

impl Dial {
    const fn due(next: Instant) -> Self {
        Self { leads_to: None, under_way: false, next, failure: None }
    }
}

impl DialerArguments {
    fn spawn(&self, address: String, dialer: ActorRef<DialerMessage>) {
        let this = self.clone();
        self.shared.spawner.spawn("connection to a peer", async move {
            let dialing = tokio::time::timeout(this.shared.limits.handshake, this.dial(&address));
            let result = match dialing.await {
                Ok(result) => result.map_err(|error| error.to_string()),
                Err(_) => Err("it took too long".to_owned()),
            };
            if dialer.send_message(DialerMessage::Dialed { address, result }).is_err() {
                tracing::trace!("the dialer ended before its attempt");
            }
        });
    }

    async fn dial(&self, address: &str) -> io::Result<Reached> {
        let name = server_name(address).ok_or(io::ErrorKind::InvalidInput)?;
        let tcp = TcpStream::connect(address).await?;
        let socket = tls::tune(&tcp, self.shared.limits.unconfirmed)?;
        let mut io = self.connector.connect(name, tcp).await?;
        hello::say(&mut io, &Hello::V1(self.shared.own.clone())).await?;
        let Welcome::V1 { from: who, refusal } = hello::hear(&mut io).await?;
        if refusal.is_none() && self.shared.admit(&who).is_ok() {
            let place = Arc::clone(&self.places).try_acquire_owned();
            let place = place.map_err(|_| io::Error::other("there are too many connections"))?;
            let stream = Box::new(MeshStream::new(io, who.node.as_str(), socket, place));
            let connected = PeersMessage::Connected { stream, dialed: true };
            self.peers.send(connected).map_err(io::Error::other)?;
        }
        Ok(Reached { who, refusal })
    }
}
