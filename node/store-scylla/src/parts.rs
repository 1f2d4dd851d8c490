//! Values that may be too large for a conditional write.

use futures::future::try_join_all;
use serde::{Deserialize, Serialize};
use tandem_domain::ids::OwnerId;
use tandem_ports::StoreError;

use crate::error::corrupt;
use crate::store::ScyllaStore;

const TABLE: &str = "parts";

/// The most bytes that travel through a conditional write.
const INLINE: usize = 32 * 1024;
/// The most bytes of a part: far under the servers' limit of a mutation.
const PART: usize = 512 * 1024;

/// A value, or where its parts are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stored {
    Inline(Vec<u8>),
    Parts { op: Vec<u8>, count: u32 },
}

impl ScyllaStore {
    /// Writes what does not fit inline under `op`. Nobody sees it until a cell refers to it.
    pub(crate) async fn store(
        &self,
        owner: &OwnerId,
        op: &[u8],
        value: Vec<u8>,
    ) -> Result<Stored, StoreError> {
        if value.len() <= INLINE {
            return Ok(Stored::Inline(value));
        }
        let statement = &self.statements().put_part;
        let writes = (0i32..)
            .zip(value.chunks(PART))
            .map(|(part, body)| async move { self.run(statement, (owner.as_str(), op, part, body)).await });
        let count =
            u32::try_from(try_join_all(writes).await?.len()).map_err(|error| corrupt(TABLE, error))?;
        Ok(Stored::Parts { op: op.to_vec(), count })
    }

    /// The value.
    pub(crate) async fn load(&self, owner: &OwnerId, stored: Stored) -> Result<Vec<u8>, StoreError> {
        let (op, count) = match stored {
            Stored::Inline(value) => return Ok(value),
            Stored::Parts { op, count } => (op, count),
        };
        let (statement, op) = (&self.statements().part, &op[..]);
        let reads = (0..count.cast_signed()).map(|part| async move {
            let rows: Vec<(Vec<u8>,)> = self.rows_of(TABLE, statement, (owner.as_str(), op, part)).await?;
            rows.into_iter().next().ok_or_else(|| corrupt(TABLE, "a part is missing"))
        });
        Ok(try_join_all(reads).await?.into_iter().flat_map(|(body,)| body).collect())
    }

    /// Removes a value's parts, if it has any.
    pub(crate) async fn drop_parts(&self, owner: &OwnerId, stored: &Stored) -> Result<(), StoreError> {
        match stored {
            Stored::Inline(_) => Ok(()),
            Stored::Parts { op, .. } => {
                self.run(&self.statements().drop_parts, (owner.as_str(), &op[..])).await.map(drop)
            }
        }
    }

    /// Removes the parts of a write that was refused. Should this fail, they stay and are never read.
    pub(crate) async fn forget(&self, owner: &OwnerId, stored: &Stored) {
        if let Err(error) = self.drop_parts(owner, stored).await {
            tracing::warn!(%error, "parts that nobody needs could not be removed");
        }
    }
}
