//! Everything that is stored of a person, on the wire.

use serde::Serialize;
use tandem_domain::account;
use tandem_domain::quota::OwnerQuota;
use tandem_messages::users::{ErasedUser, ExportItem};
use utoipa::ToSchema;

use super::account::{Key, Role};
use super::all;
use super::audit::AuditEntry;
use super::document::DocumentView;
use super::matches::Match;
use super::quota::Measure;
use super::runs::{Row, Run};

/// A line of an export.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "kind", content = "data", rename_all = "snake_case")]
#[allow(clippy::large_enum_variant, reason = "a line is made once and written")]
pub(crate) enum ExportLine {
    /// The account.
    Account(ExportedAccount),
    /// What is used of its plan.
    Quota(ExportedQuota),
    /// A version of a document with its Profile and its text.
    Document(DocumentView),
    /// A requested match.
    Match(Match),
    /// A run; its rows follow.
    Run(Run),
    /// A row of a run.
    Row(ExportedRow),
    /// What somebody did with the account or the data.
    Audit(AuditEntry),
    /// The last line of an export that is whole.
    End(ExportEnd),
}

/// An account, without the texts of its keys, which are kept nowhere.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExportedAccount {
    /// Whose.
    pub(crate) owner: String,
    /// The organization.
    pub(crate) tenant: String,
    /// What the user is.
    pub(crate) role: Role,
    /// The plan; null = the default one.
    pub(crate) plan: Option<String>,
    /// Whether the user is shut out.
    pub(crate) disabled: bool,
    /// When it was made.
    pub(crate) created_at: String,
    /// Every key.
    pub(crate) keys: Vec<Key>,
}

/// What is used of a plan.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExportedQuota {
    /// The plan that an operator has given; null = the one of the account.
    pub(crate) plan: Option<String>,
    /// What was ever used.
    pub(crate) measures: Vec<ExportedMeasure>,
}

/// What is used of one measure.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExportedMeasure {
    /// Which.
    pub(crate) measure: Measure,
    /// How much.
    pub(crate) used: u64,
}

/// A row with its run.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExportedRow {
    /// The run.
    #[schema(format = "uuid")]
    pub(crate) run_id: String,
    /// The row.
    #[serde(flatten)]
    pub(crate) row: Row,
}

/// How much an export held.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExportEnd {
    /// Lines before this one.
    pub(crate) lines: u64,
}

impl From<account::Account> for ExportedAccount {
    fn from(account: account::Account) -> Self {
        let account::User { tenant, owner, role, plan, disabled, created_at } = account.user;
        Self {
            owner: owner.to_string(),
            tenant: tenant.to_string(),
            role: role.into(),
            plan,
            disabled,
            created_at: created_at.to_string(),
            keys: all(account.keys),
        }
    }
}

impl From<OwnerQuota> for ExportedQuota {
    fn from(quota: OwnerQuota) -> Self {
        let measure =
            |(measure, window): (tandem_domain::plan::Measure, tandem_domain::quota::QuotaWindow)| {
                ExportedMeasure { measure: measure.into(), used: window.used }
            };
        Self { plan: quota.plan, measures: quota.windows.into_iter().map(measure).collect() }
    }
}

impl ExportLine {
    /// The lines of a part.
    pub(crate) fn of(item: ExportItem) -> Vec<Self> {
        match item {
            ExportItem::Account(account) => vec![Self::Account(account.into())],
            ExportItem::Quota(quota) => vec![Self::Quota(quota.into())],
            ExportItem::Document(detail) => vec![Self::Document(DocumentView::new(*detail, true))],
            ExportItem::Match(pair) => vec![Self::Match((*pair).into())],
            ExportItem::Run(view) => vec![Self::Run(Run::new(*view, Vec::new()))],
            ExportItem::Rows(run, rows) => {
                let line =
                    |row| Self::Row(ExportedRow { run_id: run.id.to_string(), row: Row::new(&run, row) });
                rows.into_iter().map(line).collect()
            }
            ExportItem::Audit(entry) => vec![Self::Audit((*entry).into())],
        }
    }
}

/// The lines of a part of an export as JSON, for whoever writes one without HTTP.
///
/// # Errors
/// Something cannot be written as JSON.
pub fn export_lines(item: ExportItem) -> serde_json::Result<Vec<String>> {
    ExportLine::of(item).iter().map(serde_json::to_string).collect()
}

/// The last line of an export.
///
/// # Errors
/// As [`export_lines`].
pub fn export_end(lines: u64) -> serde_json::Result<String> {
    serde_json::to_string(&ExportLine::End(ExportEnd { lines }))
}

/// The receipt of an erasure.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Erased {
    /// Who was erased.
    #[schema(examples("auth0|5f7c8ec7c33c6c004bbafe82"))]
    pub(crate) owner: String,
    /// When it was accepted, from when on every key and token of the user is refused.
    #[schema(format = "date-time", examples("2026-11-01T12:30:00.000Z"))]
    pub(crate) erased_at: String,
    /// Whether everything is gone already. If not, a part of the system was away or there was too much for one request,
    /// and the rest is removed without asking again.
    pub(crate) complete: bool,
    /// What this request removed.
    pub(crate) removed: ErasedParts,
    /// Each node's part of the index has forgotten the documents once it has seen the change log up to here: `/status`
    /// shows how far each is behind. `null` while the erasure is not complete.
    #[schema(examples(4711))]
    pub(crate) log_position: Option<u64>,
}

/// What was removed of a person.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErasedParts {
    /// Keys of the account.
    #[schema(examples(2))]
    pub(crate) keys: u32,
    /// Documents.
    #[schema(examples(3))]
    pub(crate) documents: u32,
    /// Their versions, each with its original, text, Profile and vectors.
    #[schema(examples(4))]
    pub(crate) versions: u32,
    /// Requested matches.
    #[schema(examples(7))]
    pub(crate) matches: u32,
    /// Runs with all their rows.
    #[schema(examples(1))]
    pub(crate) runs: u32,
}

impl From<ErasedUser> for Erased {
    fn from(erased: ErasedUser) -> Self {
        let ErasedUser { owner, erased_at, removed, log_position } = erased;
        Self {
            owner: owner.to_string(),
            erased_at: erased_at.to_string(),
            complete: log_position.is_some(),
            removed: ErasedParts {
                keys: removed.keys,
                documents: removed.documents,
                versions: removed.versions,
                matches: removed.matches,
                runs: removed.runs,
            },
            log_position,
        }
    }
}
