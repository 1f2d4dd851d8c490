//! `tandem extract`.

use std::process::ExitCode;

use anyhow::{Context, bail};
use bytes::Bytes;
use serde_json::json;
use tandem_config::{ConfigError, NodeConfig};
use tandem_domain::document::{DocumentKind, ParsedVersion};
use tandem_domain::trace::TraceContext;
use tandem_parsing::structure::structure;
use tandem_ports::{Clock, trace};
use toml::Value;

use crate::cli::ExtractArgs;
use crate::clock::SystemClock;
use crate::commands::matching::files;
use crate::{say, wiring};

/// Reads one file as the node would and prints what was read.
pub(crate) fn run(
    args: &ExtractArgs,
    resolve: impl Fn(&[(&str, Value)]) -> Result<NodeConfig, ConfigError>,
) -> anyhow::Result<ExitCode> {
    let config = resolve(&[])?;
    let Some(file) = &args.file else { bail!("name the file to read, such as `tandem extract resume.pdf`") };
    let bytes = files::read(file, config.documents.max_bytes)
        .with_context(|| format!("cannot read {}", file.display()))?;
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let pool = wiring::extract_pool(&config)?;
    let extracted = wiring::block_on(async {
        // As other programs are told what they are run for.
        let caller = std::env::var("TRACEPARENT").ok();
        let caller = caller.and_then(|header| TraceContext::parse(header.as_bytes()));
        let extracted = trace::within(caller, pool.extract(&name, Bytes::from(bytes))).await;
        pool.close().await;
        extracted.with_context(|| format!("{} cannot be read", file.display()))
    })?;
    let kind = if args.job { DocumentKind::Job } else { DocumentKind::Resume };
    let as_of = args.as_of.or(config.as_of()).unwrap_or_else(|| SystemClock.now().month());
    let parsed = structure(&extracted, kind, None, as_of);
    say(&if args.json { as_json(parsed)? } else { as_text(&parsed) })?;
    Ok(ExitCode::SUCCESS)
}

fn as_json(parsed: ParsedVersion) -> anyhow::Result<String> {
    let ParsedVersion { profile, findings, parser, .. } = parsed;
    let shown = json!({ "parser": parser, "profile": profile, "findings": findings });
    Ok(serde_json::to_string_pretty(&shown)? + "\n")
}

fn as_text(parsed: &ParsedVersion) -> String {
    let mut shown = format!("{}\n", parsed.text);
    for finding in &parsed.findings {
        let page = finding.page.map(|page| format!(" (page {page})")).unwrap_or_default();
        shown.push_str(&format!("-- finding: {:?}{page}: {}\n", finding.kind, finding.note));
    }
    shown
}
