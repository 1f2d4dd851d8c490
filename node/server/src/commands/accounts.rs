//! `tandem account` and `tandem key`.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use comfy_table::Table;
use comfy_table::presets::UTF8_BORDERS_ONLY;
use serde_json::{Value, json};
use tandem_config::{ConfigError, NodeConfig, Plans};
use tandem_domain::account::{Account, ApiKey, KeyText, Role, Scopes, User};
use tandem_domain::audit::AuditAction;
use tandem_domain::document::Failure;
use tandem_domain::error::ErrorCode;
use tandem_domain::ids::{KeyId, OwnerId, TenantId};
use tandem_ports::documents::MAX_PAGE;
use tandem_ports::{AccountStore, AuditLog, Clock, Write};

use crate::cli::accounts::{
    AccountCommand, KeyCommand, ListAccountsArgs, NewAccountArgs, NewKeyArgs, RevokeArgs, SetAccountArgs,
    StoreArgs,
};
use crate::clock::SystemClock;
use crate::commands::rows::Rows;
use crate::commands::users::{self, tenant_of};
use crate::gateway::accounts::{add_key, change};
use crate::gateway::audit::{Deed, audited};
use crate::{say, wiring};

/// In the place of a plan: the default one.
const NO_PLAN: &str = "none";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What a command has to say, for people and for programs.
struct Said {
    text: String,
    json: Value,
}

/// Shows or changes accounts.
pub(crate) fn account(
    command: AccountCommand,
    resolve: impl Fn(&[(&str, toml::Value)]) -> Result<NodeConfig, ConfigError>,
) -> anyhow::Result<ExitCode> {
    let args = match &command {
        AccountCommand::Create(args) => &args.store,
        AccountCommand::Show(args) => &args.store,
        AccountCommand::List(args) => &args.store,
        AccountCommand::Set(args) => &args.store,
        AccountCommand::Export(args) => &args.store,
        AccountCommand::Erase(args) => &args.store,
    };
    let (json, config) = (args.json, configured(args, resolve)?);
    let makes = matches!(command, AccountCommand::Create(_) | AccountCommand::Set(_));
    let said = wiring::block_on(async {
        if let AccountCommand::Erase(args) = &command {
            let (text, json) = users::erase(&config, args).await?;
            return Ok(Said { text, json });
        }
        let rows = Rows::open(&config, makes).await?;
        let (store, log) = (rows.accounts(), AuditLog::new(rows.audit()));
        let said = match command {
            AccountCommand::Create(args) => create(&*store, &log, args).await,
            AccountCommand::Show(args) => Ok(shown(&found(&*store, &args.owner).await?)),
            AccountCommand::List(args) => list(&*store, args).await,
            AccountCommand::Set(args) => set(&*store, &log, args).await,
            AccountCommand::Export(args) => {
                users::export(&rows, &args).await.map(|text| Said { text, json: Value::Null })
            }
            // Above, with more than rows.
            AccountCommand::Erase(_) => Ok(Said { text: String::new(), json: Value::Null }),
        };
        rows.close().await;
        said
    })?;
    finish(&said, json)
}

/// Shows or changes keys.
pub(crate) fn key(
    command: KeyCommand,
    resolve: impl Fn(&[(&str, toml::Value)]) -> Result<NodeConfig, ConfigError>,
) -> anyhow::Result<ExitCode> {
    let args = match &command {
        KeyCommand::Create(args) => &args.store,
        KeyCommand::List(args) => &args.store,
        KeyCommand::Revoke(args) => &args.store,
    };
    let (json, config) = (args.json, configured(args, resolve)?);
    let said = wiring::block_on(async {
        let rows = Rows::open(&config, false).await?;
        let (store, log) = (rows.accounts(), AuditLog::new(rows.audit()));
        let said = match command {
            KeyCommand::Create(args) => create_key(&*store, &log, args).await,
            KeyCommand::List(args) => {
                let account = found(&*store, &args.owner).await?;
                Ok(Said { text: keys_table(&account.keys), json: json!(keys_json(&account.keys)) })
            }
            KeyCommand::Revoke(args) => revoke(&*store, &log, args).await,
        };
        rows.close().await;
        said
    })?;
    finish(&said, json)
}

fn configured(
    args: &StoreArgs,
    resolve: impl Fn(&[(&str, toml::Value)]) -> Result<NodeConfig, ConfigError>,
) -> anyhow::Result<NodeConfig> {
    Ok(resolve(&wiring::data_override(args.data.as_deref()))?)
}

fn finish(said: &Said, json: bool) -> anyhow::Result<ExitCode> {
    say(&if json && !said.json.is_null() { format!("{:#}\n", said.json) } else { said.text.clone() })?;
    Ok(ExitCode::SUCCESS)
}

async fn found(store: &dyn AccountStore, owner: &OwnerId) -> anyhow::Result<Account> {
    let account = store.account(owner).await?;
    account.with_context(|| {
        format!("there is no account {owner}; make one with `tandem account create {owner}`")
    })
}

/// A plan by its name; `none` stands for the default one.
fn plan(name: Option<String>) -> anyhow::Result<Option<String>> {
    let Some(name) = name.filter(|name| name != NO_PLAN) else { return Ok(None) };
    if !Plans::NAMES.contains(&name.as_str()) {
        bail!("there is no plan {name}; there are {} and {NO_PLAN}", Plans::NAMES.join(", "));
    }
    Ok(Some(name))
}

fn user(owner: OwnerId, tenant: TenantId, role: Role) -> User {
    User { tenant, owner, role, plan: None, disabled: false, created_at: SystemClock.now() }
}

async fn create(store: &dyn AccountStore, log: &AuditLog, args: NewAccountArgs) -> anyhow::Result<Said> {
    let NewAccountArgs { owner, tenant, role, plan: named, store: _ } = args;
    let user = User { plan: plan(named)?, ..user(owner, tenant, role) };
    let account = Account { rev: 1, user, keys: Vec::new() };
    let User { owner, tenant, .. } = &account.user;
    let deed = Deed::commanded(tenant.clone(), AuditAction::AccountCreated, owner, None);
    let work = async {
        let reason = match store.put_account(&account).await? {
            Write::Applied => return Ok(shown(&account)),
            Write::Conflict(_) => {
                format!("there is an account {owner} already; see `tandem account show {owner}`")
            }
            Write::Unknown => format!("the store did not confirm: see `tandem account show {owner}`"),
        };
        Err(Failure { code: ErrorCode::Conflict, reason })
    };
    audited(log, &SystemClock, deed, work).await.map_err(refusal)
}

async fn set(store: &dyn AccountStore, log: &AuditLog, args: SetAccountArgs) -> anyhow::Result<Said> {
    let SetAccountArgs { owner, role, plan: named, disabled, store: _ } = args;
    if role.is_none() && named.is_none() && disabled.is_none() {
        bail!("nothing to change: give --role, --plan or --disabled");
    }
    let wants_plan = named.is_some();
    let named = plan(named)?;
    let none = Account { rev: 0, user: user(owner.clone(), TenantId::local(), Role::User), keys: Vec::new() };
    let changed = change(store, &owner, |there| {
        let mut account = there.unwrap_or(&none).next();
        account.user.role = role.unwrap_or(account.user.role);
        account.user.disabled = disabled.unwrap_or(account.user.disabled);
        if wants_plan {
            account.user.plan.clone_from(&named);
        }
        Ok(account)
    });
    let deed = Deed::commanded(tenant_of(store, &owner).await?, AuditAction::AccountChanged, &owner, None);
    Ok(shown(&audited(log, &SystemClock, deed, changed).await.map_err(refusal)?))
}

async fn list(store: &dyn AccountStore, args: ListAccountsArgs) -> anyhow::Result<Said> {
    let (mut accounts, mut after) = (Vec::new(), None);
    loop {
        let owners = store.members(&args.tenant, after.as_ref(), MAX_PAGE).await?;
        for owner in &owners {
            accounts.extend(store.account(owner).await?);
        }
        match owners.last() {
            Some(last) => after = Some(last.clone()),
            None => break,
        }
    }
    let mut table = Table::new();
    table.load_style(UTF8_BORDERS_ONLY).set_header(["owner", "role", "plan", "keys", "made", ""]);
    for Account { user, keys, .. } in &accounts {
        table.add_row([
            user.owner.to_string(),
            user.role.to_string(),
            user.plan.clone().unwrap_or_else(|| "default".to_owned()),
            keys.iter().filter(|key| key.usable(SystemClock.now()).is_ok()).count().to_string(),
            user.created_at.to_string(),
            (if user.disabled { "disabled" } else { "" }).to_owned(),
        ]);
    }
    let json = accounts.iter().map(account_json).collect();
    Ok(Said { text: format!("{table}\n"), json })
}

async fn create_key(store: &dyn AccountStore, log: &AuditLog, args: NewKeyArgs) -> anyhow::Result<Said> {
    let account = found(store, &args.owner).await?;
    let allowed = account.user.role.scopes();
    let scopes: Scopes =
        if args.scope.is_empty() { allowed.clone() } else { args.scope.into_iter().collect() };
    if let Some(beyond) = scopes.iter().find(|scope| !allowed.has(*scope)) {
        bail!("{} is a {}, who does not have the scope {beyond}", args.owner, account.user.role);
    }
    let mut random = [0; 32];
    getrandom::fill(&mut random).context("the machine gives no random numbers")?;
    let (text, created_at) = (KeyText::from_random(&random), SystemClock.now());
    let key = ApiKey {
        id: KeyId::from_uuid(SystemClock.new_id()),
        digest: text.digest(),
        label: args.label,
        scopes,
        created_at,
        expires_at: args.days.map(|days| created_at.plus(DAY * days)),
        revoked_at: None,
    };
    let (action, id) = (AuditAction::KeyCreated, Some(key.id.as_uuid()));
    let deed = Deed::commanded(account.user.tenant.clone(), action, &args.owner, id);
    let work = add_key(store, account.user, key);
    let key = audited(log, &SystemClock, deed, work).await.map_err(refusal)?;
    let mut json = key_json(&key);
    json["key"] = text.as_str().into();
    Ok(Said { text: format!("{}\n", text.as_str()), json })
}

async fn revoke(store: &dyn AccountStore, log: &AuditLog, args: RevokeArgs) -> anyhow::Result<Said> {
    let (tenant, id) = (tenant_of(store, &args.owner).await?, Some(args.id.as_uuid()));
    let deed = Deed::commanded(tenant, AuditAction::KeyRevoked, &args.owner, id);
    let work = change(store, &args.owner, |there| {
        let changed = there.and_then(|account| account.without_key(args.id, SystemClock.now()));
        changed.ok_or_else(|| {
            let reason = format!("{} has no key {}; see `tandem key list`", args.owner, args.id);
            Failure { code: ErrorCode::NotFound, reason }
        })
    });
    let account = audited(log, &SystemClock, deed, work).await.map_err(refusal)?;
    let key = account.keys.iter().find(|key| key.id == args.id).context("the key is gone")?;
    Ok(Said { text: format!("{} is revoked\n", key.id), json: key_json(key) })
}

fn refusal(failure: Failure) -> anyhow::Error {
    anyhow::Error::msg(failure.reason)
}

fn account_json(account: &Account) -> Value {
    let User { tenant, owner, role, plan, disabled, created_at } = &account.user;
    json!({
        "owner": owner.as_str(),
        "tenant": tenant.as_str(),
        "role": role.as_str(),
        "plan": plan,
        "disabled": disabled,
        "created_at": created_at.to_string(),
        "keys": keys_json(&account.keys),
    })
}

fn keys_json(keys: &[ApiKey]) -> Vec<Value> {
    keys.iter().map(key_json).collect()
}

fn key_json(key: &ApiKey) -> Value {
    json!({
        "id": key.id.to_string(),
        "label": key.label,
        "scopes": key.scopes,
        "created_at": key.created_at.to_string(),
        "expires_at": key.expires_at.map(|at| at.to_string()),
        "revoked_at": key.revoked_at.map(|at| at.to_string()),
    })
}

fn shown(account: &Account) -> Said {
    let User { tenant, owner, role, plan, disabled, .. } = &account.user;
    let plan = plan.as_deref().unwrap_or("the default plan");
    let disabled = if *disabled { ", disabled" } else { "" };
    let keys = if account.keys.is_empty() { String::new() } else { keys_table(&account.keys) };
    let text = format!("{owner} of {tenant}: {role}, {plan}{disabled}\n{keys}");
    Said { text, json: account_json(account) }
}

fn keys_table(keys: &[ApiKey]) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_BORDERS_ONLY).set_header(["key", "label", "scopes", "made", "ends", ""]);
    for key in keys {
        let scopes: Vec<&str> = key.scopes.iter().map(tandem_domain::account::Scope::as_str).collect();
        let state = key.usable(SystemClock.now()).err().map(|refusal| refusal.to_string());
        table.add_row([
            key.id.to_string(),
            key.label.clone(),
            scopes.join(" "),
            key.created_at.to_string(),
            key.expires_at.map_or_else(|| "never".to_owned(), |at| at.to_string()),
            state.unwrap_or_default(),
        ]);
    }
    format!("{table}\n")
}
