//! Documents, their versions and the change log.

use async_trait::async_trait;
use rusqlite::{Connection, Row, params};
use tandem_domain::chunk::{EmbeddedVersion, ModelIdentity};
use tandem_domain::document::{
    Document, DocumentKind, DocumentState, DocumentVersion, ParsedVersion, Version,
};
use tandem_domain::ids::{ContentDigest, DocumentId, OwnerId};
use tandem_ports::documents::{Bucket, BucketRange, Change, LogPage, LogPosition, Page};
use tandem_ports::{DocumentStore, StoreError, Write};
use uuid::Uuid;

use crate::codec::{encode, find, list};
use crate::codes;
use crate::error::Fault;
use crate::store::{EmbeddedStore, limited};
use crate::vectors;

const TABLE: &str = "documents";
const PARSED: &str = "parsed_versions";
const EMBEDDED: &str = "embedded_versions";
const LOG: &str = "change_log";

/// The model's key in rows from before there were several: their body alone says which it is.
const BEFORE_MODELS: &[u8] = &[];

fn by_id(connection: &Connection, owner: &OwnerId, id: DocumentId) -> Result<Option<Document>, Fault> {
    let select = "SELECT body FROM documents WHERE owner = ? AND id = ?";
    find(connection, TABLE, select, params![owner.as_str(), id.as_uuid().into_bytes()])
}

fn by_digest(
    connection: &Connection,
    owner: &OwnerId,
    kind: DocumentKind,
    digest: ContentDigest,
) -> Result<Option<Document>, Fault> {
    let select = "SELECT body FROM documents WHERE owner = ?1 AND kind = ?2 AND digest = ?3
        UNION ALL SELECT d.body FROM version_digests v JOIN documents d ON d.owner = v.owner AND d.id = v.document
        WHERE v.owner = ?1 AND v.kind = ?2 AND v.digest = ?3 LIMIT 1";
    let key = params![owner.as_str(), codes::document_kind(kind), digest.as_bytes()];
    find(connection, TABLE, select, key)
}

/// Writes a row over the one that is there. What it was made with stays its digest: those of later versions are beside it.
fn rewrite(connection: &Connection, document: &Document) -> Result<(), Fault> {
    let update = "UPDATE documents SET state = ?, body = ? WHERE owner = ? AND id = ?";
    let (state, body) = (codes::document_state(&document.state), encode(TABLE, document)?);
    let row = params![state, body, document.owner.as_str(), document.id.as_uuid().into_bytes()];
    connection.prepare_cached(update)?.execute(row)?;
    Ok(())
}

fn add_version(
    connection: &Connection,
    owner: &OwnerId,
    id: DocumentId,
    version: DocumentVersion,
) -> Result<Write<Option<Document>>, Fault> {
    let Some(document) = by_id(connection, owner, id)? else { return Ok(Write::Conflict(None)) };
    let (kind, digest) = (document.kind, version.digest);
    let known = by_digest(connection, owner, kind, digest)?;
    if known.as_ref().is_some_and(|known| known.id != id) {
        return Ok(Write::Conflict(known));
    }
    let Some(next) = document.with_version(version) else { return Ok(Write::Conflict(Some(document))) };
    rewrite(connection, &next)?;
    if known.is_none() {
        let insert = "INSERT INTO version_digests (owner, kind, digest, document) VALUES (?, ?, ?, ?)";
        let (kind, id) = (codes::document_kind(kind), id.as_uuid().into_bytes());
        let row = params![owner.as_str(), kind, digest.as_bytes(), id];
        connection.prepare_cached(insert)?.execute(row)?;
    }
    Ok(Write::Applied)
}

fn remove(
    connection: &Connection,
    owner: &OwnerId,
    id: DocumentId,
    latest: Version,
) -> Result<Write<Option<Document>>, Fault> {
    let found = by_id(connection, owner, id)?;
    if found.as_ref().is_none_or(|document| document.latest() > latest) {
        return Ok(Write::Conflict(found));
    }
    for delete in [
        "DELETE FROM version_digests WHERE owner = ? AND document = ?",
        "DELETE FROM documents WHERE owner = ? AND id = ?",
    ] {
        let key = params![owner.as_str(), id.as_uuid().into_bytes()];
        connection.prepare_cached(delete)?.execute(key)?;
    }
    Ok(Write::Applied)
}

/// The vectors of a version in a row from before there were several models, if they are by this one.
fn embedded_before(
    connection: &Connection,
    owner: &OwnerId,
    id: DocumentId,
    version: Version,
    model: &ModelIdentity,
) -> Result<Option<EmbeddedVersion>, Fault> {
    let select =
        "SELECT body FROM embedded_versions WHERE owner = ? AND document = ? AND version = ? AND model = ?";
    let key = params![owner.as_str(), id.as_uuid().into_bytes(), version.0, BEFORE_MODELS];
    let found: Option<EmbeddedVersion> = find(connection, EMBEDDED, select, key)?;
    Ok(found.filter(|embedded| embedded.model == *model))
}

/// A write that is either there or to be repeated.
fn certain(write: Write<()>) -> Result<(), StoreError> {
    if write == Write::Unknown { Err(StoreError::Timeout) } else { Ok(()) }
}

/// What an insert that does nothing on conflict did.
pub(crate) const fn once(inserted: usize) -> Write<()> {
    if inserted == 0 { Write::Conflict(()) } else { Write::Applied }
}

fn advance(
    connection: &Connection,
    owner: &OwnerId,
    id: DocumentId,
    version: Version,
    next: &DocumentState,
) -> Result<Write<Option<DocumentState>>, Fault> {
    let Some(document) = by_id(connection, owner, id)? else { return Ok(Write::Conflict(None)) };
    match document.advanced(version, next) {
        Ok(next) => rewrite(connection, &next).map(|()| Write::Applied),
        Err(state) => Ok(Write::Conflict(Some(state))),
    }
}

fn change(row: &Row<'_>) -> Result<(LogPosition, Change), Fault> {
    let corrupt = |reason: &str| StoreError::Corrupt { table: LOG, reason: reason.to_owned() };
    let owner = row.get::<_, String>(1)?;
    let action = codes::change_action_of(row.get(4)?).ok_or_else(|| corrupt("unknown action"))?;
    let change = Change {
        owner: OwnerId::try_from(owner).map_err(|error| corrupt(error.reason))?,
        document: DocumentId::from_uuid(Uuid::from_bytes(row.get(2)?)),
        version: Version(row.get(3)?),
        action,
    };
    Ok((LogPosition(row.get::<_, i64>(0)?.cast_unsigned()), change))
}

#[async_trait]
impl DocumentStore for EmbeddedStore {
    async fn create(&self, document: &Document) -> Result<Write<Document>, StoreError> {
        let (owner, id, kind, digest) = (document.owner.clone(), document.id, document.kind, document.digest);
        let (state, body) = (codes::document_state(&document.state), encode(TABLE, document)?);
        self.write(move |connection| {
            let twin = by_id(connection, &owner, id)?;
            let twin = twin.map_or_else(|| by_digest(connection, &owner, kind, digest), |d| Ok(Some(d)))?;
            if let Some(twin) = twin {
                return Ok(Write::Conflict(twin));
            }
            let insert =
                "INSERT INTO documents (owner, id, kind, digest, state, body) VALUES (?, ?, ?, ?, ?, ?)";
            let (id, kind) = (id.as_uuid().into_bytes(), codes::document_kind(kind));
            let row = params![owner.as_str(), id, kind, digest.as_bytes(), state, body];
            connection.prepare_cached(insert)?.execute(row)?;
            Ok(Write::Applied)
        })
        .await
    }

    async fn document(&self, owner: &OwnerId, id: DocumentId) -> Result<Option<Document>, StoreError> {
        let owner = owner.clone();
        self.read(move |connection| by_id(connection, &owner, id)).await
    }

    async fn find_by_digest(
        &self,
        owner: &OwnerId,
        kind: DocumentKind,
        digest: ContentDigest,
    ) -> Result<Option<Document>, StoreError> {
        let owner = owner.clone();
        self.read(move |connection| by_digest(connection, &owner, kind, digest)).await
    }

    async fn list(
        &self,
        owner: &OwnerId,
        kind: DocumentKind,
        page: Page<DocumentId>,
    ) -> Result<Vec<Document>, StoreError> {
        let (owner, kind) = (owner.clone(), codes::document_kind(kind));
        self.read(move |connection| {
            let limit = limited(page.limit);
            let Some(after) = page.after else {
                let select =
                    "SELECT body FROM documents WHERE owner = ? AND kind = ? ORDER BY id DESC LIMIT ?";
                return list(connection, TABLE, select, params![owner.as_str(), kind, limit]);
            };
            let select =
                "SELECT body FROM documents WHERE owner = ? AND kind = ? AND id < ? ORDER BY id DESC LIMIT ?";
            let key = params![owner.as_str(), kind, after.as_uuid().into_bytes(), limit];
            list(connection, TABLE, select, key)
        })
        .await
    }

    async fn add_version(
        &self,
        owner: &OwnerId,
        id: DocumentId,
        version: &DocumentVersion,
    ) -> Result<Write<Option<Document>>, StoreError> {
        let (owner, version) = (owner.clone(), version.clone());
        self.write(move |connection| add_version(connection, &owner, id, version)).await
    }

    async fn advance(
        &self,
        owner: &OwnerId,
        id: DocumentId,
        version: Version,
        next: &DocumentState,
    ) -> Result<Write<Option<DocumentState>>, StoreError> {
        let (owner, next) = (owner.clone(), next.clone());
        self.write(move |connection| advance(connection, &owner, id, version, &next)).await
    }

    async fn put_parsed(
        &self,
        owner: &OwnerId,
        id: DocumentId,
        version: Version,
        parsed: &ParsedVersion,
    ) -> Result<Write<()>, StoreError> {
        let (owner, body) = (owner.clone(), encode(PARSED, parsed)?);
        let insert = "INSERT INTO parsed_versions (owner, document, version, body) VALUES (?, ?, ?, ?)
            ON CONFLICT DO NOTHING";
        self.write(move |connection| {
            let row = params![owner.as_str(), id.as_uuid().into_bytes(), version.0, body];
            Ok(once(connection.prepare_cached(insert)?.execute(row)?))
        })
        .await
    }

    async fn parsed(
        &self,
        owner: &OwnerId,
        id: DocumentId,
        version: Version,
    ) -> Result<Option<ParsedVersion>, StoreError> {
        let owner = owner.clone();
        let select = "SELECT body FROM parsed_versions WHERE owner = ? AND document = ? AND version = ?";
        self.read(move |connection| {
            find(connection, PARSED, select, params![owner.as_str(), id.as_uuid().into_bytes(), version.0])
        })
        .await
    }

    async fn put_embedded(
        &self,
        owner: &OwnerId,
        id: DocumentId,
        version: Version,
        embedded: &EmbeddedVersion,
    ) -> Result<Write<()>, StoreError> {
        let (owner, model, body) = (owner.clone(), embedded.model.clone(), encode(EMBEDDED, embedded)?);
        let insert = "INSERT INTO embedded_versions (owner, document, version, model, body)
            VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
        self.write(move |connection| {
            if embedded_before(connection, &owner, id, version, &model)?.is_some() {
                return Ok(Write::Conflict(()));
            }
            let (id, key) = (id.as_uuid().into_bytes(), model.key());
            let row = params![owner.as_str(), id, version.0, key.as_bytes(), body];
            Ok(once(connection.prepare_cached(insert)?.execute(row)?))
        })
        .await
    }

    async fn embedded(
        &self,
        owner: &OwnerId,
        id: DocumentId,
        version: Version,
        model: &ModelIdentity,
    ) -> Result<Option<EmbeddedVersion>, StoreError> {
        let (owner, model) = (owner.clone(), model.clone());
        let select = "SELECT body FROM embedded_versions WHERE owner = ? AND document = ? AND version = ? AND model = ?";
        self.read(move |connection| {
            let (document, key) = (id.as_uuid().into_bytes(), model.key());
            let key = params![owner.as_str(), document, version.0, key.as_bytes()];
            let found = find(connection, EMBEDDED, select, key)?;
            found.map_or_else(
                || embedded_before(connection, &owner, id, version, &model),
                |found| Ok(Some(found)),
            )
        })
        .await
    }

    async fn forget_embedded(
        &self,
        owner: &OwnerId,
        id: DocumentId,
        version: Version,
        model: &ModelIdentity,
    ) -> Result<(), StoreError> {
        let (owner, model) = (owner.clone(), model.clone());
        let delete =
            "DELETE FROM embedded_versions WHERE owner = ? AND document = ? AND version = ? AND model = ?";
        let forgotten = self.write(move |connection| {
            let (document, key) = (id.as_uuid().into_bytes(), model.key());
            let before = embedded_before(connection, &owner, id, version, &model)?.map(|_| BEFORE_MODELS);
            for key in std::iter::once(&key.as_bytes()[..]).chain(before) {
                connection.prepare_cached(delete)?.execute(params![
                    owner.as_str(),
                    document,
                    version.0,
                    key
                ])?;
            }
            Ok(Write::<()>::Applied)
        });
        certain(forgotten.await?)
    }

    async fn remove(
        &self,
        owner: &OwnerId,
        id: DocumentId,
        latest: Version,
    ) -> Result<Write<Option<Document>>, StoreError> {
        let owner = owner.clone();
        self.write(move |connection| remove(connection, &owner, id, latest)).await
    }

    async fn forget_version(
        &self,
        owner: &OwnerId,
        id: DocumentId,
        version: Version,
    ) -> Result<(), StoreError> {
        let owner = owner.clone();
        let forgotten = self.write(move |connection| {
            for table in [PARSED, EMBEDDED] {
                let delete = format!("DELETE FROM {table} WHERE owner = ? AND document = ? AND version = ?");
                let key = params![owner.as_str(), id.as_uuid().into_bytes(), version.0];
                connection.prepare_cached(&delete)?.execute(key)?;
            }
            vectors::forget(connection, &owner, id, version)?;
            Ok(Write::<()>::Applied)
        });
        certain(forgotten.await?)
    }

    async fn log_change(&self, change: &Change) -> Result<Write<()>, StoreError> {
        let change = change.clone();
        let insert =
            "INSERT INTO change_log (bucket, owner, document, version, action) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT DO NOTHING";
        self.write(move |connection| {
            let bucket = Bucket::of(change.document).number();
            let document = change.document.as_uuid().into_bytes();
            let action = codes::change_action(change.action);
            let row = params![bucket, change.owner.as_str(), document, change.version.0, action];
            Ok(once(connection.prepare_cached(insert)?.execute(row)?))
        })
        .await
    }

    async fn changes(
        &self,
        buckets: BucketRange,
        after: LogPosition,
        limit: u32,
    ) -> Result<LogPage, StoreError> {
        let select = "SELECT position, owner, document, version, action FROM change_log
            WHERE position > ? AND bucket >= ? AND bucket < ? ORDER BY position LIMIT ?";
        let limit = limited(limit);
        self.read(move |connection| {
            // The head first: what is logged between both reads is then seen by the next look.
            let head = head(connection)?;
            let mut statement = connection.prepare_cached(select)?;
            let key = params![after.0.cast_signed(), buckets.from, buckets.to, limit];
            let rows = statement.query_and_then(key, change)?;
            let changes: Vec<(LogPosition, Change)> = rows.collect::<Result<_, Fault>>()?;
            let last = changes.last().map(|(position, _)| *position);
            let full = changes.len() >= limit as usize;
            let seen = if full { last } else { last.max(Some(head)) };
            Ok(LogPage { changes, seen: seen.unwrap_or(after).max(after) })
        })
        .await
    }

    async fn log_head(&self) -> Result<LogPosition, StoreError> {
        self.read(|connection| Ok(head(connection)?)).await
    }
}

/// The position of the last change.
fn head(connection: &Connection) -> rusqlite::Result<LogPosition> {
    let select = "SELECT coalesce(max(position), 0) FROM change_log";
    let head: i64 = connection.prepare_cached(select)?.query_row([], |row| row.get(0))?;
    Ok(LogPosition(head.cast_unsigned()))
}
