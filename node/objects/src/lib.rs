//! Originals in an object store: a local folder for now.

mod error;
mod key;
mod local;

pub use error::ObjectsError;
pub use local::LocalObjects;
