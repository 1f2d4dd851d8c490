//! `tandem config`.

use std::process::ExitCode;

use tandem_config::{ConfigError, DEFAULT_TOML, NodeConfig};
use toml::Value;

use crate::cli::ConfigArgs;
use crate::say;

pub(crate) fn run(
    args: &ConfigArgs,
    resolve: impl Fn(&[(&str, Value)]) -> Result<NodeConfig, ConfigError>,
) -> anyhow::Result<ExitCode> {
    if args.check {
        resolve(&[])?;
        say("the configuration is valid\n")?;
    } else {
        say(DEFAULT_TOML)?;
    }
    Ok(ExitCode::SUCCESS)
}
