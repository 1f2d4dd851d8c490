//! `tandem status`.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use comfy_table::Table;
use comfy_table::presets::UTF8_BORDERS_ONLY;
use serde::Deserialize;
use tandem_config::{ConfigError, NodeConfig};
use toml::Value;

use crate::cli::StatusArgs;
use crate::{say, wiring};

#[cfg(test)]
mod tests;

/// How long a node may take to say how the cluster stands.
const LIMIT: Duration = Duration::from_secs(15);

/// What a node answers, as far as it is shown.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    node: String,
    log_head: Option<u64>,
    nodes: Vec<Node>,
    shards: Vec<Shard>,
    queues: Vec<Queue>,
    problems: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Node {
    name: String,
    version: String,
    edge: String,
    roles: Vec<String>,
    draining: bool,
    shards: u32,
}

#[derive(Debug, Deserialize)]
struct Shard {
    shard: u16,
    owners: Vec<Owner>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Owner {
    node: String,
    caught_up: bool,
    lag: u64,
    documents: u64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Queue {
    kind: String,
    waiting: u64,
    in_flight: u64,
    dead: u64,
}

/// Asks a node and prints what it sees.
pub(crate) fn run(
    args: &StatusArgs,
    resolve: impl Fn(&[(&str, Value)]) -> Result<NodeConfig, ConfigError>,
) -> anyhow::Result<ExitCode> {
    let config = resolve(&[])?;
    let base = args.url.clone().unwrap_or_else(|| format!("http://{}", config.edge.listen));
    let url = format!("{}/status", base.trim_end_matches('/'));
    let answer = wiring::block_on(ask(&url, args.key.as_deref(), None))?;
    let data = answer.get("data").cloned().unwrap_or_default();
    if args.json {
        say(&format!("{}\n", serde_json::to_string_pretty(&data)?))?;
    } else {
        let status =
            serde_json::from_value(data).with_context(|| format!("{url} answered something else"))?;
        say(&shown(&status))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Asks a node, or has it do what a body says.
pub(crate) async fn ask(
    url: &str,
    key: Option<&str>,
    body: Option<&serde_json::Value>,
) -> anyhow::Result<serde_json::Value> {
    // reqwest wants a provider of TLS even where it speaks plain HTTP. An error says that there is one.
    rustls::crypto::ring::default_provider().install_default().ok();
    let client = reqwest::Client::builder().timeout(LIMIT).build()?;
    let mut request = body.map_or_else(|| client.get(url), |body| client.post(url).json(body));
    if let Some(key) = key {
        request = request.header("x-api-key", key);
    }
    let answer = request.send().await.with_context(|| {
        format!("no node answers at {url}: is it running? name another with --url http://ADDRESS:PORT")
    })?;
    let status = answer.status();
    let body = answer.json().await.with_context(|| format!("{url} answered something else"))?;
    if !status.is_success() {
        bail!("{url} answered {status}: {body}");
    }
    Ok(body)
}

fn shown(status: &Status) -> String {
    let Status { node, log_head, nodes, shards, queues, problems } = status;
    let table_of = |heads: &[&str]| {
        let mut table = Table::new();
        table.load_style(UTF8_BORDERS_ONLY).set_header(heads);
        table
    };
    let mut of_nodes = table_of(&["node", "version", "edge", "shards", "roles"]);
    for node in nodes {
        let roles = if node.draining { "leaving".to_owned() } else { node.roles.join(" ") };
        of_nodes.add_row([&node.name, &node.version, &node.edge, &node.shards.to_string(), &roles]);
    }
    let mut of_shards = table_of(&["shard", "documents", "owners (changes behind)"]);
    for Shard { shard, owners } in shards {
        let documents = owners.iter().filter(|owner| owner.caught_up).map(|owner| owner.documents).max();
        let owners: Vec<String> = owners.iter().map(Owner::shown).collect();
        let owners = if owners.is_empty() { "NOBODY".to_owned() } else { owners.join(", ") };
        let documents = documents.map_or_else(|| "?".to_owned(), |documents| documents.to_string());
        of_shards.add_row([shard.to_string(), documents, owners]);
    }
    let mut of_queues = table_of(&["queue", "waiting", "in flight", "put aside"]);
    for Queue { kind, waiting, in_flight, dead } in queues {
        of_queues.add_row([kind.clone(), waiting.to_string(), in_flight.to_string(), dead.to_string()]);
    }
    let head = log_head.map_or_else(|| "unknown".to_owned(), |head| head.to_string());
    let problems: String = problems.iter().map(|problem| format!("ATTENTION: {problem}\n")).collect();
    format!(
        "as {node} sees it; the change log is at {head}\n{problems}{of_nodes}\n{of_shards}\n{of_queues}\n"
    )
}

impl Owner {
    fn shown(&self) -> String {
        match (self.caught_up, self.lag) {
            (true, 0) => self.node.clone(),
            (true, lag) => format!("{} ({lag})", self.node),
            (false, lag) => format!("{} (building, {lag})", self.node),
        }
    }
}
