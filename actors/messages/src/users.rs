//! Talk about everything that is stored of a person.

use serde::{Deserialize, Serialize};
use tandem_domain::account::Account;
use tandem_domain::audit::AuditEntry;
use tandem_domain::document::DocumentKind;
use tandem_domain::ids::{DocumentId, MatchId, OwnerId, RunId, TenantId};
use tandem_domain::quota::OwnerQuota;
use tandem_domain::run::{MatchRun, PairMatch, RowKey, RunRow};
use tandem_domain::time::Timestamp;

use crate::documents::DocumentDetail;
use crate::runs::RunView;

/// Whose data are meant, and why the asker may mean them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Whose.
    pub owner: OwnerId,
    /// The asker's tenant.
    pub tenant: TenantId,
    /// Whether it is the asker. Anybody else must have an account of the tenant, or is not found.
    pub is_asker: bool,
}

/// Where an export goes on. It begins at the account; the parts come in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum ExportPlace {
    /// The account and what is used of its plan.
    #[default]
    Account,
    /// The documents of a kind behind this one.
    Documents(DocumentKind, Option<DocumentId>),
    /// The requested matches behind this one.
    Matches(Option<MatchId>),
    /// The run behind this one.
    Runs(Option<RunId>),
    /// The rows of this run behind this one.
    Rows(RunId, Option<RowKey>),
    /// The entries of the tenant's audit log above this number.
    Audit(u64),
}

/// Give out everything that is stored of a person, page by page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportUser {
    /// Whose.
    pub person: Person,
    /// Where the page begins.
    pub place: ExportPlace,
}

/// A part of what is stored of a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum ExportItem {
    /// The account with its keys, whose texts are kept nowhere.
    Account(Account),
    /// What is used of the plan.
    Quota(OwnerQuota),
    /// A document with what was read in it.
    Document(Box<DocumentDetail>),
    /// A requested match.
    Match(Box<PairMatch>),
    /// A run.
    Run(Box<RunView>),
    /// Rows of a run.
    Rows(Box<MatchRun>, Vec<(RowKey, RunRow)>),
    /// What somebody did with the person's account or data.
    Audit(Box<AuditEntry>),
}

/// A page of an export.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExportPage {
    /// May be empty before the end.
    pub items: Vec<ExportItem>,
    /// Where the next page begins; `None` = this was the last one.
    pub next: Option<ExportPlace>,
}

/// Erase a person: account, keys, documents with everything made of them, matches and runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EraseUser {
    /// Who.
    pub person: Person,
}

/// The erasure is durable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasedUser {
    /// Who.
    pub owner: OwnerId,
    /// When it was accepted, from when on every key and token of the person is refused.
    pub erased_at: Timestamp,
    /// What was found and removed here; the rest is found and removed later where it is not complete.
    pub removed: ErasedParts,
    /// As for a removed document; `None` while a part of the system was away or there was too much for one request.
    pub log_position: Option<u64>,
}

/// How much was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ErasedParts {
    /// Keys.
    pub keys: u32,
    /// Documents with their originals.
    pub documents: u32,
    /// Their versions with text, Profile and vectors.
    pub versions: u32,
    /// Requested matches.
    pub matches: u32,
    /// Runs with all their rows.
    pub runs: u32,
}
