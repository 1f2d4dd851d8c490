//! The arguments of `tandem account` and `tandem key`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use tandem_domain::account::{Role, Scope};
use tandem_domain::ids::{KeyId, OwnerId, TenantId};

/// What `tandem account` does.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Users whom an issuer of tokens names need no account here: one gives them a plan, or shuts them out. With the embedded
store the node must not run meanwhile: a data folder belongs to one process.

Examples:
  tandem account create acme-import --tenant acme --role employer --plan employer
  tandem account list --tenant acme
  tandem account set auth0|5f7c8ec7c33c6c004bbafe82 --disabled true")]
pub(crate) enum AccountCommand {
    /// Make an account.
    #[command(after_help = "Example:\n  tandem account create acme-import --tenant acme --role employer")]
    Create(NewAccountArgs),
    /// Show an account and its keys.
    #[command(after_help = "Example:\n  tandem account show acme-import --json")]
    Show(AccountArgs),
    /// List the accounts of a tenant.
    #[command(after_help = "Example:\n  tandem account list --tenant acme")]
    List(ListAccountsArgs),
    /// Change an account.
    #[command(after_help = "\
Examples:
  tandem account set acme-import --role operator
  tandem account set acme-import --plan none --disabled true")]
    Set(SetAccountArgs),
    /// Write everything that is stored of a user, one line of JSON for each part.
    #[command(after_help = "Example:\n  tandem account export acme-import --out acme-import.ndjson")]
    Export(ExportArgs),
    /// Erase a user: account, keys, documents with everything made of them, matches and runs.
    #[command(after_help = "\
The user's id stays, so that it remains shut out, and in the audit log; `tandem account set ID --disabled false` lets it
in again.

Example:
  tandem account erase acme-import --yes")]
    Erase(EraseArgs),
}

/// What `tandem key` does.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
A key is shown when it is made and never again: the store has its SHA-256 alone. A key that is revoked is refused from
that moment on, by every node.

Examples:
  tandem key create acme-import --label nightly --scope read --scope bulk --days 90
  tandem key list acme-import
  tandem key revoke acme-import 0199d1c2-6f3e-7c4a-b6a1-2f5f8f0c9a11")]
pub(crate) enum KeyCommand {
    /// Make a key for an account and print it.
    #[command(after_help = "Example:\n  tandem key create acme-import --label nightly --days 90")]
    Create(NewKeyArgs),
    /// List the keys of an account.
    #[command(after_help = "Example:\n  tandem key list acme-import")]
    List(AccountArgs),
    /// Revoke a key.
    #[command(after_help = "Example:\n  tandem key revoke acme-import 0199d1c2-6f3e-7c4a-b6a1-2f5f8f0c9a11")]
    Revoke(RevokeArgs),
}

/// Where the store is, and in which form to answer.
#[derive(Debug, Args)]
pub(crate) struct StoreArgs {
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// The data folder, with the embedded store [default: node.data_dir of the configuration].
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
}

/// Which account.
#[derive(Debug, Args)]
pub(crate) struct AccountArgs {
    /// The owner's id: for users of an issuer the subject of their tokens.
    pub(crate) owner: OwnerId,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

/// Whose data, and where to.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// The owner's id.
    pub(crate) owner: OwnerId,
    /// Write here instead of to standard output.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

/// Who is to be erased.
#[derive(Debug, Args)]
pub(crate) struct EraseArgs {
    /// The owner's id.
    pub(crate) owner: OwnerId,
    /// That it is meant: nothing brings the data back.
    #[arg(long, required = true)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

/// A new account.
#[derive(Debug, Args)]
pub(crate) struct NewAccountArgs {
    /// The owner's id: 1 to 128 printable ASCII characters without spaces.
    pub(crate) owner: OwnerId,
    /// The organization.
    #[arg(long, default_value = "local")]
    pub(crate) tenant: TenantId,
    /// What the user is: user, employer, reviewer, admin or operator.
    #[arg(long, default_value = "user")]
    pub(crate) role: Role,
    /// One of [plans] of the configuration [default: quota.default_plan].
    #[arg(long)]
    pub(crate) plan: Option<String>,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

/// Whose accounts.
#[derive(Debug, Args)]
pub(crate) struct ListAccountsArgs {
    /// The organization.
    #[arg(long, default_value = "local")]
    pub(crate) tenant: TenantId,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

/// What changes.
#[derive(Debug, Args)]
pub(crate) struct SetAccountArgs {
    /// The owner's id. An account is made where there is none.
    pub(crate) owner: OwnerId,
    /// What the user is. Tokens of an issuer say it themselves.
    #[arg(long)]
    pub(crate) role: Option<Role>,
    /// One of [plans] of the configuration, or `none` for the default one.
    #[arg(long)]
    pub(crate) plan: Option<String>,
    /// Whether every key and token of the user is refused.
    #[arg(long, value_name = "BOOL")]
    pub(crate) disabled: Option<bool>,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

/// A new key.
#[derive(Debug, Args)]
pub(crate) struct NewKeyArgs {
    /// The account.
    pub(crate) owner: OwnerId,
    /// A name to know it by, 1 to 100 bytes.
    #[arg(long)]
    pub(crate) label: String,
    /// What it may be used for: read, write, match, bulk, admin or operate; can be repeated [default: what the role has].
    #[arg(long)]
    pub(crate) scope: Vec<Scope>,
    /// Days after which it is refused [default: never].
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub(crate) days: Option<u32>,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

/// Which key.
#[derive(Debug, Args)]
pub(crate) struct RevokeArgs {
    /// The account.
    pub(crate) owner: OwnerId,
    /// The key's id, as `tandem key list` shows it.
    pub(crate) id: KeyId,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}
