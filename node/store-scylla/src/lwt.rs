//! Answers of conditional writes.

use scylla::response::query_result::QueryResult;
use scylla::value::{CqlValue, Row};
use tandem_ports::StoreError;

use crate::error::corrupt;

#[cfg(test)]
mod tests;

/// The column that says how it went. Cassandra sends it alone on success and adds the row on refusal; ScyllaDB always
/// adds the row as it was. So it is found by name, never by place or number of columns.
const APPLIED: &str = "[applied]";

/// What the server says of a conditional write. A batch has a row for each of its statements on ScyllaDB and one row on
/// Cassandra; all say the same.
pub(crate) fn applied(result: QueryResult) -> Result<bool, StoreError> {
    let rows = result.into_rows_result().map_err(|error| corrupt(APPLIED, error))?;
    let names: Vec<String> = rows.column_specs().iter().map(|spec| spec.name().to_owned()).collect();
    let row: Row = rows.first_row().map_err(|error| corrupt(APPLIED, error))?;
    verdict(&names, &row.columns)
}

fn verdict(names: &[String], row: &[Option<CqlValue>]) -> Result<bool, StoreError> {
    let place = names.iter().position(|name| name == APPLIED);
    match place.and_then(|place| row.get(place)) {
        Some(Some(CqlValue::Boolean(applied))) => Ok(*applied),
        _ => Err(corrupt(APPLIED, "the answer does not say whether the write was applied")),
    }
}
