//! The part of a configuration that is about files sent by a signed URL.

use std::time::Duration;

use serde::Deserialize;

use crate::cluster::Secret;
use crate::node_config::NodeConfig;

#[cfg(test)]
mod tests;

/// The fewest characters of a key.
const MIN_KEY: usize = 32;

section! {
    /// Files sent by a signed URL.
    Uploads {
        /// Minutes, 1..=1440.
        expires_min: u64,
        /// At least 32 characters; empty = the cluster's or the node's own.
        key: Secret,
    }
}

impl Uploads {
    /// How long a URL is good.
    #[must_use]
    pub const fn good_for(&self) -> Duration {
        Duration::from_secs(self.expires_min * 60)
    }
}

impl NodeConfig {
    /// What does not fit: the key and the reason.
    pub(crate) fn check_uploads(&self) -> Result<(), (&'static str, String)> {
        let key = self.uploads.key.reveal();
        if !key.is_empty() && (key.len() < MIN_KEY || !key.bytes().all(|b| b.is_ascii_graphic())) {
            let reason =
                "expected at least 32 printable characters without spaces: a shorter one can be guessed";
            return Err(("uploads.key", reason.to_owned()));
        }
        if !self.edge.public_url.is_empty() && !is_base(&self.edge.public_url) {
            let reason =
                "expected an address such as https://tandem.example.org, without a query or a password";
            return Err(("edge.public_url", reason.to_owned()));
        }
        Ok(())
    }
}

/// Whether paths can be written behind it.
fn is_base(address: &str) -> bool {
    url::Url::parse(address).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
    })
}
