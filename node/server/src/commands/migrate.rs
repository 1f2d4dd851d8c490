//! `tandem migrate`.

use std::process::ExitCode;

use tandem_config::{ConfigError, NodeConfig};
use toml::Value;

use crate::cli::MigrateArgs;
use crate::{say, wiring};

/// Brings the store of a data folder to the newest schema and says what it did.
pub(crate) fn run(
    args: &MigrateArgs,
    resolve: impl Fn(&[(&str, Value)]) -> Result<NodeConfig, ConfigError>,
) -> anyhow::Result<ExitCode> {
    let config = resolve(&wiring::data_override(args.data.as_deref()))?;
    say(&format!("{}\n", wiring::migrate(&config)?))?;
    Ok(ExitCode::SUCCESS)
}
