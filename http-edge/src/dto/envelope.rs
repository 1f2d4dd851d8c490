//! What every success is wrapped in.

use serde::Serialize;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};
use utoipa::{PartialSchema, ToSchema};

/// A success.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Envelope<T> {
    /// What was asked for.
    pub(crate) data: T,
    /// Always null here; a failure has its code in this place.
    #[schema(schema_with = null)]
    pub(crate) error: (),
}

/// A page of a list, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Listing<T> {
    /// The entries.
    pub(crate) items: Vec<T>,
    /// Hand it back as `cursor` to read on; null on the last page.
    pub(crate) next_cursor: Option<String>,
}

/// The schema of what is always null.
pub(crate) fn null() -> Object {
    ObjectBuilder::new().schema_type(Type::Null).build()
}

/// The schema of one fixed text.
pub(crate) fn constant(text: &'static str) -> Object {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some([text])).build()
}

/// The schema of a UUID.
pub(crate) fn uuid() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
    super::common::Id::schema()
}
