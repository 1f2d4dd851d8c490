//! The structured form of a document on the wire.

use std::collections::BTreeMap;

use serde::Serialize;
use tandem_domain::profile as domain;
use utoipa::ToSchema;

use super::common::{Named, Span};
use super::requirements::Requirements;
use super::{all, mirror};

/// A value, how sure its reader is (0..=100), and where it stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Sourced<T> {
    /// What was read.
    pub(crate) value: T,
    /// 0 = a guess, 100 = certain.
    #[schema(maximum = 100)]
    pub(crate) confidence: u8,
    /// Where it was read.
    pub(crate) span: Span,
}

impl<T, U: From<T>> From<domain::Sourced<T>> for Sourced<U> {
    fn from(sourced: domain::Sourced<T>) -> Self {
        let domain::Sourced { value, confidence, span } = sourced;
        Self { value: value.into(), confidence, span: span.into() }
    }
}

mirror! {
    /// A fact that never influences a ranking.
    domain::ProtectedFact {
        Birth, Age, Gender, Family, Religion, Nationality, Photo, IdentityNumber, Address, Postcode, GraduationYear,
    }
}
mirror! {
    /// What a section is about.
    domain::SectionKind {
        Header, Summary, Work, Volunteer, Education, Skills, Projects, Certificates, Languages, Awards, Publications,
        Interests, References, Personal, Responsibilities, Requirements, Preferred, Benefits, About, Other,
    }
}
mirror! {
    /// A level of education, lowest first.
    domain::EducationLevel { Secondary, Vocational, Diploma, Bachelor, Master, Doctorate }
}
mirror! {
    /// A level of a human language, lowest first.
    domain::LanguageLevel { Basic, Intermediate, Good, Fluent, Native }
}

/// The structured form of a résumé or a job. Skills stand beside it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Profile {
    /// The month that `present` meant when this was read.
    #[schema(examples("2026-11"))]
    pub(crate) as_of: String,
    /// The language most of the text is in (ISO 639-1).
    #[schema(examples("en"))]
    pub(crate) language: String,
    /// Name and contact. Never ranked.
    pub(crate) basics: Basics,
    /// The self-description or the summary of the job.
    pub(crate) summary: Option<Sourced<String>>,
    /// The sections in the order in which they stand.
    pub(crate) sections: Vec<Section>,
    /// Positions, most recent first.
    pub(crate) work: Vec<Work>,
    /// Degrees and courses of study.
    pub(crate) education: Vec<Education>,
    /// Human languages.
    pub(crate) languages: Vec<SpokenLanguage>,
    /// Certificates and licenses as written.
    pub(crate) certificates: Vec<Sourced<String>>,
    /// Months of work, overlapping positions counted once.
    pub(crate) months_total: u32,
    /// Months of work per skill id.
    pub(crate) months_by_skill: BTreeMap<String, u32>,
    /// The experience that the document itself claims, in months.
    pub(crate) claimed_months: Option<Sourced<u32>>,
    /// What a job asks for; null for a résumé.
    pub(crate) requirements: Option<Requirements>,
}

impl From<domain::Profile> for Profile {
    fn from(profile: domain::Profile) -> Self {
        let months = profile.months_by_skill.into_iter();
        Self {
            as_of: profile.as_of.to_string(),
            language: profile.language.into(),
            basics: profile.basics.into(),
            summary: profile.summary.map(Sourced::from),
            sections: all(profile.sections),
            work: all(profile.work),
            education: all(profile.education),
            languages: all(profile.languages),
            certificates: all(profile.certificates),
            months_total: profile.months_total,
            months_by_skill: months.map(|(skill, months)| (skill.slug().to_owned(), months)).collect(),
            claimed_months: profile.claimed_months.map(Sourced::from),
            requirements: profile.requirements.map(Requirements::from),
        }
    }
}

/// Who it is and how to reach them; for a job, who offers it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Basics {
    /// The person's name.
    pub(crate) name: Option<Sourced<String>>,
    /// The headline under the name, or the job's title.
    pub(crate) label: Option<Sourced<String>>,
    /// E-mail addresses.
    pub(crate) emails: Vec<Sourced<String>>,
    /// Telephone numbers as written.
    pub(crate) phones: Vec<Sourced<String>>,
    /// Web addresses.
    pub(crate) urls: Vec<Sourced<String>>,
    /// Town, region, country as written.
    pub(crate) location: Option<Sourced<String>>,
    /// Other protected facts that were kept out of the ranking.
    pub(crate) protected: Vec<Sourced<ProtectedFact>>,
}

impl From<domain::Basics> for Basics {
    fn from(basics: domain::Basics) -> Self {
        Self {
            name: basics.name.map(Sourced::from),
            label: basics.label.map(Sourced::from),
            emails: all(basics.emails),
            phones: all(basics.phones),
            urls: all(basics.urls),
            location: basics.location.map(Sourced::from),
            protected: all(basics.protected),
        }
    }
}

/// A headed part of the document.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Section {
    /// What it is about.
    pub(crate) kind: SectionKind,
    /// Heading and body.
    pub(crate) span: Span,
}

impl From<domain::Section> for Section {
    fn from(section: domain::Section) -> Self {
        Self { kind: section.kind.into(), span: section.span.into() }
    }
}

/// A position held.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Work {
    /// The title as written.
    pub(crate) title: Option<Sourced<String>>,
    /// The occupation the title names.
    pub(crate) occupation: Option<Named>,
    /// The employer.
    pub(crate) organization: Option<Sourced<String>>,
    /// Where.
    pub(crate) location: Option<Sourced<String>>,
    /// First month.
    #[schema(examples("2019-04"))]
    pub(crate) start: Option<String>,
    /// Last month.
    pub(crate) end: Option<String>,
    /// Held at `as_of`.
    pub(crate) current: bool,
    /// Not counted as experience.
    pub(crate) internship: bool,
    /// The lines of the entry.
    pub(crate) highlights: Vec<String>,
    /// Skills mentioned in it.
    pub(crate) skills: Vec<Named>,
    /// The whole entry.
    pub(crate) span: Span,
    /// 0..=100.
    #[schema(maximum = 100)]
    pub(crate) confidence: u8,
}

impl From<domain::Work> for Work {
    fn from(work: domain::Work) -> Self {
        Self {
            title: work.title.map(Sourced::from),
            occupation: work.occupation.map(Named::from),
            organization: work.organization.map(Sourced::from),
            location: work.location.map(Sourced::from),
            start: work.start.map(String::from),
            end: work.end.map(String::from),
            current: work.current,
            internship: work.internship,
            highlights: work.highlights,
            skills: all(work.skills),
            span: work.span.into(),
            confidence: work.confidence,
        }
    }
}

/// A degree or course of study.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Education {
    /// The level, where it was recognized.
    pub(crate) level: Option<EducationLevel>,
    /// The degree as written.
    pub(crate) degree: Option<Sourced<String>>,
    /// The field of study.
    pub(crate) field: Option<Sourced<String>>,
    /// The school.
    pub(crate) institution: Option<Sourced<String>>,
    /// The grade as written.
    pub(crate) grade: Option<String>,
    /// First month.
    pub(crate) start: Option<String>,
    /// Last month.
    pub(crate) end: Option<String>,
    /// The whole entry.
    pub(crate) span: Span,
    /// 0..=100.
    #[schema(maximum = 100)]
    pub(crate) confidence: u8,
}

impl From<domain::Education> for Education {
    fn from(education: domain::Education) -> Self {
        Self {
            level: education.level.map(EducationLevel::from),
            degree: education.degree.map(Sourced::from),
            field: education.field.map(Sourced::from),
            institution: education.institution.map(Sourced::from),
            grade: education.grade,
            start: education.start.map(String::from),
            end: education.end.map(String::from),
            span: education.span.into(),
            confidence: education.confidence,
        }
    }
}

/// A skill that the document names.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Skill {
    /// Which.
    #[serde(flatten)]
    pub(crate) skill: Named,
    /// Every place that names it, at most 16.
    pub(crate) spans: Vec<Span>,
    /// The best section it stands in.
    pub(crate) section: SectionKind,
    /// Months of use, from dated positions.
    pub(crate) months: u32,
    /// The last month of use.
    #[schema(examples("2026-11"))]
    pub(crate) last_used: Option<String>,
    /// 0..=100.
    #[schema(maximum = 100)]
    pub(crate) confidence: u8,
}

impl From<domain::Skill> for Skill {
    fn from(skill: domain::Skill) -> Self {
        Self {
            skill: skill.id.into(),
            spans: all(skill.spans),
            section: skill.section.into(),
            months: skill.months,
            last_used: skill.last_used.map(String::from),
            confidence: skill.confidence,
        }
    }
}

/// A human language and how well it is spoken.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SpokenLanguage {
    /// Which (ISO 639-1).
    #[schema(examples("ar"))]
    pub(crate) language: String,
    /// How well; null = named without a level.
    pub(crate) level: Option<LanguageLevel>,
    /// Where it is named.
    pub(crate) span: Span,
}

impl From<domain::SpokenLanguage> for SpokenLanguage {
    fn from(spoken: domain::SpokenLanguage) -> Self {
        Self {
            language: spoken.language.into(),
            level: spoken.level.map(LanguageLevel::from),
            span: spoken.span.into(),
        }
    }
}
