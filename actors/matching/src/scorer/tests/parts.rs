//! What each category does at its bounds.

use tandem_domain::profile::LanguageCode;

use super::*;

/// The state of one category of a pair.
fn state(category: Category, job: &Features, resume: &Features) -> CategoryState {
    let score = score(job, resume, &Weights::default());
    score.categories.iter().find(|c| c.category == category).expect("every category is there").state
}

fn points(category: Category, job: &Features, resume: &Features) -> i32 {
    match state(category, job, resume) {
        CategoryState::Known(points) => points.points(),
        other @ (CategoryState::Unknown | CategoryState::NotAsked) => {
            panic!("expected points, found {other:?}")
        }
    }
}

fn job(change: impl FnOnce(&mut RankedProfile)) -> Features {
    let mut profile = nothing(DocumentKind::Job);
    change(&mut profile);
    features(profile, [100, 0, 0, 0])
}

fn job_asking(change: impl FnOnce(&mut Asked)) -> Features {
    job(|profile| change(profile.asked.as_mut().expect("a job asks")))
}

fn resume(change: impl FnOnce(&mut RankedProfile)) -> Features {
    let mut profile = nothing(DocumentKind::Resume);
    change(&mut profile);
    features(profile, [100, 0, 0, 0])
}

fn credit(asked: AskedSkill, held: RankedSkill) -> SkillEvidence {
    let job = job_asking(|a| a.skills = vec![asked]);
    let score = score(&job, &resume(|r| r.skills = vec![held]), &Weights::default());
    score.skills.into_iter().next().expect("one requirement, one entry")
}

#[test]
fn an_implied_skill_earns_all_and_a_related_one_a_part() {
    let taxonomy = Taxonomy::builtin();
    let implying =
        taxonomy.skills().iter().find(|s| !s.implies.is_empty()).expect("some skill implies another");
    let one = |id| AskedSkill { any_of: vec![id], level: RequirementLevel::Must, months: None };
    let now = |id| RankedSkill { id, months: 12, unused_for: Some(0) };
    let found = credit(one(implying.implies[0]), now(implying.id));
    assert_eq!((found.credit, found.by), (Score::FULL, Some(implying.id)));

    for skill in taxonomy.skills() {
        for &(other, _) in &skill.related {
            let strength = taxonomy.related_strength(skill.id, other);
            let found = credit(one(other), now(skill.id));
            assert_eq!(found.by, Some(skill.id));
            match strength {
                100 => assert_eq!(found.credit, Score::FULL),
                80..=99 => assert!(found.is_found() && found.credit < Score::FULL),
                _ => assert!(!found.is_found() && found.credit > Score::ZERO),
            }
        }
    }
}

#[test]
fn a_named_skill_keeps_more_than_half_whatever_its_use() {
    let wanted = AskedSkill { months: Some(120), ..asked(&["python"], RequirementLevel::Must) };
    let old = RankedSkill { unused_for: Some(400), ..used("python", 1) };
    for held in [listed("python"), old] {
        assert!(credit(wanted.clone(), held).credit.points() >= 6_000);
    }
    assert_eq!(credit(wanted, used("python", 120)).credit, Score::FULL);
}

#[test]
fn a_missing_must_hurts_more_than_a_missing_requirement() {
    let with = |level| {
        let skills = ["python", "docker", "git", "linux"];
        let mut list: Vec<_> = skills[1..].iter().map(|s| asked(&[s], RequirementLevel::Required)).collect();
        list.insert(0, asked(&["python"], level));
        let job = job_asking(|a| a.skills = list);
        points(
            Category::Skills,
            &job,
            &resume(|r| r.skills = skills[1..].iter().map(|s| used(s, 9)).collect()),
        )
    };
    assert_eq!(with(RequirementLevel::Required), 7_500);
    assert_eq!(with(RequirementLevel::Must), 3_260);
    assert!(with(RequirementLevel::Nice) > 9_000);
}

#[test]
fn a_job_without_requirements_asks_for_what_it_mentions() {
    let job = job(|p| p.skills = vec![listed("python"), listed("docker")]);
    let score = score(&job, &resume(|r| r.skills = vec![used("python", 3)]), &Weights::default());
    assert_eq!(score.skills.len(), 2);
    assert!(score.skills.iter().all(|s| s.level == RequirementLevel::Required));
    assert_eq!(score.categories[0].state, CategoryState::Known(Score::clamped(5_000)));
}

#[test]
fn asking_twice_weighs_as_asking_once() {
    let once =
        vec![asked(&["python"], RequirementLevel::Required), asked(&["welding"], RequirementLevel::Required)];
    let mut twice = once.clone();
    twice.push(asked(&["python"], RequirementLevel::Nice));
    let resume = resume(|r| r.skills = vec![used("python", 3)]);
    let of = |list: Vec<AskedSkill>| score(&job_asking(|a| a.skills = list), &resume, &Weights::default());
    let (once, twice) = (of(once), of(twice));
    assert_eq!(once.total, twice.total);
    assert_eq!(twice.skills.len(), 3);
    assert_eq!(twice.skills[0].total_if_met, twice.skills[2].total_if_met);
}

#[test]
fn titles_by_occupation_words_and_career() {
    let of = |wanted: RankedTitle, held: Vec<RankedTitle>| {
        points(Category::Title, &job(|p| p.titles = vec![wanted]), &resume(|r| r.titles = held))
    };
    let wanted = || title("Nurse", Some("registered-nurse"), 0, Some(0));
    let same = |months, ago| title("Nurse", Some("registered-nurse"), months, ago);
    assert_eq!(of(wanted(), vec![same(24, Some(0))]), 10_000);
    assert_eq!(of(wanted(), vec![same(12, Some(0)), same(12, Some(12))]), 10_000, "positions add up");
    assert!(of(wanted(), vec![same(3, Some(0))]) < 9_000);
    assert!(of(wanted(), vec![same(24, Some(120))]) < of(wanted(), vec![same(24, None)]));
    assert_eq!(of(wanted(), vec![same(24, Some(500))]), 6_000);

    let by_words = |wanted, held| of(title(wanted, None, 0, Some(0)), vec![title(held, None, 24, Some(0))]);
    assert_eq!(by_words("Tannery Foreman", "tannery foreman (m/f/d)"), 10_000);
    assert_eq!(by_words("Chemical Process Engineer", "Process Engineer"), 6_000);
    assert_eq!(by_words("Head of Sales", "Sales Assistant"), 2_000);
    assert_eq!(by_words("Process Engineer", "Waiter"), 0);
    assert_eq!(by_words("مدير المبيعات", "مدير المشتريات"), 4_000);
}

#[test]
fn rank_is_a_small_factor_and_months_never_cost() {
    let of = |rung, held: &str, months| {
        let job = job(|p| {
            p.titles = vec![title("Cook", None, 0, Some(0))];
            p.asked = Some(Asked { seniority: Some(rung), ..Asked::default() });
        });
        points(
            Category::Title,
            &job,
            &resume(|r| {
                r.titles = vec![title(held, None, 24, Some(0))];
                r.months = Some(months);
            }),
        )
    };
    assert_eq!(of(Seniority::Senior, "Senior Cook", 24), 10_000);
    assert_eq!(of(Seniority::Senior, "Cook", 60), 10_000);
    assert_eq!(of(Seniority::Senior, "Cook", 24), 9_400);
    assert_eq!(of(Seniority::Junior, "Cook", 24), of(Seniority::Junior, "Cook", 480));
    assert!(of(Seniority::Junior, "Senior Cook", 24) > of(Seniority::Senior, "Junior Cook", 24));
    assert_eq!(of(Seniority::Regular, "Junior Cook", 24), 10_000);
}

#[test]
fn vectors_of_two_models_or_languages_never_meet() {
    let job = job(|_| ());
    let same = resume(|_| ());
    assert_eq!(state(Category::Semantic, &job, &same), CategoryState::Known(Score::FULL));
    let mut other = same.clone();
    other.model.weights_digest = "x".to_owned();
    assert_eq!(state(Category::Semantic, &job, &other), CategoryState::Unknown);
    let mut foreign = same;
    foreign.profile.language = LanguageCode::ARABIC;
    assert_eq!(state(Category::Semantic, &job, &foreign), CategoryState::Unknown);
}

#[test]
fn the_best_chunk_counts_however_much_stands_beside_it() {
    let job = job(|_| ());
    let mut padded = resume(|_| ());
    padded.document = Embedding::from_coordinates(vec![0, 100, 0, 0]);
    padded.chunks.push(padded.document.clone());
    assert_eq!(points(Category::Semantic, &job, &padded), 10_000);
    padded.chunks.clear();
    assert_eq!(points(Category::Semantic, &job, &padded), 0);
}

#[test]
fn experience_saturates() {
    let job = job_asking(|a| (a.min_months, a.max_months) = (Some(48), Some(60)));
    let of = |months| points(Category::Experience, &job, &resume(|r| r.months = Some(months)));
    assert_eq!((of(0), of(24), of(48), of(600)), (0, 5_000, 10_000, 10_000));
    assert_eq!(state(Category::Experience, &job, &resume(|_| ())), CategoryState::Unknown);
    let only_max = job_asking(|a| a.max_months = Some(60));
    assert_eq!(state(Category::Experience, &only_max, &resume(|_| ())), CategoryState::NotAsked);
}

#[test]
fn education_judges_each_degree_as_a_whole() {
    let degree = |level, field| RankedEducation { level, field: words(field) };
    let master = |how| {
        job_asking(|a| {
            a.education = Some((EducationLevel::Master, how));
            a.fields = vec![words("computer science"), words("mathematics")];
        })
    };
    let of = |how, degrees| {
        let resume = resume(|r| r.education = degrees);
        points(Category::Education, &master(how), &resume)
    };
    let required = RequirementLevel::Required;
    let computing = degree(Some(EducationLevel::Bachelor), "computer science");
    let music = degree(Some(EducationLevel::Master), "music");
    assert_eq!(of(required, vec![degree(Some(EducationLevel::Doctorate), "Applied Mathematics")]), 10_000);
    assert_eq!(of(required, vec![computing.clone()]), 7_900);
    assert_eq!(of(required, vec![music.clone(), computing.clone()]), 7_900);
    assert!(of(RequirementLevel::Preferred, vec![computing]) > 7_900);
    assert_eq!(of(required, vec![degree(None, "mathematics")]), 4_000);
    assert_eq!(state(Category::Education, &master(required), &resume(|_| ())), CategoryState::Unknown);
    assert_eq!(
        state(Category::Education, &job_asking(|_| ()), &resume(|r| r.education = vec![music])),
        CategoryState::NotAsked
    );
}

#[test]
fn languages_by_rung_and_silence() {
    let german = LanguageCode::new("de").expect("two letters");
    let wants = |code| {
        job_asking(|a| a.languages = vec![(code, Some(LanguageLevel::Fluent), RequirementLevel::Must)])
    };
    let of = |code, languages| state(Category::Languages, &wants(code), &resume(|r| r.languages = languages));
    let known = |points| CategoryState::Known(Score::clamped(points));
    assert_eq!(of(german, vec![(german, Some(LanguageLevel::Native))]), known(10_000));
    assert_eq!(of(german, vec![(german, Some(LanguageLevel::Good))]), known(7_000));
    assert_eq!(of(german, vec![(german, None)]), known(8_000));
    assert_eq!(of(german, vec![(LanguageCode::ARABIC, None)]), known(0));
    assert_eq!(of(german, vec![]), CategoryState::Unknown);
    assert_eq!(of(LanguageCode::ENGLISH, vec![]), known(7_000));
}
