//! Months of experience: overlapping positions count once; internships and education apart.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;
use tandem_domain::profile::{SectionKind, Sourced};
use tandem_domain::taxonomy::SkillId;
use tandem_domain::time::Month;

use super::contact::pattern;
use super::sections::Part;
use super::view::View;
use super::work::Entry;

#[cfg(test)]
mod tests;

/// More years than a working life are a mistake of the writer or the reader.
const MAX_MONTHS: u32 = 60 * 12;

/// Months in the union of half-open intervals.
pub(crate) fn union(mut intervals: Vec<(Month, Month)>) -> u32 {
    intervals.sort_unstable();
    let mut total = 0;
    let mut covered: Option<Month> = None;
    for (start, end) in intervals {
        let from = covered.map_or(start, |covered| covered.max(start));
        total += u32::try_from(end.months_since(from)).unwrap_or(0);
        covered = Some(covered.map_or(end, |covered| covered.max(end)));
    }
    total.min(MAX_MONTHS)
}

/// Months of all positions but internships.
pub(crate) fn total(entries: &[Entry]) -> u32 {
    union(entries.iter().filter(|entry| !entry.work.internship).filter_map(|entry| entry.interval).collect())
}

/// Months and last month of each skill, from the positions that name it.
pub(crate) fn by_skill(entries: &[Entry]) -> BTreeMap<SkillId, (u32, Month)> {
    let mut intervals: BTreeMap<SkillId, Vec<(Month, Month)>> = BTreeMap::new();
    for entry in entries {
        let Some(interval) = entry.interval else { continue };
        for skill in &entry.work.skills {
            intervals.entry(*skill).or_default().push(interval);
        }
    }
    intervals
        .into_iter()
        .filter_map(|(skill, intervals)| {
            let last = intervals.iter().map(|(_, end)| end.plus_months(-1)).max()?;
            Some((skill, (union(intervals), last)))
        })
        .collect()
}

static CLAIM: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"(?:\b(?P<n>\d{1,2}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty)(?:[.,]5)?\s?\+?\s?(?:years?|yrs?)\b[^.;\n]{0,40}?\bexperience)",
        r"|(?:\bexperience\b[^.;\n]{0,30}?\b(?P<m>\d{1,2})\s?\+?\s?(?:years?|yrs?)\b)",
        r"|(?:خبره[^.\n]{0,30}?(?P<k>\d{1,2})\s?(?:سنوات|سنه|عاما|اعوام|عام))",
        r"|(?:(?P<j>\d{1,2})\s?(?:سنوات|سنه|عاما|اعوام|عام)[^.\n]{0,20}?(?:خبره|الخبره))",
    ))
});

/// "N years of experience" as the document says it in its head or summary, in months.
pub(crate) fn claimed(view: &View<'_>, parts: &[Part]) -> Option<Sourced<u32>> {
    let wanted = |kind| matches!(kind, SectionKind::Header | SectionKind::Summary | SectionKind::Other);
    parts.iter().filter(|part| wanted(part.kind)).find_map(|part| {
        let span = part.span(view);
        let range = view.folded.range(span);
        let text = view.folded.text.get(range.clone())?;
        // A line break is a space here.
        let text = text.replace('\n', " ");
        let found = CLAIM.captures(&text)?;
        let years = ["n", "m", "k", "j"]
            .iter()
            .find_map(|name| found.name(name))
            .and_then(|years| number(years.as_str()))?;
        let whole = found.get(0)?;
        let span = view.folded.source(range.start + whole.start(), range.start + whole.end());
        Some(Sourced { value: (years * 12).min(MAX_MONTHS), confidence: 80, span })
    })
}

/// A number in digits or an English word.
pub(crate) fn number(text: &str) -> Option<u32> {
    const WORDS: [(&str, u32); 14] = [
        ("one", 1),
        ("two", 2),
        ("three", 3),
        ("four", 4),
        ("five", 5),
        ("six", 6),
        ("seven", 7),
        ("eight", 8),
        ("nine", 9),
        ("ten", 10),
        ("eleven", 11),
        ("twelve", 12),
        ("fifteen", 15),
        ("twenty", 20),
    ];
    text.parse().ok().or_else(|| WORDS.iter().find(|(word, _)| *word == text).map(|(_, value)| *value))
}
