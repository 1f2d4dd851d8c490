//! Which models the corpus has: one cell.

use async_trait::async_trait;
use tandem_domain::ids::OwnerId;
use tandem_domain::models::Models;
use tandem_ports::{ModelStore, StoreError, Write};

use crate::cells::{At, Next, Written};
use crate::codec::{decode, encode};
use crate::store::ScyllaStore;
use crate::unique::{FIRST_REV, space};

const TABLE: &str = "claims";

#[async_trait]
impl ModelStore for ScyllaStore {
    async fn models(&self) -> Result<Option<Models>, StoreError> {
        let owner = OwnerId::local();
        // Claims know no owner of this space: every node asks in the same name.
        let at = At { table: &self.statements().claims, owner: &owner, key: &[space::MODELS] };
        self.cell(at).await?.map(|cell| decode(TABLE, &cell.body)).transpose()
    }

    async fn put_models(&self, models: &Models) -> Result<Write<Option<Models>>, StoreError> {
        let (op, owner, body) = (self.operation(), OwnerId::local(), encode(TABLE, models)?);
        let at = At { table: &self.statements().claims, owner: &owner, key: &[space::MODELS] };
        let rev = models.rev.cast_signed();
        let next = Next { op: &op, rev, body: &body };
        let written = if rev == FIRST_REV {
            self.insert_cell(at, next).await?
        } else {
            self.replace_cell(at, rev - 1, next).await?
        };
        Ok(match written {
            Written::Done => Write::Applied,
            Written::Other(cell) => Write::Conflict(cell.map(|cell| decode(TABLE, &cell.body)).transpose()?),
            Written::Unknown => Write::Unknown,
        })
    }
}
