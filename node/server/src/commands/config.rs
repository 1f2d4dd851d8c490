//! `tandem config`.

use std::process::ExitCode;

use tandem_config::{ConfigError, DEFAULT_TOML, NodeConfig};
use toml::Value;

use crate::cli::ConfigArgs;

#[expect(clippy::print_stdout, reason = "this is what the command is for")]
pub(crate) fn run(
    args: &ConfigArgs,
    resolve: impl Fn(&[(&str, Value)]) -> Result<NodeConfig, ConfigError>,
) -> anyhow::Result<ExitCode> {
    if args.check {
        resolve(&[])?;
        println!("the configuration is valid");
    } else {
        print!("{DEFAULT_TOML}");
    }
    Ok(ExitCode::SUCCESS)
}
