//! A document's structured form. The shape is JSON Resume's for people and adds requirements for jobs;
//! every field that was read carries its confidence and the place it was read from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::document::DocumentKind;
use crate::taxonomy::{OccupationId, SkillId};
use crate::time::Month;

mod requirements;

#[cfg(test)]
mod tests;

pub use requirements::{
    LanguageRequirement, Remote, RequirementLevel, Requirements, Salary, SalaryPeriod, Seniority,
    SkillRequirement,
};

/// Bytes `start..end` of a version's visible text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The bytes from `start` up to `end`; an empty span at `start` when `end` lies before it.
    #[must_use]
    pub const fn new(start: u32, end: u32) -> Self {
        Self { start, end: if end < start { start } else { end } }
    }

    /// The text of the span; `None` if it does not lie on character boundaries inside `text`.
    #[must_use]
    pub fn of(self, text: &str) -> Option<&str> {
        text.get(self.start as usize..self.end as usize)
    }
}

/// A value, how sure its reader is (0..=100), and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sourced<T> {
    /// What was read.
    pub value: T,
    /// 0 = a guess, 100 = certain.
    pub confidence: u8,
    /// Where it was read.
    pub span: Span,
}

/// A human language by its ISO 639-1 code, lower case, such as `en`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LanguageCode([u8; 2]);

impl LanguageCode {
    /// English.
    pub const ENGLISH: Self = Self(*b"en");
    /// Arabic.
    pub const ARABIC: Self = Self(*b"ar");

    /// The language of a two-letter code; `None` unless it is two lower-case ASCII letters.
    #[must_use]
    pub const fn new(code: &str) -> Option<Self> {
        match code.as_bytes() {
            [a, b] if a.is_ascii_lowercase() && b.is_ascii_lowercase() => Some(Self([*a, *b])),
            _ => None,
        }
    }

    /// The two letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl TryFrom<String> for LanguageCode {
    type Error = String;

    fn try_from(code: String) -> Result<Self, String> {
        Self::new(&code).ok_or_else(|| "expected a two-letter language code".to_owned())
    }
}

impl From<LanguageCode> for String {
    fn from(code: LanguageCode) -> Self {
        code.as_str().to_owned()
    }
}

/// The structured form of a résumé or a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Résumé or job.
    pub kind: DocumentKind,
    /// The month that `present` meant when this was read.
    pub as_of: Month,
    /// The language most of the text is in.
    pub language: LanguageCode,
    /// Protected facts and contact: never ranked (invariant 8).
    pub basics: Basics,
    /// The self-description or the summary of the job.
    pub summary: Option<Sourced<String>>,
    /// The sections in the order in which they stand.
    pub sections: Vec<Section>,
    /// Positions, most recent first.
    pub work: Vec<Work>,
    /// Degrees and courses of study, as they stand.
    pub education: Vec<Education>,
    /// Skills, sorted by id, one entry each.
    pub skills: Vec<Skill>,
    /// Human languages, sorted by code.
    pub languages: Vec<SpokenLanguage>,
    /// Certificates and licenses as they are written.
    pub certificates: Vec<Sourced<String>>,
    /// Months of work, overlapping positions counted once; internships and education apart.
    pub months_total: u32,
    /// Months per skill, from the positions that mention it.
    pub months_by_skill: BTreeMap<SkillId, u32>,
    /// "N years of experience" as the document claims it, in months.
    pub claimed_months: Option<Sourced<u32>>,
    /// What a job asks for; `None` for a résumé.
    pub requirements: Option<Requirements>,
}

/// Who it is and how to reach them; for a job, who offers it. Protected: these values never reach a ranking.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Basics {
    /// The person's name.
    pub name: Option<Sourced<String>>,
    /// The headline under the name, or the job's title.
    pub label: Option<Sourced<String>>,
    /// E-mail addresses.
    pub emails: Vec<Sourced<String>>,
    /// Telephone numbers as written.
    pub phones: Vec<Sourced<String>>,
    /// Web addresses, from text and from links.
    pub urls: Vec<Sourced<String>>,
    /// Town, region, country as written in the header.
    pub location: Option<Sourced<String>>,
    /// Other protected facts that were recognized so that they stay out of the ranked text.
    pub protected: Vec<Sourced<ProtectedFact>>,
}

/// The kinds of facts that must not influence a ranking, beside name and contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProtectedFact {
    /// Date or place of birth.
    Birth,
    /// Age in years.
    Age,
    /// Gender or sex, pronouns and forms of address.
    Gender,
    /// Marital status, children, parents' names.
    Family,
    /// Religion.
    Religion,
    /// Nationality or ethnic origin.
    Nationality,
    /// A photograph.
    Photo,
    /// Passport, identity card or insurance number.
    IdentityNumber,
    /// Street address.
    Address,
    /// Postcode.
    Postcode,
    /// Year of a degree.
    GraduationYear,
}

/// A headed part of the document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// What it is about.
    pub kind: SectionKind,
    /// Heading and body.
    pub span: Span,
}

/// What a section is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SectionKind {
    /// Before the first heading: name and contact.
    Header,
    /// Summary, profile, objective.
    Summary,
    /// Positions held.
    Work,
    /// Unpaid positions.
    Volunteer,
    /// Degrees and schools.
    Education,
    /// Skills and tools.
    Skills,
    /// Projects.
    Projects,
    /// Certificates, licenses, courses.
    Certificates,
    /// Human languages.
    Languages,
    /// Awards.
    Awards,
    /// Publications.
    Publications,
    /// Interests.
    Interests,
    /// Referees.
    References,
    /// Date of birth, marital status and the like.
    Personal,
    /// Job: what the person will do.
    Responsibilities,
    /// Job: what is required.
    Requirements,
    /// Job: what is welcome.
    Preferred,
    /// Job: what is offered.
    Benefits,
    /// Job: who offers it.
    About,
    /// A heading that is none of these.
    Other,
}

/// A position held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    /// The title as written.
    pub title: Option<Sourced<String>>,
    /// The occupation the title names.
    pub occupation: Option<OccupationId>,
    /// The employer.
    pub organization: Option<Sourced<String>>,
    /// Where.
    pub location: Option<Sourced<String>>,
    /// First month.
    pub start: Option<Month>,
    /// Last month; `None` with a start = unknown, see `current`.
    pub end: Option<Month>,
    /// Held at `as_of`.
    pub current: bool,
    /// An internship, apprenticeship or student job: not counted as experience.
    pub internship: bool,
    /// The lines of the entry.
    pub highlights: Vec<String>,
    /// Skills mentioned in it, sorted.
    pub skills: Vec<SkillId>,
    /// The whole entry.
    pub span: Span,
    /// 0..=100.
    pub confidence: u8,
}

/// A degree or course of study.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Education {
    /// The level, where it was recognized.
    pub level: Option<EducationLevel>,
    /// The degree as written.
    pub degree: Option<Sourced<String>>,
    /// The field of study.
    pub field: Option<Sourced<String>>,
    /// The school.
    pub institution: Option<Sourced<String>>,
    /// The grade as written.
    pub grade: Option<String>,
    /// First month. Protected.
    pub start: Option<Month>,
    /// Last month. Protected.
    pub end: Option<Month>,
    /// The whole entry.
    pub span: Span,
    /// 0..=100.
    pub confidence: u8,
}

/// Levels of education, lowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EducationLevel {
    /// School leaving certificate.
    Secondary,
    /// Vocational training, trade certificate.
    Vocational,
    /// Diploma, associate degree.
    Diploma,
    /// Bachelor's degree.
    Bachelor,
    /// Master's degree, postgraduate diploma.
    Master,
    /// Doctorate.
    Doctorate,
}

impl EducationLevel {
    /// Its rung, 1..=6.
    #[must_use]
    pub const fn rung(self) -> u8 {
        match self {
            Self::Secondary => 1,
            Self::Vocational => 2,
            Self::Diploma => 3,
            Self::Bachelor => 4,
            Self::Master => 5,
            Self::Doctorate => 6,
        }
    }
}

/// A skill that the document names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skill {
    /// Which.
    pub id: SkillId,
    /// Every place that names it, at most 16.
    pub spans: Vec<Span>,
    /// The best section it stands in.
    pub section: SectionKind,
    /// Months of use, from the dated positions that name it.
    pub months: u32,
    /// The last month of use; `None` when no dated position names it.
    pub last_used: Option<Month>,
    /// 0..=100.
    pub confidence: u8,
}

/// A human language and how well it is spoken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpokenLanguage {
    /// Which.
    pub language: LanguageCode,
    /// How well; `None` = named without a level.
    pub level: Option<LanguageLevel>,
    /// Where it is named.
    pub span: Span,
}

/// Levels of a human language, lowest first (CEFR, and native).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LanguageLevel {
    /// A1, A2, basic.
    Basic,
    /// B1, intermediate.
    Intermediate,
    /// B2, good, professional working.
    Good,
    /// C1, C2, fluent.
    Fluent,
    /// Mother tongue.
    Native,
}

impl LanguageLevel {
    /// Its rung, 1..=5.
    #[must_use]
    pub const fn rung(self) -> u8 {
        match self {
            Self::Basic => 1,
            Self::Intermediate => 2,
            Self::Good => 3,
            Self::Fluent => 4,
            Self::Native => 5,
        }
    }
}
