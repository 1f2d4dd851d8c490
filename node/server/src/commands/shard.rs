//! `tandem shard`.

use std::process::ExitCode;

use anyhow::{Context, bail};
use tandem_config::{ConfigError, NodeConfig};
use tandem_index_tantivy::TantivyIndex;
use toml::Value;

use crate::adapters::{index_folder, shard_folders};
use crate::cli::RebuildArgs;
use crate::{say, wiring};

/// Removes the files of shards, those of every model, so that the next start builds them from the store.
pub(crate) fn rebuild(
    args: &RebuildArgs,
    resolve: impl Fn(&[(&str, Value)]) -> Result<NodeConfig, ConfigError>,
) -> anyhow::Result<ExitCode> {
    let config = resolve(&wiring::data_override(args.data.as_deref()))?;
    let (folder, shards) = (index_folder(&config), config.index.shards);
    if let Some(unknown) = args.shard.iter().find(|shard| **shard >= shards) {
        bail!("there is no shard {unknown}: index.shards is {shards}, and numbers begin at 0");
    }
    let numbers = if args.shard.is_empty() { (0..shards).collect() } else { args.shard.clone() };
    let mut removed = 0;
    for number in numbers {
        let mut was_there = false;
        for place in shard_folders(&folder, number)? {
            was_there |= TantivyIndex::remove(&place)
                .with_context(|| format!("cannot remove {}; does the node run?", place.display()))?;
        }
        removed += usize::from(was_there);
    }
    say(&format!("{removed} shards will be built again at the next start\n"))?;
    Ok(ExitCode::SUCCESS)
}
