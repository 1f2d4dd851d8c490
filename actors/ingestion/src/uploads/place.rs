//! Where the file of an upload lies.

use tandem_domain::ids::{OwnerId, derived};
use uuid::Uuid;

/// The folder of files that wait to be completed.
pub(crate) const WAITING: &str = "uploads";
/// The folder of what tells what became of them.
pub(crate) const DONE: &str = "uploaded";

/// The key of a file that waits.
pub(super) fn waiting(owner: &OwnerId, upload: Uuid) -> String {
    format!("{}{upload}.part", prefix(owner))
}

/// The key of what tells what became of it.
pub(super) fn done(owner: &OwnerId, upload: Uuid) -> String {
    format!("{DONE}/{}-{upload}.done", hidden(owner))
}

/// What the keys of an owner's files that wait begin with.
pub(crate) fn prefix(owner: &OwnerId) -> String {
    format!("{WAITING}/{}-", hidden(owner))
}

/// Tells owners apart without naming them; of the characters that keys have.
fn hidden(owner: &OwnerId) -> Uuid {
    derived("owner of uploads", &[owner.as_str().as_bytes()])
}
