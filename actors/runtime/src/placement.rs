//! Who owns a key: rendezvous hashing over the nodes, the same on every machine.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// The most bytes of a node's name.
pub const MAX_NODE_NAME: usize = 64;

/// The stable name of a node: 1..=[`MAX_NODE_NAME`] ASCII letters, digits and hyphens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NodeName(String);

/// Not a node's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a node's name has 1 to {MAX_NODE_NAME} letters, digits and hyphens")]
pub struct BadNodeName;

impl NodeName {
    /// Takes a name.
    ///
    /// # Errors
    /// [`BadNodeName`] when it is empty, too long or has other characters.
    pub fn new(name: impl Into<String>) -> Result<Self, BadNodeName> {
        let name = name.into();
        let fits = (1..=MAX_NODE_NAME).contains(&name.len());
        let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if fits && plain { Ok(Self(name)) } else { Err(BadNodeName) }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for NodeName {
    type Err = BadNodeName;

    fn from_str(name: &str) -> Result<Self, BadNodeName> {
        Self::new(name)
    }
}

impl TryFrom<String> for NodeName {
    type Error = BadNodeName;

    fn try_from(name: String) -> Result<Self, BadNodeName> {
        Self::new(name)
    }
}

impl From<NodeName> for String {
    fn from(name: NodeName) -> Self {
        name.0
    }
}

/// The owners of `key` among `members`, best first, at most `count`, each member at most once. The order of `members`
/// means nothing. When a member leaves, only the keys it owned get another owner; when one comes, it takes its share
/// and nothing else moves.
///
/// Source: highest random weight of Thaler and Ravishankar, "Using Name-Based Mappings to Increase Hit Rates" (1998).
#[must_use]
pub fn owners<'a>(
    key: &[u8],
    members: impl IntoIterator<Item = &'a NodeName>,
    count: usize,
) -> Vec<&'a NodeName> {
    let mut ranked: Vec<(u64, &NodeName)> =
        members.into_iter().map(|member| (weight(key, member), member)).collect();
    ranked.sort_unstable_by(|a, b| b.cmp(a));
    ranked.dedup();
    ranked.into_iter().map(|(_, member)| member).take(count).collect()
}

/// The weight of a member for a key: FNV-1a over key, separator and name, then Murmur3's finalizer, because FNV alone
/// does not spread a difference in the last byte over the high bits.
fn weight(key: &[u8], member: &NodeName) -> u64 {
    /// No byte of a node's name.
    const SEPARATOR: u8 = 0;
    let bytes = key.iter().copied().chain([SEPARATOR]).chain(member.0.bytes());
    mix(bytes.fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    }))
}

/// Murmur3's 64-bit finalizer: every bit of the input changes about half of the output's.
pub(crate) const fn mix(mut hash: u64) -> u64 {
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}
