//! Bearer tokens: JSON Web Tokens (RFC 7519) in compact JWS form (RFC 7515), of one issuer for one audience.
//!
//! How a token may be signed is decided by what is configured, never by the token: with a shared secret HS256, with
//! public keys RS256 and ES256. So neither `none` nor a public key in the place of a secret opens anything.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, SHA256_OUTPUT_LEN};
use serde::Deserialize;
use serde_json::{Map, Value};
use tandem_config::Auth;
use tandem_domain::account::Role;
use tandem_domain::ids::{OwnerId, TenantId};
use tandem_domain::time::Timestamp;

use crate::auth::jwks::{Jwks, KeysError};
use crate::auth::keys::{Algorithm, Key, NamedKey};

#[cfg(test)]
mod tests;

/// The longest token, in bytes.
pub(crate) const MAX_LEN: usize = 16 * 1024;

/// The most tokens whose signatures are known to be right: about half a megabyte.
const MOST_GENUINE: usize = 8_192;

/// Who a token says its bearer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// The subject.
    pub owner: OwnerId,
    /// The organization; without one, the subject is one of its own.
    pub tenant: TenantId,
    /// What the bearer is.
    pub role: Role,
}

/// Why a token is refused: always with 401, and in words that say nothing of its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Longer than 16 KiB.
    #[error("the token is longer than {MAX_LEN} bytes")]
    TooLong,
    /// No JSON Web Token.
    #[error("this is no JSON Web Token: is it complete?")]
    Malformed,
    /// `none`, or an algorithm that does not fit the keys that are configured.
    #[error("the token is signed with an algorithm that is not accepted here")]
    Algorithm,
    /// The header `crit` asks for what is not understood here (RFC 7515, section 4.1.11).
    #[error("the token asks for an extension that is not understood here")]
    Extension,
    /// The key that it names is not one of the issuer's.
    #[error("the token is signed with a key that its issuer does not have")]
    UnknownKey,
    /// The issuer's keys could not be fetched since the node started.
    #[error("tokens cannot be checked: their issuer does not give its keys; try again later")]
    KeysUnavailable,
    /// Not signed by the issuer.
    #[error("the signature of the token is wrong")]
    Signature,
    /// A claim that is needed is not there, or is not what it should be: its name.
    #[error("the claim `{0}` of the token is missing or malformed")]
    Claim(&'static str),
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// Its time has not come, or it was made in the future.
    #[error("the token is not valid yet")]
    NotYet,
    /// Of another issuer.
    #[error("the token has another issuer")]
    Issuer,
    /// For another audience.
    #[error("the token is meant for another audience")]
    Audience,
    /// The subject cannot be an owner: 1 to 128 printable ASCII characters without spaces, and not a name that has a
    /// meaning of its own here.
    #[error("the subject of the token cannot be a user here")]
    Subject,
}

/// What the claims of a token are held against.
struct Rules {
    issuer: String,
    audience: String,
    role_claim: Vec<String>,
    tenant_claim: Vec<String>,
    default_role: Role,
    leeway_s: f64,
}

/// With what signatures are checked.
enum Keys {
    Shared(Key),
    Public(Jwks),
}

/// Tokens whose signatures were found right, by their SHA-256, each with the key that says so: checking one costs as much
/// as all else of a small request. It says nothing of their claims, which are read each time. A key that the issuer gives
/// anew or takes back is another key, so that what it was right for is checked again.
#[derive(Default)]
struct Genuine(Mutex<HashMap<[u8; SHA256_OUTPUT_LEN], Arc<NamedKey>>>);

impl Genuine {
    /// Whether a token is signed with a key, which `checked` finds out where it is not known.
    fn is(&self, token: &str, key: &Arc<NamedKey>, checked: impl FnOnce() -> bool) -> bool {
        let mut digest = [0; SHA256_OUTPUT_LEN];
        digest.copy_from_slice(ring::digest::digest(&SHA256, token.as_bytes()).as_ref());
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known().get(&digest).is_some_and(|by| Arc::ptr_eq(by, key)) {
            return true;
        }
        // Without the lock: other requests need not wait for it.
        let genuine = checked();
        if genuine {
            let mut known = known();
            if known.len() >= MOST_GENUINE {
                known.clear();
            }
            known.insert(digest, Arc::clone(key));
        }
        genuine
    }
}

/// Decides which tokens are believed.
pub struct Tokens {
    keys: Keys,
    rules: Rules,
    genuine: Genuine,
    now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
}

/// The first part of a token. What else it says about keys (`jwk`, `jku`, `x5u`) is not listened to.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<Value>,
}

impl Tokens {
    /// What is needed to check tokens; `None` where accounts are off or no issuer is configured. `now` is the time.
    /// Nothing is sent yet: public keys come with [`Tokens::keep`].
    ///
    /// # Errors
    /// [`KeysError::Client`].
    pub fn new(
        config: &Auth,
        now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    ) -> Result<Option<Self>, KeysError> {
        let jwt = config.jwt.clone();
        if !config.enabled || jwt.issuer.is_empty() {
            return Ok(None);
        }
        let keys = match jwt.secret.reveal() {
            "" => Keys::Public(Jwks::new(jwt.keys_url())?),
            secret => Keys::Shared(Key::secret(secret)),
        };
        let rules = Rules {
            issuer: jwt.issuer,
            audience: jwt.audience,
            role_claim: jwt.role_claim,
            tenant_claim: jwt.tenant_claim,
            default_role: jwt.default_role,
            leeway_s: jwt.leeway_s as f64,
        };
        Ok(Some(Self { keys, rules, genuine: Genuine::default(), now }))
    }

    /// Keeps the issuer's public keys: to be run for as long as tokens are checked. Ends at once with a shared secret.
    pub async fn keep(&self) {
        match &self.keys {
            Keys::Shared(_) => {}
            Keys::Public(jwks) => jwks.keep().await,
        }
    }

    /// Whose the token is. Waits up to 6 s for the issuer's keys where the token's is not known.
    ///
    /// # Errors
    /// Why it opens nothing.
    pub async fn verify(&self, token: &str) -> Result<Claims, Refusal> {
        if token.len() > MAX_LEN {
            return Err(Refusal::TooLong);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(Refusal::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(Refusal::Malformed)?;
        let header: Header = serde_json::from_slice(&decoded(header)?).map_err(|_| Refusal::Malformed)?;
        let algorithm = self.accepted(&header.alg).ok_or(Refusal::Algorithm)?;
        if header.crit.is_some() {
            return Err(Refusal::Extension);
        }
        let (payload, signature) = (decoded(payload)?, decoded(signature)?);
        let genuine = match &self.keys {
            Keys::Shared(key) => key.verifies(signed.as_bytes(), &signature),
            Keys::Public(jwks) => {
                let named = jwks.find(header.kid.as_deref(), algorithm).await?;
                self.genuine.is(token, &named, || named.key.verifies(signed.as_bytes(), &signature))
            }
        };
        if !genuine {
            return Err(Refusal::Signature);
        }
        let claims: Map<String, Value> = serde_json::from_slice(&payload).map_err(|_| Refusal::Malformed)?;
        self.rules.check(&claims, (self.now)())?;
        self.rules.read(&claims)
    }

    /// The algorithm of this name, if the keys are for it.
    fn accepted(&self, name: &str) -> Option<Algorithm> {
        let shared = matches!(self.keys, Keys::Shared(_));
        Algorithm::named(name).filter(|algorithm| (*algorithm == Algorithm::Hs256) == shared)
    }
}

fn decoded(part: &str) -> Result<Vec<u8>, Refusal> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| Refusal::Malformed)
}

impl Rules {
    /// Whether the token is of our issuer, for us, and for now.
    fn check(&self, claims: &Map<String, Value>, now: Timestamp) -> Result<(), Refusal> {
        if text(claims, "iss")? != Some(&self.issuer) {
            return Err(Refusal::Issuer);
        }
        let ours = |audience: &Value| audience.as_str() == Some(&self.audience);
        let meant = claims.get("aud").is_some_and(|audience| {
            ours(audience) || audience.as_array().is_some_and(|several| several.iter().any(ours))
        });
        if !meant {
            return Err(Refusal::Audience);
        }
        let now = now.millis() as f64 / 1000.0;
        let end = seconds(claims, "exp")?.ok_or(Refusal::Claim("exp"))?;
        if now >= end + self.leeway_s {
            return Err(Refusal::Expired);
        }
        for name in ["nbf", "iat"] {
            if seconds(claims, name)?.is_some_and(|begin| begin > now + self.leeway_s) {
                return Err(Refusal::NotYet);
            }
        }
        Ok(())
    }

    /// Who the bearer is.
    fn read(&self, claims: &Map<String, Value>) -> Result<Claims, Refusal> {
        let subject = text(claims, "sub")?.ok_or(Refusal::Claim("sub"))?;
        let owner: OwnerId = subject.parse().map_err(|_| Refusal::Subject)?;
        if owner == OwnerId::local() || owner == OwnerId::nobody() {
            return Err(Refusal::Subject);
        }
        let tenant = match at(claims, &self.tenant_claim) {
            None | Some(Value::Null) => owner.as_str(),
            Some(claim) => claim.as_str().ok_or(Refusal::Claim("tenant"))?,
        };
        let tenant: TenantId = tenant.parse().map_err(|_| Refusal::Claim("tenant"))?;
        let role = at(claims, &self.role_claim).and_then(role_of).unwrap_or(self.default_role);
        Ok(Claims { owner, tenant, role })
    }
}

/// A claim that is a text; `None` = it is not there.
fn text<'a>(claims: &'a Map<String, Value>, name: &'static str) -> Result<Option<&'a str>, Refusal> {
    claims.get(name).map(|claim| claim.as_str().ok_or(Refusal::Claim(name))).transpose()
}

/// A claim that is a time (`NumericDate`, RFC 7519, section 2), in seconds since the epoch; `None` = it is not there.
fn seconds(claims: &Map<String, Value>, name: &'static str) -> Result<Option<f64>, Refusal> {
    claims.get(name).map(|claim| claim.as_f64().ok_or(Refusal::Claim(name))).transpose()
}

/// The claim at the end of a path of names.
fn at<'a>(claims: &'a Map<String, Value>, path: &[String]) -> Option<&'a Value> {
    let (first, inner) = path.split_first()?;
    inner.iter().try_fold(claims.get(first)?, |claim, name| claim.get(name))
}

/// The role that a claim names, to the letter; of several the one that comes last in [`Role::ALL`]. Names of other
/// roles are not ours to know.
fn role_of(claim: &Value) -> Option<Role> {
    let named = |name: &Value| name.as_str()?.parse().ok();
    claim.as_array().map_or_else(|| named(claim), |names| names.iter().filter_map(named).max())
}
