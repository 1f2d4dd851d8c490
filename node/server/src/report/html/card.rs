//! A person's place for a job: score, bars, skills found and missing.

use tandem_domain::profile::RequirementLevel;
use tandem_domain::score::{BASIS, Category, CategoryState, Score};

use super::super::{PersonReport, SkillReport};
use super::{count, each, label, text};

/// The card of `person` in the section of job `job` (from 1).
pub(super) fn card(job: usize, person: &PersonReport) -> String {
    let id = format!("job-{job}-{}", person.rank);
    let headline = person
        .headline
        .as_ref()
        .map_or_else(String::new, |line| format!("<p class=\"headline\">{}</p>\n", text(line)));
    format!(
        r#"<article class="person" id="{id}" aria-labelledby="{id}-name">
{dial}<div class="who">
<h3 id="{id}-name"><span class="rank"><span class="aside">Rank </span>{rank}</span> {name}</h3>
{headline}<p class="facts">{facts}</p>
{note}</div>
<ul class="bars" aria-label="Score by category">
{bars}</ul>
<div class="skills">
{found}{missing}</div>
</article>
"#,
        dial = dial(person.score),
        rank = person.rank,
        name = text(&person.name),
        facts = facts(person),
        note = note(person),
        bars = each(Category::ALL, |category| bar(category, person.state(category))),
        found = found(person),
        missing = missing(person),
    )
}

/// The total as a ring that closes at 100; its circumference is set to 100 units.
fn dial(score: Score) -> String {
    format!(
        r#"<div class="dial" role="img" aria-label="Score {score} of 100"><svg viewBox="0 0 36 36" aria-hidden="true">
<circle class="track" cx="18" cy="18" r="15.5"/>
<circle class="value" cx="18" cy="18" r="15.5" pathLength="100" stroke-dasharray="{score} 100"/>
</svg><span aria-hidden="true">{score}</span></div>
"#
    )
}

fn facts(person: &PersonReport) -> String {
    let mut facts = Vec::new();
    facts.extend(person.months.and_then(duration));
    let all = person.found.len() + person.missing.len();
    if all > 0 {
        facts.push(format!("{} of {}", person.found.len(), count(all, "skill")));
    }
    let musts = |skills: &[SkillReport]| skills.iter().filter(|s| s.level == RequirementLevel::Must).count();
    let (met, unmet) = (musts(&person.found), musts(&person.missing));
    if met + unmet > 0 {
        facts.push(format!("{met} of {}", count(met + unmet, "must")));
    }
    let file = format!("<span class=\"file\">{}</span>", text(&person.file));
    each(facts, |fact| format!("<span>{fact}</span>")) + &file
}

/// A career's length in whole years, or in months under one; nothing where no work is dated.
fn duration(months: u32) -> Option<String> {
    let (number, unit) = if months < 12 { (months, "month") } else { (months / 12, "year") };
    (number > 0).then(|| format!("{} of work", count(number as usize, unit)))
}

fn note(person: &PersonReport) -> String {
    if !person.insufficient_data {
        return String::new();
    }
    let known = whole(person.confidence);
    format!(
        "<p class=\"note\"><b>Read with care.</b> Only {known} % of what this job asks about is known of \
         this person.</p>\n"
    )
}

fn bar(category: Category, state: CategoryState) -> String {
    let label = label(category);
    match state {
        CategoryState::Known(score) => {
            let value = whole(score);
            format!(
                r#"<li><span class="label">{label}</span>
<span class="bar" role="meter" aria-label="{label}" aria-valuemin="0" aria-valuemax="100" aria-valuenow="{value}">
<span style="width:{score}%"></span></span><span class="number">{value}</span></li>
"#
            )
        }
        CategoryState::Unknown => aside(label, "unknown", "The résumé does not say"),
        CategoryState::NotAsked => aside(label, "unasked", "Not asked for"),
    }
}

fn aside(label: &str, class: &str, words: &str) -> String {
    format!(
        "<li class=\"{class}\"><span class=\"label\">{label}</span><span class=\"words\">{words}</span></li>\n"
    )
}

fn found(person: &PersonReport) -> String {
    let chips = each(&person.found, |skill| {
        let via =
            skill.by.as_ref().map_or_else(String::new, |by| format!(" <small>via {}</small>", text(by)));
        format!("<li>{}{via}</li>\n", text(&skill.name))
    });
    chip_list("Found", "found", &chips)
}

fn missing(person: &PersonReport) -> String {
    let chips = each(person.missing_by_weight(), |skill| {
        let level = level(skill.level);
        let via = skill.by.as_ref().map_or_else(String::new, |by| format!(", partly via {}", text(by)));
        format!(
            "<li class=\"{level}\">{} <small>{level}{via}</small>{}</li>\n",
            text(&skill.name),
            gain(person, skill),
        )
    });
    chip_list("Not found, with the points each would add", "missing", &chips)
}

fn chip_list(title: &str, class: &str, chips: &str) -> String {
    if chips.is_empty() {
        return String::new();
    }
    format!("<h4>{title}</h4>\n<ul class=\"chips {class}\">\n{chips}</ul>\n")
}

/// What the total would rise by, in tenths of a percent; nothing where that rounds to nothing.
fn gain(person: &PersonReport, skill: &SkillReport) -> String {
    let tenths = (person.gain(skill) + 5) / 10;
    if tenths == 0 {
        return String::new();
    }
    format!(
        " <span class=\"gain\">+{}.{}<span class=\"aside\"> points if present</span></span>",
        tenths / 10,
        tenths % 10
    )
}

const fn level(level: RequirementLevel) -> &'static str {
    match level {
        RequirementLevel::Must => "must",
        RequirementLevel::Required => "required",
        RequirementLevel::Preferred => "preferred",
        RequirementLevel::Nice => "nice",
    }
}

/// Whole percent, truncated like the score itself: only everything is 100.
fn whole(score: Score) -> i32 {
    score.points() * 100 / BASIS
}
