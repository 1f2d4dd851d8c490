//! Tokens as an issuer makes them that shares a secret with the nodes.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac::{HMAC_SHA256, Key, sign};
use serde_json::{Value, json};

/// What the issuer signs with.
pub const SECRET: &str = "a secret of the tests, long enough for HS256";
/// The year 2100, in seconds since the epoch.
const END: u64 = 4_102_444_800;

/// The configuration of a node that believes [`token`].
pub const TRUSTED: [(&str, &str); 4] = [
    ("TANDEM_AUTH__ENABLED", "true"),
    ("TANDEM_AUTH__JWT__ISSUER", "https://issuer.example.org/"),
    ("TANDEM_AUTH__JWT__AUDIENCE", "tandem"),
    ("TANDEM_AUTH__JWT__SECRET", SECRET),
];

/// A token of `subject` with this role.
#[must_use]
pub fn token(subject: &str, role: &str) -> String {
    signed(&json!({ "alg": "HS256", "typ": "JWT" }), &claims(subject, role), SECRET)
}

/// What stands in such a token.
#[must_use]
pub fn claims(subject: &str, role: &str) -> Value {
    json!({
        "iss": "https://issuer.example.org/", "aud": "tandem", "sub": subject, "role": role, "exp": END,
    })
}

/// A token of this content, signed with HMAC-SHA256 whatever its head says.
#[must_use]
pub fn signed(head: &Value, claims: &Value, secret: &str) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(head), part(claims));
    let signature = sign(&Key::new(HMAC_SHA256, secret.as_bytes()), signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}
