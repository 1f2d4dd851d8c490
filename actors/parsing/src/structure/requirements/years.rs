//! Years of experience that a posting asks for, overall and of one skill.

use std::sync::LazyLock;

use regex::Regex;
use tandem_domain::profile::{SectionKind, Sourced, Span};

use crate::structure::contact::pattern;
use crate::structure::experience::number;
use crate::structure::view::View;

/// Between the years and the skill they speak of stand at most so many bytes.
const NEAR: usize = 48;
/// Nobody asks for more years.
const MAX_YEARS: u32 = 30;

static YEARS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"(?:(?P<min>\d{1,2}|one|two|three|four|five|six|seven|eight|nine|ten)\s?\+?\s?(?:(?:–|-|to|الي)\s?(?P<max>\d{1,2}|two|three|four|five|six|seven|eight|nine|ten))?\s?\+?\s?",
        r"(?P<unit>years?|yrs?|months?|سنوات|سنه|سنين|عاما|اعوام|عام|اشهر|شهرا)['s]*)",
        r"|(?P<two>سنتين|سنتان|عامين|عامان)|(?P<one>سنه واحده|سنه|عام واحد)",
    ))
});

/// A stated time: months, upper end, and where in the folded text.
struct Stated {
    min: u32,
    max: Option<u32>,
    start: usize,
    end: usize,
}

fn stated(folded: &str) -> impl Iterator<Item = Stated> + '_ {
    YEARS.captures_iter(folded).filter_map(|found| {
        let whole = found.get(0)?;
        let months = found.name("unit").is_some_and(|unit| {
            unit.as_str().starts_with("month") || matches!(unit.as_str(), "اشهر" | "شهرا")
        });
        let min = match (found.name("min"), found.name("two")) {
            (Some(min), _) => number(min.as_str())?,
            (None, Some(_)) => 2,
            (None, None) => 1,
        };
        let factor = if months { 1 } else { 12 };
        let max = found.name("max").and_then(|max| number(max.as_str())).filter(|max| *max >= min);
        (min * factor <= MAX_YEARS * 12).then_some(Stated {
            min: min * factor,
            max: max.map(|max| max * factor),
            start: whole.start(),
            end: whole.end(),
        })
    })
}

/// Months asked of the skill at `skill`: "5+ years of Python", "Python (3 years)".
pub(super) fn of_skill(view: &View<'_>, clause: Span, skill: Span) -> Option<u32> {
    // Only what stands near can speak of it; a clause may be as long as a line may be.
    const WINDOW: u32 = 2 * NEAR as u32;
    let near = Span::new(
        clause.start.max(skill.start.saturating_sub(WINDOW)),
        clause.end.min(skill.end.saturating_add(WINDOW)),
    );
    let range = view.folded.range(near);
    let folded = view.folded.text.get(range.clone())?;
    if !folded.bytes().any(|byte| byte.is_ascii_digit()) && !folded.contains("year") && !folded.contains("سن")
    {
        return None;
    }
    let at = view.folded.range(skill);
    let (start, end) = (at.start.checked_sub(range.start)?, at.end.checked_sub(range.start)?);
    stated(folded)
        .filter(|stated| {
            let between = if stated.end <= start {
                folded.get(stated.end..start)
            } else if stated.start >= end {
                folded.get(end..stated.start)
            } else {
                None
            };
            between.is_some_and(|between| {
                between.len() <= NEAR
                    && !between.contains([',', ';', '،'])
                    && (stated.end <= start || between.trim().len() <= 4 || between.contains("for "))
            })
        })
        .map(|stated| stated.min)
        .max()
}

/// Months of experience asked for overall. More certain where the clause speaks of experience and of no single tool.
pub(super) fn overall(
    view: &View<'_>,
    clause: Span,
    kind: SectionKind,
) -> Option<(Sourced<u32>, Option<u32>)> {
    const CUES: [&str; 9] = [
        "experience",
        "professional",
        "track record",
        "practice",
        "worked",
        "post-qualif",
        "خبره",
        "خبرات",
        "الخبره",
    ];
    let range = view.folded.range(clause);
    let folded = view.folded.text.get(range.clone())?;
    if !CUES.iter().any(|cue| folded.contains(cue)) {
        return None;
    }
    let found = stated(folded).next()?;
    let demands = matches!(
        kind,
        SectionKind::Requirements | SectionKind::Header | SectionKind::Skills | SectionKind::Other
    );
    let lower = matches!(kind, SectionKind::Preferred);
    let behind = folded.get(found.end..).unwrap_or_default();
    let near = behind.find("experience").is_some_and(|at| at < 40)
        || behind.contains("خبره")
        || folded.contains("خبره");
    let confidence = if lower {
        40
    } else if demands && near {
        90
    } else if demands {
        75
    } else {
        60
    };
    let span = view.folded.source(range.start + found.start, range.start + found.end);
    Some((Sourced { value: found.min, confidence, span }, found.max))
}
