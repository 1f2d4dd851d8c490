//! Cells: one value for each key, changed by conditional writes alone.

use tandem_domain::ids::OwnerId;
use tandem_ports::StoreError;

use crate::metrics;
use crate::statements::CellTable;
use crate::store::{Conditional, ScyllaStore};

/// How often a conditional write is tried whose outcome is unknown and whose effect is not there. Each try names the same
/// operation, so that it does not matter which of them is applied.
const ATTEMPTS: u32 = 3;

/// A cell as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cell {
    /// The operation that made it.
    pub(crate) born: Vec<u8>,
    /// The operation that wrote it last.
    pub(crate) op: Vec<u8>,
    /// Counts its writes.
    pub(crate) rev: i64,
    pub(crate) body: Vec<u8>,
}

/// Where a cell is.
#[derive(Clone, Copy)]
pub(crate) struct At<'a> {
    pub(crate) table: &'a CellTable,
    pub(crate) owner: &'a OwnerId,
    pub(crate) key: &'a [u8],
}

/// What is to be written.
#[derive(Clone, Copy)]
pub(crate) struct Next<'a> {
    pub(crate) op: &'a [u8],
    pub(crate) rev: i64,
    pub(crate) body: &'a [u8],
}

/// How a write of a cell ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// It is there: by this call, or by another that names the same operation.
    Done,
    /// Refused; the cell as it stands.
    Other(Option<Cell>),
    Unknown,
}

type Columns = (Vec<u8>, Vec<u8>, i64, Vec<u8>);

impl ScyllaStore {
    /// The cell, if there is one.
    pub(crate) async fn cell(&self, at: At<'_>) -> Result<Option<Cell>, StoreError> {
        let key = (at.owner.as_str(), at.key);
        let rows: Vec<Columns> = self.rows_of(at.table.name, &at.table.read, key).await?;
        Ok(first(rows))
    }

    /// The cell after every conditional write that was begun has been completed or made impossible.
    pub(crate) async fn cell_serial(&self, at: At<'_>) -> Result<Option<Cell>, StoreError> {
        let key = (at.owner.as_str(), at.key);
        let rows: Vec<Columns> = self.rows_of(at.table.name, &at.table.read_serial, key).await?;
        Ok(first(rows))
    }

    /// Makes a cell unless there is one. Cells are never removed (claims excepted), so `born` decides for good whether
    /// this operation made it.
    pub(crate) async fn insert_cell(&self, at: At<'_>, next: Next<'_>) -> Result<Written, StoreError> {
        let mut open = false;
        let end = self.try_insert(at, next, &mut open).await;
        if open {
            metrics::resolved(&end);
        }
        end
    }

    /// `open` tells whether an answer was missing.
    async fn try_insert(&self, at: At<'_>, next: Next<'_>, open: &mut bool) -> Result<Written, StoreError> {
        let Next { op, rev, body } = next;
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                metrics::retried();
            }
            let values = (at.owner.as_str(), at.key, op, op, rev, body);
            match self.conditional(&at.table.insert, values).await {
                Ok(Conditional::Applied) => return Ok(Written::Done),
                Ok(Conditional::Refused) => {}
                Ok(Conditional::Unknown) => *open = true,
                Err(_) if *open => return Ok(Written::Unknown),
                Err(error) => return Err(error),
            }
            match self.cell_serial(at).await {
                Ok(Some(cell)) if cell.born == op => return Ok(Written::Done),
                Ok(Some(cell)) => return Ok(Written::Other(Some(cell))),
                Ok(None) => {}
                Err(_) if *open => return Ok(Written::Unknown),
                Err(error) => return Err(error),
            }
        }
        // Refused each time, and each time the claim that refused was released in between.
        if *open { Ok(Written::Unknown) } else { Err(StoreError::Timeout) }
    }

    /// Replaces a cell of revision `base`.
    pub(crate) async fn replace_cell(
        &self,
        at: At<'_>,
        base: i64,
        next: Next<'_>,
    ) -> Result<Written, StoreError> {
        let mut open = false;
        let end = self.try_replace(at, base, next, &mut open).await;
        if open {
            metrics::resolved(&end);
        }
        end
    }

    /// `open` tells whether an answer was missing.
    async fn try_replace(
        &self,
        at: At<'_>,
        base: i64,
        next: Next<'_>,
        open: &mut bool,
    ) -> Result<Written, StoreError> {
        let Next { op, rev, body } = next;
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                metrics::retried();
            }
            let values = (op, rev, body, at.owner.as_str(), at.key, base);
            match self.conditional(&at.table.replace, values).await {
                Ok(Conditional::Applied) => return Ok(Written::Done),
                Ok(Conditional::Refused) => {}
                Ok(Conditional::Unknown) => *open = true,
                Err(_) if *open => return Ok(Written::Unknown),
                Err(error) => return Err(error),
            }
            match self.cell_serial(at).await {
                Ok(Some(cell)) if cell.op == op => return Ok(Written::Done),
                // It may have been applied and replaced since.
                Ok(Some(cell)) if *open && cell.rev > rev => return Ok(Written::Unknown),
                Ok(Some(cell)) if *open && cell.rev == base => {}
                Ok(cell) => return Ok(Written::Other(cell)),
                Err(_) if *open => return Ok(Written::Unknown),
                Err(error) => return Err(error),
            }
        }
        Ok(Written::Unknown)
    }
}

fn first(rows: Vec<Columns>) -> Option<Cell> {
    rows.into_iter().next().map(|(born, op, rev, body)| Cell { born, op, rev, body })
}
