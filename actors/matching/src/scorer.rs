//! The one scorer (invariant 7): pure, integers only, the same answer for a pair wherever it is asked.
//!
//! It reads [`Features`] alone, which cannot hold protected facts (invariant 8). Each category lives in a file of its
//! own and answers with a [`CategoryState`]; here they are weighed against each other.

use tandem_domain::ranked::Features;
use tandem_domain::score::{
    BASIS, Category, CategoryScore, CategoryState, MatchScore, Receipt, Score, Weights,
};
use tandem_domain::taxonomy::Taxonomy;

mod skills;

mod title;

mod semantic;

mod experience;

mod education;

mod languages;

#[cfg(test)]
mod tests;

/// The version of these rules. It changes whenever any pair's score may change, so that a receipt tells old scores
/// from new ones.
pub const SCORER_VERSION: &str = "rules-1";

/// Under this confidence, in points, a total means too little.
const MIN_CONFIDENCE: i32 = 6_000;
/// Under this weight of known categories, in parts of 10_000, a total means too little.
const MIN_KNOWN_WEIGHT: i64 = 3_000;

/// The score of a job and a résumé with its reasons, by [`SCORER_VERSION`].
///
/// `total = Σ weight · points / Σ weight` over the categories both sides have data for, truncated. A category that the
/// job does not ask for drops out; one that the résumé is silent about lowers the confidence alone.
#[must_use]
pub fn score(job: &Features, resume: &Features, weights: &Weights) -> MatchScore {
    let skills = skills::Coverage::of(&job.profile, &resume.profile);
    let states = [
        skills.state(),
        title::state(&job.profile, &resume.profile),
        semantic::state(job, resume),
        experience::state(&job.profile, &resume.profile),
        education::state(&job.profile, &resume.profile),
        languages::state(&job.profile, &resume.profile),
    ];
    let categories: Vec<CategoryScore> = Category::ALL
        .into_iter()
        .zip(states)
        .map(|(category, state)| CategoryScore { category, state, weight: weights.of(category) })
        .collect();
    let tally = Tally::of(&categories);
    let confidence = tally.confidence();
    let others = Tally::of(categories.iter().filter(|c| c.category != Category::Skills));
    let skill_weight = weights.of(Category::Skills);
    let evidence = skills.into_evidence(|points| others.with(skill_weight, points).total());
    MatchScore {
        total: tally.total(),
        confidence,
        insufficient_data: confidence.points() < MIN_CONFIDENCE || tally.known < MIN_KNOWN_WEIGHT,
        categories,
        skills: evidence,
    }
}

/// What a score of this pair follows from. The model is the job's (where the résumé's is another, the semantic category is unknown and no vector took part).
#[must_use]
pub fn receipt(job: &Features, resume: &Features, weights: &Weights) -> Receipt {
    Receipt {
        scorer: SCORER_VERSION.to_owned(),
        job_parser: job.parser.clone(),
        resume_parser: resume.parser.clone(),
        taxonomy: Taxonomy::builtin().version().to_owned(),
        model: job.model.clone(),
        job: job.digest,
        resume: resume.digest,
        weights: *weights,
        job_version: job.version,
        resume_version: resume.version,
    }
}

/// Sums over categories.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    /// `Σ weight · points` of the known ones.
    sum: i64,
    /// `Σ weight` of the known ones.
    known: i64,
    /// `Σ weight` of those the job asks about.
    asked: i64,
}

impl Tally {
    fn of<'a>(categories: impl IntoIterator<Item = &'a CategoryScore>) -> Self {
        categories.into_iter().fold(Self::default(), |tally, entry| match entry.state {
            CategoryState::Known(points) => tally.with(entry.weight, points),
            CategoryState::Unknown => Self { asked: tally.asked + i64::from(entry.weight), ..tally },
            CategoryState::NotAsked => tally,
        })
    }

    /// These sums and one more known category.
    fn with(self, weight: u16, points: Score) -> Self {
        let weight = i64::from(weight);
        Self {
            sum: self.sum + weight * i64::from(points.points()),
            known: self.known + weight,
            asked: self.asked + weight,
        }
    }

    /// No points where nothing is known.
    fn total(self) -> Score {
        if self.known == 0 { Score::ZERO } else { Score::clamped(self.sum / self.known) }
    }

    /// None where nothing is asked.
    fn confidence(self) -> Score {
        if self.asked == 0 { Score::ZERO } else { Score::ratio(self.known, self.asked) }
    }
}

/// `part` of 10_000 of `points`, truncated.
fn share(points: i32, part: i32) -> i32 {
    Score::clamped(i64::from(points) * i64::from(part) / i64::from(BASIS)).points()
}

/// The value at `x` of the line through `points` (ascending in x), flat outside of them.
fn interpolate(points: &[(i32, i32)], x: i32) -> i32 {
    let above = points.partition_point(|&(at, _)| at <= x);
    let right = points.get(above).or(points.last()).copied().unwrap_or_default();
    let left = above.checked_sub(1).and_then(|i| points.get(i)).copied().unwrap_or(right);
    if right.0 <= left.0 {
        return left.1;
    }
    let rise = i64::from(right.1 - left.1) * i64::from(x - left.0) / i64::from(right.0 - left.0);
    left.1 + rise as i32
}

/// Months as a signed number for [`interpolate`].
fn months(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
