//! Degree and field of study against what is asked for.

use std::collections::BTreeSet;

use tandem_domain::profile::{EducationLevel, RequirementLevel};
use tandem_domain::ranked::{Asked, RankedEducation, RankedProfile};
use tandem_domain::score::{BASIS, CategoryState, Points, Score};

use super::{interpolate, share};

/// Points by rungs under the level asked for.
const BY_RUNGS_MISSING: [(i32, Points); 4] = [(0, 10_000), (1, 6_500), (2, 3_000), (3, 0)];
/// What is lost for a degree that is only welcome, in parts of 10_000 of the loss for a required one.
const WELCOME_LOSS: Points = 5_000;
/// The field's share where level and field are both asked for, in parts of 10_000.
const FIELD_SHARE: Points = 4_000;
/// Words of a field that say nothing about it.
const FILLERS: [&str; 22] = [
    "a",
    "an",
    "and",
    "any",
    "area",
    "areas",
    "degree",
    "discipline",
    "equivalent",
    "field",
    "fields",
    "in",
    "of",
    "or",
    "other",
    "related",
    "relevant",
    "similar",
    "studies",
    "subject",
    "the",
    "with",
];

/// The best single degree: its level and its field are judged together, so that a degree in one field does not lend
/// its level to another.
pub(super) fn state(job: &RankedProfile, resume: &RankedProfile) -> CategoryState {
    let Some(asked) = job.asked.as_ref().filter(|a| a.education.is_some() || fields(a).next().is_some())
    else {
        return CategoryState::NotAsked;
    };
    let degrees = resume.education.iter().filter_map(|degree| points(asked, degree));
    degrees.max().map_or(CategoryState::Unknown, |best| CategoryState::Known(Score::clamped(i64::from(best))))
}

/// The points of one degree; `None` where nothing of it can be compared.
fn points(asked: &Asked, degree: &RankedEducation) -> Option<Points> {
    let level = asked.education.and_then(|(wanted, how)| Some(level(wanted, how, degree.level?)));
    let field = field(asked, degree);
    match (level, field) {
        (Some(level), Some(field)) => Some(share(level, BASIS - FIELD_SHARE) + share(field, FIELD_SHARE)),
        // A field without a recognized level, where a level is asked for, earns the field's part alone.
        (None, Some(field)) if asked.education.is_some() => Some(share(field, FIELD_SHARE)),
        (only, None) | (None, only) => only,
    }
}

fn level(wanted: EducationLevel, how: RequirementLevel, held: EducationLevel) -> Points {
    let missing = i32::from(wanted.rung()) - i32::from(held.rung());
    let points = interpolate(&BY_RUNGS_MISSING, missing.max(0));
    match how {
        RequirementLevel::Nice | RequirementLevel::Preferred => BASIS - share(BASIS - points, WELCOME_LOSS),
        RequirementLevel::Required | RequirementLevel::Must => points,
    }
}

/// The largest share of an asked field's words that the degree's field has.
fn field(asked: &Asked, degree: &RankedEducation) -> Option<Points> {
    let held = content(&degree.field);
    if held.is_empty() {
        return None;
    }
    fields(asked)
        .map(|wanted| Score::ratio(wanted.intersection(&held).count() as i64, wanted.len() as i64).points())
        .max()
}

/// The asked fields that have words which say something.
fn fields(asked: &Asked) -> impl Iterator<Item = BTreeSet<&str>> {
    asked.fields.iter().map(|words| content(words)).filter(|words| !words.is_empty())
}

fn content(words: &[String]) -> BTreeSet<&str> {
    words.iter().map(String::as_str).filter(|word| FILLERS.binary_search(word).is_err()).collect()
}
