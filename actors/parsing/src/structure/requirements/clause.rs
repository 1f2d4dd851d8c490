//! Clauses of a line, and which of the skills in one stand for each other.

use tandem_domain::profile::{RequirementLevel, SectionKind, Span};

use super::Group;
use super::level;
use crate::structure::skills::Mention;
use crate::structure::view::View;

/// A bracket longer than this (bytes) is no aside.
const MAX_ASIDE: usize = 80;

/// A part of a sentence with one level.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clause {
    /// Its bytes.
    pub(super) span: Span,
    /// The level that the words before a colon give to what stands behind it ("Required: Rust, Git").
    label: Option<RequirementLevel>,
}

impl Clause {
    /// The level, and whether the clause's own words said it; `heading` is what the heading's words say.
    pub(super) fn level(
        &self,
        view: &View<'_>,
        kind: SectionKind,
        heading: Option<RequirementLevel>,
    ) -> (RequirementLevel, bool) {
        let folded = view.folded.of(self.span);
        let base = heading.filter(|_| matches!(kind, SectionKind::Requirements | SectionKind::Preferred));
        match level::of_words(folded).or(self.label) {
            // Under "must have" what is "required" is a must.
            Some(RequirementLevel::Required) => {
                (base.unwrap_or_default().max(RequirementLevel::Required), true)
            }
            Some(level) => (level, true),
            None => (base.unwrap_or(level::of_section(kind)), false),
        }
    }
}

/// Cuts a joined line at sentence ends, semicolons and brackets with words of their own.
pub(super) fn cut(view: &View<'_>, span: Span, clauses: &mut Vec<Clause>) {
    let text = view.slice(span);
    let mut label = None;
    let mut start = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map(|(_, next)| *next);
        let ends = match c {
            ';' | '؛' => true,
            '.' | '!' | '?' | '؟' => {
                next.is_none_or(char::is_whitespace)
                    && !is_abbreviation(text.get(start..at).unwrap_or_default())
            }
            '(' => says_level(bracket(text, at)),
            ')' => says_level(text.get(start..at).unwrap_or_default()),
            _ => false,
        };
        if c == ':' && label.is_none() && start == 0 {
            // Behind a label the rest keeps the label's level; "Must have: TypeScript".
            label = level::of_words(view.folded.of(Span::new(span.start, span.start + at as u32)));
        }
        if ends {
            push(view, span, start, at, label, clauses);
            start = at + c.len_utf8();
            if matches!(c, '.' | '!' | '?' | '؟') {
                label = None;
            }
        }
    }
    push(view, span, start, text.len(), label, clauses);
}

fn push(
    view: &View<'_>,
    span: Span,
    start: usize,
    end: usize,
    label: Option<RequirementLevel>,
    clauses: &mut Vec<Clause>,
) {
    let piece = Span::new(span.start + start as u32, span.start + end.max(start) as u32);
    if view.slice(piece).chars().any(char::is_alphanumeric) {
        clauses.push(Clause { span: piece, label });
    }
}

/// What stands in the bracket that opens at `at`; only a short one says a level.
fn bracket(text: &str, at: usize) -> &str {
    let rest = text.get(at + 1..).unwrap_or_default();
    let end = rest.char_indices().take(MAX_ASIDE).find(|(_, c)| *c == ')').map_or(0, |(end, _)| end);
    rest.get(..end).unwrap_or_default()
}

fn says_level(text: &str) -> bool {
    text.len() <= MAX_ASIDE && level::of_words(&crate::structure::fold::fold_str(text)).is_some()
}

fn is_abbreviation(before: &str) -> bool {
    let word = before.rsplit([' ', '(']).next().unwrap_or_default();
    matches!(
        word,
        "e.g"
            | "i.e"
            | "etc"
            | "vs"
            | "incl"
            | "approx"
            | "min"
            | "max"
            | "B.Sc"
            | "M.Sc"
            | "Ph.D"
            | "B"
            | "M"
    ) || word.len() == 1 && word.chars().all(char::is_uppercase)
}

/// Groups the mentions of a clause: each group is one requirement that any of its members satisfies.
pub(super) fn groups(view: &View<'_>, clause: &Clause, mentions: &[Mention]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut run = 0;
    while run < mentions.len() {
        let mut end = run + 1;
        while end < mentions.len() && joint(view, mentions, end) != Joint::Apart {
            end += 1;
        }
        split_run(view, clause, mentions, run..end, &mut groups);
        run = end;
    }
    groups
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Joint {
    Or,
    And,
    Comma,
    Apart,
}

/// What stands between a mention and the one before it.
fn joint(view: &View<'_>, mentions: &[Mention], index: usize) -> Joint {
    let (Some(before), Some(after)) =
        (index.checked_sub(1).and_then(|at| mentions.get(at)), mentions.get(index))
    else {
        return Joint::Apart;
    };
    if after.span.start < before.span.end {
        return Joint::Apart;
    }
    let between = view.folded.of(Span::new(before.span.end, after.span.start)).replace(['\n', '\t'], " ");
    let words: Vec<&str> = between.split(' ').filter(|word| !word.is_empty()).collect();
    if words.len() > 5 {
        return Joint::Apart;
    }
    let says = |wanted: &[&str]| words.iter().any(|word| wanted.contains(&word.trim_matches(',')));
    let particle = between.trim_end().ends_with('و') && words.len() == 1;
    if says(&["or", "او", "and/or", "oder"]) || between.trim() == "/" {
        Joint::Or
    } else if says(&["and", "&", "plus", "with", "و"]) || particle || between.trim() == "+" {
        Joint::And
    } else if between.contains(',') && words.len() <= 3
        || words.iter().all(|word| !word.contains(char::is_alphanumeric))
    {
        Joint::Comma
    } else {
        Joint::Apart
    }
}

/// "A, B or C" and "one of A, B, C" are one group; "A, B and C" are three; "A/B" one.
fn split_run(view: &View<'_>, clause: &Clause, mentions: &[Mention], run: Group, groups: &mut Vec<Group>) {
    let Some(first) = mentions.get(run.start) else { return };
    let lead = view.folded.of(Span::new(clause.span.start, first.span.start));
    let near: String = lead.chars().rev().take(48).collect::<Vec<_>>().into_iter().rev().collect();
    const ANY: [&str; 11] = [
        "one of",
        "any of",
        "either",
        "such as",
        "e.g.",
        "for example",
        "at least one",
        "similar to",
        "equivalent of",
        "احد",
        "احدي",
    ];
    let joints: Vec<Joint> = (run.start + 1..run.end).map(|index| joint(view, mentions, index)).collect();
    let has_and = joints.contains(&Joint::And);
    let any = ANY.iter().any(|cue| near.contains(cue)) && !has_and;
    if any
        || joints.last() == Some(&Joint::Or)
            && !has_and
            && joints.iter().all(|joint| matches!(joint, Joint::Or | Joint::Comma))
            && !is_pair_list(view, mentions, &run)
    {
        groups.push(run);
        return;
    }
    let mut start = run.start;
    for (offset, joint) in joints.iter().enumerate() {
        if *joint != Joint::Or {
            groups.push(start..run.start + offset + 1);
            start = run.start + offset + 1;
        }
    }
    groups.push(start..run.end);
}

/// "REST, Python/Django": a stroke at the end joins its two neighbors alone.
fn is_pair_list(view: &View<'_>, mentions: &[Mention], run: &Group) -> bool {
    let last = mentions.get(run.end - 2).zip(mentions.get(run.end - 1));
    run.len() > 2
        && last.is_some_and(|(a, b)| {
            view.slice(Span::new(a.span.end, b.span.start.max(a.span.end))).trim() == "/"
        })
}
