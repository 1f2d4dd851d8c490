//! Files that are sent by a signed URL, and then taken in as every other one.

use tandem_domain::document::Failure;
use tandem_domain::plan::Measure;
use tandem_domain::quota::Exhausted;
use tandem_ingestion::Intake;
use tandem_messages::Context;
use tandem_messages::documents::SubmittedDocument;
use tandem_messages::uploads::{
    AdmitUpload, AdmittedUpload, CompleteUpload, OpenUpload, OpenedUpload, SendUpload, SentUpload,
};
use tandem_quota::{QuotaError, Refusal};

use super::Parts;

impl Parts {
    pub(super) async fn open_upload(
        &self,
        request: OpenUpload,
        context: &Context,
    ) -> Result<OpenedUpload, Failure> {
        self.expect_intake()?;
        self.expect_allowance(&request, context).await?;
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

    /// Refuses what completing would be refused for, before it is sent. Nothing is charged: that is done when it is
    /// taken in.
    async fn expect_allowance(&self, request: &OpenUpload, context: &Context) -> Result<(), Failure> {
        let quota = self.quota(&request.owner, context).await?;
        for (measure, asked) in [(Measure::ResumeUploads, 1), (Measure::StoredBytes, request.size)] {
            let Some(view) = quota.measures.iter().find(|view| view.measure == measure) else { continue };
            if let Some(limit) = view.limit.filter(|limit| limit.saturating_sub(view.used) < asked) {
                let exhausted = Exhausted { measure, limit, used: view.used, asked };
                return Err(QuotaError::Refused(Refusal { exhausted, resets_at: view.resets_at }).into());
            }
        }
        Ok(())
    }
}
