//! Values as blobs: a format byte, then postcard.

use serde::Serialize;
use serde::de::DeserializeOwned;
use tandem_ports::StoreError;

use crate::error::corrupt;

#[cfg(test)]
mod tests;

/// The format of new blobs. Another one is read only when code for it is here.
const FORMAT: u8 = 1;

/// The blob of a value.
pub(crate) fn encode<T: Serialize>(table: &'static str, value: &T) -> Result<Vec<u8>, StoreError> {
    postcard::to_extend(value, vec![FORMAT]).map_err(|error| corrupt(table, error))
}

/// The value of a blob.
pub(crate) fn decode<T: DeserializeOwned>(table: &'static str, blob: &[u8]) -> Result<T, StoreError> {
    match blob.split_first() {
        Some((&FORMAT, rest)) => match postcard::take_from_bytes(rest) {
            Ok((value, [])) => Ok(value),
            Ok((_, rest)) => Err(corrupt(table, format!("{} bytes are left over", rest.len()))),
            Err(error) => Err(corrupt(table, error)),
        },
        Some((format, _)) => Err(StoreError::Newer { table, format: *format }),
        None => Err(corrupt(table, "it is empty")),
    }
}
