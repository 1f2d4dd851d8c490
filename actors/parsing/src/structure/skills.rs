//! Skills: which of the known names in a document mean a skill there.

use std::collections::BTreeMap;

use tandem_domain::profile::{SectionKind, Skill, Span};
use tandem_domain::taxonomy::{SkillId, SkillKind, Taxonomy};

use super::scan::Hit;
use super::sections::{self, Part};
use super::view::{View, touches};
use super::work::Entry;
use super::{certificates, dates, experience};

/// Places that are kept of one skill.
const MAX_SPANS: usize = 16;

/// A skill at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mention {
    pub(crate) id: SkillId,
    pub(crate) span: Span,
    pub(crate) section: SectionKind,
    /// 0..=100.
    pub(crate) confidence: u8,
}

/// Every place that names a skill, in order. `without` are name and contact: what stands there names no skill.
pub(crate) fn mentions(view: &View<'_>, parts: &[Part], without: &[Span]) -> Vec<Mention> {
    let hits: Vec<(SkillId, Hit)> = view
        .hits
        .iter()
        .filter_map(|hit| hit.meaning().skill().map(|id| (id, *hit)))
        .filter(|(_, hit)| !touches(without, hit.span))
        .collect();
    let mut mentions = Vec::new();
    for (index, (id, hit)) in hits.iter().enumerate() {
        let section = sections::kind_at(view, parts, hit.span.start);
        if matches!(section, SectionKind::Personal | SectionKind::References)
            || is_amount(view, hit)
            || hit.phrase.ambiguous && is_part(view, hit)
        {
            continue;
        }
        let confidence = if !hit.phrase.ambiguous && !is_acronym_as_word(view, hit) {
            90
        } else if section == SectionKind::Skills || section == SectionKind::Certificates && is_paper(*id) {
            80
        } else {
            let previous = index.checked_sub(1).and_then(|index| hits.get(index));
            let before = previous.map_or(Join::Apart, |(_, other)| join(view, other, hit));
            let behind = hits.get(index + 1).map_or(Join::Apart, |(_, other)| join(view, hit, other));
            let long = view.slice(hit.span).chars().count() > 2;
            match (before.max(behind), cased(view, hit)) {
                (Join::List | Join::Word, true) => 75,
                (Join::List, false) if long => 60,
                (Join::Apart, true) => 55,
                _ => continue,
            }
        };
        mentions.push(Mention { id: *id, span: hit.span, section, confidence });
    }
    mentions
}

/// `Sen` or `Lan` for the acronym SEN or LAN: written as a word it may be one.
fn is_acronym_as_word(view: &View<'_>, hit: &Hit) -> bool {
    const LONGEST: usize = 4;
    let surface = hit.phrase.surface;
    let mut letters = view.slice(hit.span).chars();
    surface.len() <= LONGEST
        && surface.chars().all(|c| c.is_ascii_uppercase())
        && letters.next().is_some_and(char::is_uppercase)
        && letters.all(char::is_lowercase)
}

/// `CAD 400,000` is money: three capitals with an amount behind them.
fn is_amount(view: &View<'_>, hit: &Hit) -> bool {
    let text = view.slice(hit.span);
    let behind = Span::new(hit.span.end, hit.span.end + 2);
    text.len() == 3
        && text.bytes().all(|byte| byte.is_ascii_uppercase())
        && view.folded.of(behind).trim_start().starts_with(|c: char| c.is_ascii_digit())
}

/// A certificate, license or permit.
fn is_paper(id: SkillId) -> bool {
    Taxonomy::builtin().skill(id).kind == SkillKind::Certificate
}

/// Whether an ambiguous name is a part of something else: of a compound (`cargo-deny`), a date (`Spring 2015`) or a
/// longer name that begins with two capitals (`AP Statistics`).
fn is_part(view: &View<'_>, hit: &Hit) -> bool {
    const NEAR: u32 = 24;
    let Some(line) = view.rows.get(view.row_at(hit.span.start)).map(|row| row.span) else { return false };
    let text = view.slice(hit.span);
    let before = view.slice(Span::new(line.start, hit.span.start));
    let after = view.slice(Span::new(hit.span.end, line.end.max(hit.span.end)));
    let mut behind = after.chars();
    let mut ahead = before.chars().rev();
    let hyphened = behind.next() == Some('-') && behind.next().is_some_and(char::is_alphanumeric)
        || ahead.next() == Some('-') && ahead.next().is_some_and(char::is_alphanumeric);
    if hyphened && !cased(view, hit) {
        return true;
    }
    let mut next = after.strip_prefix(' ').unwrap_or_default().chars();
    let capitalized =
        next.next().is_some_and(char::is_uppercase) && next.next().is_some_and(char::is_lowercase);
    if capitalized && text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return true;
    }
    let dated = view.folded.of(Span::new(hit.span.start, line.end.min(hit.span.end + NEAR)));
    after.trim_start().starts_with(|c: char| c.is_ascii_digit())
        && dates::find(dated).first().is_some_and(|date| date.start == 0)
}

/// Leaves out what stands in the names of employers, schools and places, and certificates that are not held yet.
pub(crate) fn only_own(view: &View<'_>, mentions: &mut Vec<Mention>, names: impl Iterator<Item = Span>) {
    /// So many skills side by side are a list, whatever it was read as.
    const LIST: usize = 3;
    let mut names: Vec<Span> = names
        .filter(|name| {
            let start = mentions.partition_point(|mention| mention.span.start < name.start);
            let end = mentions.partition_point(|mention| mention.span.start < name.end);
            (1..LIST).contains(&end.saturating_sub(start))
        })
        .collect();
    names.sort_unstable_by_key(|name| (name.start, name.end));
    mentions.retain(|mention| !touches(&names, mention.span));
    mentions.retain(|mention| {
        let told = matches!(mention.section, SectionKind::Work | SectionKind::Projects);
        told || !is_paper(mention.id) || !certificates::is_ahead(view, mention.span)
    });
}

/// How two names are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Join {
    /// Not at all, or neither is sure.
    Apart,
    /// By "and" or "or", as ordinary words are too ("to market and excel").
    Word,
    /// By the punctuation of a list.
    List,
}

fn join(view: &View<'_>, first: &Hit, second: &Hit) -> Join {
    const MAX_BETWEEN: u32 = 8;
    let unsure = first.phrase.ambiguous && second.phrase.ambiguous;
    if first.span.end > second.span.start
        || second.span.start - first.span.end > MAX_BETWEEN
        || unsure && !(cased(view, first) && cased(view, second))
    {
        return Join::Apart;
    }
    match view.slice(Span::new(first.span.end, second.span.start)).trim() {
        "," | "/" | "|" | "&" | "•" | "·" | ";" | "(" | "+" | "،" => Join::List,
        "and" | "or" | ", and" | ", or" | "و" | "أو" => Join::Word,
        _ => Join::Apart,
    }
}

/// Whether an ambiguous name stands in its own spelling where ordinary words do not have it: `SAS`, or `Go` inside a
/// sentence.
fn cased(view: &View<'_>, hit: &Hit) -> bool {
    let text = view.slice(hit.span);
    let surface = hit.phrase.surface;
    if text != surface || surface.chars().count() < 2 {
        return false;
    }
    let row = view.row_at(hit.span.start);
    let Some(line) = view.rows.get(row) else { return false };
    let capitals = text.chars().filter(|c| c.is_uppercase()).count();
    if capitals >= 2 {
        // Two letters ("AP", "PM") mean too many things.
        return text.chars().count() >= 3 && line.text().chars().any(char::is_lowercase);
    }
    if capitals == 0 {
        return false;
    }
    // Not at the start of a sentence, and not among other capitalized words: that is a name or a heading.
    let before = view.slice(Span::new(line.span.start, hit.span.start)).trim_end();
    let after = view.slice(Span::new(hit.span.end, line.span.end)).trim_start();
    let starts = before.is_empty() || before.ends_with(['.', ':', '!', '?', '"', '“']);
    let capital =
        |word: Option<&str>| word.and_then(|word| word.chars().next()).is_some_and(char::is_uppercase);
    let joined_before =
        before.ends_with(char::is_alphanumeric) && capital(before.split_whitespace().next_back());
    let joined_after = after.starts_with(char::is_alphanumeric) && capital(after.split_whitespace().next());
    !starts && !joined_before && !joined_after
}

/// Gives each position the skills that its lines name.
pub(crate) fn attach(entries: &mut [Entry], mentions: &[Mention]) {
    for entry in entries {
        let span = entry.work.span;
        let mut skills: Vec<SkillId> = mentions
            .iter()
            .filter(|mention| span.start <= mention.span.start && mention.span.end <= span.end)
            .map(|mention| mention.id)
            .collect();
        skills.sort_unstable();
        skills.dedup();
        entry.work.skills = skills;
    }
}

/// The skills of a résumé, sorted by id.
pub(crate) fn collect(mentions: &[Mention], entries: &[Entry]) -> Vec<Skill> {
    let months = experience::by_skill(entries);
    let mut skills: BTreeMap<SkillId, Skill> = BTreeMap::new();
    for mention in mentions {
        let skill = skills.entry(mention.id).or_insert_with(|| Skill {
            id: mention.id,
            spans: Vec::new(),
            section: mention.section,
            months: 0,
            last_used: None,
            confidence: 0,
        });
        if skill.spans.len() < MAX_SPANS {
            skill.spans.push(mention.span);
        }
        skill.confidence = skill.confidence.max(mention.confidence);
        if rank(mention.section) < rank(skill.section) {
            skill.section = mention.section;
        }
    }
    for (id, (months, last)) in months {
        if let Some(skill) = skills.get_mut(&id) {
            skill.months = months;
            skill.last_used = Some(last);
        }
    }
    skills.into_values().collect()
}

/// How much a section says of a skill in it, the best first.
const fn rank(section: SectionKind) -> u8 {
    match section {
        SectionKind::Work => 0,
        SectionKind::Skills => 1,
        SectionKind::Projects => 2,
        SectionKind::Certificates => 3,
        SectionKind::Volunteer => 4,
        SectionKind::Summary | SectionKind::Header => 5,
        SectionKind::Education | SectionKind::Publications | SectionKind::Awards => 6,
        SectionKind::Languages
        | SectionKind::Interests
        | SectionKind::References
        | SectionKind::Personal
        | SectionKind::Responsibilities
        | SectionKind::Requirements
        | SectionKind::Preferred
        | SectionKind::Benefits
        | SectionKind::About
        | SectionKind::Other => 7,
    }
}
