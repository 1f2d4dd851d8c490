//! Single matches on the wire.

use serde::{Deserialize, Serialize};
use tandem_domain::run::{PairMatch, PairOutcome};
use utoipa::ToSchema;

use super::common::{Failure, Id, Status};
use super::score::{Summary, Weights};

/// Which pair to score.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "resumeId": "0190b6a2-9a51-7c3e-8f6d-0d2f6c1a7b10", "jobId": "0190b6a2-9a51-7c3e-8f6d-0d2f6c1a7b11"
}))]
pub(crate) struct CreateMatch {
    /// The résumé; `resume_id` is the same.
    #[serde(rename = "resumeId", alias = "resume_id")]
    pub(crate) resume_id: Id,
    /// The job; `job_id` is the same.
    #[serde(rename = "jobId", alias = "job_id")]
    pub(crate) job_id: Id,
    /// How much each category counts; the node's own weights where it is left out.
    pub(crate) weights: Option<Weights>,
}

/// A match that was accepted.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AcceptedMatch {
    /// The match to ask for.
    #[schema(format = "uuid")]
    pub(crate) id: String,
    /// How far it has come.
    pub(crate) status: Status,
}

/// A match in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MatchEntry {
    /// Its id.
    #[schema(format = "uuid")]
    pub(crate) id: String,
    /// How far it has come.
    pub(crate) status: Status,
    /// The résumé.
    #[schema(format = "uuid")]
    pub(crate) resume_id: String,
    /// The same as `resume_id`.
    #[serde(rename = "resumeId")]
    #[schema(format = "uuid")]
    pub(crate) resume_id_camel: String,
    /// The job.
    #[schema(format = "uuid")]
    pub(crate) job_id: String,
    /// The same as `job_id`.
    #[serde(rename = "jobId")]
    #[schema(format = "uuid")]
    pub(crate) job_id_camel: String,
    /// The score in points, 0..=10000; null until it is complete.
    #[schema(minimum = 0, maximum = 10000)]
    pub(crate) score: Option<i32>,
    /// Why it failed.
    pub(crate) failure: Option<Failure>,
    /// When it was accepted (RFC 3339).
    #[schema(format = DateTime)]
    pub(crate) created_at: String,
}

/// A match with its reasons.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Match {
    /// The match.
    #[serde(flatten)]
    pub(crate) entry: MatchEntry,
    /// How much each category counts.
    pub(crate) weights: Weights,
    /// The score with its reasons; null until it is complete.
    pub(crate) summary: Option<Summary>,
}

fn status(pair: &PairMatch) -> Status {
    match &pair.outcome {
        None => Status::Queued,
        Some(PairOutcome::Scored(_)) => Status::Complete,
        Some(PairOutcome::Failed(_)) => Status::Failed,
    }
}

impl From<&PairMatch> for AcceptedMatch {
    fn from(pair: &PairMatch) -> Self {
        Self { id: pair.id.to_string(), status: status(pair) }
    }
}

impl From<&PairMatch> for MatchEntry {
    fn from(pair: &PairMatch) -> Self {
        let (score, failure) = match &pair.outcome {
            None => (None, None),
            Some(PairOutcome::Scored(scored)) => (Some(scored.score.total.points()), None),
            Some(PairOutcome::Failed(failure)) => (None, Some(failure.clone().into())),
        };
        Self {
            id: pair.id.to_string(),
            status: status(pair),
            resume_id: pair.resume.to_string(),
            resume_id_camel: pair.resume.to_string(),
            job_id: pair.job.to_string(),
            job_id_camel: pair.job.to_string(),
            score,
            failure,
            created_at: pair.created_at.to_string(),
        }
    }
}

impl From<PairMatch> for Match {
    fn from(pair: PairMatch) -> Self {
        let entry = MatchEntry::from(&pair);
        let summary = match pair.outcome {
            Some(PairOutcome::Scored(scored)) => Some(Summary::from(*scored)),
            Some(PairOutcome::Failed(_)) | None => None,
        };
        Self { entry, weights: pair.weights.into(), summary }
    }
}
