//! Reports of an outside workflow on the wire.

use serde::Deserialize;
use tandem_domain::document::DocumentKind;
use tandem_domain::ids::{DocumentId, OwnerId};
use utoipa::ToSchema;

use super::common::Id;
use super::document::Language;
use crate::problem::Problem;
use crate::upload::{self, Said, Upload};

/// A résumé that a workflow has read.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "resume_id": "0190b6a2-9a51-7c3e-8f6d-0d2f6c1a7b10", "user_id": "local", "raw_text": "Robin Example\n\n# Skills\nRust"
}))]
pub(crate) struct ResumeCallback {
    /// The résumé; `resumeId` is the same.
    #[serde(alias = "resumeId")]
    resume_id: Id,
    /// Whose it is; `userId` is the same. `local` where it is left out, which is the owner on a node without accounts.
    #[serde(alias = "userId")]
    #[schema(max_length = 128)]
    user_id: Option<String>,
    /// The text; with ATX headings (`# Skills`) it is read as Markdown. `rawText` and `content_md` are the same.
    #[serde(alias = "rawText", alias = "content_md", alias = "contentMd")]
    raw_text: String,
    /// The language of the text; `resumeLang` is the same.
    #[serde(alias = "resumeLang")]
    resume_lang: Option<Language>,
    /// What the workflow has read in it. It is not kept.
    #[serde(default, alias = "parsedJson")]
    #[schema(value_type = Option<serde_json::Value>)]
    #[allow(dead_code, reason = "workflows send it, and nothing here depends on it")]
    parsed_json: Option<serde::de::IgnoredAny>,
}

/// A job that a workflow has fetched.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "job_id": "0190b6a2-9a51-7c3e-8f6d-0d2f6c1a7b11", "user_id": "local", "job_description": "Rust engineer\n\n3 years of Rust"
}))]
pub(crate) struct JobCallback {
    /// The job; `jobId` is the same.
    #[serde(alias = "jobId")]
    job_id: Id,
    /// Whose it is; `userId` is the same. `local` where it is left out, which is the owner on a node without accounts.
    #[serde(alias = "userId")]
    #[schema(max_length = 128)]
    user_id: Option<String>,
    /// The description; `jobDescription`, `raw_text` and `text` are the same.
    #[serde(alias = "jobDescription", alias = "raw_text", alias = "rawText", alias = "text")]
    job_description: String,
    /// The job's title; at most 300 characters.
    #[schema(max_length = 300)]
    title: Option<String>,
    /// Who offers the job; at most 300 characters.
    #[schema(max_length = 300)]
    company: Option<String>,
    /// The language of the description; `jdLang` is the same.
    #[serde(alias = "jdLang")]
    jd_lang: Option<Language>,
    /// What the workflow has read in it. It is not kept.
    #[serde(default, alias = "parsedJson")]
    #[schema(value_type = Option<serde_json::Value>)]
    #[allow(dead_code, reason = "workflows send it, and nothing here depends on it")]
    parsed_json: Option<serde::de::IgnoredAny>,
}

/// What is reported.
pub(crate) struct Reported {
    /// Whose.
    pub(crate) owner: OwnerId,
    /// Of which document.
    pub(crate) id: DocumentId,
    /// Its next version.
    pub(crate) upload: Upload,
}

impl ResumeCallback {
    /// The report.
    pub(crate) fn into_reported(self, kind: DocumentKind) -> Result<Reported, Problem> {
        let said = Said { resume_lang: self.resume_lang, ..Said::default() };
        reported(kind, self.user_id, self.resume_id, said, self.raw_text)
    }
}

impl JobCallback {
    /// The report.
    pub(crate) fn into_reported(self, kind: DocumentKind) -> Result<Reported, Problem> {
        let Self { title, company, jd_lang, .. } = self;
        let said = Said { title, company, jd_lang, ..Said::default() };
        reported(kind, self.user_id, self.job_id, said, self.job_description)
    }
}

fn reported(
    kind: DocumentKind,
    owner: Option<String>,
    Id(id): Id,
    said: Said,
    text: String,
) -> Result<Reported, Problem> {
    let owner = match owner {
        None => OwnerId::local(),
        Some(owner) => {
            owner.try_into().map_err(|error| Problem::validation(format!("field `user_id`: {error}")))?
        }
    };
    let upload = upload::of_text(kind, said, text)?;
    Ok(Reported { owner, id: DocumentId::from_uuid(id), upload })
}
