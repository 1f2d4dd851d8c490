//! What a job asks for and offers, on the wire.

use serde::Serialize;
use tandem_domain::profile as domain;
use utoipa::ToSchema;

use super::common::{Named, Span};
use super::profile::{EducationLevel, LanguageLevel, Sourced};
use super::{all, mirror};

mirror! {
    /// Where the work can be done.
    domain::Remote { OnSite, Hybrid, Remote }
}
mirror! {
    /// What a salary is paid for.
    domain::SalaryPeriod { Hour, Day, Month, Year }
}
mirror! {
    /// How strongly something is asked for, strongest last.
    domain::RequirementLevel { Nice, Preferred, Required, Must }
}
mirror! {
    /// A rung of a career, lowest first.
    domain::Seniority { Intern, Junior, Regular, Senior, Lead, Executive }
}

/// What a job asks for and offers.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Requirements {
    /// The job's title.
    pub(crate) title: Option<Sourced<String>>,
    /// The occupation the title names.
    pub(crate) occupation: Option<Named>,
    /// Who offers it.
    pub(crate) organization: Option<Sourced<String>>,
    /// Where.
    pub(crate) location: Option<Sourced<String>>,
    /// Whether it can be done from elsewhere.
    pub(crate) remote: Option<Remote>,
    /// Full time, part time and so on, as written.
    pub(crate) employment_type: Option<Sourced<String>>,
    /// The pay.
    pub(crate) salary: Option<Sourced<Salary>>,
    /// Skills asked for.
    pub(crate) skills: Vec<SkillRequirement>,
    /// Months of experience asked for.
    pub(crate) min_months: Option<Sourced<u32>>,
    /// The upper end of the range, where one is given.
    pub(crate) max_months: Option<u32>,
    /// The lowest degree asked for.
    pub(crate) education: Option<Sourced<EducationLevel>>,
    /// How strongly the degree is asked for.
    pub(crate) education_level: RequirementLevel,
    /// Fields of study named.
    pub(crate) fields: Vec<String>,
    /// Languages asked for.
    pub(crate) languages: Vec<LanguageRequirement>,
    /// Certificates and licenses asked for, as written.
    pub(crate) certificates: Vec<Sourced<String>>,
    /// The rung that the title names.
    pub(crate) seniority: Option<Seniority>,
}

impl From<domain::Requirements> for Requirements {
    fn from(asked: domain::Requirements) -> Self {
        Self {
            title: asked.title.map(Sourced::from),
            occupation: asked.occupation.map(Named::from),
            organization: asked.organization.map(Sourced::from),
            location: asked.location.map(Sourced::from),
            remote: asked.remote.map(Remote::from),
            employment_type: asked.employment_type.map(Sourced::from),
            salary: asked.salary.map(Sourced::from),
            skills: all(asked.skills),
            min_months: asked.min_months.map(Sourced::from),
            max_months: asked.max_months,
            education: asked.education.map(Sourced::from),
            education_level: asked.education_level.into(),
            fields: asked.fields,
            languages: all(asked.languages),
            certificates: all(asked.certificates),
            seniority: asked.seniority.map(Seniority::from),
        }
    }
}

/// An amount of pay as a range in whole units.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Salary {
    /// The lower end.
    pub(crate) min: u64,
    /// The upper end; equal to `min` when one amount is given.
    pub(crate) max: u64,
    /// ISO 4217.
    #[schema(examples("SAR"))]
    pub(crate) currency: String,
    /// What the amount is for.
    pub(crate) period: SalaryPeriod,
}

impl From<domain::Salary> for Salary {
    fn from(salary: domain::Salary) -> Self {
        let domain::Salary { min, max, currency, period } = salary;
        Self { min, max, currency, period: period.into() }
    }
}

/// One skill, or one of several, with its level.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SkillRequirement {
    /// Any of these satisfies it.
    pub(crate) any_of: Vec<Named>,
    /// How strongly.
    pub(crate) level: RequirementLevel,
    /// Months of use asked for.
    pub(crate) months: Option<u32>,
    /// Where it is asked for.
    pub(crate) span: Span,
}

impl From<domain::SkillRequirement> for SkillRequirement {
    fn from(asked: domain::SkillRequirement) -> Self {
        Self {
            any_of: all(asked.any_of),
            level: asked.level.into(),
            months: asked.months,
            span: asked.span.into(),
        }
    }
}

/// A language asked for.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LanguageRequirement {
    /// Which (ISO 639-1).
    #[schema(examples("en"))]
    pub(crate) language: String,
    /// The lowest level; null = any.
    pub(crate) at_least: Option<LanguageLevel>,
    /// How strongly.
    pub(crate) level: RequirementLevel,
    /// Where.
    pub(crate) span: Span,
}

impl From<domain::LanguageRequirement> for LanguageRequirement {
    fn from(asked: domain::LanguageRequirement) -> Self {
        Self {
            language: asked.language.into(),
            at_least: asked.at_least.map(LanguageLevel::from),
            level: asked.level.into(),
            span: asked.span.into(),
        }
    }
}
