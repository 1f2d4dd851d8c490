//! Values as blobs: a format byte, then postcard.

use rusqlite::{Connection, OptionalExtension, Params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tandem_ports::StoreError;

use crate::error::Fault;

#[cfg(test)]
mod tests;

/// The format of new blobs. Another one is read only when code for it is here.
const FORMAT: u8 = 1;

/// The blob of a value.
pub(crate) fn encode<T: Serialize>(table: &'static str, value: &T) -> Result<Vec<u8>, StoreError> {
    postcard::to_extend(value, vec![FORMAT])
        .map_err(|error| StoreError::Corrupt { table, reason: error.to_string() })
}

/// The value of a blob.
pub(crate) fn decode<T: DeserializeOwned>(table: &'static str, blob: &[u8]) -> Result<T, StoreError> {
    let corrupt = |reason: String| StoreError::Corrupt { table, reason };
    match blob.split_first() {
        Some((&FORMAT, rest)) => match postcard::take_from_bytes(rest) {
            Ok((value, [])) => Ok(value),
            Ok((_, rest)) => Err(corrupt(format!("{} bytes are left over", rest.len()))),
            Err(error) => Err(corrupt(error.to_string())),
        },
        Some((format, _)) => Err(StoreError::Newer { table, format: *format }),
        None => Err(corrupt("it is empty".to_owned())),
    }
}

/// The value in the first column of the row that a query finds, if it finds one.
pub(crate) fn find<T: DeserializeOwned>(
    connection: &Connection,
    table: &'static str,
    sql: &str,
    params: impl Params,
) -> Result<Option<T>, Fault> {
    let mut statement = connection.prepare_cached(sql)?;
    let blob = statement.query_row(params, |row| row.get::<_, Vec<u8>>(0)).optional()?;
    Ok(blob.map(|blob| decode(table, &blob)).transpose()?)
}

/// The values in the first columns of all rows that a query finds.
pub(crate) fn list<T: DeserializeOwned>(
    connection: &Connection,
    table: &'static str,
    sql: &str,
    params: impl Params,
) -> Result<Vec<T>, Fault> {
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_and_then(params, |row| {
        let blob = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
        Ok(decode(table, blob)?)
    })?;
    rows.collect()
}
