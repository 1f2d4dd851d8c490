//! What a node of the mesh is told at its start.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::MeshError;
use crate::placement::NodeName;

/// The fewest bytes of a cookie.
pub const MIN_COOKIE: usize = 32;
/// The most seeds.
pub const MAX_SEEDS: usize = 64;
/// The most bytes of an address: a host of 253 bytes, a colon and a port.
pub(super) const MAX_ADDRESS: usize = 259;

/// Room for what stands before a request or a state: names, addresses and ractor's own fields.
const HEAD: usize = 64 * 1024;

/// How a node takes part in the mesh.
#[derive(Debug, Clone)]
pub struct MeshOptions {
    /// The node's stable name. Names of actors begin with the supervisor's name, so both are best the same.
    pub node: NodeName,
    /// A new UUIDv7 at every start of the process. Of two processes of one name, the greater one is the younger and stays.
    pub boot: Uuid,
    /// Where the node listens.
    pub listen: SocketAddr,
    /// Where the others reach it, as `host:port`. Its certificate names the host.
    pub advertise: String,
    /// Where the node looks for others, as `host:port`, at most [`MAX_SEEDS`]; its own address may be among them.
    pub seeds: Vec<String>,
    /// Who it is and whom it trusts.
    pub tls: MeshTls,
    /// What all nodes of a cluster share.
    pub cookie: Cookie,
    /// The bounds. All nodes of a cluster should have the same.
    pub limits: MeshLimits,
}

/// PEM files for mutual TLS 1.3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeshTls {
    /// The certificates of the authorities that signed the nodes' certificates; no others are trusted.
    pub ca: PathBuf,
    /// The node's certificate, and those between it and the authority.
    pub cert: PathBuf,
    /// The key of that certificate.
    pub key: PathBuf,
}

/// The cluster's shared secret: at least [`MIN_COOKIE`] bytes. It is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Cookie(String);

impl Cookie {
    /// Takes a secret.
    ///
    /// # Errors
    /// [`MeshError::BadCookie`] when it is too short.
    pub fn new(secret: impl Into<String>) -> Result<Self, MeshError> {
        let secret = secret.into();
        if secret.len() < MIN_COOKIE { Err(MeshError::BadCookie) } else { Ok(Self(secret)) }
    }

    /// Reads it from a file; white space around it does not count.
    ///
    /// # Errors
    /// [`MeshError::File`] when the file cannot be read, [`MeshError::BadCookie`] when what it holds is too short.
    pub fn read(path: &Path) -> Result<Self, MeshError> {
        let text = std::fs::read_to_string(path).map_err(|error| MeshError::file(path, &error))?;
        Self::new(text.trim())
    }

    pub(super) fn secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Cookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cookie(..)")
    }
}

/// Every bound of the mesh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MeshLimits {
    /// The most peers.
    pub peers: usize,
    /// The most connections after their handshake.
    pub connections: usize,
    /// The most connections in their handshake; one more ends the oldest.
    pub handshakes: usize,
    /// The longest handshake, and how long a session may have no peer behind it.
    pub handshake: Duration,
    /// How long sent bytes may stay unconfirmed before TCP gives the connection up.
    pub unconfirmed: Duration,
    /// From one heartbeat to the next.
    pub heartbeat: Duration,
    /// A peer that misses so many heartbeats in a row is gone.
    pub misses: u32,
    /// From one attempt to reach an address to the next; up to a half of it is added by chance.
    pub redial: Duration,
    /// The most bytes of a request and of an answer.
    pub body: usize,
    /// The most bytes of a node's state.
    pub state: usize,
    /// The most asks to one peer that may be without an answer, also those whose deadline has passed.
    pub asks: usize,
    /// The most bytes of their requests taken together.
    pub bytes: usize,
    /// The most requests of all peers together that are being answered.
    pub serving: usize,
    /// The longest deadline; a longer one is cut.
    pub deadline: Duration,
}

impl Default for MeshLimits {
    fn default() -> Self {
        Self {
            peers: 64,
            connections: 128,
            handshakes: 64,
            handshake: Duration::from_secs(5),
            unconfirmed: Duration::from_secs(5),
            heartbeat: Duration::from_millis(500),
            misses: 3,
            redial: Duration::from_millis(500),
            body: 2 * 1024 * 1024,
            state: 64 * 1024,
            asks: 256,
            bytes: 16 * 1024 * 1024,
            serving: 512,
            deadline: Duration::from_secs(60),
        }
    }
}

impl MeshLimits {
    /// A peer is gone when nothing was heard of it for longer.
    pub(super) fn silence(&self) -> Duration {
        self.heartbeat * self.misses
    }

    /// Whether one can work with them.
    fn are_sound(&self) -> bool {
        let times = [self.handshake, self.unconfirmed, self.heartbeat, self.redial, self.deadline];
        let counts = [self.peers, self.connections, self.handshakes, self.asks, self.serving];
        let semaphores = [self.connections, self.asks, self.bytes, self.serving];
        self.misses > 0
            && times.iter().all(|time| !time.is_zero())
            && counts.iter().all(|count| *count > 0)
            && semaphores.iter().all(|count| *count <= Semaphore::MAX_PERMITS)
            && self.body.max(self.state).saturating_add(HEAD) <= self.bytes.min(u32::MAX as usize)
    }

    /// The most bytes of a frame on the wire; ractor ends a session that sends a larger one.
    pub(super) const fn frame(&self) -> u64 {
        let largest = if self.body > self.state { self.body } else { self.state };
        (largest + HEAD) as u64
    }
}

impl MeshOptions {
    pub(super) fn check(&self) -> Result<(), MeshError> {
        if let Some(bad) = [&self.advertise].into_iter().chain(&self.seeds).find(|text| !is_address(text)) {
            return Err(MeshError::BadAddress(bad.clone()));
        }
        if self.seeds.len() > MAX_SEEDS {
            return Err(MeshError::TooManySeeds);
        }
        if self.limits.are_sound() { Ok(()) } else { Err(MeshError::BadLimits) }
    }
}

/// Whether this is `host:port`, with a host that a certificate can name and a port.
pub(super) fn is_address(text: &str) -> bool {
    let port = |text: &str| text.parse::<u16>().is_ok_and(|port| port > 0);
    text.len() <= MAX_ADDRESS
        && text.rsplit_once(':').is_some_and(|(_, number)| port(number))
        && server_name(text).is_some()
}

/// The host of `host:port`, as its certificate names it; an IPv6 address stands in brackets.
pub(super) fn server_name(address: &str) -> Option<ServerName<'static>> {
    let (host, _) = address.rsplit_once(':')?;
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    ServerName::try_from(bare.to_owned()).ok()
}
