//! `tandem audit`.

use std::process::ExitCode;

use anyhow::Context;
use comfy_table::Table;
use comfy_table::presets::UTF8_BORDERS_ONLY;
use serde_json::{Value, json};
use tandem_config::{ConfigError, NodeConfig};
use tandem_domain::audit::{AuditEntry, AuditHead};
use tandem_domain::ids::AuditHash;
use tandem_messages::audit::ListAudit;
use tandem_ports::AuditStore;
use tandem_ports::audit::verify;

use crate::cli::audit::{AuditCommand, ListAuditArgs, VerifyArgs};
use crate::commands::rows::Rows;
use crate::gateway::audit::page;
use crate::{say, wiring};

/// Shows or verifies.
pub(crate) fn run(
    command: AuditCommand,
    resolve: impl Fn(&[(&str, toml::Value)]) -> Result<NodeConfig, ConfigError>,
) -> anyhow::Result<ExitCode> {
    let args = match &command {
        AuditCommand::List(args) => &args.store,
        AuditCommand::Verify(args) => &args.store,
    };
    let config = resolve(&wiring::data_override(args.data.as_deref()))?;
    let (text, code) = wiring::block_on(async {
        let rows = Rows::open(&config, false).await?;
        let store = rows.audit();
        let said = match command {
            AuditCommand::List(args) => list(&*store, args).await.map(|text| (text, ExitCode::SUCCESS)),
            AuditCommand::Verify(args) => verified(&*store, args).await,
        };
        rows.close().await;
        said
    })?;
    say(&text)?;
    Ok(code)
}

async fn list(store: &dyn AuditStore, args: ListAuditArgs) -> anyhow::Result<String> {
    let ListAuditArgs { tenant, limit, before, store: form } = args;
    let page = page(store, ListAudit { tenant, before, limit }).await;
    let page = page.map_err(|failure| anyhow::Error::msg(failure.reason))?;
    if form.json {
        let entries: Vec<Value> = page.entries.iter().map(entry_json).collect();
        return Ok(format!("{:#}\n", json!({ "entries": entries, "head": head_json(page.head) })));
    }
    let mut table = Table::new();
    table.load_style(UTF8_BORDERS_ONLY).set_header(["no.", "when", "who", "what", "", "whose", "resource"]);
    for AuditEntry { sequence, event, .. } in &page.entries {
        let actor = &event.actor;
        let who = match (actor.owner(), actor.key()) {
            (Some(owner), Some(key)) => format!("{owner}, key {key}"),
            (Some(owner), None) => owner.to_string(),
            (None, _) => actor.name().to_owned(),
        };
        table.add_row([
            sequence.to_string(),
            event.at.to_string(),
            who,
            event.action.to_string(),
            event.outcome.to_string(),
            event.owner.to_string(),
            event.resource.map(|id| id.to_string()).unwrap_or_default(),
        ]);
    }
    Ok(format!("{table}\n"))
}

async fn verified(store: &dyn AuditStore, args: VerifyArgs) -> anyhow::Result<(String, ExitCode)> {
    let VerifyArgs { tenant, known, store: form } = args;
    let known = known.as_deref().map(parsed).transpose()?;
    let mut verdict = verify(store, &tenant).await?.map_err(|broken| (broken.sequence, broken.to_string()));
    if let (Ok(_), Some(known)) = (&verdict, known) {
        let there = store.audit_entries(&tenant, known.sequence.saturating_sub(1), 1).await?;
        if there.first().map(AuditEntry::head) != Some(known) {
            let reason = format!("entry {}: it is not the one that was known", known.sequence);
            verdict = Err((known.sequence, reason));
        }
    }
    Ok(match verdict {
        Ok(head) if form.json => {
            (format!("{:#}\n", json!({ "whole": true, "head": head_json(head) })), ExitCode::SUCCESS)
        }
        Ok(AuditHead { sequence, hash }) => (
            format!("{tenant}: {sequence} entries, unbroken; the end is {sequence}:{hash}\n"),
            ExitCode::SUCCESS,
        ),
        Err((sequence, reason)) if form.json => {
            let said = json!({ "whole": false, "sequence": sequence, "reason": reason });
            (format!("{said:#}\n"), ExitCode::FAILURE)
        }
        Err((_, reason)) => (format!("{tenant}: {reason}\n"), ExitCode::FAILURE),
    })
}

fn parsed(known: &str) -> anyhow::Result<AuditHead> {
    let (sequence, hash) = known.split_once(':').context("--known takes number:hash")?;
    let sequence = sequence.parse().context("--known takes number:hash")?;
    Ok(AuditHead { sequence, hash: AuditHash::try_from(hash.to_owned())? })
}

fn head_json(head: AuditHead) -> Value {
    json!({ "sequence": head.sequence, "hash": head.hash.to_string() })
}

/// With the names that the API uses.
fn entry_json(entry: &AuditEntry) -> Value {
    let AuditEntry { sequence, former, hash, event, .. } = entry;
    json!({
        "sequence": sequence,
        "at": event.at.to_string(),
        "actor": {
            "kind": event.actor.name(),
            "owner": event.actor.owner().map(ToString::to_string),
            "key_id": event.actor.key().map(|key| key.to_string()),
        },
        "action": event.action.as_str(),
        "outcome": event.outcome.as_str(),
        "owner": event.owner.as_str(),
        "resource_id": event.resource.map(|id| id.to_string()),
        "operation_id": event.operation.to_string(),
        "request_id": event.request.map(|id| id.to_string()),
        "former_hash": former.to_string(),
        "hash": hash.to_string(),
    })
}
