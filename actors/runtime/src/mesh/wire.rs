//! What nodes say to each other: a versioned head in postcard, and behind it bytes that nobody here looks into.

use std::time::Duration;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tandem_domain::trace::TraceContext;
use uuid::Uuid;

use super::options::is_address;
use crate::placement::NodeName;

#[cfg(test)]
mod tests;

/// The most addresses of other nodes in a heartbeat.
pub(super) const MAX_KNOWN: usize = 64;

/// One process of a node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) struct Identity {
    pub(super) node: NodeName,
    pub(super) boot: Uuid,
}

/// The head of what goes to a gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Frame {
    /// The sender lives. Behind the head: its state.
    Beat(Beat),
    /// The sender is about to leave.
    Leave(Identity),
    /// A request, which stands behind the head; the answer is worth nothing after so many milliseconds.
    Ask { from: NodeName, deadline_ms: u32 },
    /// The same as a part of a trace. A node that does not know it says so, and is asked without.
    TracedAsk { from: NodeName, deadline_ms: u32, trace: TraceContext },
}

/// The head of a heartbeat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Beat {
    pub(super) from: Identity,
    /// Where the sender is reached.
    pub(super) advertise: String,
    /// Members that the sender sees, and where they are reached.
    pub(super) known: Vec<(NodeName, String)>,
}

impl Beat {
    /// Whether it keeps the bounds.
    pub(super) fn is_sound(&self) -> bool {
        self.known.len() <= MAX_KNOWN
            && is_address(&self.advertise)
            && self.known.iter().all(|(_, address)| is_address(address))
    }
}

/// The head of what comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Verdict {
    /// Behind the head: the answer.
    Done,
    /// Not begun: too much is being done.
    Busy,
    /// The deadline passed.
    Late,
    /// The service died of the request.
    Died,
    /// The request (then it was not begun) or its answer is larger than allowed.
    TooLarge,
    /// The head is not understood; not begun.
    Unreadable,
}

/// The versions of a head. A new one is understood by every node before any node sends it.
#[derive(Debug, Serialize, Deserialize)]
enum Wire<T> {
    V1(T),
}

/// A head of the newest version with bytes behind it.
pub(super) fn encode<T: Serialize>(head: &T, body: &[u8]) -> Vec<u8> {
    let mut bytes =
        postcard::to_stdvec(&Wire::V1(head)).expect("a head is plain data, which always serializes");
    bytes.reserve_exact(body.len());
    bytes.extend_from_slice(body);
    bytes
}

/// The head, and the bytes behind it. `None` when the head is not understood.
pub(super) fn decode<T: DeserializeOwned>(bytes: Bytes) -> Option<(T, Bytes)> {
    let (Wire::V1(head), rest) = postcard::take_from_bytes::<Wire<T>>(&bytes).ok()?;
    let body = bytes.slice_ref(rest);
    Some((head, body))
}

/// A deadline as it is written; one that is longer than 49 days is cut.
pub(super) fn millis(deadline: Duration) -> u32 {
    u32::try_from(deadline.as_millis()).unwrap_or(u32::MAX)
}
