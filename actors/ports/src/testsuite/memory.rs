//! The model of the stores: maps under one lock.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

use async_trait::async_trait;
use tandem_domain::account::Account;
use tandem_domain::audit::AuditEntry;
use tandem_domain::chunk::{EmbeddedVersion, ModelIdentity, ModelKey};
use tandem_domain::document::{
    Document, DocumentKind, DocumentState, DocumentVersion, ParsedVersion, Version,
};
use tandem_domain::ids::{
    ContentDigest, DocumentId, KeyDigest, MatchId, OperationId, OwnerId, RunId, TaskId, TenantId,
};
use tandem_domain::models::Models;
use tandem_domain::quota::{Charge, OwnerQuota};
use tandem_domain::run::{ItemOutcome, MatchRun, PairMatch};
use tandem_domain::task::{Task, TaskRef, TaskState};

use super::locked;
use crate::documents::{Bucket, BucketRange, Change, DocumentStore, LogPage, LogPosition, MAX_PAGE, Page};
use crate::error::{StoreError, Write};
use crate::intents::Intent;
use crate::tasks::TaskStore;
use crate::vectors::VectorKey;

mod accounts;
mod audit;
mod intents;
mod models;
mod quotas;
mod runs;
mod vectors;

#[cfg(test)]
mod tests;

/// Documents, vectors, tasks, runs, matches, quotas and accounts in memory. Every write is applied or refused, never unknown.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    documents: BTreeMap<(OwnerId, DocumentId), Document>,
    parsed: HashMap<(OwnerId, DocumentId, Version), ParsedVersion>,
    embedded: HashMap<(OwnerId, DocumentId, Version, ModelKey), EmbeddedVersion>,
    vectors: HashMap<(OwnerId, VectorKey), CachedVector>,
    log: Vec<Change>,
    tasks: BTreeMap<(OwnerId, TaskId), Task>,
    intents: HashMap<(OwnerId, OperationId), Intent>,
    runs: HashMap<(OwnerId, RunId), MatchRun>,
    items: HashMap<(OwnerId, RunId), BTreeMap<u32, ItemOutcome>>,
    matches: BTreeMap<(OwnerId, MatchId), PairMatch>,
    quotas: HashMap<OwnerId, OwnerQuota>,
    charges: HashMap<(OwnerId, OperationId), Charge>,
    accounts: BTreeMap<OwnerId, Account>,
    keys: HashMap<KeyDigest, OwnerId>,
    audit: HashMap<TenantId, Vec<AuditEntry>>,
    models: Option<Models>,
}

/// A vector and the version it is of.
#[derive(Debug)]
struct CachedVector {
    of: (DocumentId, Version),
    vector: Vec<f32>,
}

fn page_limit(limit: u32) -> usize {
    limit.min(MAX_PAGE) as usize
}

/// Keeps a value unless one is there.
fn put_once<K: std::hash::Hash + Eq, V>(map: &mut HashMap<K, V>, key: K, value: V) -> Write<()> {
    if map.contains_key(&key) {
        return Write::Conflict(());
    }
    map.insert(key, value);
    Write::Applied
}

fn has_content(document: &Document, owner: &OwnerId, kind: DocumentKind, digest: ContentDigest) -> bool {
    document.owner == *owner && document.kind == kind && document.with_digest(digest).is_some()
}

#[async_trait]
impl DocumentStore for MemoryStore {
    async fn create(&self, document: &Document) -> Result<Write<Document>, StoreError> {
        let documents = &mut locked(&self.0).documents;
        let key = (document.owner.clone(), document.id);
        let twin = documents.get(&key).or_else(|| {
            documents.values().find(|d| has_content(d, &document.owner, document.kind, document.digest))
        });
        if let Some(twin) = twin {
            return Ok(Write::Conflict(twin.clone()));
        }
        documents.insert(key, document.clone());
        Ok(Write::Applied)
    }

    async fn document(&self, owner: &OwnerId, id: DocumentId) -> Result<Option<Document>, StoreError> {
        Ok(locked(&self.0).documents.get(&(owner.clone(), id)).cloned())
    }

    async fn find_by_digest(
        &self,
        owner: &OwnerId,
        kind: DocumentKind,
        digest: ContentDigest,
    ) -> Result<Option<Document>, StoreError> {
        let state = locked(&self.0);
        let mut documents = state.documents.values();
        Ok(documents.find(|d| has_content(d, owner, kind, digest)).cloned())
    }

    async fn list(
        &self,
        owner: &OwnerId,
        kind: DocumentKind,
        page: Page<DocumentId>,
    ) -> Result<Vec<Document>, StoreError> {
        let state = locked(&self.0);
        let behind = |d: &&Document| page.after.is_none_or(|after| d.id < after);
        let documents = state.documents.values().rev();
        let documents = documents.filter(|d| d.owner == *owner && d.kind == kind).filter(behind);
        Ok(documents.take(page_limit(page.limit)).cloned().collect())
    }

    async fn add_version(
        &self,
        owner: &OwnerId,
        id: DocumentId,
        version: &DocumentVersion,
    ) -> Result<Write<Option<Document>>, StoreError> {
        let (documents, key) = (&mut locked(&self.0).documents, (owner.clone(), id));
        let Some(document) = documents.get(&key) else { return Ok(Write::Conflict(None)) };
        let twin = |d: &&Document| d.id != id && has_content(d, owner, document.kind, version.digest);
        if let Some(twin) = documents.values().find(twin) {
            return Ok(Write::Conflict(Some(twin.clone())));
        }
        let Some(next) = document.with_version(version.clone()) else {
            return Ok(Write::Conflict(Some(document.clone())));
        };
        documents.insert(key, next);
        Ok(Write::Applied)
    }

    async fn advance(
        &self,
        owner: &OwnerId,
        id: DocumentId,
        version: Version,
        next: &DocumentState,
    ) -> Result<Write<Option<DocumentState>>, StoreError> {
        let mut state = locked(&self.0);
        let Some(document) = state.documents.get_mut(&(owner.clone(), id)) else {
            return Ok(Write::Conflict(None));
        };
        Ok(match document.advanced(version, next) {
            Ok(next) => {
                *document = next;
                Write::Applied
            }
            Err(state) => Write::Conflict(Some(state)),
        })
    }

    async fn put_parsed(
        &self,
        owner: &OwnerId,
        id: DocumentId,
        version: Version,
        parsed: &ParsedVersion,
    ) -> Result<Write<()>, StoreError> {
        let key = (owner.clone(), id, version);
        Ok(put_once(&mut locked(&self.0).parsed, key, parsed.clone()))
    }

    async fn parsed(
        &self,
        owner: &OwnerId,
        id: DocumentId,
        version: Version,
    ) -> Result<Option<ParsedVersion>, StoreError> {
        Ok(locked(&self.0).parsed.get(&(owner.clone(), id, version)).cloned())
    }

    async fn put_embedded(
        &self,
        owner: &OwnerId,
        id: DocumentId,
        version: Version,
        embedded: &EmbeddedVersion,
    ) -> Result<Write<()>, StoreError> {
        let key = (owner.clone(), id, version, embedded.model.key());
        Ok(put_once(&mut locked(&self.0).embedded, key, embedded.clone()))
    }

    async fn embedded(
        &self,
        owner: &OwnerId,
        id: DocumentId,
        version: Version,
        model: &ModelIdentity,
    ) -> Result<Option<EmbeddedVersion>, StoreError> {
        Ok(locked(&self.0).embedded.get(&(owner.clone(), id, version, model.key())).cloned())
    }

    async fn forget_embedded(
        &self,
        owner: &OwnerId,
        id: DocumentId,
        version: Version,
        model: &ModelIdentity,
    ) -> Result<(), StoreError> {
        locked(&self.0).embedded.remove(&(owner.clone(), id, version, model.key()));
        Ok(())
    }

    async fn remove(
        &self,
        owner: &OwnerId,
        id: DocumentId,
        latest: Version,
    ) -> Result<Write<Option<Document>>, StoreError> {
        let (mut state, key) = (locked(&self.0), (owner.clone(), id));
        match state.documents.get(&key) {
            Some(document) if document.latest() <= latest => {
                state.documents.remove(&key);
                Ok(Write::Applied)
            }
            there => Ok(Write::Conflict(there.cloned())),
        }
    }

    async fn forget_version(
        &self,
        owner: &OwnerId,
        id: DocumentId,
        version: Version,
    ) -> Result<(), StoreError> {
        let (mut state, key) = (locked(&self.0), (owner.clone(), id, version));
        state.parsed.remove(&key);
        state.embedded.retain(|(whose, of, at, _), _| (whose, *of, *at) != (owner, id, version));
        state.vectors.retain(|(whose, _), cached| whose != owner || cached.of != (id, version));
        Ok(())
    }

    async fn log_change(&self, change: &Change) -> Result<Write<()>, StoreError> {
        let log = &mut locked(&self.0).log;
        if log.contains(change) {
            return Ok(Write::Conflict(()));
        }
        log.push(change.clone());
        Ok(Write::Applied)
    }

    async fn changes(
        &self,
        buckets: BucketRange,
        after: LogPosition,
        limit: u32,
    ) -> Result<LogPage, StoreError> {
        let state = locked(&self.0);
        let numbered = (1..).map(LogPosition).zip(&state.log).skip(after.0 as usize);
        let here = numbered.filter(|(_, change)| buckets.contains(Bucket::of(change.document)));
        let changes: Vec<_> =
            here.take(limit as usize).map(|(position, change)| (position, change.clone())).collect();
        let full = changes.len() == limit as usize;
        let last = changes.last().filter(|_| full).map(|(position, _)| *position);
        let seen = last.unwrap_or(LogPosition(state.log.len() as u64)).max(after);
        Ok(LogPage { changes, seen })
    }

    async fn log_head(&self) -> Result<LogPosition, StoreError> {
        Ok(LogPosition(locked(&self.0).log.len() as u64))
    }
}

#[async_trait]
impl TaskStore for MemoryStore {
    async fn file(&self, task: &Task) -> Result<Write<Task>, StoreError> {
        let tasks = &mut locked(&self.0).tasks;
        let key = (task.owner.clone(), task.id);
        if let Some(there) = tasks.get(&key) {
            return Ok(Write::Conflict(there.clone()));
        }
        tasks.insert(key, task.clone());
        Ok(Write::Applied)
    }

    async fn task(&self, key: &TaskRef) -> Result<Option<Task>, StoreError> {
        Ok(locked(&self.0).tasks.get(&(key.owner.clone(), key.id)).cloned())
    }

    async fn replace(&self, task: &Task) -> Result<Write<Option<Task>>, StoreError> {
        let mut state = locked(&self.0);
        let Some(row) = state.tasks.get_mut(&(task.owner.clone(), task.id)) else {
            return Ok(Write::Conflict(None));
        };
        if row.rev.checked_add(1) != Some(task.rev) {
            return Ok(Write::Conflict(Some(row.clone())));
        }
        *row = task.clone();
        Ok(Write::Applied)
    }

    async fn unsettled(&self, after: Option<&TaskRef>, limit: u32) -> Result<Vec<Task>, StoreError> {
        let state = locked(&self.0);
        let tasks = state.tasks.values().filter(|t| !matches!(t.state, TaskState::Done | TaskState::Dead));
        let behind = tasks.filter(|task| after.is_none_or(|after| task.key() > *after));
        Ok(behind.take(limit as usize).cloned().collect())
    }
}
