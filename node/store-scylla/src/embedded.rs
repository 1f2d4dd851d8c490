//! The vectors of versions, by model: a cell for each version, with the values of all its models.

use tandem_domain::chunk::{EmbeddedVersion, ModelIdentity, ModelKey};
use tandem_domain::document::Version;
use tandem_domain::ids::{DocumentId, OwnerId};
use tandem_ports::{StoreError, Write};

use crate::cells::{At, Cell, Next, Written};
use crate::codec::{decode, encode};
use crate::documents::{Stage, VERSIONS, version_key};
use crate::parts::Stored;
use crate::store::{Conditional, ScyllaStore};
use crate::unique::FIRST_REV;

/// How often a write is tried that those of other models overtake. A corpus has two at the most, at one time.
const OVERTAKEN: u32 = 8;

/// What the cell holds.
type ByModel = Vec<(ModelKey, Stored)>;

fn by_model(cell: Option<&Cell>) -> Result<ByModel, StoreError> {
    cell.map_or_else(|| Ok(ByModel::new()), |cell| decode(VERSIONS, &cell.body))
}

impl ScyllaStore {
    /// Keeps vectors unless this model's are kept.
    pub(crate) async fn put_vectors(
        &self,
        owner: &OwnerId,
        id: DocumentId,
        version: Version,
        embedded: &EmbeddedVersion,
    ) -> Result<Write<()>, StoreError> {
        let (model, key) = (embedded.model.key(), version_key(id, version, Stage::Embedded));
        let at = At { table: &self.statements().versions, owner, key: &key };
        let mut cell = self.cell(at).await?;
        let there = by_model(cell.as_ref())?.iter().any(|(of, _)| *of == model);
        if there || self.vectors_before_models(owner, id, version, &embedded.model).await?.is_some() {
            return Ok(Write::Conflict(()));
        }
        let op = self.operation();
        let stored = self.store(owner, &op, encode(VERSIONS, embedded)?).await?;
        for _ in 0..OVERTAKEN {
            let mut values = by_model(cell.as_ref())?;
            if values.iter().any(|(of, _)| *of == model) {
                self.forget(owner, &stored).await;
                return Ok(Write::Conflict(()));
            }
            values.push((model, stored.clone()));
            match self.write_values(at, cell.as_ref(), &op, &values).await? {
                Written::Done => return Ok(Write::Applied),
                Written::Other(now) => cell = now,
                Written::Unknown => return Ok(Write::Unknown),
            }
        }
        self.forget(owner, &stored).await;
        Err(StoreError::Timeout)
    }

    async fn write_values(
        &self,
        at: At<'_>,
        there: Option<&Cell>,
        op: &[u8],
        values: &ByModel,
    ) -> Result<Written, StoreError> {
        let body = encode(VERSIONS, values)?;
        match there {
            Some(cell) => self.replace_cell(at, cell.rev, Next { op, rev: cell.rev + 1, body: &body }).await,
            None => self.insert_cell(at, Next { op, rev: FIRST_REV, body: &body }).await,
        }
    }

    /// The vectors by this model.
    pub(crate) async fn vectors(
        &self,
        owner: &OwnerId,
        id: DocumentId,
        version: Version,
        model: &ModelIdentity,
    ) -> Result<Option<EmbeddedVersion>, StoreError> {
        let key = version_key(id, version, Stage::Embedded);
        let at = At { table: &self.statements().versions, owner, key: &key };
        let values = by_model(self.cell(at).await?.as_ref())?;
        match values.into_iter().find(|(of, _)| *of == model.key()) {
            Some((_, stored)) => decode(VERSIONS, &self.load(owner, stored).await?).map(Some),
            None => self.vectors_before_models(owner, id, version, model).await,
        }
    }

    /// Those of a cell from before there were several models, if they are by this one.
    async fn vectors_before_models(
        &self,
        owner: &OwnerId,
        id: DocumentId,
        version: Version,
        model: &ModelIdentity,
    ) -> Result<Option<EmbeddedVersion>, StoreError> {
        let key = version_key(id, version, Stage::EmbeddedBefore);
        let found: Option<EmbeddedVersion> = self.version(owner, key).await?;
        Ok(found.filter(|embedded| embedded.model == *model))
    }

    /// Forgets the vectors by one model: first that there are any, then their parts.
    pub(crate) async fn forget_model(
        &self,
        owner: &OwnerId,
        id: DocumentId,
        version: Version,
        model: &ModelIdentity,
    ) -> Result<(), StoreError> {
        if self.vectors_before_models(owner, id, version, model).await?.is_some() {
            self.forget_stage(owner, &version_key(id, version, Stage::EmbeddedBefore)).await?;
        }
        let key = version_key(id, version, Stage::Embedded);
        let at = At { table: &self.statements().versions, owner, key: &key };
        let mut cell = self.cell_serial(at).await?;
        let op = self.operation();
        for _ in 0..OVERTAKEN {
            let (gone, kept): (ByModel, ByModel) =
                by_model(cell.as_ref())?.into_iter().partition(|(of, _)| *of == model.key());
            let [(_, stored)] = &gone[..] else { return Ok(()) };
            match self.write_values(at, cell.as_ref(), &op, &kept).await? {
                Written::Done => {
                    self.forget(owner, stored).await;
                    return Ok(());
                }
                Written::Other(now) => cell = now,
                Written::Unknown => return Err(StoreError::Timeout),
            }
        }
        Err(StoreError::Timeout)
    }

    /// Forgets the vectors by all models. Their parts first: without the cell nobody would find them.
    pub(crate) async fn forget_models(
        &self,
        owner: &OwnerId,
        id: DocumentId,
        version: Version,
    ) -> Result<(), StoreError> {
        self.forget_stage(owner, &version_key(id, version, Stage::EmbeddedBefore)).await?;
        let key = version_key(id, version, Stage::Embedded);
        let at = At { table: &self.statements().versions, owner, key: &key };
        for _ in 0..OVERTAKEN {
            let Some(cell) = self.cell_serial(at).await? else { return Ok(()) };
            for (_, stored) in by_model(Some(&cell))? {
                self.drop_parts(owner, &stored).await?;
            }
            let dropping = (owner.as_str(), &key[..], &cell.op[..]);
            match self.conditional(&self.statements().drop_version, dropping).await? {
                Conditional::Applied => return Ok(()),
                // Another model's were kept meanwhile.
                Conditional::Refused => {}
                Conditional::Unknown => return Err(StoreError::Timeout),
            }
        }
        Err(StoreError::Timeout)
    }
}
