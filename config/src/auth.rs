//! Who may ask: whether callers must say who they are, and whose tokens are believed.

use serde::Deserialize;
use tandem_domain::account::Role;
use url::{Host, Url};

use crate::cluster::Secret;
use crate::node_config::NodeConfig;

#[cfg(test)]
mod tests;

/// The shortest shared secret, in bytes: as long as what HS256 makes of it (RFC 7518, section 3.2).
const MIN_SECRET: usize = 32;
/// The most names on the path of a claim.
const MAX_PATH: usize = 8;
/// Where an issuer's keys are, where nothing else is said.
const WELL_KNOWN: &str = "/.well-known/jwks.json";

section! {
    /// Who may ask.
    Auth {
        /// Whether callers must say who they are.
        enabled: bool,
        /// Whose tokens are believed.
        jwt: Jwt,
    }
}
section! {
    /// Whose tokens are believed, and what is read from them.
    Jwt {
        /// The claim `iss`, to the letter; empty = no tokens are believed.
        issuer: String,
        /// What the claim `aud` must hold.
        audience: String,
        /// Where the issuer's public keys are; empty = `/.well-known/jwks.json` of the issuer.
        jwks_url: String,
        /// The secret that the issuer signs with, at least 32 bytes; empty = it signs with the keys of `jwks_url`.
        secret: Secret,
        /// Names of claims, each inside of the one before, at most 8.
        role_claim: Vec<String>,
        /// Names of claims, each inside of the one before, at most 8.
        tenant_claim: Vec<String>,
        /// The role of those whose token names none of ours.
        default_role: Role,
        /// Seconds, 0..=300.
        leeway_s: u64,
    }
}

impl Jwt {
    /// Where the issuer's public keys are.
    #[must_use]
    pub fn keys_url(&self) -> String {
        if self.jwks_url.is_empty() {
            format!("{}{WELL_KNOWN}", self.issuer.trim_end_matches('/'))
        } else {
            self.jwks_url.clone()
        }
    }
}

impl NodeConfig {
    /// What does not fit: the key and the reason. It is looked at also while accounts are off, so that turning them on
    /// brings no surprise.
    pub(crate) fn check_auth(&self) -> Result<(), (&'static str, String)> {
        let fail = |key, reason: &str| Err((key, reason.to_owned()));
        if !self.auth.enabled && !self.edge.listen.ip().is_loopback() {
            let reason = "without accounts the edge listens on loopback only, such as 127.0.0.1:8080: to listen \
                          elsewhere, set auth.enabled = true";
            return fail("edge.listen", reason);
        }
        let workflow = self.edge.workflow_token.reveal();
        if !workflow.is_empty()
            && (workflow.len() < MIN_SECRET || !workflow.bytes().all(|b| b.is_ascii_graphic()))
        {
            return fail(
                "edge.workflow_token",
                "expected at least 32 printable characters without spaces: a shorter one can be guessed",
            );
        }
        let jwt = &self.auth.jwt;
        let secret = jwt.secret.reveal();
        for (key, path) in
            [("auth.jwt.role_claim", &jwt.role_claim), ("auth.jwt.tenant_claim", &jwt.tenant_claim)]
        {
            if path.is_empty() || path.len() > MAX_PATH || path.iter().any(String::is_empty) {
                return fail(key, "expected 1 to 8 names of claims, each inside of the one before");
            }
        }
        if jwt.issuer.is_empty() {
            let nothing_else = jwt.audience.is_empty() && jwt.jwks_url.is_empty() && secret.is_empty();
            let reason = "whose tokens? audience, jwks_url and secret mean nothing without an issuer";
            return if nothing_else { Ok(()) } else { fail("auth.jwt.issuer", reason) };
        }
        if jwt.audience.is_empty() {
            let reason = "an issuer's tokens are meant for one audience each: say which is ours";
            return fail("auth.jwt.audience", reason);
        }
        if !secret.is_empty() {
            if !jwt.jwks_url.is_empty() {
                return fail("auth.jwt.secret", "set this or jwks_url, not both");
            }
            if secret.len() < MIN_SECRET {
                return fail("auth.jwt.secret", "expected at least 32 bytes: a shorter one can be guessed");
            }
            return Ok(());
        }
        if is_safe(&jwt.keys_url()) {
            Ok(())
        } else if jwt.jwks_url.is_empty() {
            fail(
                "auth.jwt.issuer",
                "this is no https address: say with jwks_url where its keys are, or set secret",
            )
        } else {
            fail("auth.jwt.jwks_url", "expected an https address, without a password; http only for loopback")
        }
    }
}

/// Whether nobody on the way can change what is fetched from there.
fn is_safe(address: &str) -> bool {
    let Ok(url) = Url::parse(address) else { return false };
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => return false,
    };
    let anonymous = url.username().is_empty() && url.password().is_none();
    anonymous && (url.scheme() == "https" || (url.scheme() == "http" && loopback))
}
