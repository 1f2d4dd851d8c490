//! An issuer's public keys: fetched, kept and fetched again.
//!
//! One task fetches ([`Jwks::keep`]): when the node starts, every ten minutes, and when a token names a key that is not
//! known, but then at most twice a minute. So however many requests come with unknown keys, one fetch serves them all,
//! and a request that is given up takes no fetch with it. What cannot be used, such as an answer that is malformed, too
//! large or without keys, changes nothing: the last good keys hold for as long as the issuer gives no others.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{StatusCode, header};
use reqwest::redirect::Policy;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout, timeout_at};

use crate::auth::keys::{Algorithm, NamedKey, keys_of};
use crate::auth::token::Refusal;

#[cfg(test)]
mod tests;

/// How long it may take to connect to the issuer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a fetch may take in all.
pub(crate) const FETCH_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a request waits for a fetch.
const WAIT: Duration = Duration::from_secs(6);
/// The largest answer, in bytes.
pub(crate) const MAX_BYTES: usize = 256 * 1024;
/// How old keys become before they are fetched again.
pub(crate) const FRESH: Duration = Duration::from_secs(600);
/// How long after a fetch another one may be asked for, and after a failed one is made.
pub(crate) const AGAIN: Duration = Duration::from_secs(30);
/// The same while there are no keys at all.
pub(crate) const AGAIN_WITHOUT_KEYS: Duration = Duration::from_secs(5);

/// Why there are no new keys.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// This machine can make no connections with TLS, such as for want of certificates.
    #[error("no connection can be made to the issuer of tokens: {}", innermost(.0))]
    Client(reqwest::Error),
    /// The issuer does not answer.
    #[error("the issuer of tokens does not answer: {}", innermost(.0))]
    Unreachable(reqwest::Error),
    /// It takes longer than five seconds.
    #[error("the issuer of tokens takes too long to answer")]
    TooSlow,
    /// It answers something other than 200; a redirection is not followed.
    #[error("the issuer of tokens answered {0}")]
    Status(StatusCode),
    /// Its answer is larger than 256 KiB.
    #[error("the issuer's keys are larger than {MAX_BYTES} bytes")]
    TooLarge,
    /// Its answer is no JWK set.
    #[error("the issuer's answer is no set of keys (RFC 7517)")]
    Malformed,
    /// Its answer holds more than a hundred keys.
    #[error("the issuer has more than 100 keys")]
    TooMany,
    /// Its answer holds no key that can be used.
    #[error("the issuer has no public keys for RS256 or ES256")]
    NoneUsable,
}

/// The cause of an error of reqwest, which itself says little but the address.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// What is known of an issuer's keys.
#[derive(Default)]
struct Known {
    keys: Vec<Arc<NamedKey>>,
    /// When the last fetch ended, well or not.
    fetched: Option<Instant>,
}

impl Known {
    /// The key of this name. A token that names none is signed by the only one for its algorithm.
    fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Option<Arc<NamedKey>> {
        let mut fitting = self.keys.iter().filter(|named| named.key.algorithm() == algorithm);
        let found = match id {
            Some(id) => fitting.find(|named| named.id.as_deref() == Some(id)),
            None => fitting.next().filter(|_| fitting.next().is_none()),
        };
        found.cloned()
    }

    /// Whether a request may ask for a fetch.
    fn may_be_fetched(&self) -> bool {
        let pause = if self.keys.is_empty() { AGAIN_WITHOUT_KEYS } else { AGAIN };
        self.fetched.is_none_or(|fetched| fetched.elapsed() >= pause)
    }

    const fn refusal(&self) -> Refusal {
        if self.keys.is_empty() { Refusal::KeysUnavailable } else { Refusal::UnknownKey }
    }
}

/// The keys of one issuer.
pub(crate) struct Jwks {
    url: String,
    client: reqwest::Client,
    /// Told at the end of each fetch.
    known: watch::Sender<Known>,
    wanted: Notify,
}

impl Jwks {
    /// Prepares for fetching; nothing is sent yet.
    ///
    /// # Errors
    /// [`KeysError::Client`].
    pub(crate) fn new(url: String) -> Result<Self, KeysError> {
        // reqwest asks for it and panics without. An error says that there is one.
        rustls::crypto::ring::default_provider().install_default().ok();
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(Policy::none())
            .build()
            .map_err(KeysError::Client)?;
        Ok(Self { url, client, known: watch::Sender::default(), wanted: Notify::new() })
    }

    /// The key that a token names; waits for a fetch if it is not known, and one may be made.
    pub(crate) async fn find(
        &self,
        id: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<Arc<NamedKey>, Refusal> {
        let mut fetches = self.known.subscribe();
        {
            let known = fetches.borrow_and_update();
            if let Some(key) = known.find(id, algorithm) {
                return Ok(key);
            }
            if !known.may_be_fetched() {
                return Err(known.refusal());
            }
        }
        self.wanted.notify_one();
        // Whether or not a fetch has ended in time: what is known by then decides.
        let _ended = timeout(WAIT, fetches.changed()).await;
        let known = self.known.borrow();
        known.find(id, algorithm).ok_or_else(|| known.refusal())
    }

    /// Fetches the keys now, when they are old, and when a request wants one that is unknown. Never ends.
    pub(crate) async fn keep(&self) {
        loop {
            let pause = if self.refresh().await { FRESH } else { AGAIN };
            let next = Instant::now() + pause;
            while timeout_at(next, self.wanted.notified()).await.is_ok() {
                if self.known.borrow().may_be_fetched() {
                    break;
                }
            }
        }
    }

    /// Whether there are new keys; else the old ones stay.
    async fn refresh(&self) -> bool {
        let fetched = timeout(FETCH_TIMEOUT, self.fetch()).await.unwrap_or(Err(KeysError::TooSlow));
        let keys = fetched.inspect_err(|error| {
            tracing::warn!(%error, "the keys of tokens were not fetched; those that are known hold");
        });
        let refreshed = keys.is_ok();
        self.known.send_modify(|known| {
            known.fetched = Some(Instant::now());
            if let Ok(keys) = keys {
                known.keys = keys.into_iter().map(Arc::new).collect();
            }
        });
        refreshed
    }

    async fn fetch(&self) -> Result<Vec<NamedKey>, KeysError> {
        let request = self.client.get(&self.url).header(header::ACCEPT, "application/json");
        let mut response = request.send().await.map_err(KeysError::Unreachable)?;
        if response.status() != StatusCode::OK {
            return Err(KeysError::Status(response.status()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(KeysError::Unreachable)? {
            if body.len() + chunk.len() > MAX_BYTES {
                return Err(KeysError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        keys_of(&body)
    }
}
