//! Erasing a person: the account, and every document, match and run of theirs.

use std::time::Duration;

use futures::stream::{StreamExt, TryStreamExt, iter};
use tandem_domain::account::Account;
use tandem_domain::document::{DocumentKind, Failure};
use tandem_domain::error::ErrorCode;
use tandem_domain::ids::{OperationId, OwnerId, TenantId};
use tandem_domain::task::{Task, TaskKind, TaskSubject};
use tandem_messages::documents::{RemoveDocument, RemovedDocument};
use tandem_messages::users::{ErasedParts, ErasedUser};
use tandem_ports::Write;
use tandem_ports::documents::Page;
use tandem_runtime::file_task;

use super::Eraser;
use crate::uploads;

/// What is read of a list at once, and how many of it are removed at the same time.
const PAGE: u32 = 100;
const AT_ONCE: usize = 8;
/// How often the account is emptied again over what another has written meanwhile.
const ATTEMPTS: u32 = 16;

impl Eraser {
    /// Erases a person. When it returns, the erasure is durable and the person is shut out; it is complete unless a part
    /// of the system was away or it took longer than `limit`, in which case the stage completes it.
    ///
    /// # Errors
    /// A store is not available: nothing was begun, or the same can be asked again.
    pub async fn erase_person(
        &self,
        owner: OwnerId,
        tenant: TenantId,
        operation: OperationId,
        limit: Duration,
    ) -> Result<ErasedUser, Failure> {
        let ports = &self.ports;
        let erased_at = ports.clock.now();
        let subject = TaskSubject::Person { operation, tenant: tenant.clone() };
        let task = Task::new(owner.clone(), TaskKind::Erase, subject, erased_at);
        file_task(ports.tasks.as_ref(), ports.queue.as_ref(), &task).await?;
        let mut removed =
            ErasedParts { keys: self.shut_out(&owner, &tenant).await?, ..ErasedParts::default() };
        let rest = tokio::time::timeout(limit, self.erase_belongings(&owner, &mut removed)).await;
        let log_position = match rest {
            Ok(Ok(())) => ports.documents.log_head().await.ok().map(|position| position.0),
            Ok(Err(error)) => {
                tracing::warn!(%error, "an erasure is not complete yet; it is tried again");
                None
            }
            Err(_) => None,
        };
        Ok(ErasedUser { owner, erased_at, removed, log_position })
    }

    /// What the stage does with the task of an erasure: all of it again.
    pub(super) async fn complete_person(&self, owner: &OwnerId, tenant: &TenantId) -> Result<(), Failure> {
        self.shut_out(owner, tenant).await?;
        self.erase_belongings(owner, &mut ErasedParts::default()).await
    }

    /// Empties the account, so that no key and no token opens anything from then on; how many keys it had.
    async fn shut_out(&self, owner: &OwnerId, tenant: &TenantId) -> Result<u32, Failure> {
        let accounts = &self.ports.accounts;
        for _ in 0..ATTEMPTS {
            let there = accounts.account(owner).await?;
            let keys = there.as_ref().map_or(0, |account| account.keys.len());
            let emptied = Account::emptied(there.as_ref(), owner, tenant, self.ports.clock.now());
            if there.is_some_and(|there| there.rev == emptied.rev) {
                return Ok(0);
            }
            match accounts.put_account(&emptied).await? {
                Write::Applied => return Ok(u32::try_from(keys).unwrap_or(u32::MAX)),
                Write::Conflict(_) | Write::Unknown => {}
            }
        }
        let reason = "the account is being changed by many at once".to_owned();
        Err(Failure { code: ErrorCode::Unavailable, reason })
    }

    async fn erase_belongings(&self, owner: &OwnerId, removed: &mut ErasedParts) -> Result<(), Failure> {
        self.erase_uploads(owner).await?;
        for kind in [DocumentKind::Resume, DocumentKind::Job] {
            self.erase_documents(owner, kind, removed).await?;
        }
        let runs = &self.ports.runs;
        let mut after = None;
        loop {
            let pairs = runs.list_matches(owner, Page { after, limit: PAGE }).await?;
            let Some(last) = pairs.last() else { break };
            after = Some(last.id);
            for pair in &pairs {
                runs.forget_match(owner, pair.id).await?;
                removed.matches += 1;
            }
        }
        let mut after = None;
        loop {
            let ids = runs.list_runs(owner, Page { after, limit: PAGE }).await?;
            let Some(last) = ids.last() else { return Ok(()) };
            after = Some(*last);
            for id in &ids {
                runs.forget_run(owner, *id).await?;
                removed.runs += 1;
            }
        }
    }

    /// What was sent and is not completed.
    async fn erase_uploads(&self, owner: &OwnerId) -> Result<(), Failure> {
        let (objects, own) = (&self.ports.objects, uploads::prefix(owner));
        for entry in objects.list(uploads::WAITING, uploads::MOST_WAITING).await? {
            if entry.key.starts_with(&own) {
                objects.delete(&entry.key).await?;
            }
        }
        Ok(())
    }

    /// `None` = somebody else removes it at the same time.
    async fn remove_if_there(&self, request: RemoveDocument) -> Result<Option<RemovedDocument>, Failure> {
        match self.remove(request).await {
            Err(Failure { code: ErrorCode::NotFound, .. }) => Ok(None),
            end => end.map(Some),
        }
    }

    /// Each with a task of its own, which names what nothing else finds when its row is gone.
    async fn erase_documents(
        &self,
        owner: &OwnerId,
        kind: DocumentKind,
        removed: &mut ErasedParts,
    ) -> Result<(), Failure> {
        let (mut after, mut incomplete) = (None, 0);
        loop {
            let page = self.ports.documents.list(owner, kind, Page { after, limit: PAGE }).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            let requests: Vec<RemoveDocument> = page
                .iter()
                .map(|document| RemoveDocument { owner: owner.clone(), kind, id: document.id })
                .collect();
            let ends: Vec<Option<RemovedDocument>> = iter(requests)
                .map(|request| self.remove_if_there(request))
                .buffer_unordered(AT_ONCE)
                .try_collect()
                .await?;
            for end in ends.into_iter().flatten() {
                removed.documents += 1;
                removed.versions += end.versions;
                incomplete += u32::from(end.log_position.is_none());
            }
        }
        if incomplete == 0 {
            return Ok(());
        }
        let reason = format!("{incomplete} documents are not removed completely yet");
        Err(Failure { code: ErrorCode::Unavailable, reason })
    }
}
