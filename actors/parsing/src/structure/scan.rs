//! Where the known phrases stand in a text.

use tandem_domain::profile::Span;

use super::fold::{Folded, is_arabic};
use super::lexicon::{Lexicon, Meaning, Phrase};

#[cfg(test)]
mod tests;

/// A phrase in the text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hit {
    /// What it means and how it is usually written.
    pub(crate) phrase: Phrase,
    /// Where, in the text's own bytes.
    pub(crate) span: Span,
}

impl Hit {
    pub(crate) const fn meaning(&self) -> Meaning {
        self.phrase.meaning
    }
}

/// Every phrase of the lexicon in `plain`, leftmost-longest within a group, ordered by place.
pub(crate) fn scan(plain: &Folded) -> Vec<Hit> {
    let lexicon = Lexicon::builtin();
    let mut found: Vec<(u8, usize, usize, Phrase)> = Vec::new();
    for hit in lexicon.automaton.find_overlapping_iter(&plain.text) {
        let start = hit.start();
        let Some(end) = end_of_word(&plain.text, start, hit.end()) else { continue };
        if !starts_word(&plain.text, start) {
            continue;
        }
        for phrase in lexicon.phrases.get(hit.pattern().as_usize()).into_iter().flatten() {
            let plural = end == hit.end() + 1 && plain.text.get(hit.end()..end) == Some("s");
            if !plural || phrase.has_plural() {
                found.push((phrase.meaning.group(), start, end, *phrase));
            }
        }
    }
    found.sort_by_key(|(group, start, end, _)| (*group, *start, usize::MAX - end));
    let mut hits: Vec<Hit> = Vec::with_capacity(found.len());
    let mut last = (u8::MAX, 0);
    for (group, start, end, phrase) in found {
        if last.0 == group && start < last.1 {
            continue;
        }
        last = (group, end);
        hits.push(Hit { phrase, span: plain.source(start, end) });
    }
    hits.sort_by_key(|hit| (hit.span.start, hit.phrase.meaning.group()));
    hits
}

/// Arabic particles that are written onto the word behind them.
const PARTICLES: [&str; 6] = ["و", "ب", "ل", "ف", "ك", "وب"];

/// Whether a word may start at `at`: nothing that belongs to a word stands before it.
fn starts_word(text: &str, at: usize) -> bool {
    let before = text.get(..at).unwrap_or_default();
    let Some(previous) = before.chars().next_back() else { return true };
    if is_arabic(previous) {
        let word_start = before.rfind(|c| !is_arabic(c)).map_or(0, |index| {
            index + before.get(index..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8)
        });
        let opens_arabic = text.get(at..).and_then(|rest| rest.chars().next()).is_some_and(is_arabic);
        return opens_arabic && PARTICLES.contains(&before.get(word_start..).unwrap_or_default());
    }
    match previous {
        // `C&A`, `R&D`: a letter beside an ampersand is no word of its own.
        '&' => before.chars().nth_back(1).is_none_or(|c| !c.is_alphanumeric()),
        '@' | '#' | '+' | '\'' => false,
        '.' => before.chars().nth_back(1).is_none_or(|c| !c.is_alphanumeric()),
        c => !c.is_alphanumeric(),
    }
}

/// The end of the word that ends at `at`, with a plural `s` or a version number taken along; `None` inside a word.
fn end_of_word(text: &str, start: usize, at: usize) -> Option<usize> {
    if closes(text, at) {
        return Some(at);
    }
    let body = text.get(start..at)?;
    let alphabetic = body.chars().next_back()?.is_alphabetic();
    if !alphabetic {
        return None;
    }
    let rest = text.get(at..)?;
    if body.len() >= 4 && rest.starts_with('s') && closes(text, at + 1) {
        return Some(at + 1);
    }
    if rest.starts_with(".js") && closes(text, at + 3) {
        return Some(at + 3);
    }
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    (body.len() >= 3 && (1..=2).contains(&digits) && closes(text, at + digits)).then_some(at + digits)
}

/// Whether no further part of a word stands at `at`.
fn closes(text: &str, at: usize) -> bool {
    let Some(rest) = text.get(at..) else { return false };
    let mut chars = rest.chars();
    let Some(next) = chars.next() else { return true };
    let after = chars.next();
    match next {
        '+' | '#' => false,
        '&' => after.is_none_or(|c| !c.is_alphanumeric()),
        '.' => after.is_none_or(|c| !c.is_ascii_alphabetic()),
        '\'' => after.is_none_or(|c| c == 's' || !c.is_alphanumeric()),
        c => !c.is_alphanumeric(),
    }
}
