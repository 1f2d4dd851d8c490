//! Originals in an object store: a folder of this machine, or a bucket of S3, R2 and the like.

mod error;
mod key;
mod local;
mod options;
mod s3;

pub use error::ObjectsError;
pub use local::LocalObjects;
pub use options::S3Options;
pub use s3::S3Objects;

// Only its TLS is wanted, which object_store does not ask for by itself.
use reqwest as _;
