//! The part of a Profile that may influence a ranking (invariant 8), and what else a scorer needs of a document.
//!
//! The types below have no field for a name, an address, a date of birth or a year of graduation: what they cannot
//! hold, no score can depend on.

use serde::{Deserialize, Serialize};

use crate::chunk::{EmbeddedVersion, ModelIdentity};
use crate::document::{DocumentKind, ParsedVersion, Version};
use crate::embedding::Embedding;
use crate::ids::ContentDigest;
use crate::profile::{
    EducationLevel, LanguageCode, LanguageLevel, Profile, RequirementLevel, Seniority, Work,
};
use crate::taxonomy::{OccupationId, SkillId};

/// The ranked part of a Profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RankedProfile {
    /// Résumé or job.
    pub kind: DocumentKind,
    /// The language most of the text is in.
    pub language: LanguageCode,
    /// Titles held, most recent first; a job has at most one.
    pub titles: Vec<RankedTitle>,
    /// Skills, sorted by id.
    pub skills: Vec<RankedSkill>,
    /// Months of work; `None` when no position could be dated and none are claimed.
    pub months: Option<u32>,
    /// Degrees.
    pub education: Vec<RankedEducation>,
    /// Human languages, sorted by code.
    pub languages: Vec<(LanguageCode, Option<LanguageLevel>)>,
    /// What a job asks for; `None` for a résumé.
    pub asked: Option<Asked>,
}

/// A title without its dates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RankedTitle {
    /// The occupation it names.
    pub occupation: Option<OccupationId>,
    /// Its words, lower case.
    pub words: Vec<String>,
    /// Months in it.
    pub months: u32,
    /// Months since it ended; 0 = held now; `None` = unknown.
    pub ended_ago: Option<u32>,
}

/// A skill without its spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RankedSkill {
    /// Which.
    pub id: SkillId,
    /// Months of use in dated positions.
    pub months: u32,
    /// Months since the last dated use; `None` = no dated use.
    pub unused_for: Option<u32>,
}

/// A degree without its dates and school.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RankedEducation {
    /// The level, where recognized.
    pub level: Option<EducationLevel>,
    /// Words of the field, lower case.
    pub field: Vec<String>,
}

/// What a job asks for, as the scorer reads it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Asked {
    /// Skills, in the job's order.
    pub skills: Vec<AskedSkill>,
    /// Months of experience.
    pub min_months: Option<u32>,
    /// The upper end of the range.
    pub max_months: Option<u32>,
    /// The lowest degree.
    pub education: Option<(EducationLevel, RequirementLevel)>,
    /// Fields of study, lower-case words each.
    pub fields: Vec<Vec<String>>,
    /// Languages.
    pub languages: Vec<(LanguageCode, Option<LanguageLevel>, RequirementLevel)>,
    /// The rung its title names.
    pub seniority: Option<Seniority>,
}

/// A skill requirement without its span.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedSkill {
    /// Any of these; never empty; sorted.
    pub any_of: Vec<SkillId>,
    /// How strongly.
    pub level: RequirementLevel,
    /// Months of use asked for.
    pub months: Option<u32>,
}

impl RankedProfile {
    /// The ranked part of `profile`.
    #[must_use]
    pub fn of(profile: &Profile) -> Self {
        let claimed = profile.claimed_months.as_ref().map(|c| c.value);
        let dated = (profile.months_total > 0).then_some(profile.months_total);
        Self {
            kind: profile.kind,
            language: profile.language,
            titles: titles(profile),
            skills: profile
                .skills
                .iter()
                .map(|skill| RankedSkill {
                    id: skill.id,
                    months: skill.months,
                    unused_for: skill.last_used.map(|m| whole(profile.as_of.months_since(m))),
                })
                .collect(),
            months: dated.or(claimed),
            education: profile
                .education
                .iter()
                .map(|e| RankedEducation {
                    level: e.level,
                    field: e.field.as_ref().map(|f| words(&f.value)).unwrap_or_default(),
                })
                .collect(),
            languages: profile.languages.iter().map(|l| (l.language, l.level)).collect(),
            asked: profile.requirements.as_ref().map(|r| Asked {
                skills: r
                    .skills
                    .iter()
                    .map(|s| AskedSkill { any_of: s.any_of.clone(), level: s.level, months: s.months })
                    .collect(),
                min_months: r.min_months.as_ref().map(|m| m.value),
                max_months: r.max_months,
                education: r.education.as_ref().map(|e| (e.value, r.education_level)),
                fields: r.fields.iter().map(|f| words(f)).collect(),
                languages: r.languages.iter().map(|l| (l.language, l.at_least, l.level)).collect(),
                seniority: r.seniority,
            }),
        }
    }
}

fn titles(profile: &Profile) -> Vec<RankedTitle> {
    if let Some(asked) = &profile.requirements {
        let words = asked.title.as_ref().map(|t| words(&t.value)).unwrap_or_default();
        return vec![RankedTitle { occupation: asked.occupation, words, months: 0, ended_ago: Some(0) }];
    }
    profile
        .work
        .iter()
        .filter(|work| work.title.is_some() || work.occupation.is_some())
        .map(|work| RankedTitle {
            occupation: work.occupation,
            words: work.title.as_ref().map(|t| words(&t.value)).unwrap_or_default(),
            months: months(work, profile),
            ended_ago: if work.current {
                Some(0)
            } else {
                work.end.map(|end| whole(profile.as_of.months_since(end)))
            },
        })
        .collect()
}

fn months(work: &Work, profile: &Profile) -> u32 {
    let end = if work.current { Some(profile.as_of) } else { work.end };
    match (work.start, end) {
        (Some(start), Some(end)) => whole(end.months_since(start) + 1),
        _ => 0,
    }
}

fn whole(months: i32) -> u32 {
    u32::try_from(months).unwrap_or(0)
}

/// The words of a title or field: lower case, split at everything that is not a letter, digit, `+` or `#`.
#[must_use]
pub fn words(text: &str) -> Vec<String> {
    text.to_lowercase()
        .split(|c: char| !(c.is_alphanumeric() || c == '+' || c == '#'))
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// All that the scorer needs of one document version, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Features {
    /// SHA-256 of the original; breaks ties.
    pub digest: ContentDigest,
    /// The version of the rules that made the Profile.
    pub parser: String,
    /// The ranked part of the Profile.
    pub profile: RankedProfile,
    /// The model that made the vectors.
    pub model: ModelIdentity,
    /// The document's vector.
    pub document: Embedding,
    /// The chunks' vectors.
    pub chunks: Vec<Embedding>,
    /// Which version of its document it is. Rows of before there were versions end here.
    #[serde(default, deserialize_with = "Version::or_first")]
    pub version: Version,
}

impl Features {
    /// The features of a version.
    #[must_use]
    pub fn of(
        version: Version,
        digest: ContentDigest,
        parsed: &ParsedVersion,
        embedded: &EmbeddedVersion,
    ) -> Self {
        Self {
            version,
            digest,
            parser: parsed.parser.clone(),
            profile: RankedProfile::of(&parsed.profile),
            model: embedded.model.clone(),
            document: embedded.document.clone(),
            chunks: embedded.chunks.iter().map(|c| c.embedding.clone()).collect(),
        }
    }
}
