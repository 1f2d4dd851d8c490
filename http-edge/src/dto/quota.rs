//! What an owner has used of a plan, on the wire.

use serde::Serialize;
use tandem_domain::plan;
use tandem_messages::quota::{MeasureView, QuotaView};
use utoipa::ToSchema;

use super::{all, mirror};

mirror! {
    /// What is counted.
    plan::Measure { Matches, Pairs, ConcurrentRuns, StoredBytes, ResumeUploads, JobDescriptions }
}

/// What was used, and what the plan allows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Quota {
    /// The plan's name; null where nothing is limited.
    #[schema(examples("free"))]
    pub(crate) plan: Option<String>,
    /// The most matches in a period; null = unlimited.
    #[schema(examples(100))]
    pub(crate) annual_limit: Option<u64>,
    /// Matches in this period.
    #[schema(examples(42))]
    pub(crate) annual_usage_count: u64,
    /// When this period began; null before its first match.
    #[schema(examples("2026-11-01T12:30:00.000Z"))]
    pub(crate) annual_period_start: Option<String>,
    /// Every measure.
    pub(crate) measures: Vec<MeasureUse>,
}

/// What was used of one measure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct MeasureUse {
    /// Which. Runs and stored bytes are counted as they stand, the others in a period.
    pub(crate) measure: Measure,
    /// The most; null = unlimited, and then it is not counted.
    #[schema(examples(100))]
    pub(crate) limit: Option<u64>,
    /// How much is used.
    #[schema(examples(42))]
    pub(crate) used: u64,
    /// How much is left; null = unlimited.
    #[schema(examples(58))]
    pub(crate) remaining: Option<u64>,
    /// When the count begins anew.
    #[schema(examples("2027-11-01T12:30:00.000Z"))]
    pub(crate) resets_at: Option<String>,
}

impl From<MeasureView> for MeasureUse {
    fn from(view: MeasureView) -> Self {
        let MeasureView { measure, limit, used, resets_at, .. } = view;
        Self {
            measure: measure.into(),
            limit,
            used,
            remaining: limit.map(|limit| limit.saturating_sub(used)),
            resets_at: resets_at.map(|at| at.to_string()),
        }
    }
}

impl From<QuotaView> for Quota {
    fn from(view: QuotaView) -> Self {
        let QuotaView { plan, measures } = view;
        let matches = measures.iter().find(|view| view.measure == plan::Measure::Matches);
        Self {
            plan,
            annual_limit: matches.and_then(|view| view.limit),
            annual_usage_count: matches.map_or(0, |view| view.used),
            annual_period_start: matches.and_then(|view| view.started_at).map(|at| at.to_string()),
            measures: all(measures),
        }
    }
}
