//! The shape of the house: which crate may see which, and what no file may hold.

mod crates;
mod observability;
mod readme;
mod sources;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tandem_tests::paths;

/// A file that belongs to the repository, with its path from the root.
struct SourceFile {
    path: String,
    text: String,
}

/// Every file of the repository: those that git keeps, or, outside of a checkout, those that lie there.
fn repository_files() -> Vec<String> {
    let root = paths::repository();
    let git = Command::new("git").arg("-C").arg(&root).arg("ls-files").output();
    let mut files = match git {
        Ok(output) if output.status.success() => {
            String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
        }
        _ => {
            let mut found = Vec::new();
            walk(&root, &root, &mut found);
            found
        }
    };
    files.retain(|path| root.join(path).is_file());
    assert!(files.len() > 100, "this is not the whole repository");
    files
}

fn walk(root: &Path, folder: &Path, found: &mut Vec<String>) {
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let shown = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
        if shown == "target" || shown == ".git" {
            continue;
        }
        if path.is_dir() {
            walk(root, &path, found);
        } else {
            found.push(shown);
        }
    }
}

/// The Rust files of the repository.
fn rust_files() -> Vec<SourceFile> {
    let root = paths::repository();
    let files = repository_files().into_iter().filter(|path| path.ends_with(".rs"));
    files.map(|path| SourceFile { text: read(&root.join(&path)), path }).collect()
}

fn read(path: &PathBuf) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
