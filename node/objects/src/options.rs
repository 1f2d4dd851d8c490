//! How a bucket is reached.

use std::fmt;
use std::time::Duration;

use crate::error::ObjectsError;

#[cfg(test)]
mod tests;

/// The longest name or prefix, in bytes.
const NAME_MOST: usize = 255;
/// The most retries.
const RETRIES_MOST: u32 = 10;
/// The longest limit of a step.
const LIMIT_MOST: Duration = Duration::from_secs(600);

/// A bucket of S3, R2 or another server of the same API, and who wants to use it.
#[derive(Clone)]
pub struct S3Options {
    /// `https://host[:port]` of the server; `None` = Amazon's for the region.
    pub endpoint: Option<String>,
    /// The same as callers of the house reach it; `None` = as nodes do. Requests that are signed for others go there.
    pub public_endpoint: Option<String>,
    /// The region; R2 takes `auto`.
    pub region: String,
    /// The bucket. It must exist.
    pub bucket: String,
    /// Before each key, such as `tandem/`; may be empty. Parts of `A-Z a-z 0-9 . _ -` between slashes.
    pub prefix: String,
    /// Who; never shown.
    pub access_key_id: String,
    /// The proof; never shown.
    pub secret_access_key: String,
    /// Whether the bucket's name is part of the path, not of the host.
    pub path_style: bool,
    /// Whether an endpoint without TLS is accepted.
    pub allow_http: bool,
    /// How long a connection may take.
    pub connect_timeout: Duration,
    /// How long one request may take, its body included. An operation ends after (`retries` + 1) times this at the latest.
    pub request_timeout: Duration,
    /// How often a request is made again after the server or the network failed, 0..=10.
    pub retries: u32,
}

impl S3Options {
    /// The usual limit of a connection.
    pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
    /// The usual limit of a request: enough for the largest original over a slow line.
    pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
    /// The usual number of retries.
    pub const RETRIES: u32 = 3;

    /// How long an operation may take, with all its retries.
    pub(crate) fn limit(&self) -> Duration {
        self.request_timeout.saturating_mul(self.retries.saturating_add(1))
    }

    /// What is said of the server in messages.
    pub(crate) fn shown_endpoint(&self) -> String {
        self.endpoint.clone().unwrap_or_else(|| format!("Amazon's endpoint of {}", self.region))
    }

    /// The endpoint as requests need it: with the bucket in its host, if it belongs there.
    pub(crate) fn full_endpoint(&self) -> Option<String> {
        self.endpoint.as_deref().map(|endpoint| self.full(endpoint))
    }

    /// The same of the endpoint for others, where it is another one.
    pub(crate) fn full_public_endpoint(&self) -> Option<String> {
        self.public_endpoint.as_deref().map(|endpoint| self.full(endpoint))
    }

    fn full(&self, endpoint: &str) -> String {
        let endpoint = endpoint.trim_end_matches('/');
        match endpoint.split_once("://") {
            Some((scheme, host)) if !self.path_style => format!("{scheme}://{}.{host}", self.bucket),
            Some(_) | None => endpoint.to_owned(),
        }
    }

    /// Whether all of them can be used.
    pub(crate) fn check(&self) -> Result<(), ObjectsError> {
        let refuse = |reason: &str| Err(ObjectsError::Options(reason.to_owned()));
        for endpoint in [&self.endpoint, &self.public_endpoint].into_iter().flatten() {
            check_endpoint(endpoint, self.allow_http)?;
        }
        let name = |text: &str| !text.is_empty() && text.len() <= NAME_MOST && text.chars().all(is_plain);
        if !name(&self.region) {
            return refuse("the region of the bucket takes letters, digits and -; R2 takes \"auto\"");
        }
        if !name(&self.bucket) {
            return refuse("the bucket takes letters, digits, . _ and -");
        }
        let part = |part: &str| name(part) && part != "." && part != "..";
        let prefix = self.prefix.trim_end_matches('/');
        if !prefix.is_empty() && (prefix.len() > NAME_MOST || !prefix.split('/').all(part)) {
            return refuse("the prefix of the bucket takes letters, digits, . _ and -, parted by /");
        }
        if self.access_key_id.is_empty() || self.secret_access_key.is_empty() {
            return refuse("the bucket needs an access key and its secret");
        }
        let odd = |limit: Duration| limit.is_zero() || limit > LIMIT_MOST;
        if odd(self.connect_timeout) || odd(self.request_timeout) || self.retries > RETRIES_MOST {
            return refuse("the bucket takes limits of up to 600 s and up to 10 retries");
        }
        Ok(())
    }
}

impl fmt::Debug for S3Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Options")
            .field("endpoint", &self.endpoint)
            .field("public_endpoint", &self.public_endpoint)
            .field("region", &self.region)
            .field("bucket", &self.bucket)
            .field("prefix", &self.prefix)
            .field("path_style", &self.path_style)
            .field("allow_http", &self.allow_http)
            .finish_non_exhaustive()
    }
}

/// What an endpoint may look like. A message never repeats it here: it may hold a password.
fn check_endpoint(endpoint: &str, allow_http: bool) -> Result<(), ObjectsError> {
    let refuse = |reason: &str| Err(ObjectsError::Options(format!("the endpoint of the bucket {reason}")));
    let host = match endpoint.split_once("://") {
        Some(("https", host)) => host,
        Some(("http", host)) if allow_http => host,
        Some(("http", _)) => return refuse("has no TLS: take https, or allow http"),
        Some(_) | None => return refuse("is not of the form https://host:port"),
    };
    let host = host.strip_suffix('/').unwrap_or(host);
    if host.contains('@') {
        return refuse("holds a user or a password: they belong into the access key and its secret");
    }
    let allowed = |c: char| is_plain(c) || matches!(c, ':' | '[' | ']');
    if host.is_empty() || host.len() > NAME_MOST || !host.chars().all(allowed) {
        return refuse("is not of the form https://host:port");
    }
    Ok(())
}

const fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}
