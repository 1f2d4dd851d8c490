//! Human languages against those asked for.

use tandem_domain::profile::{LanguageCode, LanguageLevel};
use tandem_domain::ranked::RankedProfile;
use tandem_domain::score::{BASIS, CategoryState, Points, Score};

use super::interpolate;
use super::skills::importance;

/// Points by rungs under the level asked for: a language spoken worse than asked is still worth something.
const BY_RUNGS_MISSING: [(i32, Points); 4] = [(0, BASIS), (1, 7_000), (2, 4_000), (3, 2_000)];
/// Points for a language that is named without its level, where a level is asked for.
const LEVEL_UNSAID: Points = 8_000;
/// Points for a language that is not named but that the résumé is written in.
const WRITTEN_IN: Points = 7_000;

/// The mean over the requirements, weighted by how strongly each is asked for. A résumé that names no language at all
/// is silent about those it is not written in.
pub(super) fn state(job: &RankedProfile, resume: &RankedProfile) -> CategoryState {
    let asked = job.asked.as_ref().map_or(&[][..], |asked| &asked.languages);
    if asked.is_empty() {
        return CategoryState::NotAsked;
    }
    let (mut sum, mut whole) = (0, 0);
    for &(language, at_least, level) in asked {
        if let Some(points) = points(resume, language, at_least) {
            sum += importance(level) * i64::from(points);
            whole += importance(level);
        }
    }
    if whole == 0 { CategoryState::Unknown } else { CategoryState::Known(Score::clamped(sum / whole)) }
}

/// The points of one requirement; `None` where the résumé says nothing about it.
fn points(resume: &RankedProfile, language: LanguageCode, at_least: Option<LanguageLevel>) -> Option<Points> {
    let named = resume.languages.iter().filter(|(code, _)| *code == language);
    let best = named.map(|(_, held)| by_level(at_least, *held)).max();
    match best {
        Some(points) => Some(points),
        None if resume.language == language => Some(WRITTEN_IN),
        None if resume.languages.is_empty() => None,
        None => Some(0),
    }
}

fn by_level(at_least: Option<LanguageLevel>, held: Option<LanguageLevel>) -> Points {
    match (at_least, held) {
        (None, _) => BASIS,
        (Some(_), None) => LEVEL_UNSAID,
        (Some(wanted), Some(held)) => {
            interpolate(&BY_RUNGS_MISSING, (i32::from(wanted.rung()) - i32::from(held.rung())).max(0))
        }
    }
}
