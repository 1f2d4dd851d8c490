//! The arguments of `tandem audit`.

use clap::{Args, Subcommand};
use tandem_domain::ids::TenantId;

use super::accounts::StoreArgs;

/// What `tandem audit` does.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Who made, changed and revoked accounts and keys, erased documents and people, exported their data, canceled runs and
changed plans: ids alone. With the embedded store the node must not run meanwhile: a data folder belongs to one process.

Examples:
  tandem audit list --tenant acme --limit 20
  tandem audit verify --tenant acme")]
pub(crate) enum AuditCommand {
    /// List the log of a tenant, newest first.
    #[command(after_help = "\
Examples:
  tandem audit list --tenant acme
  tandem audit list --tenant acme --before 120 --limit 50 --json")]
    List(ListAuditArgs),
    /// Follow the chain of a tenant's log from its beginning to its end.
    #[command(after_help = "\
The exit code is 1 at the first entry that was changed, moved, put in, removed or cut off, and the answer names it.
Whoever rewrites every entry and the end leaves a chain that holds: keep what this command says elsewhere, and hand it
back with --known to see whether that entry is still the same.

Examples:
  tandem audit verify --tenant acme
  tandem audit verify --tenant acme --known 120:6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b")]
    Verify(VerifyArgs),
}

/// Which part of a log.
#[derive(Debug, Args)]
pub(crate) struct ListAuditArgs {
    /// The organization.
    #[arg(long, default_value = "local")]
    pub(crate) tenant: TenantId,
    /// At most this many entries.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) limit: u32,
    /// Only entries with a lower number.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) before: Option<u64>,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

/// Which log, and what is known of it.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The organization.
    #[arg(long, default_value = "local")]
    pub(crate) tenant: TenantId,
    /// An entry that was seen before, as number:hash.
    #[arg(long, value_name = "NUMBER:HASH")]
    pub(crate) known: Option<String>,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}
