//! Talk about what an owner has used of a plan.

use serde::{Deserialize, Serialize};
use tandem_domain::ids::OwnerId;
use tandem_domain::plan::Measure;
use tandem_domain::time::Timestamp;

/// Show what an owner has used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetQuota {
    /// Whose.
    pub owner: OwnerId,
}

/// What an owner has used, and what the plan allows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotaView {
    /// The plan's name; `None` where quotas are off and nothing is limited.
    pub plan: Option<String>,
    /// Every measure once.
    pub measures: Vec<MeasureView>,
}

/// One measure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeasureView {
    /// Which.
    pub measure: Measure,
    /// The most; `None` = unlimited, and then not counted.
    pub limit: Option<u64>,
    /// How much is used: in this period, or as it stands.
    pub used: u64,
    /// When the period began; `None` before its first use and where there are no periods.
    pub started_at: Option<Timestamp>,
    /// When the count begins anew.
    pub resets_at: Option<Timestamp>,
}
