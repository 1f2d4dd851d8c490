//! What all nodes of a keyspace go by: the first one's word holds.

use std::time::Duration;

use tandem_domain::ids::OwnerId;
use tandem_ports::StoreError;

use crate::cells::{At, Next, Written};
use crate::store::ScyllaStore;
use crate::unique::{FIRST_REV, space};

/// How often it is asked what was agreed on, and the wait before it is asked again: nodes start while servers do.
const TRIES: u32 = 8;
const WAIT: Duration = Duration::from_secs(2);

impl ScyllaStore {
    /// What the nodes of this keyspace have agreed on: `proposal`, if nobody has proposed anything before. The bytes are
    /// the caller's own; a few KiB at most.
    ///
    /// # Errors
    /// [`StoreError::Timeout`] when it stays unknown whose proposal was first: ask again.
    pub async fn agree(&self, proposal: &[u8]) -> Result<Vec<u8>, StoreError> {
        for _ in 1..TRIES {
            match self.agree_once(proposal).await {
                Err(error @ (StoreError::Timeout | StoreError::Unavailable(_))) => {
                    tracing::warn!(%error, "what the nodes have agreed on is not known yet");
                    tokio::time::sleep(WAIT).await;
                }
                ended => return ended,
            }
        }
        self.agree_once(proposal).await
    }

    async fn agree_once(&self, proposal: &[u8]) -> Result<Vec<u8>, StoreError> {
        let (op, owner) = (self.operation(), OwnerId::local());
        // Claims know no owner of this space: every node asks in the same name.
        let at = At { table: &self.statements().claims, owner: &owner, key: &[space::AGREEMENT] };
        if let Some(cell) = self.cell(at).await? {
            return Ok(cell.body);
        }
        let next = Next { op: &op, rev: FIRST_REV, body: proposal };
        match self.insert_cell(at, next).await? {
            Written::Done => Ok(proposal.to_vec()),
            Written::Other(Some(cell)) => Ok(cell.body),
            Written::Other(None) | Written::Unknown => Err(StoreError::Timeout),
        }
    }
}
