//! Files that come to a URL of the edge.

use tandem_domain::document::Failure;
use tandem_domain::error::ErrorCode;
use tandem_messages::uploads::{AdmitUpload, AdmittedUpload, SendUpload, SentUpload, SignedUpload};

use super::ticket::Ticket;
use super::{Uploads, moment, place};
use crate::ingestor::failure;
use crate::metrics;

impl Uploads {
    /// Says whether a file may be sent to a URL of the edge.
    ///
    /// # Errors
    /// `FORBIDDEN` when nobody here has signed it, or its time has passed; `CONFLICT` when a file was sent to it already;
    /// `RATE_LIMITED` when its owner has too many that wait; or a store is not available.
    pub async fn admit(&self, request: &AdmitUpload) -> Result<AdmittedUpload, Failure> {
        Ok(AdmittedUpload { size: self.admitted(&request.upload).await?.size })
    }

    /// Keeps a file that came to a URL of the edge until it is completed.
    ///
    /// # Errors
    /// As [`Uploads::admit`]; `PAYLOAD_TOO_LARGE` or `VALIDATION_ERROR` when it is not what was announced. Then nothing of
    /// it is kept.
    pub async fn send(&self, request: SendUpload) -> Result<SentUpload, Failure> {
        let sent = self.sent(request).await;
        metrics::upload("sent", &sent);
        sent
    }

    async fn sent(&self, request: SendUpload) -> Result<SentUpload, Failure> {
        let SendUpload { upload, content } = request;
        let ticket = self.admitted(&upload).await?;
        ticket.expect(&content)?;
        let key = place::waiting(&ticket.owner, ticket.upload);
        if !self.ports.objects.put_new(&key, content).await? {
            return Err(used());
        }
        Ok(SentUpload { size: ticket.size, until: moment(ticket.until_s) })
    }

    async fn admitted(&self, url: &SignedUpload) -> Result<Ticket, Failure> {
        let forbidden = |reason: &str| failure(ErrorCode::Forbidden, reason);
        let SignedUpload { id, until_s, signature } = url;
        let key = &self.options.key;
        let ticket = key.ticket_of(id).filter(|_| key.has_signed_put(id, *until_s, signature));
        let ticket = ticket.ok_or_else(|| forbidden("this URL was not given out like this"))?;
        if self.has_ended(&ticket) {
            return Err(forbidden("this URL has expired; ask for another"));
        }
        let objects = &self.ports.objects;
        for key in [place::waiting, place::done].map(|key| key(&ticket.owner, ticket.upload)) {
            if objects.size(&key).await?.is_some() {
                return Err(used());
            }
        }
        self.expect_room(&ticket.owner).await?;
        Ok(ticket)
    }
}

fn used() -> Failure {
    failure(ErrorCode::Conflict, "a file was sent to this URL already")
}
