use tandem_domain::profile::RequirementLevel;
use tandem_domain::score::Weights;

use super::*;

mod html;
mod programs;
mod table;

/// A name that would run as a formula, one that would run as a script, and one that runs from right to left.
const FORMULA: &str = "=HYPERLINK(\"x\")";
const SCRIPT: &str = "<script>alert('x')</script>";
const ARABIC: &str = "علاء الأحمد";

/// Two jobs, four people, a broken file: one of each thing that can go wrong.
fn sample() -> MatchReport {
    let rust = || skill("Rust", RequirementLevel::Must, 9_000, 8_500);
    let via = SkillReport {
        by: Some("Podman".to_owned()),
        ..skill("Docker", RequirementLevel::Required, 6_300, 9_000)
    };
    let first = PersonReport {
        headline: Some("مهندس برمجيات".to_owned()),
        months: Some(91),
        found: vec![rust(), via],
        missing: vec![skill("GraphQL", RequirementLevel::Nice, 0, 8_807)],
        ..person(
            1,
            8_725,
            ARABIC,
            "people/alaa.docx",
            [Some(9_100), Some(8_000), Some(7_050), None, Some(10_000)],
        )
    };
    let second = PersonReport {
        insufficient_data: true,
        confidence: Score::clamped(5_500),
        missing: vec![
            skill("GraphQL", RequirementLevel::Nice, 0, 4_112),
            SkillReport {
                by: Some("Podman".to_owned()),
                ..skill("Docker", RequirementLevel::Required, 4_000, 4_500)
            },
            skill("Rust", RequirementLevel::Must, 0, 5_354),
        ],
        ..person(2, 4_110, FORMULA, "-people/formula.pdf", [Some(999), None, Some(5_000), None, None])
    };
    let third = PersonReport {
        months: Some(5),
        found: vec![rust()],
        ..person(1, 10_000, SCRIPT, "people/\"script\".md", [Some(10_000); 5])
    };
    let job = |file: &str, title: &str, organization: Option<&str>, people| JobReport {
        file: file.to_owned(),
        title: title.to_owned(),
        organization: organization.map(str::to_owned),
        people,
    };
    MatchReport {
        jobs: vec![
            job("jobs/backend.pdf", "Backend Engineer", Some("Northwind & Sons"), vec![first, second]),
            job("jobs/ops.md", "Operator", None, vec![third]),
        ],
        broken: vec![BrokenFile {
            file: "people/<photo>.jpg".to_owned(),
            kind: "resume",
            code: "UNSUPPORTED_TYPE",
            reason: "This is an image. Save it as PDF.".to_owned(),
        }],
        resumes: 3,
    }
}

fn skill(name: &str, level: RequirementLevel, credit: i64, total_if_met: i64) -> SkillReport {
    let (credit, total_if_met) = (Score::clamped(credit), Score::clamped(total_if_met));
    SkillReport { name: name.to_owned(), level, by: None, credit, total_if_met }
}

/// A person with points in all categories but languages, which the job does not ask for; `None` is unknown.
fn person(rank: u32, score: i64, name: &str, file: &str, points: [Option<i64>; 5]) -> PersonReport {
    let known =
        |p: Option<i64>| p.map_or(CategoryState::Unknown, |p| CategoryState::Known(Score::clamped(p)));
    let states = points.map(known).into_iter().chain([CategoryState::NotAsked]);
    let weigh =
        |(category, state)| CategoryScore { category, state, weight: Weights::default().of(category) };
    PersonReport {
        rank,
        score: Score::clamped(score),
        confidence: Score::FULL,
        insufficient_data: false,
        file: file.to_owned(),
        name: name.to_owned(),
        headline: None,
        months: None,
        categories: Category::ALL.into_iter().zip(states).map(weigh).collect(),
        found: Vec::new(),
        missing: Vec::new(),
    }
}

fn empty() -> MatchReport {
    MatchReport { jobs: Vec::new(), broken: Vec::new(), resumes: 0 }
}

#[test]
fn what_is_missing_comes_by_level_then_by_gain() {
    let report = sample();
    let names = |p: &PersonReport| p.missing_by_weight().iter().map(|s| s.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&report.jobs[0].people[1]), ["Rust", "Docker", "GraphQL"]);
    let mut equal = report.jobs[0].people[1].clone();
    equal.missing.iter_mut().for_each(|skill| skill.level = RequirementLevel::Required);
    assert_eq!(names(&equal), ["Rust", "Docker", "GraphQL"]);
}
