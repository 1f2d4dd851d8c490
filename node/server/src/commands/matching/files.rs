//! Which files are meant.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use tandem_domain::document::DocumentKind;

/// The deepest folder that is looked into.
const MAX_DEPTH: usize = 16;
/// The most files of one folder.
const MAX_FILES: usize = 100_000;

/// A file to take in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InputFile {
    /// Where it lies.
    pub(crate) path: PathBuf,
    /// Its name as it is shown: relative to the folder that was given.
    pub(crate) name: String,
    /// Résumé or job.
    pub(crate) kind: DocumentKind,
}

/// The file, or the files of the folder and its folders, in order of their names. Names that begin with a dot are left
/// out.
///
/// # Errors
/// When a folder cannot be read, or there are too many files.
pub(crate) fn collect(root: &Path, kind: DocumentKind) -> anyhow::Result<Vec<InputFile>> {
    let meta = fs::metadata(root).with_context(|| format!("cannot read {}", root.display()))?;
    let mut files = Vec::new();
    if meta.is_dir() {
        walk(root, root, kind, 0, &mut files)?;
    } else {
        let name = root.file_name().unwrap_or_default().to_string_lossy().into_owned();
        files.push(InputFile { path: root.to_owned(), name, kind });
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}

/// The bytes of a regular file; one more than `limit` of a larger one, which is enough to refuse it.
///
/// # Errors
/// When it cannot be opened, or is a device, a pipe or the like, which might never end.
pub(crate) fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn walk(
    root: &Path,
    folder: &Path,
    kind: DocumentKind,
    depth: usize,
    files: &mut Vec<InputFile>,
) -> anyhow::Result<()> {
    if depth > MAX_DEPTH {
        bail!("{} lies more than {MAX_DEPTH} folders deep", folder.display());
    }
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let entry = entry.with_context(|| format!("cannot read {}", folder.display()))?;
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        // Links are followed; the depth bounds a circle of them. What leads nowhere is listed as broken later.
        if fs::metadata(&path).is_ok_and(|meta| meta.is_dir()) {
            walk(root, &path, kind, depth + 1, files)?;
        } else {
            let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
            files.push(InputFile { path, name, kind });
        }
        if files.len() > MAX_FILES {
            bail!("{} holds more than {MAX_FILES} files; match them in parts", root.display());
        }
    }
    Ok(())
}
