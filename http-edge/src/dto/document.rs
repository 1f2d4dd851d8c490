//! Résumés and jobs on the wire.

use serde::{Deserialize, Serialize};
use tandem_domain::document as domain;
use tandem_domain::document::DocumentKind as DomainKind;
use tandem_domain::profile::LanguageCode;
use tandem_messages::documents::{DocumentDetail, RedactedDocument, SubmittedDocument};
use utoipa::ToSchema;

use super::all;
use super::common::{Failure, Status};
use super::finding::Finding;
use super::matches::Match;
use super::profile::{Profile, Skill};
use crate::problem::Problem;
use crate::upload::{self, Said, Upload};

/// A document as text.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"title": "Rust engineer", "text": "Rust engineer\n\nRequirements\n- 3 years of Rust"}))]
pub(crate) struct TextDocument {
    /// A title for when the text shows none; at most 300 characters.
    #[schema(max_length = 300)]
    pub(crate) title: Option<String>,
    /// The text; with ATX headings (`# Skills`) it is read as Markdown. `raw_text`, `description` and `job_description`
    /// are the same.
    #[serde(
        alias = "raw_text",
        alias = "rawText",
        alias = "description",
        alias = "job_description",
        alias = "jobDescription"
    )]
    pub(crate) text: String,
    /// Who offers the job; at most 300 characters.
    #[schema(max_length = 300)]
    pub(crate) company: Option<String>,
    /// The language of this document.
    pub(crate) language: Option<Language>,
    /// The language of the résumé; `resumeLang` is the same.
    #[serde(alias = "resumeLang")]
    pub(crate) resume_lang: Option<Language>,
    /// The language of the job description; `jdLang` is the same.
    #[serde(alias = "jdLang")]
    pub(crate) jd_lang: Option<Language>,
    /// The language that results are wanted in; `desiredOutputLang` is the same.
    #[serde(alias = "desiredOutputLang")]
    pub(crate) desired_output_lang: Option<Language>,
    /// What else is to be heeded, at most 4000 characters; `customInstructions` is the same. It is kept and given back,
    /// and changes no score.
    #[serde(alias = "customInstructions")]
    #[schema(max_length = 4000)]
    pub(crate) custom_instructions: Option<String>,
}

impl TextDocument {
    /// The document as it is handed in.
    pub(crate) fn into_upload(self, kind: DomainKind) -> Result<Upload, Problem> {
        let Self { title, text, company, language, resume_lang, jd_lang, desired_output_lang, .. } = self;
        let custom_instructions = self.custom_instructions;
        let said =
            Said { title, company, language, resume_lang, jd_lang, desired_output_lang, custom_instructions };
        upload::of_text(kind, said, text)
    }
}

/// A language that is spoken here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Language {
    /// English.
    En,
    /// Arabic.
    Ar,
}

impl Language {
    /// The language of a code.
    pub(crate) fn of(code: &str) -> Option<Self> {
        match code.trim() {
            "en" => Some(Self::En),
            "ar" => Some(Self::Ar),
            _ => None,
        }
    }
}

impl From<Language> for LanguageCode {
    fn from(language: Language) -> Self {
        match language {
            Language::En => Self::ENGLISH,
            Language::Ar => Self::ARABIC,
        }
    }
}

/// A document as a file.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the form; the form itself is read field by field")]
pub(crate) struct FileForm {
    /// PDF, DOCX, HTML, Markdown or plain text.
    #[schema(value_type = String, format = Binary)]
    pub(crate) file: Vec<u8>,
    /// A title for when the text shows none; at most 300 characters.
    #[schema(max_length = 300)]
    pub(crate) title: Option<String>,
    /// Who offers the job; at most 300 characters.
    #[schema(max_length = 300)]
    pub(crate) company: Option<String>,
    /// The language of this document.
    pub(crate) language: Option<Language>,
    /// The language of the résumé; `resumeLang` is the same.
    pub(crate) resume_lang: Option<Language>,
    /// The language of the job description; `jdLang` is the same.
    pub(crate) jd_lang: Option<Language>,
    /// The language that results are wanted in; `desiredOutputLang` is the same.
    pub(crate) desired_output_lang: Option<Language>,
    /// What else is to be heeded, at most 4000 characters; `customInstructions` is the same.
    #[schema(max_length = 4000)]
    pub(crate) custom_instructions: Option<String>,
}

/// A posting of schema.org as JSON-LD; what else it holds is kept with it.
#[derive(ToSchema)]
#[schema(example = json!({
    "@context": "https://schema.org", "@type": "JobPosting", "title": "Rust engineer",
    "description": "<p>You write Rust.</p>", "hiringOrganization": {"@type": "Organization", "name": "Sample Works"}
}))]
#[allow(dead_code, reason = "describes the posting; the posting itself is read where it is kept")]
pub(crate) struct JobPosting {
    /// `JobPosting`.
    #[schema(rename = "@type", pattern = "^(.*[/:])?JobPosting$")]
    pub(crate) kind: String,
    /// The job's title, where it is a text; anything else is passed over.
    #[schema(value_type = serde_json::Value, required = false)]
    pub(crate) title: (),
    /// The text, plain or as HTML; anything else is passed over.
    #[schema(value_type = serde_json::Value, required = false)]
    pub(crate) description: (),
}

super::mirror! {
    /// Which side of a match a document stands on.
    domain::DocumentKind { Resume, Job }
}

/// A document's row.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Document {
    /// Its id.
    #[schema(format = "uuid")]
    pub(crate) id: String,
    /// Résumé or job.
    pub(crate) kind: DocumentKind,
    /// How far it has come.
    pub(crate) status: Status,
    /// The same in finer steps: `queued`, `parsed`, `embedded`, `indexed` or `failed`.
    #[schema(examples("indexed"))]
    pub(crate) stage: String,
    /// Why it failed.
    pub(crate) failure: Option<Failure>,
    /// The title it was submitted with; a job that was submitted as text without one has its first heading or line.
    pub(crate) title: Option<String>,
    /// Who offers the job, as its submitter said.
    pub(crate) company: Option<String>,
    /// Whether it can be found: `pending`, `indexed` or `failed`.
    pub(crate) embedding_status: EmbeddingStatus,
    /// The language of the résumé, as its submitter said.
    #[schema(examples("en"))]
    pub(crate) resume_lang: Option<String>,
    /// The language of the job description, as its submitter said.
    #[schema(examples("ar"))]
    pub(crate) jd_lang: Option<String>,
    /// The language that results are wanted in.
    #[schema(examples("en"))]
    pub(crate) desired_output_lang: Option<String>,
    /// The file's name.
    #[schema(examples("resume.pdf"))]
    pub(crate) file_name: String,
    /// What the bytes are.
    #[schema(examples("application/pdf"))]
    pub(crate) media_type: String,
    /// Size of the original in bytes.
    pub(crate) size: u64,
    /// SHA-256 of the original.
    pub(crate) sha256: String,
    /// The version that is shown here, from 1: the one that is searched, or the first one as long as none is.
    pub(crate) version: u32,
    /// The version that came last: `status`, `stage` and `failure` are its own.
    pub(crate) latest_version: u32,
    /// When this version was accepted (RFC 3339).
    #[schema(format = DateTime)]
    pub(crate) created_at: String,
}

impl From<domain::Document> for Document {
    fn from(document: domain::Document) -> Self {
        let embedding_status = embedding_status(&document.state);
        let latest_version = document.latest();
        let latest =
            document.at(latest_version).map_or_else(|| document.state.clone(), |latest| latest.state);
        let stage = latest.name().to_owned();
        let (status, failure) = status_of(latest);
        let notes = document.notes;
        Self {
            id: document.id.to_string(),
            kind: document.kind.into(),
            status,
            stage,
            failure,
            title: document.title.or(notes.headline),
            company: notes.company,
            embedding_status,
            resume_lang: notes.resume_lang.map(String::from),
            jd_lang: notes.jd_lang.map(String::from),
            desired_output_lang: notes.desired_output_lang.map(String::from),
            file_name: document.file_name,
            media_type: document.media.media_type().to_owned(),
            size: document.size,
            sha256: document.digest.to_string(),
            version: document.version.0,
            latest_version: latest_version.0,
            created_at: document.created_at.to_string(),
        }
    }
}

/// Whether a document can be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EmbeddingStatus {
    /// Not yet.
    Pending,
    /// Now.
    Indexed,
    /// Never.
    Failed,
}

/// A document that was handed in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Submitted {
    /// The document: a new one, or the earlier one with the same content.
    #[serde(flatten)]
    pub(crate) document: Document,
    /// The version that has the content.
    pub(crate) submitted_version: u32,
    /// Whether it was there already.
    pub(crate) duplicate: bool,
}

impl From<SubmittedDocument> for Submitted {
    fn from(submitted: SubmittedDocument) -> Self {
        let SubmittedDocument { document, version, duplicate } = submitted;
        Self { document: document.into(), submitted_version: version.0, duplicate }
    }
}

/// A document with what was read in it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DocumentView {
    /// The row.
    #[serde(flatten)]
    pub(crate) document: Document,
    /// What its submitter wants to be heeded.
    pub(crate) custom_instructions: Option<String>,
    /// What was read; null until it is parsed.
    pub(crate) parsed: Option<Parsed>,
}

/// What was read in a document.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Parsed {
    /// The version of the parser's rules.
    pub(crate) parser: String,
    /// The structured form.
    pub(crate) profile: Profile,
    /// The skills it names.
    pub(crate) skills: Vec<Skill>,
    /// What is odd about it.
    pub(crate) findings: Vec<Finding>,
    /// The visible text that the spans point into; only with `include=text`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<String>,
}

impl Parsed {
    /// What was read, with the text or without.
    pub(crate) fn new(mut parsed: domain::ParsedVersion, with_text: bool) -> Self {
        Self {
            parser: parsed.parser,
            skills: all(std::mem::take(&mut parsed.profile.skills)),
            profile: parsed.profile.into(),
            findings: all(parsed.findings),
            text: with_text.then_some(parsed.text),
        }
    }
}

impl DocumentView {
    /// The view of a document, with its text or without.
    pub(crate) fn new(detail: DocumentDetail, with_text: bool) -> Self {
        let parsed = detail.parsed.map(|parsed| Parsed::new(parsed, with_text));
        let custom_instructions = detail.document.notes.custom_instructions.clone();
        Self { document: detail.document.into(), custom_instructions, parsed }
    }
}

/// A job with what was read in it and with its latest result.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobView {
    /// The job.
    #[serde(flatten)]
    pub(crate) view: DocumentView,
    /// The newest match with this job that has ended, if it is among the caller's 50 newest matches.
    pub(crate) result: Option<Match>,
}

/// A résumé without whose it is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RedactedResume {
    /// Its id.
    #[schema(format = "uuid")]
    pub(crate) id: String,
    /// How far it has come.
    pub(crate) status: Status,
    /// The version, from 1.
    pub(crate) version: u32,
    /// The version of the parser's rules; null until it is parsed.
    pub(crate) parser: Option<String>,
    /// The structured form without name, contact, protected facts and dates of study; null until it is parsed.
    pub(crate) profile: Option<Profile>,
    /// The skills it names.
    pub(crate) skills: Vec<Skill>,
    /// The text that is ranked, which is all that a ranking sees of it; only with `include=text`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<String>,
}

impl RedactedResume {
    /// The view of a résumé, with its ranked text or without.
    pub(crate) fn new(redacted: RedactedDocument, with_text: bool) -> Self {
        let RedactedDocument { id, version, state, redacted } = redacted;
        let (status, _) = status_of(state);
        let (mut parser, mut profile, mut skills, mut text) = (None, None, Vec::new(), None);
        if let Some(mut redacted) = redacted {
            skills = all(std::mem::take(&mut redacted.profile.skills));
            parser = Some(redacted.parser);
            profile = Some(redacted.profile.into());
            text = with_text.then_some(redacted.text);
        }
        Self { id: id.to_string(), status, version: version.0, parser, profile, skills, text }
    }
}

/// Whether a version in this state can be found.
pub(super) const fn embedding_status(state: &domain::DocumentState) -> EmbeddingStatus {
    match state {
        domain::DocumentState::Queued | domain::DocumentState::Parsed | domain::DocumentState::Embedded => {
            EmbeddingStatus::Pending
        }
        domain::DocumentState::Indexed => EmbeddingStatus::Indexed,
        domain::DocumentState::Failed(_) | domain::DocumentState::Removed => EmbeddingStatus::Failed,
    }
}

/// How far a document has come, and why no further.
pub(super) fn status_of(state: domain::DocumentState) -> (Status, Option<Failure>) {
    match state {
        domain::DocumentState::Queued => (Status::Queued, None),
        domain::DocumentState::Parsed | domain::DocumentState::Embedded => (Status::Processing, None),
        domain::DocumentState::Indexed => (Status::Complete, None),
        domain::DocumentState::Failed(failure) => (Status::Failed, Some(failure.into())),
        // Nobody is shown one.
        domain::DocumentState::Removed => (Status::Failed, None),
    }
}
