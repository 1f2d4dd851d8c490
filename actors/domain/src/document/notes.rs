//! What a submitter says beside a document.

use serde::{Deserialize, Deserializer, Serialize};

use crate::profile::LanguageCode;

/// Words of the submitter about a document. They are kept and given back; nothing of them is read or ranked.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Notes {
    /// What a job is called where nobody gave it a title: its first heading or line.
    pub headline: Option<String>,
    /// Who offers the job.
    pub company: Option<String>,
    /// The language of the résumé.
    pub resume_lang: Option<LanguageCode>,
    /// The language of the job description.
    pub jd_lang: Option<LanguageCode>,
    /// The language that results are wanted in.
    pub desired_output_lang: Option<LanguageCode>,
    /// What else the submitter wants to be heeded.
    pub custom_instructions: Option<String>,
}

/// Rows of before there were notes end where the notes begin: their documents have none.
pub(super) fn or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Notes, D::Error> {
    Ok(Notes::deserialize(deserializer).unwrap_or_default())
}
