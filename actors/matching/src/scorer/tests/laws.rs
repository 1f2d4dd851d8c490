//! Laws that hold for every pair.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use tandem_domain::profile::LanguageLevel;

use super::*;

fn any_skill() -> impl Strategy<Value = SkillId> {
    any::<Index>().prop_map(|index| index.get(Taxonomy::builtin().skills()).id)
}

fn any_held() -> impl Strategy<Value = RankedSkill> {
    (any_skill(), 0u32..200, proptest::option::of(0u32..200))
        .prop_map(|(id, months, unused_for)| RankedSkill { id, months, unused_for })
}

fn any_level() -> impl Strategy<Value = RequirementLevel> {
    select(vec![
        RequirementLevel::Nice,
        RequirementLevel::Preferred,
        RequirementLevel::Required,
        RequirementLevel::Must,
    ])
}

fn any_title() -> impl Strategy<Value = RankedTitle> {
    let word = select(vec!["senior", "engineer", "sales", "of", "manager", "nurse", "lead", "مدير", "data"]);
    let occupation = proptest::option::of(
        any::<Index>().prop_map(|index| index.get(Taxonomy::builtin().occupations()).id),
    );
    (occupation, vec(word, 0..4), 0u32..150, proptest::option::of(0u32..150)).prop_map(
        |(occupation, words, months, ended_ago)| RankedTitle {
            occupation,
            words: words.into_iter().map(str::to_owned).collect(),
            months,
            ended_ago,
        },
    )
}

fn any_education() -> impl Strategy<Value = EducationLevel> {
    select(vec![EducationLevel::Secondary, EducationLevel::Bachelor, EducationLevel::Doctorate])
}

fn any_language() -> impl Strategy<Value = (LanguageCode, Option<LanguageLevel>)> {
    let level = select(vec![LanguageLevel::Basic, LanguageLevel::Good, LanguageLevel::Native]);
    (select(vec![LanguageCode::ENGLISH, LanguageCode::ARABIC]), proptest::option::of(level))
}

fn any_asked() -> impl Strategy<Value = Asked> {
    let skill = (vec(any_skill(), 1..4), any_level(), proptest::option::of(0u32..100))
        .prop_map(|(any_of, level, months)| AskedSkill { any_of, level, months });
    let rung = select(vec![Seniority::Intern, Seniority::Regular, Seniority::Senior, Seniority::Executive]);
    (
        vec(skill, 0..8),
        proptest::option::of(0u32..150),
        proptest::option::of((any_education(), any_level())),
        vec(vec(select(vec!["computer", "science", "of", "law"]), 0..3), 0..3),
        vec((any_language(), any_level()), 0..3),
        proptest::option::of(rung),
    )
        .prop_map(|(skills, min_months, education, fields, languages, seniority)| Asked {
            skills,
            min_months,
            max_months: None,
            education,
            fields: fields.into_iter().map(|f| f.into_iter().map(str::to_owned).collect()).collect(),
            languages: languages
                .into_iter()
                .map(|((code, at_least), level)| (code, at_least, level))
                .collect(),
            seniority,
        })
}

fn any_features(kind: DocumentKind) -> impl Strategy<Value = Features> {
    let degree =
        (proptest::option::of(any_education()), vec(select(vec!["computer", "law"]), 0..3)).prop_map(
            |(level, field)| RankedEducation { level, field: field.into_iter().map(str::to_owned).collect() },
        );
    let lists = (
        vec(any_title(), 0..if kind == DocumentKind::Job { 2 } else { 5 }),
        vec(any_held(), 0..12),
        proptest::option::of(0u32..300),
        vec(degree, 0..3),
        vec(any_language(), 0..3),
    );
    (lists, any_asked(), any::<[i8; 4]>()).prop_map(
        move |((titles, skills, months, education, languages), asked, vector)| {
            let asked = (kind == DocumentKind::Job).then_some(asked);
            let profile =
                RankedProfile { titles, skills, months, education, languages, asked, ..nothing(kind) };
            features(profile, vector)
        },
    )
}

fn any_weights() -> impl Strategy<Value = Weights> {
    vec(0u32..=100, 6).prop_map(|parts| {
        let sum: u32 = parts.iter().sum();
        let mut weights: [u16; 6] = [0; 6];
        for (weight, part) in weights.iter_mut().zip(&parts) {
            *weight = u16::try_from(part * 10_000 / sum.max(1)).unwrap_or(0);
        }
        weights[0] += 10_000 - weights.iter().sum::<u16>();
        Weights::new(weights).expect("they were filled up to 10000")
    })
}

fn any_pair() -> impl Strategy<Value = (Features, Features, Weights)> {
    (any_features(DocumentKind::Job), any_features(DocumentKind::Resume), any_weights())
}

/// Points of a state; nothing for the others.
fn known(state: CategoryState) -> Option<i64> {
    match state {
        CategoryState::Known(points) => Some(i64::from(points.points())),
        CategoryState::Unknown | CategoryState::NotAsked => None,
    }
}

proptest! {
    #[test]
    fn the_total_is_the_weighted_mean_of_what_is_known((job, resume, weights) in any_pair()) {
        let score = score(&job, &resume, &weights);
        let parts = || score.categories.iter().filter_map(|c| Some((i64::from(c.weight), known(c.state)?)));
        let (sum, whole) = parts().fold((0, 0), |(s, w), (weight, points)| (s + weight * points, w + weight));
        prop_assert_eq!(i64::from(score.total.points()), if whole == 0 { 0 } else { sum / whole });
        prop_assert!(Category::ALL.into_iter().eq(score.categories.iter().map(|c| c.category)));
    }

    #[test]
    fn all_the_weight_on_one_category_gives_its_points((job, resume, _) in any_pair(), place in 0usize..6) {
        let mut weights = [0; 6];
        weights[place] = 10_000;
        let score = score(&job, &resume, &Weights::new(weights).expect("they sum to 10000"));
        let points = known(score.categories[place].state).unwrap_or(0);
        prop_assert_eq!(i64::from(score.total.points()), points);
    }

    #[test]
    fn weights_do_not_change_what_is_found((job, resume, weights) in any_pair()) {
        let (left, right) = (score(&job, &resume, &weights), score(&job, &resume, &Weights::default()));
        let states = |score: &MatchScore| score.categories.iter().map(|c| c.state).collect::<Vec<_>>();
        prop_assert_eq!(states(&left), states(&right));
        let credits = |score: &MatchScore| score.skills.iter().map(|s| (s.credit, s.by)).collect::<Vec<_>>();
        prop_assert_eq!(credits(&left), credits(&right));
    }

    #[test]
    fn one_more_skill_never_lowers((job, mut resume, weights) in any_pair(), more in any_held()) {
        let before = score(&job, &resume, &weights);
        resume.profile.skills.push(more);
        let after = score(&job, &resume, &weights);
        prop_assert!(after.total >= before.total);
        for (left, right) in before.skills.iter().zip(&after.skills) {
            prop_assert!(right.credit >= left.credit);
        }
    }

    #[test]
    fn saying_it_again_gains_nothing((job, mut resume, weights) in any_pair(), times in 1usize..4) {
        let before = score(&job, &resume, &weights);
        let (skills, chunks) = (resume.profile.skills.clone(), resume.chunks.clone());
        for _ in 0..times {
            resume.profile.skills.extend_from_slice(&skills);
            resume.chunks.extend_from_slice(&chunks);
        }
        prop_assert_eq!(score(&job, &resume, &weights), before);
    }

    #[test]
    fn the_order_of_lists_is_not_seen((job, mut resume, weights) in any_pair(), turn in 0usize..12) {
        let before = score(&job, &resume, &weights);
        let profile = &mut resume.profile;
        profile.skills.reverse();
        profile.titles.reverse();
        let turn_by = |len: usize| if len == 0 { 0 } else { turn % len };
        let (skills, titles) = (turn_by(profile.skills.len()), turn_by(profile.titles.len()));
        profile.skills.rotate_left(skills);
        profile.titles.rotate_left(titles);
        profile.education.reverse();
        profile.languages.reverse();
        prop_assert_eq!(score(&job, &resume, &weights), before);
    }

    #[test]
    fn what_is_predicted_is_what_happens((job, mut resume, weights) in any_pair(), which in any::<Index>()) {
        let before = score(&job, &resume, &weights);
        prop_assume!(!before.skills.is_empty());
        let entry = &before.skills[which.index(before.skills.len())];
        let id = entry.any_of[0];
        resume.profile.skills.push(RankedSkill { id, months: 1_000, unused_for: Some(0) });
        let after = score(&job, &resume, &weights);
        prop_assert!(entry.total_if_met >= before.total);
        // Exact unless the new skill also counts for another requirement.
        let others = before.skills.iter().zip(&after.skills).filter(|(old, _)| old.any_of != entry.any_of);
        if others.clone().all(|(old, new)| old.credit == new.credit) {
            prop_assert_eq!(after.total, entry.total_if_met);
        } else {
            prop_assert!(after.total >= entry.total_if_met);
        }
    }
}
