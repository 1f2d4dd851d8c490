//! The keys with which signatures of tokens are checked (RFC 7517 and RFC 7518), over ring.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::{hmac, signature};
use serde::Deserialize;
use serde_json::Value;

use crate::auth::jwks::KeysError;

#[cfg(test)]
mod tests;

/// The most keys of one issuer.
const MAX_KEYS: usize = 100;
/// The length of each coordinate of a key for ES256, in bytes (RFC 7518, section 6.2.1.2).
const P256_COORDINATE: usize = 32;
/// What a point begins with whose coordinates both follow (SEC 1, section 2.3.3).
const UNCOMPRESSED: u8 = 4;

/// How a token may be signed. `none` is no way to sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Hs256,
    Rs256,
    Es256,
}

impl Algorithm {
    /// The algorithm of this name (RFC 7518, section 3.1), if it is one of ours.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "HS256" => Some(Self::Hs256),
            "RS256" => Some(Self::Rs256),
            "ES256" => Some(Self::Es256),
            _ => None,
        }
    }
}

/// What checks signatures. Each key is for one algorithm, so that none is ever used for another.
pub(crate) enum Key {
    /// HS256: a secret that the issuer and this node share.
    Secret(hmac::Key),
    /// RS256: modulus and exponent, without leading zeros.
    Rsa { n: Vec<u8>, e: Vec<u8> },
    /// ES256: an uncompressed point of the curve P-256.
    Ec(Vec<u8>),
}

impl Key {
    /// The key of a shared secret.
    pub(crate) fn secret(text: &str) -> Self {
        Self::Secret(hmac::Key::new(hmac::HMAC_SHA256, text.as_bytes()))
    }

    pub(crate) const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Secret(_) => Algorithm::Hs256,
            Self::Rsa { .. } => Algorithm::Rs256,
            Self::Ec(_) => Algorithm::Es256,
        }
    }

    /// Whether `signature` is this key's of `signed`. Keys that are none, such as RSA of less than 2048 bits, verify
    /// nothing.
    pub(crate) fn verifies(&self, signed: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Secret(key) => hmac::verify(key, signed, signature).is_ok(),
            Self::Rsa { n, e } => signature::RsaPublicKeyComponents { n, e }
                .verify(&signature::RSA_PKCS1_2048_8192_SHA256, signed, signature)
                .is_ok(),
            Self::Ec(point) => signature::UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point)
                .verify(signed, signature)
                .is_ok(),
        }
    }
}

/// A key of an issuer, under the name by which its tokens say which one signed them.
pub(crate) struct NamedKey {
    /// The `kid`; issuers with one key may do without.
    pub(crate) id: Option<String>,
    pub(crate) key: Key,
}

/// An issuer's answer.
#[derive(Deserialize)]
struct JwkSet {
    keys: Vec<Value>,
}

/// One key of it, of any kind.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    key_ops: Option<Vec<String>>,
    n: Option<String>,
    e: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Jwk {
    /// The key, if it is a public one of ours that is meant for signatures. Secrets have no place in a public answer.
    fn usable(self) -> Option<NamedKey> {
        let meant = self.purpose.as_deref().is_none_or(|purpose| purpose == "sig")
            && self.key_ops.as_ref().is_none_or(|uses| uses.iter().any(|one| one == "verify"));
        if !meant {
            return None;
        }
        let key = match self.kty.as_str() {
            "RSA" => Key::Rsa { n: number(&self.n?)?, e: number(&self.e?)? },
            "EC" if self.crv.as_deref() == Some("P-256") => {
                Key::Ec([&[UNCOMPRESSED], &*coordinate(&self.x?)?, &*coordinate(&self.y?)?].concat())
            }
            _ => return None,
        };
        let fits = self.alg.is_none_or(|name| Algorithm::named(&name) == Some(key.algorithm()));
        fits.then_some(NamedKey { id: self.kid, key })
    }
}

fn number(text: &str) -> Option<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.get(zeros..).map(<[u8]>::to_vec)
}

fn coordinate(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok().filter(|bytes| bytes.len() == P256_COORDINATE)
}

/// The keys of a JWK set that can check signatures. Others in it are passed over (RFC 7517, section 5).
///
/// # Errors
/// It is no JWK set, has more than [`MAX_KEYS`], or none that can be used.
pub(crate) fn keys_of(body: &[u8]) -> Result<Vec<NamedKey>, KeysError> {
    let set: JwkSet = serde_json::from_slice(body).map_err(|_| KeysError::Malformed)?;
    if set.keys.len() > MAX_KEYS {
        return Err(KeysError::TooMany);
    }
    let jwks = set.keys.into_iter().filter_map(|one| serde_json::from_value::<Jwk>(one).ok());
    let keys: Vec<NamedKey> = jwks.filter_map(Jwk::usable).collect();
    if keys.is_empty() { Err(KeysError::NoneUsable) } else { Ok(keys) }
}
