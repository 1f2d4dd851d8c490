//! Everything that is stored of a person: given out, and erased.

use std::sync::Arc;

use tandem_domain::audit::AuditAction;
use tandem_domain::document::{DocumentKind, Failure};
use tandem_domain::error::ErrorCode;
use tandem_domain::ids::{DocumentId, OperationId, OwnerId, RunId, TenantId};
use tandem_domain::run::RowKey;
use tandem_messages::Context;
use tandem_messages::documents::DocumentDetail;
use tandem_messages::runs::RunView;
use tandem_messages::users::{
    EraseUser, ErasedUser, ExportItem, ExportPage, ExportPlace, ExportUser, Person,
};
use tandem_ports::documents::{MAX_PAGE, Page};
use tandem_ports::{AccountStore, AuditStore, DocumentStore, QuotaStore, RunStore};

use super::Parts;

/// Documents of one page: each comes with its text, which may be megabytes.
const DOCUMENTS: u32 = 8;
/// Matches of one page, and rows of a run.
const MATCHES: u32 = 100;
const ROWS: u32 = 200;

/// Reads everything that is stored of a person.
#[derive(Clone)]
pub(crate) struct Exporter {
    pub(crate) documents: Arc<dyn DocumentStore>,
    pub(crate) runs: Arc<dyn RunStore>,
    pub(crate) accounts: Arc<dyn AccountStore>,
    pub(crate) quotas: Arc<dyn QuotaStore>,
    pub(crate) audit: Arc<dyn AuditStore>,
}

impl Exporter {
    /// The page that begins at `place`.
    ///
    /// # Errors
    /// A store cannot be read.
    pub(crate) async fn page(
        &self,
        owner: &OwnerId,
        tenant: &TenantId,
        place: ExportPlace,
    ) -> Result<ExportPage, Failure> {
        match place {
            ExportPlace::Account => self.account(owner).await,
            ExportPlace::Documents(kind, after) => self.documents(owner, kind, after).await,
            ExportPlace::Matches(after) => {
                let pairs = self.runs.list_matches(owner, Page { after, limit: MATCHES }).await?;
                let next =
                    pairs.last().map_or(ExportPlace::Runs(None), |last| ExportPlace::Matches(Some(last.id)));
                let items = pairs.into_iter().map(|pair| ExportItem::Match(Box::new(pair))).collect();
                Ok(ExportPage { items, next: Some(next) })
            }
            ExportPlace::Runs(after) => self.run_behind(owner, after).await,
            ExportPlace::Rows(run, after) => self.rows(owner, run, after).await,
            ExportPlace::Audit(after) => {
                let entries = self.audit.audit_entries(tenant, after, MAX_PAGE).await?;
                let next = entries.last().map(|last| ExportPlace::Audit(last.sequence));
                let theirs = entries.into_iter().filter(|entry| entry.event.owner == *owner);
                let items = theirs.map(|entry| ExportItem::Audit(Box::new(entry))).collect();
                Ok(ExportPage { items, next })
            }
        }
    }

    async fn account(&self, owner: &OwnerId) -> Result<ExportPage, Failure> {
        let account = self.accounts.account(owner).await?.map(ExportItem::Account);
        let quota = self.quotas.quota(owner).await?.map(ExportItem::Quota);
        let next = Some(ExportPlace::Documents(DocumentKind::Resume, None));
        Ok(ExportPage { items: account.into_iter().chain(quota).collect(), next })
    }

    /// Every version of every document, with what was read in it.
    async fn documents(
        &self,
        owner: &OwnerId,
        kind: DocumentKind,
        after: Option<DocumentId>,
    ) -> Result<ExportPage, Failure> {
        let found = self.documents.list(owner, kind, Page { after, limit: DOCUMENTS }).await?;
        let next = match (found.last(), kind) {
            (Some(last), kind) => ExportPlace::Documents(kind, Some(last.id)),
            (None, DocumentKind::Resume) => ExportPlace::Documents(DocumentKind::Job, None),
            (None, DocumentKind::Job) => ExportPlace::Matches(None),
        };
        let mut items = Vec::new();
        for document in found.iter().flat_map(|document| document.versions()) {
            let parsed = self.documents.parsed(owner, document.id, document.version).await?;
            items.push(ExportItem::Document(Box::new(DocumentDetail { document, parsed })));
        }
        Ok(ExportPage { items, next: Some(next) })
    }

    async fn run_behind(&self, owner: &OwnerId, after: Option<RunId>) -> Result<ExportPage, Failure> {
        let found = self.runs.list_runs(owner, Page { after, limit: 1 }).await?;
        let Some(id) = found.last().copied() else {
            return Ok(ExportPage { items: Vec::new(), next: Some(ExportPlace::Audit(0)) });
        };
        let run = self.runs.run(owner, id).await?;
        let view = run.zip(self.runs.progress(owner, id).await?);
        let item = view.map(|(run, progress)| ExportItem::Run(Box::new(RunView { run, progress })));
        Ok(ExportPage { items: item.into_iter().collect(), next: Some(ExportPlace::Rows(id, None)) })
    }

    async fn rows(&self, owner: &OwnerId, id: RunId, after: Option<RowKey>) -> Result<ExportPage, Failure> {
        let behind = ExportPage { items: Vec::new(), next: Some(ExportPlace::Runs(Some(id))) };
        let Some(run) = self.runs.run(owner, id).await? else { return Ok(behind) };
        let rows = self.runs.rows(owner, id, after, ROWS).await?;
        let Some((last, _)) = rows.last() else { return Ok(behind) };
        let next = Some(ExportPlace::Rows(id, Some(*last)));
        Ok(ExportPage { items: vec![ExportItem::Rows(Box::new(run), rows)], next })
    }
}

impl Parts {
    /// Whether the asker may mean this person: themselves, or a member of their tenant.
    async fn check_person(&self, person: &Person) -> Result<(), Failure> {
        if person.is_asker {
            return Ok(());
        }
        let account = self.accounts.account(&person.owner).await?;
        if account.is_some_and(|account| account.user.tenant == person.tenant) {
            return Ok(());
        }
        Err(Failure { code: ErrorCode::NotFound, reason: "there is no such user".to_owned() })
    }

    pub(super) async fn export_user(
        &self,
        request: ExportUser,
        context: &Context,
    ) -> Result<ExportPage, Failure> {
        let ExportUser { person, place } = request;
        self.check_person(&person).await?;
        let page = self.exporter.page(&person.owner, &person.tenant, place);
        match place {
            ExportPlace::Account => {
                self.audited(context, AuditAction::UserExported, &person.owner, None, page).await
            }
            ExportPlace::Documents(..)
            | ExportPlace::Matches(_)
            | ExportPlace::Runs(_)
            | ExportPlace::Rows(..)
            | ExportPlace::Audit(_) => page.await,
        }
    }

    pub(super) async fn erase_user(
        &self,
        request: EraseUser,
        context: &Context,
    ) -> Result<ErasedUser, Failure> {
        let Person { owner, tenant, .. } = &request.person;
        self.check_person(&request.person).await?;
        let operation = OperationId::from_uuid(self.clock.new_id());
        // What does not fit into the request is the stage's.
        let limit = context.deadline / 2;
        let work = self.eraser.erase_person(owner.clone(), tenant.clone(), operation, limit);
        self.audited(context, AuditAction::UserErased, owner, None, work).await
    }
}
