//! Months of work against the months asked for.

use tandem_domain::ranked::RankedProfile;
use tandem_domain::score::{CategoryState, Score};

/// The share of the asked months that has been worked. It saturates there, and the upper end of a range costs nothing,
/// so that many years (and with them age) are never seen.
pub(super) fn state(job: &RankedProfile, resume: &RankedProfile) -> CategoryState {
    let asked = job.asked.as_ref().and_then(|asked| asked.min_months).unwrap_or(0);
    match (asked, resume.months) {
        (0, _) => CategoryState::NotAsked,
        (_, None) => CategoryState::Unknown,
        (asked, Some(worked)) => CategoryState::Known(Score::ratio(i64::from(worked), i64::from(asked))),
    }
}
