//! Examples that a person can check, and what each category does at its bounds. Laws are in `laws`.

use expect_test::expect;
use tandem_domain::chunk::ModelIdentity;
use tandem_domain::document::{DocumentKind, Version};
use tandem_domain::embedding::Embedding;
use tandem_domain::ids::ContentDigest;
use tandem_domain::profile::{EducationLevel, LanguageCode, LanguageLevel, RequirementLevel, Seniority};
use tandem_domain::ranked::{
    Asked, AskedSkill, RankedEducation, RankedProfile, RankedSkill, RankedTitle, words,
};
use tandem_domain::score::SkillEvidence;
use tandem_domain::taxonomy::SkillId;

use super::*;

mod laws;

mod parts;

fn skill(slug: &str) -> SkillId {
    Taxonomy::builtin().skill_by_slug(slug).expect("a skill of the taxonomy")
}

fn used(slug: &str, months: u32) -> RankedSkill {
    RankedSkill { id: skill(slug), months, unused_for: Some(0) }
}

fn listed(slug: &str) -> RankedSkill {
    RankedSkill { id: skill(slug), months: 0, unused_for: None }
}

fn asked(slugs: &[&str], level: RequirementLevel) -> AskedSkill {
    AskedSkill { any_of: slugs.iter().copied().map(skill).collect(), level, months: None }
}

fn title(text: &str, occupation: Option<&str>, months: u32, ended_ago: Option<u32>) -> RankedTitle {
    let occupation = occupation
        .map(|slug| Taxonomy::builtin().occupation_by_slug(slug).expect("an occupation of the taxonomy"));
    RankedTitle { occupation, words: words(text), months, ended_ago }
}

fn nothing(kind: DocumentKind) -> RankedProfile {
    RankedProfile {
        kind,
        language: LanguageCode::ENGLISH,
        titles: vec![],
        skills: vec![],
        months: None,
        education: vec![],
        languages: vec![],
        asked: (kind == DocumentKind::Job).then(Asked::default),
    }
}

fn features(profile: RankedProfile, vector: [i8; 4]) -> Features {
    let vector = Embedding::from_coordinates(vector.to_vec());
    Features {
        version: Version::FIRST,
        parser: "parser-7".to_owned(),
        digest: ContentDigest::of(profile.kind.name().as_bytes()),
        profile,
        model: ModelIdentity {
            id: "test".to_owned(),
            weights_digest: "w".to_owned(),
            tokenizer_digest: "t".to_owned(),
            dimensions: 4,
        },
        document: vector.clone(),
        chunks: vec![vector],
    }
}

/// A job for a senior backend developer that asks for something in every category.
fn backend_job() -> Features {
    let profile = RankedProfile {
        titles: vec![title("Senior Backend Developer", Some("software-engineer"), 0, Some(0))],
        asked: Some(Asked {
            skills: vec![
                asked(&["python"], RequirementLevel::Must),
                asked(&["mysql", "postgresql"], RequirementLevel::Required),
                AskedSkill { months: Some(24), ..asked(&["docker"], RequirementLevel::Required) },
                asked(&["kubernetes"], RequirementLevel::Preferred),
                asked(&["apache-kafka"], RequirementLevel::Nice),
            ],
            min_months: Some(60),
            max_months: Some(96),
            education: Some((EducationLevel::Bachelor, RequirementLevel::Required)),
            fields: vec![words("Computer Science or a related field")],
            languages: vec![(LanguageCode::ENGLISH, Some(LanguageLevel::Fluent), RequirementLevel::Required)],
            seniority: Some(Seniority::Senior),
        }),
        ..nothing(DocumentKind::Job)
    };
    features(profile, [100, 20, 0, 0])
}

/// Somebody who fits it well, but not in everything.
fn backend_resume() -> Features {
    let profile = RankedProfile {
        titles: vec![
            title("Backend Developer", Some("software-engineer"), 40, Some(0)),
            title("Web Designer", None, 30, Some(40)),
        ],
        skills: vec![used("python", 70), used("postgresql", 40), used("docker", 12), listed("git")],
        months: Some(70),
        education: vec![RankedEducation {
            level: Some(EducationLevel::Bachelor),
            field: words("Computer Engineering"),
        }],
        languages: vec![(LanguageCode::ENGLISH, Some(LanguageLevel::Good))],
        ..nothing(DocumentKind::Resume)
    };
    features(profile, [90, 30, 60, 0])
}

/// A score as a person would read it.
fn shown(score: &MatchScore) -> String {
    let mut lines = vec![format!(
        "total {} confidence {}{}",
        score.total,
        score.confidence,
        if score.insufficient_data { " insufficient" } else { "" }
    )];
    for entry in &score.categories {
        let state = match entry.state {
            CategoryState::Known(points) => points.to_string(),
            CategoryState::Unknown => "unknown".to_owned(),
            CategoryState::NotAsked => "not asked".to_owned(),
        };
        lines.push(format!("  {} ({}) {state}", entry.category.name(), entry.weight));
    }
    for entry in &score.skills {
        let any_of: Vec<_> = entry.any_of.iter().map(|id| id.slug()).collect();
        let by = entry.by.map_or("-", |id| id.slug());
        let credit = entry.credit;
        lines.push(format!(
            "  {:?} {}: {credit} by {by}; if met {}",
            entry.level,
            any_of.join(" or "),
            entry.total_if_met
        ));
    }
    lines.join("\n") + "\n"
}

#[test]
fn a_good_match_with_its_reasons() {
    let score = score(&backend_job(), &backend_resume(), &Weights::default());
    expect![[r#"
        total 91.82 confidence 100.00
          skills (3800) 84.80
          title (2200) 100.00
          semantic (1700) 100.00
          experience (1300) 100.00
          education (600) 80.00
          languages (400) 70.00
          Must python: 100.00 by python; if met 91.82
          Required mysql or postgresql: 100.00 by postgresql; if met 91.82
          Required docker: 85.00 by docker; if met 93.18
          Preferred kubernetes: 28.00 by docker; if met 94.43
          Nice apache-kafka: 0.00 by -; if met 93.63
    "#]]
    .assert_eq(&shown(&score));
}

#[test]
fn another_occupation_scores_low() {
    let profile = RankedProfile {
        titles: vec![title("Registered Nurse", Some("registered-nurse"), 90, Some(0))],
        skills: vec![listed("communication")],
        months: Some(90),
        education: vec![RankedEducation { level: Some(EducationLevel::Bachelor), field: words("Nursing") }],
        ..nothing(DocumentKind::Resume)
    };
    let score = score(&backend_job(), &features(profile, [10, 0, 100, 40]), &Weights::default());
    expect![[r#"
        total 19.40 confidence 100.00
          skills (3800) 0.00
          title (2200) 0.00
          semantic (1700) 0.00
          experience (1300) 100.00
          education (600) 60.00
          languages (400) 70.00
          Must python: 0.00 by -; if met 33.87
          Required mysql or postgresql: 0.00 by -; if met 23.92
          Required docker: 0.00 by -; if met 23.92
          Preferred kubernetes: 0.00 by -; if met 21.20
          Nice apache-kafka: 0.00 by -; if met 20.30
    "#]]
    .assert_eq(&shown(&score));
}

#[test]
fn a_resume_that_says_nothing_is_mostly_unknown() {
    let empty = features(nothing(DocumentKind::Resume), [0, 0, 0, 0]);
    let score = score(&backend_job(), &empty, &Weights::default());
    expect![[r#"
        total 6.66 confidence 42.00 insufficient
          skills (3800) 0.00
          title (2200) unknown
          semantic (1700) unknown
          experience (1300) unknown
          education (600) unknown
          languages (400) 70.00
          Must python: 0.00 by -; if met 41.12
          Required mysql or postgresql: 0.00 by -; if met 17.43
          Required docker: 0.00 by -; if met 17.43
          Preferred kubernetes: 0.00 by -; if met 10.97
          Nice apache-kafka: 0.00 by -; if met 8.82
    "#]]
    .assert_eq(&shown(&score));
}

#[test]
fn a_job_that_asks_for_nothing_has_no_score() {
    let job = features(nothing(DocumentKind::Job), [0, 0, 0, 0]);
    let score = score(&job, &backend_resume(), &Weights::default());
    assert_eq!(score.total, Score::ZERO);
    assert!(score.insufficient_data);
    assert!(score.categories.iter().all(|c| c.state == CategoryState::NotAsked));
}

#[test]
fn a_receipt_names_all_that_the_score_follows_from() {
    let (job, resume) = (backend_job(), backend_resume());
    let receipt = receipt(&job, &resume, &Weights::default());
    assert_eq!((receipt.scorer.as_str(), receipt.job_parser.as_str()), (SCORER_VERSION, "parser-7"));
    assert_eq!(receipt.resume_parser, receipt.job_parser);
    assert_eq!(receipt.taxonomy, Taxonomy::builtin().version());
    assert_eq!((receipt.job, receipt.resume), (job.digest, resume.digest));
    assert_eq!((receipt.model, receipt.weights), (job.model, Weights::default()));
}

#[test]
fn interpolation_is_flat_outside_and_straight_inside() {
    let line = [(10, 0), (20, 100), (30, 50)];
    for (x, y) in [(-5, 0), (10, 0), (15, 50), (20, 100), (25, 75), (30, 50), (i32::MAX, 50)] {
        assert_eq!(interpolate(&line, x), y, "at {x}");
    }
}
