//! Plans: how much of each measure an owner may use.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What is counted of an owner's work. Stored: a new one is added at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Requested matches of one pair, per period.
    Matches,
    /// Rows in the results of runs, per period.
    Pairs,
    /// Runs that have not ended, at a time.
    ConcurrentRuns,
    /// Bytes of originals, at a time.
    StoredBytes,
    /// Résumés handed in, per period.
    ResumeUploads,
    /// Job descriptions handed in, per period.
    JobDescriptions,
}

impl Measure {
    /// Every measure, in the order in which they are shown.
    pub const ALL: [Self; 6] = [
        Self::Matches,
        Self::Pairs,
        Self::ConcurrentRuns,
        Self::StoredBytes,
        Self::ResumeUploads,
        Self::JobDescriptions,
    ];

    /// The measure's name, such as `stored_bytes`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Matches => "matches",
            Self::Pairs => "pairs",
            Self::ConcurrentRuns => "concurrent_runs",
            Self::StoredBytes => "stored_bytes",
            Self::ResumeUploads => "resume_uploads",
            Self::JobDescriptions => "job_descriptions",
        }
    }

    /// Whether the count begins anew with each period; if not, it is what is there now.
    #[must_use]
    pub const fn is_periodic(self) -> bool {
        match self {
            Self::Matches | Self::Pairs | Self::ResumeUploads | Self::JobDescriptions => true,
            Self::ConcurrentRuns | Self::StoredBytes => false,
        }
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The most of each measure; `None` = unlimited, and then it is not counted either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// Of [`Measure::Matches`].
    pub matches: Option<u64>,
    /// Of [`Measure::Pairs`].
    pub pairs: Option<u64>,
    /// Of [`Measure::ConcurrentRuns`].
    pub concurrent_runs: Option<u64>,
    /// Of [`Measure::StoredBytes`].
    pub stored_bytes: Option<u64>,
    /// Of [`Measure::ResumeUploads`].
    pub resume_uploads: Option<u64>,
    /// Of [`Measure::JobDescriptions`].
    pub job_descriptions: Option<u64>,
}

impl Limits {
    /// The limit of one measure.
    #[must_use]
    pub const fn of(&self, measure: Measure) -> Option<u64> {
        match measure {
            Measure::Matches => self.matches,
            Measure::Pairs => self.pairs,
            Measure::ConcurrentRuns => self.concurrent_runs,
            Measure::StoredBytes => self.stored_bytes,
            Measure::ResumeUploads => self.resume_uploads,
            Measure::JobDescriptions => self.job_descriptions,
        }
    }
}

/// What an owner has been sold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Its name in the configuration, such as `free`.
    pub name: String,
    /// What it allows.
    pub limits: Limits,
}
