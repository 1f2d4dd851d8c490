//! `tandem quota`.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use comfy_table::Table;
use comfy_table::presets::UTF8_BORDERS_ONLY;
use serde_json::{Value, json};
use tandem_config::{ConfigError, NodeConfig, Plans};
use tandem_domain::audit::AuditAction;
use tandem_domain::document::Failure;
use tandem_domain::ids::OwnerId;
use tandem_domain::plan::Measure;
use tandem_domain::quota::OwnerQuota;
use tandem_messages::quota::{MeasureView, QuotaView};
use tandem_ports::{AuditLog, Clock};
use tandem_quota::{Quota, QuotaError, QuotaOptions};

use crate::cli::{QuotaArgs, QuotaCommand};
use crate::clock::SystemClock;
use crate::commands::rows::Rows;
use crate::commands::users::tenant_of;
use crate::gateway::audit::{Deed, audited};
use crate::gateway::quota::{plan_book, view_of};
use crate::{say, wiring};

/// In the place of a plan: the owner has the account's again.
const NO_PLAN: &str = "none";

/// Shows or changes.
pub(crate) fn run(
    command: &QuotaCommand,
    resolve: impl Fn(&[(&str, toml::Value)]) -> Result<NodeConfig, ConfigError>,
) -> anyhow::Result<ExitCode> {
    let args = match command {
        QuotaCommand::Show(args) | QuotaCommand::Reset(args) => args,
        QuotaCommand::SetPlan(args) => &args.quota,
    };
    let config = resolve(&wiring::data_override(args.data.as_deref()))?;
    let said = wiring::block_on(carry_out(&config, command, args))?;
    say(&said)?;
    Ok(ExitCode::SUCCESS)
}

async fn carry_out(config: &NodeConfig, command: &QuotaCommand, args: &QuotaArgs) -> anyhow::Result<String> {
    let owner: OwnerId = args.owner.parse().context("no owner can have this id")?;
    let (clock, plans) = (Arc::new(SystemClock), Arc::new(config.plans.clone()));
    let rows = Rows::open(config, false).await?;
    let period = config.quota.period();
    let options = QuotaOptions::new(period, config.quota.block_pairs);
    let quota = Quota::new(None, rows.quotas(), clock.clone(), plan_book(&plans), options);
    let row = match command {
        QuotaCommand::Show(_) => Ok(quota.view(&owner).await?),
        QuotaCommand::Reset(_) => told(&rows, AuditAction::QuotaReset, &owner, quota.reset(&owner)).await,
        QuotaCommand::SetPlan(args) => {
            let plan = Some(args.plan.clone()).filter(|plan| plan != NO_PLAN);
            if let Some(plan) = plan.as_ref().filter(|plan| plans.named(plan).is_none()) {
                bail!("there is no plan {plan}; there are {} and {NO_PLAN}", Plans::NAMES.join(", "));
            }
            told(&rows, AuditAction::PlanChanged, &owner, quota.set_plan(&owner, plan)).await
        }
    };
    rows.close().await;
    let row = row?;
    let default = plans.named(&config.quota.default_plan).context("quota.default_plan names no plan")?;
    let view = view_of(&plans, default, &row, period, clock.now());
    Ok(if args.json { format!("{:#}\n", as_json(&row, &view)) } else { shown(&row, &view) })
}

/// Changes something and writes it into the audit log of the owner's tenant.
async fn told(
    rows: &Rows,
    action: AuditAction,
    owner: &OwnerId,
    work: impl Future<Output = Result<OwnerQuota, QuotaError>>,
) -> anyhow::Result<OwnerQuota> {
    let tenant = tenant_of(&*rows.accounts(), owner).await?;
    let deed = Deed::commanded(tenant, action, owner, None);
    let work = async { work.await.map_err(Failure::from) };
    let end = audited(&AuditLog::new(rows.audit()), &SystemClock, deed, work).await;
    end.map_err(|failure| anyhow::Error::msg(failure.reason))
}

/// With the names that the API uses.
fn as_json(row: &OwnerQuota, view: &QuotaView) -> Value {
    let measures: Vec<Value> = view
        .measures
        .iter()
        .map(|MeasureView { measure, limit, used, resets_at, .. }| {
            json!({
                "measure": measure.name(),
                "limit": limit,
                "used": used,
                "resets_at": resets_at.map(|at| at.to_string()),
            })
        })
        .collect();
    let matches = view.measures.iter().find(|view| view.measure == Measure::Matches);
    json!({
        "owner": row.owner.as_str(),
        "plan": view.plan,
        "assigned_plan": row.plan,
        "annual_limit": matches.and_then(|view| view.limit),
        "annual_usage_count": matches.map_or(0, |view| view.used),
        "annual_period_start": matches.and_then(|view| view.started_at).map(|at| at.to_string()),
        "measures": measures,
    })
}

fn shown(row: &OwnerQuota, view: &QuotaView) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_BORDERS_ONLY).set_header(["measure", "used", "of", "begins anew"]);
    for MeasureView { measure, limit, used, resets_at, .. } in &view.measures {
        let limit = limit.map_or_else(|| "unlimited".to_owned(), |limit| limit.to_string());
        let resets_at = resets_at.map_or_else(String::new, |at| at.to_string());
        table.add_row([measure.name().to_owned(), used.to_string(), limit, resets_at]);
    }
    let plan = view.plan.as_deref().unwrap_or(NO_PLAN);
    let assigned = if row.plan.is_some() { ", given by an operator" } else { "" };
    format!("{} has the plan {plan}{assigned}\n{table}\n", row.owner)
}
