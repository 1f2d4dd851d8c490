//! Intents that have names: a cell for each, and another one for its end. Cells are never replaced, so that all of a row
//! ends at once; the table forgets them.

use async_trait::async_trait;
use tandem_domain::ids::{OperationId, OwnerId};
use tandem_ports::intents::Intent;
use tandem_ports::{IntentStore, StoreError, Write};

use crate::cells::{At, Next, Written};
use crate::codec::{decode, encode};
use crate::store::ScyllaStore;
use crate::unique::FIRST_REV;

const TABLE: &str = "intents";

/// What a cell is, as the last byte of its key.
#[derive(Clone, Copy)]
enum Part {
    Told = 1,
    Ended = 2,
}

fn key(operation: OperationId, part: Part) -> Vec<u8> {
    [&operation.as_uuid().into_bytes()[..], &[part as u8]].concat()
}

#[async_trait]
impl IntentStore for ScyllaStore {
    async fn remember(&self, intent: &Intent) -> Result<Write<Intent>, StoreError> {
        let (table, owner) = (&self.statements().intents, &intent.owner);
        let (op, body) = (self.operation(), encode(TABLE, intent)?);
        let told = key(intent.operation, Part::Told);
        let at = At { table, owner, key: &told };
        match self.insert_cell(at, Next { op: &op, rev: FIRST_REV, body: &body }).await? {
            Written::Done => Ok(Write::Applied),
            Written::Other(Some(cell)) => {
                let ended = key(intent.operation, Part::Ended);
                let ended = self.cell(At { table, owner, key: &ended }).await?.is_some();
                Ok(Write::Conflict(Intent { ended, ..decode(TABLE, &cell.body)? }))
            }
            Written::Other(None) | Written::Unknown => Ok(Write::Unknown),
        }
    }

    async fn end(&self, owner: &OwnerId, operation: OperationId) -> Result<(), StoreError> {
        let table = &self.statements().intents;
        let told = key(operation, Part::Told);
        if self.cell(At { table, owner, key: &told }).await?.is_none() {
            return Ok(());
        }
        let (op, ended) = (self.operation(), key(operation, Part::Ended));
        let at = At { table, owner, key: &ended };
        match self.insert_cell(at, Next { op: &op, rev: FIRST_REV, body: &[] }).await? {
            Written::Done | Written::Other(_) => Ok(()),
            Written::Unknown => Err(StoreError::Timeout),
        }
    }
}
