//! Plans and how they are kept.

use std::time::Duration;

use serde::Deserialize;
use tandem_domain::plan::{Limits, Plan};

use crate::node_config::NodeConfig;

section! {
    /// Whether and how plans are kept.
    Quota {
        /// Whether anything is limited.
        enabled: bool,
        /// The plan of whoever has none: the name of one.
        default_plan: String,
        /// Seconds, 1..=10 years.
        period_s: u64,
        /// Pairs, 1..=100 million.
        block_pairs: u64,
        /// Whether a header makes a caller a Pro member.
        trust_pro_header: bool,
    }
}
section! {
    /// The plans.
    Plans {
        /// For everybody.
        free: PlanLimits,
        /// For those who pay.
        pro: PlanLimits,
        /// For those who match in bulk.
        employer: PlanLimits,
    }
}
section! {
    /// What a plan allows; 0 = unlimited.
    PlanLimits {
        /// Per period.
        matches: u64,
        /// Per period.
        pairs: u64,
        /// At a time.
        concurrent_runs: u64,
        /// At a time.
        stored_bytes: u64,
        /// Per period.
        resume_uploads: u64,
        /// Per period.
        job_descriptions: u64,
    }
}

/// The plan that the header of Pro members stands for.
const PRO: &str = "pro";

impl Quota {
    /// How long a period is.
    #[must_use]
    pub const fn period(&self) -> Duration {
        Duration::from_secs(self.period_s)
    }
}

impl Plans {
    /// The names of all plans.
    pub const NAMES: [&str; 3] = ["free", PRO, "employer"];

    /// The plan of this name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<Plan> {
        let limits = match name {
            "free" => &self.free,
            PRO => &self.pro,
            "employer" => &self.employer,
            _ => return None,
        };
        Some(Plan { name: name.to_owned(), limits: limits.limits() })
    }

    /// The plan of Pro members.
    #[must_use]
    pub fn pro(&self) -> Plan {
        Plan { name: PRO.to_owned(), limits: self.pro.limits() }
    }
}

impl PlanLimits {
    fn limits(&self) -> Limits {
        let limit = |most: u64| (most > 0).then_some(most);
        Limits {
            matches: limit(self.matches),
            pairs: limit(self.pairs),
            concurrent_runs: limit(self.concurrent_runs),
            stored_bytes: limit(self.stored_bytes),
            resume_uploads: limit(self.resume_uploads),
            job_descriptions: limit(self.job_descriptions),
        }
    }
}

impl NodeConfig {
    /// What does not fit: the key and the reason.
    pub(crate) fn check_quota(&self) -> Result<(), (&'static str, String)> {
        if self.plans.named(&self.quota.default_plan).is_some() {
            return Ok(());
        }
        Err(("quota.default_plan", format!("expected one of {}", Plans::NAMES.join(", "))))
    }
}
