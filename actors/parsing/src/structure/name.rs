//! The person's name.
//!
//! A scored choice among the lines before the first heading and labeled values. Only about half of real résumés have
//! the bare name as their first line.

use tandem_domain::profile::{SectionKind, Sourced, Span};

use super::fold::{fold_str, is_arabic, plain_str};
use super::headings;
use super::lexicon::{Lexicon, Meaning};
use super::sections::Part;
use super::view::View;
use super::words::{self, Label};
use super::{contact, dates};

/// At most so many words make a name.
const MAX_WORDS: usize = 5;
/// Lines below this are not looked at.
const MAX_ROWS: usize = 20;
/// The lowest score of a name.
const ACCEPT: f32 = 3.0;

/// Finds the name. `emails` (folded) speak for words that occur in them.
pub(crate) fn find(view: &View<'_>, parts: &[Part], emails: &[Sourced<String>]) -> Option<Sourced<String>> {
    let locals: Vec<&str> = emails.iter().filter_map(|mail| mail.value.split('@').next()).collect();
    if let Some(named) = labeled(view, parts) {
        return Some(named);
    }
    let header = parts
        .iter()
        .filter(|part| matches!(part.kind, SectionKind::Header | SectionKind::Personal))
        .flat_map(|part| part.body.clone())
        .take(MAX_ROWS);
    let mut best: Option<(f32, Span)> = None;
    let mut consider = |score: f32, span: Span| {
        if score >= ACCEPT && best.is_none_or(|(known, _)| score > known) {
            best = Some((score, span));
        }
    };
    for (distance, row) in header.enumerate() {
        for (index, span) in segments(view, row).into_iter().enumerate() {
            let shift = 0.3 * distance as f32 + 0.2 * index as f32;
            consider(score(view, row, span, &locals) - shift, span);
        }
        if let Some(span) = two_rows(view, row) {
            consider(score(view, row, span, &locals) - 0.3 * distance as f32 + 0.5, span);
        }
    }
    let (score, span) = best?;
    let confidence = (50.0 + 5.0 * score).clamp(50.0, 97.0) as u8;
    view.sourced(span, confidence)
}

/// `Name: Jane Doe`.
fn labeled(view: &View<'_>, parts: &[Part]) -> Option<Sourced<String>> {
    parts
        .iter()
        .filter(|part| matches!(part.kind, SectionKind::Header | SectionKind::Personal | SectionKind::Other))
        .flat_map(|part| part.body.clone())
        .find_map(|row| {
            let folded = view.fold_of(row);
            let (label, rest) = folded.split_once([':', '\t'])?;
            (words::label(label) == Some(Label::Name)).then_some(())?;
            let value = rest.split(['\t', '|', '•']).find(|part| !part.trim().is_empty())?;
            let start = label.len() + 1 + rest.find(value)?;
            let span = view.span_in(row, start, start + value.len());
            (1..=MAX_WORDS)
                .contains(&value.split_whitespace().count())
                .then(|| view.sourced(span, 95))
                .flatten()
        })
}

/// The pieces of a line between bars, bullets, tabs and dashes, and the piece before a comma.
fn segments(view: &View<'_>, row: usize) -> Vec<Span> {
    let folded = view.fold_of(row);
    let mut pieces = Vec::new();
    let mut start = 0;
    for (at, c) in folded.char_indices().chain(std::iter::once((folded.len(), '|'))) {
        let cuts = matches!(c, '|' | '•' | '\t' | '–' | ',' | '(' | '/' | ':')
            || c == '-' && folded.get(..at).is_some_and(|before| before.ends_with(' '));
        if cuts {
            if folded.get(start..at).is_some_and(|piece| !piece.trim().is_empty()) {
                pieces.push(view.trim(view.span_in(row, start, at)));
            }
            start = at + c.len_utf8();
        }
    }
    pieces
}

/// A given name over a family name, each on its own line in the largest letters.
fn two_rows(view: &View<'_>, row: usize) -> Option<Span> {
    let (first, second) = (view.rows.get(row)?, view.rows.get(row + 1)?);
    let large = first.line.size > view.body_size + view.body_size / 3 && first.line.size == second.line.size;
    let single = |text: &str| (1..=2).contains(&text.split_whitespace().count());
    (large
        && view.body_size > 0
        && single(first.text())
        && single(second.text())
        && first.line.bold == second.line.bold)
        .then(|| Span::new(first.span.start, second.span.end))
}

/// How much a piece of a line looks like the name.
fn score(view: &View<'_>, row: usize, span: Span, locals: &[&str]) -> f32 {
    let text = view.slice(span);
    let tokens: Vec<&str> = text.split_whitespace().collect();
    let Some(line) = view.rows.get(row).map(|row| row.line) else { return f32::MIN };
    if tokens.is_empty() || tokens.len() > MAX_WORDS || !tokens.iter().all(|token| is_name_word(token)) {
        return f32::MIN;
    }
    let mut score = 0.0;
    if view.body_size > 0 && line.size > view.body_size + view.body_size / 8 || line.heading == 1 {
        score += 4.0;
    }
    if line.bold {
        score += 1.0;
    }
    score += match tokens.len() {
        2..=4 => 3.0,
        _ => 0.0,
    };
    if row == 0 {
        score += 2.0;
    }
    let folded: Vec<String> = tokens.iter().map(|token| fold_str(token)).collect();
    let in_mail = folded
        .iter()
        .flat_map(|token| token.split('-'))
        .any(|token| token.chars().count() >= 3 && locals.iter().any(|local| local.contains(token)));
    if in_mail {
        score += 4.0;
    }
    score - against(view, span, &folded.join(" "))
}

/// What speaks against a piece being a name.
fn against(view: &View<'_>, span: Span, folded: &str) -> f32 {
    const DOCUMENT_WORDS: [&str; 10] =
        ["resume", "cv", "curriculum", "vitae", "سيره", "السيره", "ذاتيه", "الذاتيه", "confidential", "page"];
    let mut against: f32 = 0.0;
    if folded.split(' ').any(|word| DOCUMENT_WORDS.contains(&word)) {
        against += 9.0;
    }
    let whole = plain_str(folded);
    if headings::is_known(folded) || words::label(folded).is_some() {
        against += 9.0;
    }
    if Lexicon::builtin().knows(&whole, |meaning| matches!(meaning, Meaning::Place { .. })) {
        against += 5.0;
    }
    for hit in view.hits_in(span) {
        against += match hit.meaning() {
            Meaning::Occupation(_) if hit.span == span => 6.0,
            // «النجار» is a family name beside another word.
            Meaning::Occupation(_) => 2.5,
            Meaning::Skill(_) if !hit.phrase.ambiguous && view.slice(hit.span).contains(' ') => 5.0,
            // "Baker" and "Cook" are family names: only a little.
            Meaning::Head => 1.5,
            Meaning::Employer | Meaning::School => 3.0,
            Meaning::Place { .. } | Meaning::Skill(_) => 1.0,
            Meaning::Rung(_)
            | Meaning::Degree(_)
            | Meaning::Field
            | Meaning::Language(_)
            | Meaning::Level(_)
            | Meaning::Certificate => 0.5,
        };
    }
    if contact::is_contact(folded) || !dates::find(folded).is_empty() {
        against += 9.0;
    }
    against
}

/// A capitalized word, an initial, a particle of names, or a word in a script without case.
fn is_name_word(token: &str) -> bool {
    const PARTICLES: [&str; 26] = [
        "de", "da", "do", "dos", "das", "del", "della", "di", "van", "von", "der", "den", "ten", "ter", "la",
        "le", "bin", "bint", "ibn", "al", "el", "abu", "y", "e", "zu", "af",
    ];
    let core = token.trim_matches(|c: char| !c.is_alphanumeric());
    let Some(first) = core.chars().next() else { return false };
    let letters = core.chars().all(|c| {
        c.is_alphabetic()
            || matches!(c, '-' | '\'' | '’' | '.' | '‐' | '\u{0640}')
            || ('\u{064B}'..='\u{0652}').contains(&c)
    });
    letters
        && (first.is_uppercase()
            || is_arabic(first)
            || !first.is_lowercase()
            || PARTICLES.contains(&core)
            || core.starts_with("al-")
            || core.starts_with("el-")
            || core.starts_with("d'")
            || core.starts_with("d’"))
}
