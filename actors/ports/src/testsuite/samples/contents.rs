//! Samples that fill every field, so that a store that loses one is found out.

use std::collections::BTreeMap;

use tandem_domain::document::{DocumentKind, ParsedVersion, Version};
use tandem_domain::finding::{Finding, FindingKind};
use tandem_domain::profile::{
    Basics, Education, EducationLevel, LanguageCode, LanguageLevel, LanguageRequirement, Profile,
    ProtectedFact, Remote, RequirementLevel, Requirements, Salary, SalaryPeriod, Section, SectionKind,
    Seniority, Skill, SkillRequirement, Sourced, Span, SpokenLanguage, Work,
};
use tandem_domain::score::{
    Category, CategoryScore, CategoryState, MatchScore, Receipt, Score, SkillEvidence, Weights,
};
use tandem_domain::taxonomy::{OccupationId, SkillId, Taxonomy};
use tandem_domain::time::Month;

use super::{digest, model};

fn sourced<T>(value: T) -> Sourced<T> {
    Sourced { value, confidence: 87, span: Span::new(3, 14) }
}

fn text(value: &str) -> Option<Sourced<String>> {
    Some(sourced(value.to_owned()))
}

/// Sorted, without repetition.
fn skills() -> Vec<SkillId> {
    let mut ids: Vec<SkillId> = Taxonomy::builtin()
        .skills()
        .iter()
        .filter_map(|s| Taxonomy::builtin().skill_by_slug(s.slug))
        .collect();
    ids.truncate(3);
    ids
}

fn occupation() -> Option<OccupationId> {
    let taxonomy = Taxonomy::builtin();
    taxonomy.occupations().first().and_then(|first| taxonomy.occupation_by_slug(first.slug))
}

fn month(year: i32) -> Month {
    Month::new(year, 5).unwrap_or(Month::EPOCH)
}

/// What parsing made of a text, with `size` bytes of it.
#[must_use]
pub fn parsed(number: u64, size: usize) -> ParsedVersion {
    let line = format!("Line {number}: Zoë kept the ledger – und die Bücher.\n");
    let mut whole = line.repeat(size / line.len() + 1);
    while whole.len() > size {
        whole.pop();
    }
    ParsedVersion {
        ranked_text: whole.replace("Zoë", "…"),
        text: whole,
        profile: profile(),
        findings: vec![Finding {
            kind: FindingKind::HiddenText,
            page: Some(2),
            span: Some(Span::new(5, 9)),
            note: "12 characters in the color of their background".to_owned(),
        }],
        parser: format!("parser-{number}"),
    }
}

fn profile() -> Profile {
    Profile {
        kind: DocumentKind::Resume,
        as_of: month(2026),
        language: LanguageCode::ENGLISH,
        basics: Basics {
            name: text("Zoë Sample"),
            label: text("Bookkeeper"),
            emails: vec![sourced("zoe@example.org".to_owned())],
            phones: vec![sourced("+00 000".to_owned())],
            urls: vec![sourced("https://example.org".to_owned())],
            location: text("Sampletown"),
            protected: vec![sourced(ProtectedFact::Birth)],
        },
        summary: text("Keeps books."),
        sections: vec![Section { kind: SectionKind::Work, span: Span::new(0, 40) }],
        work: vec![Work {
            title: text("Bookkeeper"),
            occupation: occupation(),
            organization: text("Sample Ltd"),
            location: None,
            start: Some(month(2019)),
            end: None,
            current: true,
            internship: false,
            highlights: vec!["Kept the ledger".to_owned()],
            skills: skills(),
            span: Span::new(3, 30),
            confidence: 80,
        }],
        education: vec![Education {
            level: Some(EducationLevel::Bachelor),
            degree: text("BSc"),
            field: text("Accounting"),
            institution: text("Sample University"),
            grade: Some("1.7".to_owned()),
            start: Some(month(2012)),
            end: Some(month(2015)),
            span: Span::new(31, 39),
            confidence: 90,
        }],
        skills: skills().into_iter().map(skill).collect(),
        languages: vec![SpokenLanguage {
            language: LanguageCode::ARABIC,
            level: Some(LanguageLevel::Fluent),
            span: Span::new(1, 2),
        }],
        certificates: vec![sourced("Certified Sample".to_owned())],
        months_total: 90,
        months_by_skill: skills().into_iter().zip([12, 24, 36]).collect::<BTreeMap<_, _>>(),
        claimed_months: Some(sourced(96)),
        requirements: Some(requirements()),
    }
}

fn skill(id: SkillId) -> Skill {
    Skill {
        id,
        spans: vec![Span::new(1, 4), Span::new(8, 11)],
        section: SectionKind::Skills,
        months: 12,
        last_used: Some(month(2025)),
        confidence: 95,
    }
}

fn requirements() -> Requirements {
    Requirements {
        title: text("Bookkeeper"),
        occupation: occupation(),
        organization: text("Sample Ltd"),
        location: text("Sampletown"),
        remote: Some(Remote::Hybrid),
        employment_type: text("full time"),
        salary: Some(sourced(Salary {
            min: 40_000,
            max: 50_000,
            currency: "EUR".to_owned(),
            period: SalaryPeriod::Year,
        })),
        skills: vec![SkillRequirement {
            any_of: skills(),
            level: RequirementLevel::Must,
            months: Some(24),
            span: Span::new(2, 3),
        }],
        min_months: Some(sourced(24)),
        max_months: Some(60),
        education: Some(sourced(EducationLevel::Diploma)),
        education_level: RequirementLevel::Preferred,
        fields: vec!["accounting".to_owned()],
        languages: vec![LanguageRequirement {
            language: LanguageCode::ENGLISH,
            at_least: Some(LanguageLevel::Good),
            level: RequirementLevel::Required,
            span: Span::new(4, 5),
        }],
        certificates: vec![sourced("Certified Sample".to_owned())],
        seniority: Some(Seniority::Senior),
    }
}

/// A score with reasons that depends on `number`.
pub(super) fn score(number: u64) -> MatchScore {
    let points = Score::clamped((number % 10_001) as i64);
    let states = [CategoryState::Known(points), CategoryState::Unknown, CategoryState::NotAsked];
    let entry =
        |(category, state)| CategoryScore { category, state, weight: Weights::default().of(category) };
    let ids = skills();
    MatchScore {
        total: points,
        confidence: Score::FULL,
        insufficient_data: number.is_multiple_of(2),
        categories: Category::ALL.into_iter().zip(states.into_iter().cycle()).map(entry).collect(),
        skills: vec![SkillEvidence {
            by: ids.first().copied(),
            any_of: ids,
            level: RequirementLevel::Nice,
            credit: Score::clamped(7_500),
            total_if_met: Score::clamped(9_000),
        }],
    }
}

/// The receipt of a score of documents `number` and `number + 1`.
pub(super) fn receipt(number: u64) -> Receipt {
    Receipt {
        scorer: "scorer-1".to_owned(),
        job_parser: "parser-1".to_owned(),
        resume_parser: "parser-2".to_owned(),
        taxonomy: "33".repeat(32),
        model: model(),
        job: digest(number + 1),
        resume: digest(number),
        weights: Weights::default(),
        job_version: Version::FIRST,
        resume_version: Version(2),
    }
}
