//! PDF, to come.
use super::{ExtractError, Extracted, Limits};
pub(super) fn read(_bytes: &[u8], _limits: &Limits) -> Result<Extracted, ExtractError> {
    Err(ExtractError::unsupported("a PDF"))
}
