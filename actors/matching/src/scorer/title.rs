//! The job's title against the titles held.

use std::collections::BTreeSet;

use tandem_domain::profile::Seniority;
use tandem_domain::ranked::{RankedProfile, RankedTitle};
use tandem_domain::score::{BASIS, CategoryState, Points, Score};
use tandem_domain::taxonomy::Taxonomy;

use super::{interpolate, months, share};

/// Points per percent of nearness between occupations.
const PER_PERCENT: Points = 100;
/// By words: what the same head word earns ("process *engineer*").
const HEAD: Points = 2_000;
/// By words: what the share of common words earns; equal words earn everything.
const OVERLAP: Points = 6_000;
/// What words are worth where both occupations are known and say otherwise, in parts of 10_000.
const WORDS_BESIDE_OCCUPATIONS: Points = 5_000;
/// What a title still counts by months since it was held, in parts of 10_000.
const RECENCY: [(i32, Points); 2] = [(24, BASIS), (120, 6_000)];
/// The same for a title without dates.
const UNDATED: Points = 8_000;
/// What a title counts by the months spent in it or nearer ones, in parts of 10_000.
const PRACTICE: [(i32, Points); 2] = [(0, 8_500), (24, BASIS)];
/// What each rung under the one asked for costs, in parts of 10_000.
const RUNG_BELOW: i32 = 600;
/// What each rung above it costs. Less: whoever was higher can do the work.
const RUNG_ABOVE: i32 = 300;
/// The most rungs that cost anything.
const MAX_RUNGS: i32 = 3;
/// Months of work that stand for the word "senior". Months only ever raise a rung to the one asked for, so that many
/// years are no fault.
const SENIOR_MONTHS: u32 = 60;
/// Titles that ended within these months say where somebody stands now.
const RECENT: u32 = 24;
/// Words that join others; what follows one is not the head.
const JOINERS: [&str; 10] = ["at", "by", "de", "for", "in", "of", "on", "to", "von", "with"];
/// Words that change neither the occupation nor its head: ranks, forms of contract, gender suffixes.
const MODIFIERS: [&str; 33] = [
    "a",
    "an",
    "and",
    "contract",
    "d",
    "experienced",
    "f",
    "freelance",
    "full",
    "hybrid",
    "i",
    "ii",
    "iii",
    "intern",
    "jr",
    "junior",
    "lead",
    "m",
    "mid",
    "part",
    "principal",
    "remote",
    "senior",
    "sr",
    "staff",
    "the",
    "time",
    "trainee",
    "w",
    "x",
    "أول",
    "كبير",
    "متدرب",
];
/// Words of rank, sorted.
const RANKS: [(&str, Seniority); 39] = [
    ("apprentice", Seniority::Intern),
    ("assistant", Seniority::Junior),
    ("ceo", Seniority::Executive),
    ("cfo", Seniority::Executive),
    ("chief", Seniority::Executive),
    ("cio", Seniority::Executive),
    ("coo", Seniority::Executive),
    ("cto", Seniority::Executive),
    ("director", Seniority::Executive),
    ("entry", Seniority::Junior),
    ("foreman", Seniority::Lead),
    ("head", Seniority::Executive),
    ("intern", Seniority::Intern),
    ("internship", Seniority::Intern),
    ("jr", Seniority::Junior),
    ("junior", Seniority::Junior),
    ("lead", Seniority::Lead),
    ("leader", Seniority::Lead),
    ("manager", Seniority::Lead),
    ("president", Seniority::Executive),
    ("principal", Seniority::Senior),
    ("senior", Seniority::Senior),
    ("sr", Seniority::Senior),
    ("supervisor", Seniority::Lead),
    ("trainee", Seniority::Intern),
    ("vice", Seniority::Executive),
    ("vp", Seniority::Executive),
    ("أول", Seniority::Senior),
    ("رئيس", Seniority::Executive),
    ("قائد", Seniority::Lead),
    ("كبير", Seniority::Senior),
    ("متدرب", Seniority::Intern),
    ("متدربة", Seniority::Intern),
    ("مدير", Seniority::Lead),
    ("مديرة", Seniority::Lead),
    ("مساعد", Seniority::Junior),
    ("مساعدة", Seniority::Junior),
    ("مشرف", Seniority::Lead),
    ("مشرفة", Seniority::Lead),
];

/// The nearest title of the career, weighted by how long ago and how long it was held, and a little by rank.
pub(super) fn state(job: &RankedProfile, resume: &RankedProfile) -> CategoryState {
    let says = |title: &&RankedTitle| title.occupation.is_some() || !title.words.is_empty();
    let Some(asked) = job.titles.iter().find(says) else {
        return CategoryState::NotAsked;
    };
    let held: Vec<(Points, &RankedTitle)> =
        resume.titles.iter().filter(says).map(|title| (nearness(asked, title), title)).collect();
    let weighted = |&(near, title): &(Points, &RankedTitle)| {
        let practice = held.iter().filter(|(other, _)| *other >= near).map(|(_, t)| t.months);
        let practice = practice.fold(0u32, u32::saturating_add);
        let recency = title.ended_ago.map_or(UNDATED, |ago| interpolate(&RECENCY, months(ago)));
        share(share(near, recency), interpolate(&PRACTICE, months(practice)))
    };
    let Some(best) = held.iter().map(weighted).max() else {
        return CategoryState::Unknown;
    };
    let rank = job.asked.as_ref().and_then(|a| a.seniority).map_or(BASIS, |rung| rank(rung, resume));
    CategoryState::Known(Score::clamped(i64::from(share(best, rank))))
}

/// How near two titles are: by occupation where both are known, else by words.
fn nearness(asked: &RankedTitle, held: &RankedTitle) -> Points {
    let words = by_words(&asked.words, &held.words);
    match (asked.occupation, held.occupation) {
        (Some(wanted), Some(had)) => {
            let strength = Points::from(Taxonomy::builtin().occupation_strength(wanted, had));
            (strength * PER_PERCENT).max(share(words, WORDS_BESIDE_OCCUPATIONS))
        }
        _ => words,
    }
}

/// Common words (Jaccard) and the same head.
fn by_words(asked: &[String], held: &[String]) -> Points {
    let (left, right) = (content(asked), content(held));
    let common = left.intersection(&right).count();
    if common == 0 {
        return 0;
    }
    let union = left.union(&right).count();
    if common == union {
        return BASIS;
    }
    let head = if head(asked) == head(held) { HEAD } else { 0 };
    head + OVERLAP * common as Points / union as Points
}

/// The words that name the occupation; all of them where no other is left.
fn content(words: &[String]) -> BTreeSet<&str> {
    let all = || words.iter().map(String::as_str);
    let named: BTreeSet<&str> = all().filter(|word| !is_modifier(word) && !is_joiner(word)).collect();
    if named.is_empty() { all().collect() } else { named }
}

/// The word that says what somebody is: the last before a joining word; the first in Arabic, where qualities follow.
fn head(words: &[String]) -> Option<&str> {
    let phrase = words.iter().map(String::as_str).take_while(|word| !is_joiner(word));
    let mut named = phrase.filter(|word| !is_modifier(word));
    let first = named.next()?;
    if first.chars().any(is_arabic) { Some(first) } else { Some(named.last().unwrap_or(first)) }
}

fn is_arabic(c: char) -> bool {
    ('\u{600}'..='\u{6ff}').contains(&c)
}

fn is_joiner(word: &str) -> bool {
    JOINERS.binary_search(&word).is_ok()
}

fn is_modifier(word: &str) -> bool {
    MODIFIERS.binary_search(&word).is_ok()
}

/// What a title counts under the rank asked for, in parts of 10_000.
fn rank(asked: Seniority, resume: &RankedProfile) -> Points {
    if asked == Seniority::Regular {
        return BASIS;
    }
    let named = named_rung(resume);
    let distance = asked as i32 - named as i32;
    let by_months = asked <= Seniority::Senior && resume.months.unwrap_or(0) >= SENIOR_MONTHS;
    match distance {
        1.. if by_months => BASIS,
        1.. => BASIS - RUNG_BELOW * distance.min(MAX_RUNGS),
        _ => BASIS - RUNG_ABOVE * (-distance).min(MAX_RUNGS),
    }
}

/// The highest rung that a recent title names.
fn named_rung(resume: &RankedProfile) -> Seniority {
    let latest = resume.titles.iter().filter_map(|title| title.ended_ago).min().unwrap_or(0);
    let recent = |title: &&RankedTitle| title.ended_ago.is_none_or(|ago| ago <= latest.max(RECENT));
    let words = resume.titles.iter().filter(recent).flat_map(|title| &title.words);
    let rung =
        |word: &String| RANKS.binary_search_by_key(&word.as_str(), |(name, _)| name).ok().map(|i| RANKS[i].1);
    words.filter_map(rung).max().unwrap_or(Seniority::Regular)
}
