//! Keys: the only paths that are ever made under the folder.

use object_store::path::Path;
use tandem_ports::StoreError;

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

fn parts(key: &str) -> Option<()> {
    let (folder, name) = key.split_once('/')?;
    let (stem, extension) = name.split_once('.')?;
    let all = |part: &str, allowed: fn(u8) -> bool| !part.is_empty() && part.bytes().all(allowed);
    let fits = all(folder, |b| b.is_ascii_lowercase())
        && all(stem, |b| matches!(b, b'0'..=b'9' | b'a'..=b'f' | b'-'))
        && all(extension, |b| b.is_ascii_lowercase() || b.is_ascii_digit());
    fits.then_some(())
}
