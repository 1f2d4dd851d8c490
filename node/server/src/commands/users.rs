//! `tandem account export` and `tandem account erase`.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use serde_json::json;
use tandem_config::NodeConfig;
use tandem_domain::audit::AuditAction;
use tandem_domain::document::Failure;
use tandem_domain::ids::{OperationId, OwnerId, TenantId};
use tandem_http_edge::{export_end, export_lines};
use tandem_messages::users::{ErasedUser, ExportPlace};
use tandem_ports::{AccountStore, AuditLog, Clock};
use tandem_runtime::Spawner;
use tokio::sync::watch;

use crate::adapters::{open_ground, open_objects};
use crate::cli::accounts::{EraseArgs, ExportArgs};
use crate::clock::SystemClock;
use crate::commands::rows::Rows;
use crate::gateway::audit::{Deed, audited};
use crate::gateway::users::Exporter;
use crate::wiring::eraser;

/// How long one command goes on erasing; the rest is the node's.
const ERASES_WITHIN: Duration = Duration::from_secs(10 * 60);

/// The organization of an owner's account; without one, of those that name none.
pub(crate) async fn tenant_of(accounts: &dyn AccountStore, owner: &OwnerId) -> anyhow::Result<TenantId> {
    let account = accounts.account(owner).await?;
    Ok(account.map_or_else(TenantId::local, |account| account.user.tenant))
}

/// Writes everything that is stored of a person, line by line, where it is wanted; what to say when it is a file.
pub(crate) async fn export(rows: &Rows, args: &ExportArgs) -> anyhow::Result<String> {
    let accounts = rows.accounts();
    let tenant = tenant_of(&*accounts, &args.owner).await?;
    let exporter = Exporter {
        documents: rows.documents(),
        runs: rows.runs(),
        accounts,
        quotas: rows.quotas(),
        audit: rows.audit(),
    };
    let log = AuditLog::new(rows.audit());
    let deed = Deed::commanded(tenant.clone(), AuditAction::UserExported, &args.owner, None);
    let write = written(&exporter, &tenant, args);
    let lines = audited(&log, &SystemClock, deed, async { write.await.map_err(failure) }).await;
    let lines = lines.map_err(|failure| anyhow::Error::msg(failure.reason))?;
    let file = args.out.as_deref().map(Path::display);
    Ok(file.map_or(String::new(), |file| format!("{lines} lines are in {file}\n")))
}

async fn written(exporter: &Exporter, tenant: &TenantId, args: &ExportArgs) -> anyhow::Result<u64> {
    let mut file = match &args.out {
        Some(path) => {
            Some(fs::File::create(path).with_context(|| format!("cannot write {}", path.display()))?)
        }
        None => None,
    };
    let mut put = |line: String| match &mut file {
        Some(file) => std::io::Write::write_all(file, format!("{line}\n").as_bytes()).context("cannot write"),
        None => crate::say(&format!("{line}\n")),
    };
    let (mut place, mut lines) = (Some(ExportPlace::Account), 0);
    while let Some(here) = place {
        let page = exporter.page(&args.owner, tenant, here).await;
        let page = page.map_err(|failure| anyhow::Error::msg(failure.reason))?;
        for item in page.items {
            for line in export_lines(item)? {
                put(line)?;
                lines += 1;
            }
        }
        place = page.next;
    }
    put(export_end(lines)?)?;
    Ok(lines)
}

fn failure(error: anyhow::Error) -> Failure {
    Failure { code: tandem_domain::error::ErrorCode::Internal, reason: format!("{error:#}") }
}

/// Erases a person; the receipt, for people and for programs.
pub(crate) async fn erase(
    config: &NodeConfig,
    args: &EraseArgs,
) -> anyhow::Result<(String, serde_json::Value)> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    // A database that is missing is an error here, and would be made below.
    Rows::open(config, false).await?.close().await;
    let (ground, objects) =
        (open_ground(config, &clock, &Spawner::default()).await?, open_objects(config).await?);
    let (changed, _changes) = watch::channel(0);
    let log = AuditLog::new(ground.audit());
    let eraser = eraser(&ground, objects, Arc::clone(&clock), changed);
    let tenant = tenant_of(&*ground.accounts(), &args.owner).await?;
    let deed = Deed::commanded(tenant.clone(), AuditAction::UserErased, &args.owner, None);
    let operation = OperationId::from_uuid(clock.new_id());
    let work = eraser.erase_person(args.owner.clone(), tenant, operation, ERASES_WITHIN);
    let erased = audited(&log, &*clock, deed, work).await;
    ground.close().await;
    Ok(receipt(erased.map_err(|failure| anyhow::Error::msg(failure.reason))?))
}

/// For people and for programs.
fn receipt(erased: ErasedUser) -> (String, serde_json::Value) {
    let ErasedUser { owner, erased_at, removed, log_position } = erased;
    let rest = match log_position {
        Some(_) => "each node's index forgets the documents as soon as it runs",
        None => "the rest is removed by the nodes",
    };
    let text = format!(
        "{owner} is erased and shut out: {} keys, {} documents, {} matches, {} runs; {rest}\n",
        removed.keys, removed.documents, removed.matches, removed.runs
    );
    let json = json!({
        "owner": owner.as_str(),
        "erased_at": erased_at.to_string(),
        "complete": log_position.is_some(),
        "removed": {
            "keys": removed.keys,
            "documents": removed.documents,
            "versions": removed.versions,
            "matches": removed.matches,
            "runs": removed.runs,
        },
        "log_position": log_position,
    });
    (text, json)
}
