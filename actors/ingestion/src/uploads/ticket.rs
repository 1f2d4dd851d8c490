//! What an upload's id says, and the signatures that make ids and URLs hard to invent.
//!
//! No row stands behind an id: any node that has the key can read it.

use std::cmp::Ordering;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use ring::hmac;
use serde::{Deserialize, Serialize};
use tandem_domain::document::Failure;
use tandem_domain::error::ErrorCode;
use tandem_domain::ids::{ContentDigest, OwnerId};
use uuid::Uuid;

use crate::ingestor::failure;

#[cfg(test)]
mod tests;

/// The longest id, in bytes. What an id holds is bounded and stays far below it.
const MAX_ID: usize = 4096;
/// Sets the key apart from others that are made of the same secret.
const PURPOSE: &[u8] = b"tandem/uploads/1";
/// What a signature is for: one of an id is none of a URL.
const OF_ID: &str = "id";
const OF_PUT: &str = "PUT";

/// An upload that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ticket {
    /// Whose.
    pub(super) owner: OwnerId,
    /// Sets it apart from the owner's others.
    pub(super) upload: Uuid,
    /// The file's name, without folders.
    pub(super) file_name: String,
    /// In bytes.
    pub(super) size: u64,
    /// Of the content, where it was announced.
    pub(super) digest: Option<ContentDigest>,
    /// The end, in seconds since the epoch.
    pub(super) until_s: i64,
}

impl Ticket {
    /// Whether this is the file that was announced.
    pub(super) fn expect(&self, content: &Bytes) -> Result<(), Failure> {
        self.expect_size(content.len() as u64)?;
        if self.digest.is_some_and(|digest| digest != ContentDigest::of(content)) {
            return Err(failure(ErrorCode::Validation, "the file has another SHA-256 than was announced"));
        }
        Ok(())
    }

    /// Whether it has as many bytes.
    pub(super) fn expect_size(&self, size: u64) -> Result<(), Failure> {
        let reason = || format!("the file has {size} bytes; {} were announced", self.size);
        match size.cmp(&self.size) {
            Ordering::Equal => Ok(()),
            Ordering::Greater => Err(failure(ErrorCode::TooLarge, &reason())),
            Ordering::Less => Err(failure(ErrorCode::Validation, &reason())),
        }
    }
}

/// Signs ids and URLs with HMAC-SHA256 (RFC 2104). All nodes of a cluster have the same.
#[derive(Clone)]
pub struct UploadKey(hmac::Key);

impl UploadKey {
    /// The key that follows from a secret of at least 32 bytes, which may serve other purposes too.
    #[must_use]
    pub fn new(secret: &[u8]) -> Self {
        let own = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), PURPOSE);
        Self(hmac::Key::new(hmac::HMAC_SHA256, own.as_ref()))
    }

    /// The id of an upload.
    pub(super) fn id_of(&self, ticket: &Ticket) -> Result<String, postcard::Error> {
        let text = URL_SAFE_NO_PAD.encode(postcard::to_stdvec(ticket)?);
        let signature = self.sign(&[OF_ID, &text]);
        Ok(format!("{text}.{signature}"))
    }

    /// The upload of an id; `None` = nobody with this key has made it.
    pub(super) fn ticket_of(&self, id: &str) -> Option<Ticket> {
        let (text, signature) = id.rsplit_once('.').filter(|_| id.len() <= MAX_ID)?;
        if !self.has_signed(&[OF_ID, text], signature) {
            return None;
        }
        postcard::from_bytes(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
    }

    /// The signature of a URL to which the upload of an id can be sent. The id says whose it is, of what size and until
    /// when, so that all of it is signed.
    pub(super) fn sign_put(&self, id: &str, until_s: i64) -> String {
        self.sign(&[OF_PUT, id, &until_s.to_string()])
    }

    /// Whether this is the signature of such a URL.
    pub(super) fn has_signed_put(&self, id: &str, until_s: i64, signature: &str) -> bool {
        id.len() <= MAX_ID && self.has_signed(&[OF_PUT, id, &until_s.to_string()], signature)
    }

    fn sign(&self, parts: &[&str]) -> String {
        URL_SAFE_NO_PAD.encode(hmac::sign(&self.0, parts.join("\n").as_bytes()))
    }

    /// In the same time wherever it differs.
    fn has_signed(&self, parts: &[&str], signature: &str) -> bool {
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap_or_default();
        hmac::verify(&self.0, parts.join("\n").as_bytes(), &signature).is_ok()
    }
}

impl fmt::Debug for UploadKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UploadKey(…)")
    }
}
