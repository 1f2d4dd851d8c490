//! What a job asks for and offers.

use serde::{Deserialize, Serialize};

use super::{EducationLevel, LanguageCode, LanguageLevel, Sourced, Span};
use crate::taxonomy::{OccupationId, SkillId};

/// What a job asks for and offers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Requirements {
    /// The job's title.
    pub title: Option<Sourced<String>>,
    /// The occupation the title names.
    pub occupation: Option<OccupationId>,
    /// Who offers it.
    pub organization: Option<Sourced<String>>,
    /// Where.
    pub location: Option<Sourced<String>>,
    /// Whether it can be done from elsewhere.
    pub remote: Option<Remote>,
    /// Full time, part time and so on, as written.
    pub employment_type: Option<Sourced<String>>,
    /// The pay.
    pub salary: Option<Sourced<Salary>>,
    /// Skills asked for, each with its level.
    pub skills: Vec<SkillRequirement>,
    /// Months of experience asked for.
    pub min_months: Option<Sourced<u32>>,
    /// The upper end of the range, where one is given.
    pub max_months: Option<u32>,
    /// The lowest degree asked for.
    pub education: Option<Sourced<EducationLevel>>,
    /// How strongly the degree is asked for.
    pub education_level: RequirementLevel,
    /// Fields of study named, lower case.
    pub fields: Vec<String>,
    /// Languages asked for.
    pub languages: Vec<LanguageRequirement>,
    /// Certificates and licenses asked for, as written.
    pub certificates: Vec<Sourced<String>>,
    /// The rung on the ladder that the title names.
    pub seniority: Option<Seniority>,
}

/// Where the work can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Remote {
    /// At the employer's place.
    OnSite,
    /// Partly there.
    Hybrid,
    /// Anywhere.
    Remote,
}

/// An amount of pay as a range in whole units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Salary {
    /// The lower end.
    pub min: u64,
    /// The upper end; equal to `min` when one amount is given.
    pub max: u64,
    /// ISO 4217, upper case.
    pub currency: String,
    /// What the amount is for.
    pub period: SalaryPeriod,
}

/// What a salary is paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SalaryPeriod {
    /// An hour.
    Hour,
    /// A day.
    Day,
    /// A month.
    Month,
    /// A year.
    Year,
}

/// How strongly something is asked for, strongest last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequirementLevel {
    /// Nice to have, a plus.
    Nice,
    /// Preferred, desired.
    Preferred,
    /// Required: what stands in a list of requirements without further words.
    #[default]
    Required,
    /// A must.
    Must,
}

/// One skill, or one of several ("Python or Go"), with its level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkillRequirement {
    /// Any of these satisfies it; never empty; sorted.
    pub any_of: Vec<SkillId>,
    /// How strongly.
    pub level: RequirementLevel,
    /// Months of use asked for.
    pub months: Option<u32>,
    /// Where it is asked for.
    pub span: Span,
}

/// A language asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LanguageRequirement {
    /// Which.
    pub language: LanguageCode,
    /// The lowest level; `None` = any.
    pub at_least: Option<LanguageLevel>,
    /// How strongly.
    pub level: RequirementLevel,
    /// Where.
    pub span: Span,
}

/// Rungs of a career, lowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seniority {
    /// Intern, trainee.
    Intern,
    /// Junior, assistant.
    Junior,
    /// No word of rank.
    Regular,
    /// Senior.
    Senior,
    /// Lead, supervisor, manager.
    Lead,
    /// Head, director, chief.
    Executive,
}
