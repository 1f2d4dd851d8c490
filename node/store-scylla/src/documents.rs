//! Documents and their versions.

use async_trait::async_trait;
use futures::future::try_join_all;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tandem_domain::chunk::{EmbeddedVersion, ModelIdentity};
use tandem_domain::document::{
    Document, DocumentKind, DocumentState, DocumentVersion, ParsedVersion, Version,
};
use tandem_domain::ids::{ContentDigest, DocumentId, OwnerId};
use tandem_ports::documents::{BucketRange, Change, LogPage, LogPosition, Page};
use tandem_ports::{DocumentStore, StoreError, Write};
use uuid::Uuid;

use crate::cells::{At, Next, Written};
use crate::codec::{decode, encode};
use crate::lists::Place;
use crate::parts::Stored;
use crate::statements::{CellTable, Statements};
use crate::store::{Conditional, ScyllaStore, limited};
use crate::unique::{FIRST_REV, Unique, space};

const DOCUMENTS: &str = "documents";
pub(crate) const VERSIONS: &str = "versions";

/// How often a step is tried that another step overtakes. States only move forward and there are five.
const ADVANCES: u32 = 8;

/// What is kept of a version, as the last byte of its key.
#[derive(Clone, Copy)]
pub(crate) enum Stage {
    Parsed = 1,
    /// The vectors by the one model that there was before there were several.
    EmbeddedBefore = 2,
    Embedded = 3,
}

const fn space_of(kind: DocumentKind) -> u8 {
    match kind {
        DocumentKind::Resume => space::RESUMES,
        DocumentKind::Job => space::JOBS,
    }
}

impl Unique for Document {
    const LISTED: bool = true;

    fn table(statements: &Statements) -> &CellTable {
        &statements.documents
    }

    fn owner(&self) -> &OwnerId {
        &self.owner
    }

    fn id(&self) -> Uuid {
        self.id.as_uuid()
    }

    fn space(&self) -> u8 {
        space_of(self.kind)
    }

    fn distinctions(&self) -> Vec<Vec<u8>> {
        self.versions().map(|version| version.digest.as_bytes().to_vec()).collect()
    }

    fn is_removed(&self) -> bool {
        self.state == DocumentState::Removed
    }
}

pub(crate) fn version_key(id: DocumentId, version: Version, stage: Stage) -> Vec<u8> {
    [&id.as_uuid().into_bytes()[..], &version.0.to_be_bytes(), &[stage as u8]].concat()
}

impl ScyllaStore {
    /// Keeps a value of a version unless one is kept.
    async fn put_version<T: Serialize + Sync>(
        &self,
        owner: &OwnerId,
        key: Vec<u8>,
        value: &T,
    ) -> Result<Write<()>, StoreError> {
        let at = At { table: &self.statements().versions, owner, key: &key };
        if self.cell(at).await?.is_some() {
            return Ok(Write::Conflict(()));
        }
        let op = self.operation();
        let stored = self.store(owner, &op, encode(VERSIONS, value)?).await?;
        let body = encode(VERSIONS, &stored)?;
        match self.insert_cell(at, Next { op: &op, rev: FIRST_REV, body: &body }).await? {
            Written::Done => Ok(Write::Applied),
            Written::Other(_) => {
                self.forget(owner, &stored).await;
                Ok(Write::Conflict(()))
            }
            Written::Unknown => Ok(Write::Unknown),
        }
    }

    /// Its parts first: without the cell nobody would find them.
    pub(crate) async fn forget_stage(&self, owner: &OwnerId, key: &[u8]) -> Result<(), StoreError> {
        let at = At { table: &self.statements().versions, owner, key };
        let Some(cell) = self.cell_serial(at).await? else { return Ok(()) };
        self.drop_parts(owner, &decode(VERSIONS, &cell.body)?).await?;
        let dropping = (owner.as_str(), key, &cell.op[..]);
        match self.conditional(&self.statements().drop_version, dropping).await? {
            Conditional::Applied | Conditional::Refused => Ok(()),
            Conditional::Unknown => Err(StoreError::Timeout),
        }
    }

    pub(crate) async fn version<T: DeserializeOwned>(
        &self,
        owner: &OwnerId,
        key: Vec<u8>,
    ) -> Result<Option<T>, StoreError> {
        let at = At { table: &self.statements().versions, owner, key: &key };
        let Some(cell) = self.cell(at).await? else { return Ok(None) };
        let stored: Stored = decode(VERSIONS, &cell.body)?;
        decode(VERSIONS, &self.load(owner, stored).await?).map(Some)
    }

    /// A page of a list: hints without a cell, or whose cell is of another space, are passed over.
    pub(crate) async fn list_unique<T: Unique>(
        &self,
        owner: &OwnerId,
        space: u8,
        after: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<T>, StoreError> {
        let (limit, mut page) = (limited(limit), Vec::new());
        let mut place = Some(Place::behind(after));
        while let Some(here) = place.filter(|_| page.len() < limit) {
            let wanted = limit - page.len();
            let (ids, next) = self.list_ids(owner, i32::from(space), &here, wanted).await?;
            for wave in ids.chunks(wanted) {
                let values = try_join_all(wave.iter().map(|id| self.by_id::<T>(owner, *id))).await?;
                page.extend(values.into_iter().flatten().filter(|v| v.space() == space && !v.is_removed()));
                if page.len() >= limit {
                    break;
                }
            }
            place = next;
        }
        page.truncate(limit);
        Ok(page)
    }
}

#[async_trait]
impl DocumentStore for ScyllaStore {
    async fn create(&self, document: &Document) -> Result<Write<Document>, StoreError> {
        self.create_unique(document).await
    }

    async fn document(&self, owner: &OwnerId, id: DocumentId) -> Result<Option<Document>, StoreError> {
        let found: Option<Document> = self.by_id(owner, id.as_uuid()).await?;
        Ok(found.filter(|document| !document.is_removed()))
    }

    async fn find_by_digest(
        &self,
        owner: &OwnerId,
        kind: DocumentKind,
        digest: ContentDigest,
    ) -> Result<Option<Document>, StoreError> {
        self.by_distinction(owner, space_of(kind), digest.as_bytes()).await
    }

    async fn list(
        &self,
        owner: &OwnerId,
        kind: DocumentKind,
        page: Page<DocumentId>,
    ) -> Result<Vec<Document>, StoreError> {
        let after = page.after.map(|id| id.as_uuid());
        self.list_unique(owner, space_of(kind), after, page.limit).await
    }

    async fn add_version(
        &self,
        owner: &OwnerId,
        id: DocumentId,
        version: &DocumentVersion,
    ) -> Result<Write<Option<Document>>, StoreError> {
        self.add_a_version(owner, id, version).await
    }

    async fn advance(
        &self,
        owner: &OwnerId,
        id: DocumentId,
        version: Version,
        next: &DocumentState,
    ) -> Result<Write<Option<DocumentState>>, StoreError> {
        let (key, op) = (id.as_uuid().into_bytes(), self.operation());
        let at = At { table: &self.statements().documents, owner, key: &key };
        let mut cell = self.cell(at).await?;
        for _ in 0..ADVANCES {
            let Some(there) = cell else { return Ok(Write::Conflict(None)) };
            let document: Document = decode(DOCUMENTS, &there.body)?;
            if document.is_removed() {
                return Ok(Write::Conflict(None));
            }
            let document = match document.advanced(version, next) {
                Ok(document) => document,
                Err(state) => return Ok(Write::Conflict(Some(state))),
            };
            let body = encode(DOCUMENTS, &document)?;
            let write = Next { op: &op, rev: there.rev + 1, body: &body };
            match self.replace_cell(at, there.rev, write).await? {
                Written::Done => return Ok(Write::Applied),
                Written::Other(now) => cell = now,
                Written::Unknown => return Ok(Write::Unknown),
            }
        }
        Err(StoreError::Timeout)
    }

    async fn put_parsed(
        &self,
        owner: &OwnerId,
        id: DocumentId,
        version: Version,
        parsed: &ParsedVersion,
    ) -> Result<Write<()>, StoreError> {
        self.put_version(owner, version_key(id, version, Stage::Parsed), parsed).await
    }

    async fn parsed(
        &self,
        owner: &OwnerId,
        id: DocumentId,
        version: Version,
    ) -> Result<Option<ParsedVersion>, StoreError> {
        self.version(owner, version_key(id, version, Stage::Parsed)).await
    }

    async fn put_embedded(
        &self,
        owner: &OwnerId,
        id: DocumentId,
        version: Version,
        embedded: &EmbeddedVersion,
    ) -> Result<Write<()>, StoreError> {
        self.put_vectors(owner, id, version, embedded).await
    }

    async fn embedded(
        &self,
        owner: &OwnerId,
        id: DocumentId,
        version: Version,
        model: &ModelIdentity,
    ) -> Result<Option<EmbeddedVersion>, StoreError> {
        self.vectors(owner, id, version, model).await
    }

    async fn forget_embedded(
        &self,
        owner: &OwnerId,
        id: DocumentId,
        version: Version,
        model: &ModelIdentity,
    ) -> Result<(), StoreError> {
        self.forget_model(owner, id, version, model).await
    }

    /// The second key and the list first: what is broken off in between is still found by its id, and removed again.
    async fn remove(
        &self,
        owner: &OwnerId,
        id: DocumentId,
        latest: Version,
    ) -> Result<Write<Option<Document>>, StoreError> {
        let (key, op) = (id.as_uuid().into_bytes(), self.operation());
        let at = At { table: &self.statements().documents, owner, key: &key };
        let mut cell = self.cell(at).await?;
        for _ in 0..ADVANCES {
            let Some(there) = cell else { return Ok(Write::Conflict(None)) };
            let document: Document = decode(DOCUMENTS, &there.body)?;
            if document.is_removed() {
                return Ok(Write::Conflict(None));
            }
            if document.latest() > latest {
                return Ok(Write::Conflict(Some(document)));
            }
            self.unlist_unique(&document).await?;
            let body = encode(DOCUMENTS, &document.removed())?;
            let write = Next { op: &op, rev: there.rev + 1, body: &body };
            match self.replace_cell(at, there.rev, write).await? {
                Written::Done => return Ok(Write::Applied),
                Written::Other(now) => cell = now,
                Written::Unknown => return Ok(Write::Unknown),
            }
        }
        Err(StoreError::Timeout)
    }

    async fn forget_version(
        &self,
        owner: &OwnerId,
        id: DocumentId,
        version: Version,
    ) -> Result<(), StoreError> {
        self.forget_stage(owner, &version_key(id, version, Stage::Parsed)).await?;
        self.forget_models(owner, id, version).await?;
        self.forget_vectors(owner, id, version).await
    }

    async fn log_change(&self, change: &Change) -> Result<Write<()>, StoreError> {
        self.log(change).await
    }

    async fn changes(
        &self,
        buckets: BucketRange,
        after: LogPosition,
        limit: u32,
    ) -> Result<LogPage, StoreError> {
        self.read_log(buckets, after, limited(limit)).await
    }

    async fn log_head(&self) -> Result<LogPosition, StoreError> {
        self.read_head().await
    }
}
