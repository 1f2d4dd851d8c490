//! The key that uploads are signed with: configured, or of the secret that the nodes of a cluster share, or this node's
//! own, made at its first start.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use tandem_config::{NodeConfig, StoreEngine};
use tandem_ingestion::UploadKey;

#[cfg(test)]
mod tests;

/// The file in the data folder.
const FILE: &str = "uploads.key";
/// The fewest characters of what a key is made of.
const MIN_SECRET: usize = 32;

/// The key of this node.
///
/// # Errors
/// A file cannot be read or made, or holds too little.
pub(crate) fn upload_key(config: &NodeConfig) -> anyhow::Result<UploadKey> {
    let (configured, cookie) = (config.uploads.key.reveal(), &config.mesh.cookie_file);
    let secret = if !configured.is_empty() {
        configured.to_owned()
    } else if !config.mesh.listen.is_empty() {
        read(cookie)?.with_context(|| format!("there is no file {}", cookie.display()))?
    } else {
        if config.store.engine == StoreEngine::Scylla {
            tracing::warn!(
                "without uploads.key or a mesh other nodes do not know the signed URLs of this one"
            );
        }
        own(&config.node.data_dir)?
    };
    Ok(UploadKey::new(secret.as_bytes()))
}

/// The key of this data folder.
fn own(data_dir: &Path) -> anyhow::Result<String> {
    let file = data_dir.join(FILE);
    if let Some(there) = read(&file)? {
        return Ok(there);
    }
    let mut random = [0; MIN_SECRET];
    getrandom::fill(&mut random).context("the machine gives no random numbers")?;
    let secret: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let fresh = file.with_extension("new");
    make(data_dir, &fresh, &file, &secret).with_context(|| format!("cannot make {}", file.display()))?;
    Ok(secret)
}

/// Writes the file so that it is there whole or not at all, also after a crash, and is its user's alone.
fn make(folder: &Path, fresh: &Path, file: &Path, secret: &str) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut options = fs::OpenOptions::new();
    let mut open = options.write(true).create(true).truncate(true).mode(0o600).open(fresh)?;
    writeln!(open, "{secret}")?;
    open.sync_all()?;
    fs::rename(fresh, file)?;
    fs::File::open(folder)?.sync_all()
}

fn read(file: &Path) -> anyhow::Result<Option<String>> {
    let text = match fs::read_to_string(file) {
        Ok(text) => text.trim().to_owned(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", file.display())),
    };
    if text.len() < MIN_SECRET {
        bail!("{} holds fewer than {MIN_SECRET} characters: remove it, and another is made", file.display());
    }
    Ok(Some(text))
}
