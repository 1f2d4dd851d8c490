//! Files that their owners send by a signed URL, to the object store itself or to any node's edge, and then complete:
//! only then are they taken in, as every other file is.
//!
//! What was asked for stands in the upload's id, which is signed: there is no row. What lies in the object store is a file
//! that waits, and afterwards, for as long as its id means anything, what became of it.

use std::sync::Arc;
use std::time::Duration;

use tandem_domain::document::{Failure, MediaKind};
use tandem_domain::error::ErrorCode;
use tandem_domain::ids::OwnerId;
use tandem_domain::time::Timestamp;
use tandem_messages::uploads::{OpenUpload, OpenedUpload, UploadTarget};
use tandem_ports::objects::{PutGrant, SignedPut};
use tandem_ports::{Clock, DocumentStore, IntentStore, ObjectStore, StoreError};

use crate::ingestor::{base_name, failure};
use crate::intent::Told;
use crate::metrics;

mod complete;
mod place;
mod send;
mod sweeper;
mod ticket;

#[cfg(test)]
mod tests;

pub(crate) use place::{WAITING, prefix};
pub use sweeper::{UploadSweeper, UploadSweeperOptions};
pub use ticket::UploadKey;

use ticket::Ticket;

/// Files of one owner that may wait at the same time, and of all owners.
const MOST_OF_OWNER: usize = 64;
pub(crate) const MOST_WAITING: usize = 4096;
/// How much longer than an upload its file may lie there: clocks differ, and a file that was sent in time arrives late.
const GRACE: Duration = Duration::from_secs(300);
/// What is looked at in one go when it is swept.
const SWEEP_PAGE: usize = 1000;
/// What a file may be sent as besides the types that are read.
const ANY_MEDIA: &str = "application/octet-stream";
/// The types that are read.
const READ: [MediaKind; 5] =
    [MediaKind::Pdf, MediaKind::Docx, MediaKind::Html, MediaKind::Markdown, MediaKind::Text];

/// Limits of uploads, and what their URLs are signed with.
#[derive(Debug, Clone)]
pub struct UploadsOptions {
    /// The largest file, in bytes.
    pub max_bytes: u64,
    /// How long a URL is good, and its upload can be completed; whole seconds.
    pub good_for: Duration,
    /// The key.
    pub key: UploadKey,
}

/// The ports that uploads work with.
#[derive(Clone)]
pub struct UploadsPorts {
    /// What became of those that were completed.
    pub documents: Arc<dyn DocumentStore>,
    /// What submitters meant to do.
    pub intents: Arc<dyn IntentStore>,
    /// Where files wait.
    pub objects: Arc<dyn ObjectStore>,
    /// When it is.
    pub clock: Arc<dyn Clock>,
}

/// Gives out URLs and takes in what comes by them. Cheap to clone; holds no state of its own.
#[derive(Clone)]
pub struct Uploads {
    options: UploadsOptions,
    ports: UploadsPorts,
}

impl Uploads {
    /// Uploads on these ports.
    #[must_use]
    pub const fn new(options: UploadsOptions, ports: UploadsPorts) -> Self {
        Self { options, ports }
    }

    /// Says where a file can be sent.
    ///
    /// # Errors
    /// The file would be refused with a code of its own (`EMPTY_DOCUMENT`, `PAYLOAD_TOO_LARGE`, `UNSUPPORTED_TYPE`), its
    /// owner has too many that wait (`RATE_LIMITED`), the intent belongs to another one (`IDEMPOTENCY_KEY_REUSED`) or
    /// its upload has ended (`CONFLICT`); or a store is not available.
    pub async fn open(&self, request: OpenUpload) -> Result<OpenedUpload, Failure> {
        let opened = self.opened(request).await;
        metrics::upload("opened", &opened);
        opened
    }

    async fn opened(&self, request: OpenUpload) -> Result<OpenedUpload, Failure> {
        let media_type = self.check(&request)?;
        let now = self.ports.clock.now();
        let since = match Told::of_upload(&request) {
            None => None,
            Some(told) => {
                let intents = self.ports.intents.as_ref();
                let since = told.remember(intents, now).await?;
                told.end(intents).await;
                since
            }
        };
        let until_s = seconds(since.unwrap_or(now).plus(self.options.good_for));
        let left = u64::try_from(until_s - seconds(now)).ok().filter(|left| *left > 0).ok_or_else(|| {
            failure(ErrorCode::Conflict, "the upload of this key has ended; ask for another with another key")
        })?;
        self.expect_room(&request.owner).await?;
        let OpenUpload { owner, operation, file_name, size, digest, .. } = request;
        let (upload, file_name) = (operation.as_uuid(), base_name(&file_name));
        let ticket = Ticket { owner, upload, file_name, size, digest, until_s };
        let id = self.options.key.id_of(&ticket).map_err(|error| {
            failure(ErrorCode::Internal, &format!("the id of an upload cannot be written: {error}"))
        })?;
        let key = place::waiting(&ticket.owner, upload);
        let grant = PutGrant { key: &key, media_type: &media_type, valid: Duration::from_secs(left) };
        let (target, headers) = match self.ports.objects.sign_put(grant).await? {
            Some(SignedPut { url, headers }) => (UploadTarget::Store(url), headers),
            None => {
                let signature = self.options.key.sign_put(&id, until_s);
                (UploadTarget::Edge(signature), vec![("content-type".to_owned(), media_type)])
            }
        };
        Ok(OpenedUpload { id, target, headers, until: moment(until_s) })
    }

    /// Forgets what nobody can complete any more; how many objects those were.
    ///
    /// # Errors
    /// The store is not available; what is left is left for the next time.
    pub async fn sweep(&self) -> Result<u64, StoreError> {
        let (objects, now) = (&self.ports.objects, self.ports.clock.now());
        let mut swept = 0;
        for folder in [WAITING, place::DONE] {
            loop {
                let page = objects.list(folder, SWEEP_PAGE).await?;
                let before = swept;
                for entry in &page {
                    if entry.put_at.plus(self.options.good_for + GRACE) <= now {
                        objects.delete(&entry.key).await?;
                        metrics::swept();
                        swept += 1;
                    }
                }
                if page.len() < SWEEP_PAGE || swept == before {
                    break;
                }
            }
        }
        Ok(swept)
    }

    /// What the file is to be sent as, if it can be taken at all.
    fn check(&self, request: &OpenUpload) -> Result<String, Failure> {
        let (size, limit) = (request.size, self.options.max_bytes);
        if size == 0 {
            return Err(failure(ErrorCode::EmptyDocument, "the file is empty"));
        }
        if size > limit {
            let reason = format!("the file has {size} bytes; the limit is {limit}");
            return Err(failure(ErrorCode::TooLarge, &reason));
        }
        let Some(given) = &request.media_type else { return Ok(ANY_MEDIA.to_owned()) };
        let media_type = given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let is_read = media_type == ANY_MEDIA || READ.iter().any(|kind| kind.media_type() == media_type);
        is_read.then_some(media_type).ok_or_else(|| {
            failure(ErrorCode::UnsupportedType, "files of this type are not read: send PDF, DOCX or text")
        })
    }

    async fn expect_room(&self, owner: &OwnerId) -> Result<(), Failure> {
        let waiting = self.ports.objects.list(WAITING, MOST_WAITING).await?;
        if waiting.len() >= MOST_WAITING {
            return Err(failure(ErrorCode::Overloaded, "too many files wait to be completed"));
        }
        let own = prefix(owner);
        if waiting.iter().filter(|entry| entry.key.starts_with(&own)).count() >= MOST_OF_OWNER {
            let reason =
                format!("{MOST_OF_OWNER} of your files wait already: complete them, or let them expire");
            return Err(failure(ErrorCode::RateLimited, &reason));
        }
        Ok(())
    }

    fn has_ended(&self, ticket: &Ticket) -> bool {
        moment(ticket.until_s) <= self.ports.clock.now()
    }
}

const fn seconds(at: Timestamp) -> i64 {
    at.millis().div_euclid(1000)
}

const fn moment(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds.saturating_mul(1000))
}
