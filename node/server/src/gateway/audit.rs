//! The audit log: what is done and written down.
//!
//! The beginning is written before anything else, and the end behind it. So whatever dies in between, the log says at
//! least that it was begun; and where the log cannot be written, nothing is done. An upload writes nothing here.

use tandem_domain::audit::{Actor, AuditAction, AuditEvent, AuditOutcome, request_of};
use tandem_domain::document::Failure;
use tandem_domain::ids::{OperationId, OwnerId, TenantId};
use tandem_messages::Context;
use tandem_messages::accounts::{CreateKey, KeyView, RevokeKey};
use tandem_messages::audit::{AuditPage, ListAudit};
use tandem_messages::documents::{RemoveDocument, RemovedDocument};
use tandem_messages::runs::{CancelRun, GetRun, RunView};
use tandem_ports::documents::MAX_PAGE;
use tandem_ports::{AuditLog, AuditStore, Clock};
use uuid::Uuid;

use super::Parts;

/// What is about to be done.
#[derive(Debug, Clone)]
pub(crate) struct Deed {
    pub(crate) tenant: TenantId,
    pub(crate) actor: Actor,
    pub(crate) request: Option<Uuid>,
    pub(crate) action: AuditAction,
    /// Whose account or data.
    pub(crate) owner: OwnerId,
    pub(crate) resource: Option<Uuid>,
}

impl Deed {
    fn asked(context: &Context, action: AuditAction, owner: &OwnerId, resource: Option<Uuid>) -> Self {
        let (tenant, actor) = (context.asker.tenant.clone(), context.asker.actor.clone());
        let request = Some(request_of(&context.request_id));
        Self { tenant, actor, request, action, owner: owner.clone(), resource }
    }

    /// An operator's at the command line.
    pub(crate) fn commanded(
        tenant: TenantId,
        action: AuditAction,
        owner: &OwnerId,
        resource: Option<Uuid>,
    ) -> Self {
        let actor = Actor::CommandLine;
        Self { tenant, actor, request: None, action, owner: owner.clone(), resource }
    }
}

/// Does something and writes it down.
///
/// # Errors
/// What the work says; or the log cannot be written, and the work was not begun.
pub(crate) async fn audited<T, E: From<Failure>>(
    log: &AuditLog,
    clock: &dyn Clock,
    deed: Deed,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let operation = OperationId::from_uuid(clock.new_id());
    let event = |outcome| AuditEvent {
        operation,
        at: clock.now(),
        actor: deed.actor.clone(),
        action: deed.action,
        owner: deed.owner.clone(),
        resource: deed.resource,
        request: deed.request,
        outcome,
    };
    log.record(&deed.tenant, event(AuditOutcome::Begun)).await?;
    let end = work.await;
    let outcome = if end.is_ok() { AuditOutcome::Done } else { AuditOutcome::Failed };
    if let Err(error) = log.record(&deed.tenant, event(outcome)).await {
        tracing::warn!(%error, "the audit log says that something was begun and not how it ended");
    }
    end
}

/// A page of a tenant's log, newest first.
///
/// # Errors
/// The store cannot be read.
pub(crate) async fn page(store: &dyn AuditStore, request: ListAudit) -> Result<AuditPage, Failure> {
    let ListAudit { tenant, before, limit } = request;
    let (head, limit) = (store.audit_head(&tenant).await?, limit.clamp(1, MAX_PAGE));
    let end = before.map_or(head.sequence, |before| before.saturating_sub(1)).min(head.sequence);
    let after = end.saturating_sub(limit.into());
    let count = u32::try_from(end - after).unwrap_or(limit);
    let mut entries = match count {
        0 => Vec::new(),
        count => store.audit_entries(&tenant, after, count).await?,
    };
    entries.reverse();
    Ok(AuditPage { entries, head, next: (after > 0).then_some(after + 1) })
}

impl Parts {
    pub(super) async fn audited<T>(
        &self,
        context: &Context,
        action: AuditAction,
        owner: &OwnerId,
        resource: Option<Uuid>,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let deed = Deed::asked(context, action, owner, resource);
        audited(&self.audit, &*self.clock, deed, work).await
    }

    pub(super) async fn list_audit(&self, request: ListAudit) -> Result<AuditPage, Failure> {
        page(self.audit.store(), request).await
    }

    /// What is not there is refused without a word in the log, so that strangers cannot fill it.
    pub(super) async fn remove_and_tell(
        &self,
        request: RemoveDocument,
        context: &Context,
    ) -> Result<RemovedDocument, Failure> {
        let (owner, id) = (request.owner.clone(), request.id);
        let is_there = self.documents.document(&owner, id).await?.is_some_and(|d| d.kind == request.kind);
        let work = self.remove_document(request);
        if !is_there {
            return work.await;
        }
        self.audited(context, AuditAction::DocumentErased, &owner, Some(id.as_uuid()), work).await
    }

    pub(super) async fn cancel_and_tell(
        &self,
        request: CancelRun,
        context: &Context,
    ) -> Result<RunView, Failure> {
        let (owner, id) = (request.owner.clone(), request.id);
        self.matching.get_run(GetRun { owner: owner.clone(), id }).await?;
        let work = self.matching.cancel_run(request);
        self.audited(context, AuditAction::RunCanceled, &owner, Some(id.as_uuid()), work).await
    }

    pub(super) async fn create_key_and_tell(
        &self,
        request: CreateKey,
        context: &Context,
    ) -> Result<KeyView, Failure> {
        let (owner, id) = (request.owner.clone(), request.id.as_uuid());
        let work = self.create_key(request);
        self.audited(context, AuditAction::KeyCreated, &owner, Some(id), work).await
    }

    pub(super) async fn revoke_key_and_tell(
        &self,
        request: RevokeKey,
        context: &Context,
    ) -> Result<KeyView, Failure> {
        let (owner, id) = (request.owner.clone(), request.id);
        let account = self.accounts.account(&owner).await?;
        let is_there = account.is_some_and(|account| account.keys.iter().any(|key| key.id == id));
        let work = self.revoke_key(request);
        if !is_there {
            return work.await;
        }
        self.audited(context, AuditAction::KeyRevoked, &owner, Some(id.as_uuid()), work).await
    }
}
