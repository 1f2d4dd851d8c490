//! Keys: the only paths that are ever made under the folder.

use object_store::ObjectMeta;
use object_store::path::Path;
use tandem_domain::time::Timestamp;
use tandem_ports::StoreError;
use tandem_ports::objects::ObjectEntry;

#[cfg(test)]
mod tests;

/// The longest key in bytes.
const MAX_LEN: usize = 128;

/// The path of a key `[a-z]+/[0-9a-f-]+.[a-z0-9]+`. Nothing else leads to a path: no `..`, no folder of one's own.
pub(crate) fn path(key: &str) -> Result<Path, StoreError> {
    let valid = key.len() <= MAX_LEN && parts(key).is_some();
    let path = valid.then(|| Path::parse(key).ok()).flatten();
    path.ok_or_else(|| StoreError::Unavailable("not the key of an object".to_owned()))
}

/// The path of a folder of objects, `[a-z]+`.
pub(crate) fn folder(name: &str) -> Result<Path, StoreError> {
    let valid = name.len() <= MAX_LEN && is_all(name, |b| b.is_ascii_lowercase());
    let path = valid.then(|| Path::parse(name).ok()).flatten();
    path.ok_or_else(|| StoreError::Unavailable("not a folder of objects".to_owned()))
}

/// What a list shows of an object in the folder `name`, which lies at `at`; `None` = it is none of ours.
pub(crate) fn entry(name: &str, at: &Path, found: &ObjectMeta) -> Option<ObjectEntry> {
    let mut below = found.location.prefix_match(at)?;
    let key = format!("{name}/{}", below.next()?.as_ref());
    let is_ours = below.next().is_none() && parts(&key).is_some();
    let put_at = Timestamp::from_millis(found.last_modified.timestamp_millis());
    is_ours.then_some(ObjectEntry { key, size: found.size, put_at })
}

fn parts(key: &str) -> Option<()> {
    let (folder, name) = key.split_once('/')?;
    let (stem, extension) = name.split_once('.')?;
    let fits = is_all(folder, |b| b.is_ascii_lowercase())
        && is_all(stem, |b| matches!(b, b'0'..=b'9' | b'a'..=b'f' | b'-'))
        && is_all(extension, |b| b.is_ascii_lowercase() || b.is_ascii_digit());
    fits.then_some(())
}

fn is_all(part: &str, allowed: fn(u8) -> bool) -> bool {
    !part.is_empty() && part.bytes().all(allowed)
}
