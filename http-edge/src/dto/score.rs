//! Scores on the wire: integers in points, 10000 is everything.

use serde::{Deserialize, Serialize};
use tandem_domain::chunk::ModelIdentity;
use tandem_domain::run::ScoredPair;
use tandem_domain::score as domain;
use utoipa::ToSchema;

use super::common::Named;
use super::requirements::RequirementLevel;
use super::{all, mirror};
use crate::problem::Problem;

/// Points in a percent.
const POINTS_PER_PERCENT: f64 = 100.0;

/// How much each category counts, in parts of 10000; they sum to 10000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "an object of six weights")]
#[schema(example = json!({
    "skills": 3800, "title": 2200, "semantic": 1700, "experience": 1300, "education": 600, "languages": 400
}))]
pub(crate) struct Weights {
    /// Coverage of the skills asked for.
    skills: u16,
    /// The job's title against the titles held.
    title: u16,
    /// Similarity of the texts.
    semantic: u16,
    /// Months of work against the months asked for.
    experience: u16,
    /// Degree and field.
    education: u16,
    /// Human languages.
    languages: u16,
}

impl Weights {
    /// The weights as the scorer takes them.
    pub(crate) fn checked(self) -> Result<domain::Weights, Problem> {
        let Self { skills, title, semantic, experience, education, languages } = self;
        domain::Weights::new([skills, title, semantic, experience, education, languages])
            .map_err(|error| Problem::validation(format!("field `weights`: {error}")))
    }
}

impl From<domain::Weights> for Weights {
    fn from(weights: domain::Weights) -> Self {
        Self {
            skills: weights.of(domain::Category::Skills),
            title: weights.of(domain::Category::Title),
            semantic: weights.of(domain::Category::Semantic),
            experience: weights.of(domain::Category::Experience),
            education: weights.of(domain::Category::Education),
            languages: weights.of(domain::Category::Languages),
        }
    }
}

mirror! {
    /// What a pair is compared by.
    domain::Category { Skills, Title, Semantic, Experience, Education, Languages }
}

/// Whether a category took part in the score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CategoryState {
    /// Both sides have data.
    Known,
    /// The job asks, the résumé says nothing.
    Unknown,
    /// The job does not ask.
    NotAsked,
}

/// One category of a score.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CategoryScore {
    /// Which.
    pub(crate) category: Category,
    /// Whether it took part.
    pub(crate) state: CategoryState,
    /// Its points; null unless known.
    #[schema(minimum = 0, maximum = 10000)]
    pub(crate) score: Option<i32>,
    /// Its weight in parts of 10000.
    pub(crate) weight: u16,
}

impl From<domain::CategoryScore> for CategoryScore {
    fn from(score: domain::CategoryScore) -> Self {
        let (state, points) = match score.state {
            domain::CategoryState::Known(score) => (CategoryState::Known, Some(score.points())),
            domain::CategoryState::Unknown => (CategoryState::Unknown, None),
            domain::CategoryState::NotAsked => (CategoryState::NotAsked, None),
        };
        Self { category: score.category.into(), state, score: points, weight: score.weight }
    }
}

/// A skill asked for and what was found of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SkillEvidence {
    /// What was asked for: any of these.
    pub(crate) any_of: Vec<Named>,
    /// How strongly.
    pub(crate) level: RequirementLevel,
    /// The credit earned, in points.
    #[schema(minimum = 0, maximum = 10000)]
    pub(crate) credit: i32,
    /// The skill that earned it.
    pub(crate) by: Option<Named>,
    /// What the pair's score would be if this were met in full and nothing else changed.
    #[schema(minimum = 0, maximum = 10000)]
    pub(crate) score_if_met: i32,
}

impl From<domain::SkillEvidence> for SkillEvidence {
    fn from(evidence: domain::SkillEvidence) -> Self {
        Self {
            any_of: all(evidence.any_of),
            level: evidence.level.into(),
            credit: evidence.credit.points(),
            by: evidence.by.map(Named::from),
            score_if_met: evidence.total_if_met.points(),
        }
    }
}

/// A score with its reasons.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Summary {
    /// The score in points.
    #[schema(minimum = 0, maximum = 10000, examples(8725))]
    pub(crate) score: i32,
    /// The same in percent.
    #[schema(examples(87.25))]
    pub(crate) percent: f64,
    /// How much of what the job asks about is known of the résumé, in points.
    #[schema(minimum = 0, maximum = 10000)]
    pub(crate) confidence: i32,
    /// True when too little is known for the score to mean much.
    pub(crate) insufficient_data: bool,
    /// One entry per category.
    pub(crate) categories: Vec<CategoryScore>,
    /// Skills asked for that were found.
    pub(crate) found_skills: Vec<SkillEvidence>,
    /// Skills asked for that were not found.
    pub(crate) missing_skills: Vec<SkillEvidence>,
    /// What the score follows from.
    pub(crate) receipt: Receipt,
}

impl From<ScoredPair> for Summary {
    fn from(pair: ScoredPair) -> Self {
        let total = pair.score.total.points();
        let (found, missing) =
            pair.score.skills.into_iter().partition::<Vec<_>, _>(domain::SkillEvidence::is_found);
        Self {
            score: total,
            percent: f64::from(total) / POINTS_PER_PERCENT,
            confidence: pair.score.confidence.points(),
            insufficient_data: pair.score.insufficient_data,
            categories: all(pair.score.categories),
            found_skills: all(found),
            missing_skills: all(missing),
            receipt: pair.receipt.into(),
        }
    }
}

/// Everything that a score follows from: with the two documents and this it can be computed again.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Receipt {
    /// The version of the scorer's rules.
    pub(crate) scorer: String,
    /// The version of the rules that read the job.
    pub(crate) job_parser: String,
    /// The version of the rules that read the résumé.
    pub(crate) resume_parser: String,
    /// The taxonomy's digest.
    pub(crate) taxonomy: String,
    /// The model that made the vectors.
    pub(crate) model: Model,
    /// SHA-256 of the job's original.
    pub(crate) job_sha256: String,
    /// SHA-256 of the résumé's original.
    pub(crate) resume_sha256: String,
    /// The weights that were asked for.
    pub(crate) weights: Weights,
    /// The job's version, from 1.
    pub(crate) job_version: u32,
    /// The résumé's version, from 1.
    pub(crate) resume_version: u32,
}

impl From<domain::Receipt> for Receipt {
    fn from(receipt: domain::Receipt) -> Self {
        Self {
            scorer: receipt.scorer,
            job_parser: receipt.job_parser,
            resume_parser: receipt.resume_parser,
            taxonomy: receipt.taxonomy,
            model: receipt.model.into(),
            job_sha256: receipt.job.to_string(),
            resume_sha256: receipt.resume.to_string(),
            weights: receipt.weights.into(),
            job_version: receipt.job_version.0,
            resume_version: receipt.resume_version.0,
        }
    }
}

/// A model that makes vectors.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Model {
    /// Its name.
    #[schema(examples("all-MiniLM-L6-v2"))]
    pub(crate) id: String,
    /// SHA-256 of its weights.
    pub(crate) weights_sha256: String,
    /// SHA-256 of its tokenizer.
    pub(crate) tokenizer_sha256: String,
    /// Coordinates of a vector.
    pub(crate) dimensions: u32,
}

impl From<ModelIdentity> for Model {
    fn from(model: ModelIdentity) -> Self {
        Self {
            id: model.id,
            weights_sha256: model.weights_digest,
            tokenizer_sha256: model.tokenizer_digest,
            dimensions: model.dimensions,
        }
    }
}
