//! `tandem migrate`.

use std::process::ExitCode;

use tandem_config::{ConfigError, NodeConfig};
use toml::Value;

use crate::cli::MigrateArgs;
use crate::wiring;

/// Brings the store of a data folder to the newest schema and says what it did.
#[expect(clippy::print_stdout, reason = "this is what the command is for")]
pub(crate) fn run(
    args: &MigrateArgs,
    resolve: impl Fn(&[(&str, Value)]) -> Result<NodeConfig, ConfigError>,
) -> anyhow::Result<ExitCode> {
    let config = resolve(&wiring::data_override(args.data.as_deref()))?;
    let report = wiring::migrate(&config)?;
    println!("{report}");
    Ok(ExitCode::SUCCESS)
}
