//! What the bucket's server or the way to it did wrong, in words that an operator can act on.

use std::io;
use std::time::Duration;

use object_store::Error;
use object_store::client::{HttpError, HttpErrorKind};
use tandem_ports::StoreError;

use crate::error::causes;

#[cfg(test)]
mod tests;

/// The longest code of a server that is repeated.
const CODE_MOST: usize = 64;
/// Codes of servers without room.
const FULL: [&str; 6] = [
    "EntityTooLarge",
    "InsufficientStorage",
    "QuotaExceeded",
    "StorageFull",
    "XMinioAdminBucketQuotaExceeded",
    "XMinioStorageFull",
];

/// Where.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) endpoint: String,
    pub(super) bucket: String,
}

/// What sort of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    /// There is no such object, and the server says exactly this.
    Absent,
    Unavailable,
    Late,
    Full,
}

/// A fault of one operation.
#[derive(Debug)]
pub(super) struct Fault {
    sort: Sort,
    /// Endpoint, bucket, step, reason and what to check.
    pub(super) text: String,
}

impl Fault {
    /// A fault of an operation that ended.
    pub(super) fn new(place: &Place, step: &'static str, error: &Error) -> Self {
        let (sort, reason, check) = explain(error);
        Self { sort, text: text(place, step, &reason, check) }
    }

    /// An operation that did not end.
    pub(super) fn late(place: &Place, step: &'static str, limit: Duration) -> Self {
        let reason = format!("it took longer than {} s", limit.as_secs_f32());
        Self { sort: Sort::Late, text: text(place, step, &reason, REACH) }
    }

    pub(super) fn is_absent(&self) -> bool {
        self.sort == Sort::Absent
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault.sort {
            Sort::Late => Self::Timeout,
            Sort::Full => Self::Full(fault.text),
            Sort::Absent | Sort::Unavailable => Self::Unavailable(fault.text),
        }
    }
}

const REACH: &str = "check the endpoint, and that it answers from this machine";
const TRUST: &str = "check the endpoint, and that this machine trusts the CA of its certificate";
const KEYS: &str = "check the access key and its secret, the region, the clock of this machine, and that the key may list, \
                    read, write and delete in the bucket";
const BUCKET: &str = "check the bucket's name and that it exists there";
const REGION: &str = "check the region and the endpoint of the bucket";
const ROOM: &str = "check the room and the quota of the bucket";
const SERVER: &str = "look into the server's log or its status page";

fn text(place: &Place, step: &str, reason: &str, check: &str) -> String {
    format!("S3 at {}, bucket {}: {step} failed: {reason}; {check}", place.endpoint, place.bucket)
}

/// What it is, why, and what to check.
fn explain(error: &Error) -> (Sort, String, &'static str) {
    if let Some(error) = causes::<HttpError>(error).next() {
        return on_the_way(error);
    }
    let said = error.to_string();
    let (status, code) = (status(&said), code(&said));
    let reason = match (&status, &code) {
        (Some(status), Some(code)) => format!("the server said {status} {code}"),
        (Some(status), None) => format!("the server said {status} and no reason"),
        (None, _) => "the server gave an answer that is none of S3".to_owned(),
    };
    let (sort, check) = match (status, code.as_deref()) {
        (_, Some("NoSuchKey")) => (Sort::Absent, BUCKET),
        (_, Some(code)) if FULL.contains(&code) => (Sort::Full, ROOM),
        (Some(507), _) => (Sort::Full, ROOM),
        (_, Some("NoSuchBucket" | "InvalidBucketName")) => (Sort::Unavailable, BUCKET),
        (
            _,
            Some("AuthorizationHeaderMalformed" | "PermanentRedirect" | "IllegalLocationConstraintException"),
        ) => (Sort::Unavailable, REGION),
        (Some(401 | 403), _) => (Sort::Unavailable, KEYS),
        (Some(300..=399), _) => (Sort::Unavailable, REGION),
        (Some(500..), _) => (Sort::Unavailable, SERVER),
        (Some(_), Some(_)) => (Sort::Unavailable, SERVER),
        // A server that is no S3 knows neither keys nor codes.
        (Some(_), None) | (None, _) => (Sort::Unavailable, REGION),
    };
    (sort, reason, check)
}

fn on_the_way(error: &HttpError) -> (Sort, String, &'static str) {
    // rustls hides in an error of the system, which shows only its words.
    if causes::<io::Error>(error).any(|error| error.to_string().contains("invalid peer certificate")) {
        return (Sort::Unavailable, "the server's certificate is not trusted".to_owned(), TRUST);
    }
    let system = causes::<io::Error>(error).last().map(|error| format!(" ({})", error.kind()));
    let system = system.unwrap_or_default();
    let (sort, what) = match error.kind() {
        HttpErrorKind::Timeout => (Sort::Late, "the server did not answer in time"),
        HttpErrorKind::Connect => (Sort::Unavailable, "the server cannot be reached"),
        HttpErrorKind::Request | HttpErrorKind::Interrupted => (Sort::Unavailable, "the connection broke"),
        HttpErrorKind::Decode => (Sort::Unavailable, "the answer cannot be read"),
        HttpErrorKind::Unknown | _ => (Sort::Unavailable, "the request failed"),
    };
    (sort, format!("{what}{system}"), REACH)
}

/// The status of an answer. object_store keeps the type that holds it to itself and says it in words.
fn status(said: &str) -> Option<u16> {
    let (_, rest) = said.split_once("status code: ")?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// The code of an answer, such as `NoSuchKey`: one word, so that nothing else of the answer comes along.
fn code(said: &str) -> Option<String> {
    let (_, rest) = said.split_once("<Code>")?;
    let (code, _) = rest.split_once("</Code>")?;
    let plain =
        !code.is_empty() && code.len() <= CODE_MOST && code.bytes().all(|b| b.is_ascii_alphanumeric());
    plain.then(|| code.to_owned())
}
