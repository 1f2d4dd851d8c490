//! `tandem migrate` and `tandem drift`.

use std::process::ExitCode;
use std::sync::Arc;

use tandem_config::{ConfigError, NodeConfig, StoreEngine};
use tandem_store_embedded::migrate as migrate_file;
use tandem_store_scylla::{drift, migrate as migrate_cluster};
use toml::Value;

use crate::adapters::{embedded_options, scylla_options};
use crate::cli::{DriftArgs, MigrateArgs};
use crate::clock::SystemClock;
use crate::{say, wiring};

/// Brings the store to the newest schema and says what it did.
pub(crate) fn run(
    args: &MigrateArgs,
    resolve: impl Fn(&[(&str, Value)]) -> Result<NodeConfig, ConfigError>,
) -> anyhow::Result<ExitCode> {
    let config = resolve(&wiring::data_override(args.data.as_deref()))?;
    let (place, from, to, applied) = match config.store.engine {
        StoreEngine::Embedded => {
            let report = migrate_file(&embedded_options(&config, Arc::new(SystemClock)))?;
            (
                report.file.display().to_string(),
                report.from.to_string(),
                report.to.to_string(),
                report.applied,
            )
        }
        StoreEngine::Scylla => {
            let options = scylla_options(&config.store.scylla, Arc::new(SystemClock));
            let report = wiring::block_on(async { Ok(migrate_cluster(&options).await?) })?;
            let place = format!("keyspace {}", report.keyspace);
            (place, report.from.to_string(), report.to.to_string(), report.applied)
        }
    };
    say(&if applied.is_empty() {
        format!("{place}: schema {to} is the newest, nothing to do\n")
    } else {
        format!("{place}: schema {from} -> {to} ({})\n", applied.join(", "))
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Says in what the live schema differs from this program's; exit code 1 if in anything.
pub(crate) fn drifted(
    args: &DriftArgs,
    resolve: impl Fn(&[(&str, Value)]) -> Result<NodeConfig, ConfigError>,
) -> anyhow::Result<ExitCode> {
    let config = resolve(&wiring::data_override(args.data.as_deref()))?;
    let differences: Vec<String> = match config.store.engine {
        StoreEngine::Embedded => {
            let options = embedded_options(&config, Arc::new(SystemClock));
            tandem_store_embedded::drift(&options)?.iter().map(ToString::to_string).collect()
        }
        StoreEngine::Scylla => {
            let options = scylla_options(&config.store.scylla, Arc::new(SystemClock));
            let found = wiring::block_on(async { Ok(drift(&options).await?) })?;
            found.iter().map(ToString::to_string).collect()
        }
    };
    if differences.is_empty() {
        say("the schema is this program's\n")?;
        return Ok(ExitCode::SUCCESS);
    }
    say(&format!("{}\n", differences.join("\n")))?;
    Ok(ExitCode::FAILURE)
}
