//! Scores are integers in points: 10_000 is everything. One scorer fills these types (invariant 7).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::chunk::ModelIdentity;
use crate::document::Version;
use crate::ids::ContentDigest;
use crate::profile::RequirementLevel;
use crate::taxonomy::SkillId;

pub use crate::points::{BASIS, Points};

#[cfg(test)]
mod tests;

/// Points from 0 to 10_000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "i32", into = "i32")]
pub struct Score(u16);

impl Score {
    /// No points.
    pub const ZERO: Self = Self(0);
    /// All points.
    pub const FULL: Self = Self(BASIS as u16);

    /// `points` brought into 0..=10_000.
    #[must_use]
    pub fn clamped(points: i64) -> Self {
        Self(points.clamp(0, i64::from(BASIS)) as u16)
    }

    /// `part / whole` in points, truncated; full when `whole` is not positive.
    #[must_use]
    pub fn ratio(part: i64, whole: i64) -> Self {
        if whole <= 0 { Self::FULL } else { Self::clamped(part.saturating_mul(i64::from(BASIS)) / whole) }
    }

    /// The points, 0..=10_000.
    #[must_use]
    pub fn points(self) -> Points {
        Points::from(self.0)
    }
}

impl TryFrom<i32> for Score {
    type Error = String;

    fn try_from(points: i32) -> Result<Self, String> {
        u16::try_from(points)
            .ok()
            .filter(|p| i32::from(*p) <= BASIS)
            .map(Self)
            .ok_or_else(|| "a score lies in 0..=10000".to_owned())
    }
}

impl From<Score> for i32 {
    fn from(score: Score) -> Self {
        score.points()
    }
}

/// As a percentage with two decimals, such as `87.25`.
impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

/// What a pair is compared by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// Coverage of the skills asked for.
    Skills,
    /// The job's title against the titles held.
    Title,
    /// Similarity of the texts.
    Semantic,
    /// Months of work against the months asked for.
    Experience,
    /// Degree and field.
    Education,
    /// Human languages.
    Languages,
}

impl Category {
    /// Every category, in the order in which they are shown.
    pub const ALL: [Self; 6] =
        [Self::Skills, Self::Title, Self::Semantic, Self::Experience, Self::Education, Self::Languages];

    /// `skills`, `title`, `semantic`, `experience`, `education` or `languages`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Skills => "skills",
            Self::Title => "title",
            Self::Semantic => "semantic",
            Self::Experience => "experience",
            Self::Education => "education",
            Self::Languages => "languages",
        }
    }

    const fn index(self) -> usize {
        self as usize
    }
}

/// How much each category counts, in parts of 10_000; they sum to 10_000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "WeightsShape", into = "WeightsShape")]
pub struct Weights([u16; Category::ALL.len()]);

/// Why weights are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("weights must sum to 10000, these sum to {0}")]
pub struct WeightsError(pub u32);

impl Weights {
    /// Weights in the order of [`Category::ALL`].
    ///
    /// # Errors
    /// When they do not sum to 10_000.
    pub fn new(weights: [u16; Category::ALL.len()]) -> Result<Self, WeightsError> {
        let sum = weights.iter().map(|w| u32::from(*w)).sum();
        if sum == BASIS as u32 { Ok(Self(weights)) } else { Err(WeightsError(sum)) }
    }

    /// The parts of one category.
    #[must_use]
    pub fn of(&self, category: Category) -> u16 {
        self.0[category.index()]
    }
}

impl Default for Weights {
    fn default() -> Self {
        Self([3800, 2200, 1700, 1300, 600, 400])
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WeightsShape {
    skills: u16,
    title: u16,
    semantic: u16,
    experience: u16,
    education: u16,
    languages: u16,
}

impl TryFrom<WeightsShape> for Weights {
    type Error = WeightsError;

    fn try_from(w: WeightsShape) -> Result<Self, WeightsError> {
        Self::new([w.skills, w.title, w.semantic, w.experience, w.education, w.languages])
    }
}

impl From<Weights> for WeightsShape {
    fn from(Weights([skills, title, semantic, experience, education, languages]): Weights) -> Self {
        Self { skills, title, semantic, experience, education, languages }
    }
}

/// What is known about one category of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CategoryState {
    /// Both sides have data.
    Known(Score),
    /// The job asks, the person's side says nothing: the confidence falls.
    Unknown,
    /// The job does not ask: the category drops out.
    NotAsked,
}

/// One category of a pair's score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CategoryScore {
    /// Which.
    pub category: Category,
    /// Its points, if there are any.
    pub state: CategoryState,
    /// The weight asked for, in parts of 10_000. Known categories share the weights of the others.
    pub weight: u16,
}

/// A skill asked for and what was found of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SkillEvidence {
    /// What was asked for; any of these.
    pub any_of: Vec<SkillId>,
    /// How strongly.
    pub level: RequirementLevel,
    /// The credit earned.
    pub credit: Score,
    /// The person's skill that earned it: one of `any_of`, or a related one; `None` when nothing did.
    pub by: Option<SkillId>,
    /// The pair's score if this requirement were met in full; everything else unchanged.
    pub total_if_met: Score,
}

impl SkillEvidence {
    /// Where full credit begins to be called found, in points.
    pub const FOUND_FROM: Points = 5_000;

    /// Named by the person, or shown by a skill that implies it.
    #[must_use]
    pub fn is_found(&self) -> bool {
        self.credit.points() >= Self::FOUND_FROM
    }
}

/// The score of one pair with its reasons.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MatchScore {
    /// `Σ weight · points / Σ weight` over the known categories.
    pub total: Score,
    /// Weight of the known categories among those the job asks about.
    pub confidence: Score,
    /// True when too little is known for the total to mean much.
    pub insufficient_data: bool,
    /// One entry per category, in the order of [`Category::ALL`].
    pub categories: Vec<CategoryScore>,
    /// One entry per skill requirement, in the job's order.
    pub skills: Vec<SkillEvidence>,
}

/// Everything that a score follows from: whoever has the two documents and this can compute it again.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Receipt {
    /// The version of the scorer's rules.
    pub scorer: String,
    /// The version of the rules that read the job.
    pub job_parser: String,
    /// The version of the rules that read the résumé.
    pub resume_parser: String,
    /// The taxonomy's digest.
    pub taxonomy: String,
    /// The model that made the vectors.
    pub model: ModelIdentity,
    /// SHA-256 of the job's original.
    pub job: ContentDigest,
    /// SHA-256 of the résumé's original.
    pub resume: ContentDigest,
    /// The weights that were asked for.
    pub weights: Weights,
    /// The job's version. Rows of before there were versions end here.
    #[serde(default, deserialize_with = "Version::or_first")]
    pub job_version: Version,
    /// The résumé's version.
    #[serde(default, deserialize_with = "Version::or_first")]
    pub resume_version: Version,
}
