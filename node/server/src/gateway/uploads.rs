//! Files that are sent by a signed URL, and then taken in as every other one.

use tandem_domain::document::Failure;
use tandem_ingestion::Intake;
use tandem_messages::Context;
use tandem_messages::documents::SubmittedDocument;
use tandem_messages::uploads::{
    AdmitUpload, AdmittedUpload, CompleteUpload, OpenUpload, OpenedUpload, SendUpload, SentUpload,
};

use super::Parts;

impl Parts {
    pub(super) async fn open_upload(&self, request: OpenUpload) -> Result<OpenedUpload, Failure> {
        self.expect_intake()?;
        self.uploads.open(request).await
    }

    pub(super) async fn admit_upload(&self, request: &AdmitUpload) -> Result<AdmittedUpload, Failure> {
        self.expect_intake()?;
        self.uploads.admit(request).await
    }

    pub(super) async fn send_upload(&self, request: SendUpload) -> Result<SentUpload, Failure> {
        self.expect_intake()?;
        self.uploads.send(request).await
    }

    pub(super) async fn complete_upload(
        &self,
        request: CompleteUpload,
        context: &Context,
    ) -> Result<SubmittedDocument, Failure> {
        self.expect_intake()?;
        let submit = |submission| self.submit(Intake::Document(submission), context);
        self.uploads.complete(request, submit).await
    }
}
