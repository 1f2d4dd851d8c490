//! Where the person's name stands.
//!
//! A word of the name that is nothing but a name goes wherever it stands. A word that means something else as well
//! ("Grace", "Ruby", «أمل») goes where it stands as a name: beside another word of the name, behind a form of address,
//! or with a capital inside a sentence.

use tandem_domain::profile::{Sourced, Span};

use crate::structure::fold::{fold_str, is_arabic};
use crate::structure::lexicon::{Lexicon, Meaning};
use crate::structure::view::View;
use crate::structure::words;

/// A shorter word is an initial or a particle: it goes only beside other words of the name.
const MIN_STRONG: usize = 3;
/// Words of a name that say a rank or a degree.
const CREDENTIALS: [&str; 18] = [
    "dr",
    "eng",
    "prof",
    "phd",
    "mba",
    "msc",
    "bsc",
    "rn",
    "cpa",
    "pmp",
    "pe",
    "md",
    "jr",
    "sr",
    "cfa",
    "م",
    "د",
    "المهندس",
];
/// Forms of address.
const ADDRESS: [&str; 14] = [
    "mr",
    "mrs",
    "ms",
    "miss",
    "mx",
    "dr",
    "prof",
    "sir",
    "madam",
    "السيد",
    "السيده",
    "الاستاذ",
    "الاستاذه",
    "الدكتور",
];
/// Arabic particles written onto the word behind them.
const PARTICLES: [char; 5] = ['و', 'ل', 'ب', 'ف', 'ك'];
/// A sentence that starts with an ambiguous word of the name and goes on so speaks of the person.
const VERBS: [&str; 24] = [
    "is",
    "was",
    "has",
    "had",
    "holds",
    "brings",
    "worked",
    "works",
    "led",
    "leads",
    "joined",
    "served",
    "managed",
    "built",
    "earned",
    "studied",
    "speaks",
    "enjoys",
    "can",
    "lives",
    "graduated",
    "completed",
    "specializes",
    "excels",
];

struct Word<'a> {
    text: &'a str,
    folded: String,
    span: Span,
}

/// Every occurrence of the name's words, in order.
pub(super) fn occurrences(view: &View<'_>, name: &Sourced<String>) -> Vec<Span> {
    let parts: Vec<(String, bool)> = split(&name.value, 0)
        .into_iter()
        .filter(|word| !CREDENTIALS.contains(&word.folded.as_str()))
        .map(|word| {
            let strong = is_strong(&word.folded);
            (word.folded, strong)
        })
        .collect();
    if parts.is_empty() {
        return Vec::new();
    }
    let joined = handles(&parts);
    let mut found = vec![name.span];
    for row in &view.rows {
        let words = split(row.text(), row.span.start);
        // What each word is of the name: none, ambiguous or strong.
        let kinds: Vec<Option<bool>> = words.iter().map(|word| kind(&word.folded, &parts, &joined)).collect();
        for (index, word) in words.iter().enumerate() {
            let Some(strong) = kinds.get(index).copied().flatten() else { continue };
            if strong || stands_as_name(view, &words, &kinds, index) {
                found.push(word.span);
            }
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// The words of a text with their places; hyphens and apostrophes part words.
fn split(text: &str, offset: u32) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    let mut start = None;
    let mark = |c: char| ('\u{064B}'..='\u{0652}').contains(&c) || c == '\u{0640}';
    for (at, c) in text.char_indices().chain(std::iter::once((text.len(), ' '))) {
        let inside = at < text.len() && (c.is_alphanumeric() || mark(c));
        match (inside, start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                let word = text.get(from..at).unwrap_or_default();
                let span = Span::new(offset + from as u32, offset + at as u32);
                words.push(Word { text: word, folded: fold_str(word), span });
                start = None;
            }
            _ => {}
        }
    }
    words
}

/// A word that means nothing but a name.
fn is_strong(folded: &str) -> bool {
    let other_meaning = |meaning: Meaning| {
        matches!(
            meaning,
            Meaning::Skill(_)
                | Meaning::Occupation(_)
                | Meaning::Head
                | Meaning::Place { .. }
                | Meaning::Employer
                | Meaning::School
                | Meaning::Field
                | Meaning::Rung(_)
                | Meaning::Language(_)
                | Meaning::Degree(_)
        )
    };
    const NAME_PARTICLES: [&str; 16] = [
        "van", "von", "der", "den", "del", "della", "dos", "das", "bin", "bint", "ibn", "abu", "abd", "عبد",
        "ابو", "ابن",
    ];
    folded.chars().count() >= MIN_STRONG
        && !words::is_common(folded)
        && !NAME_PARTICLES.contains(&folded)
        && !Lexicon::builtin().knows(folded, other_meaning)
}

/// Names run together as handles have them: `janedoe`, `jdoe`, `doejane`.
fn handles(parts: &[(String, bool)]) -> Vec<String> {
    let (Some((first, _)), Some((last, _))) = (parts.first(), parts.last()) else { return Vec::new() };
    if parts.len() < 2 {
        return Vec::new();
    }
    let initial: String = first.chars().take(1).collect();
    let whole: String = parts.iter().map(|(part, _)| part.as_str()).collect();
    let mut handles =
        vec![format!("{first}{last}"), format!("{last}{first}"), format!("{initial}{last}"), whole];
    handles.retain(|handle| handle.chars().count() >= 4 && is_strong(handle));
    handles
}

fn kind(folded: &str, parts: &[(String, bool)], handles: &[String]) -> Option<bool> {
    if let Some((_, strong)) = parts.iter().find(|(part, _)| part == folded) {
        return Some(*strong);
    }
    if handles.iter().any(|handle| {
        folded.starts_with(handle.as_str())
            && folded.trim_start_matches(handle.as_str()).chars().all(|c| c.is_ascii_digit())
    }) {
        return Some(true);
    }
    let stem = folded.strip_prefix(PARTICLES).filter(|_| folded.starts_with(is_arabic))?;
    parts
        .iter()
        .find(|(part, strong)| *strong && part == stem && stem.chars().count() > MIN_STRONG)
        .map(|_| true)
}

/// Whether an ambiguous word of the name stands as a name here.
fn stands_as_name(view: &View<'_>, words: &[Word<'_>], kinds: &[Option<bool>], index: usize) -> bool {
    let Some(word) = words.get(index) else { return false };
    let neighbor = |other: usize| {
        let (Some(near), Some(Some(_))) = (words.get(other), kinds.get(other)) else { return false };
        let (from, to) = if near.span.start < word.span.start {
            (near.span.end, word.span.start)
        } else {
            (word.span.end, near.span.start)
        };
        near.folded != word.folded
            && view.slice(Span::new(from, to)).chars().all(|c| matches!(c, ' ' | '.' | '-' | '\'' | '’'))
            && is_named_form(near.text)
    };
    let before = index.checked_sub(1);
    if is_named_form(word.text) && (before.is_some_and(neighbor) || neighbor(index + 1)) {
        return true;
    }
    if before
        .and_then(|before| words.get(before))
        .is_some_and(|before| ADDRESS.contains(&before.folded.as_str()))
    {
        return true;
    }
    capitalized_inside(view, words, index)
}

/// Capitalized, or of a script without capitals.
fn is_named_form(text: &str) -> bool {
    text.chars().next().is_some_and(|c| !c.is_lowercase())
}

/// Capitalized inside a sentence, apart from other capitalized words; at its start only before a verb.
fn capitalized_inside(view: &View<'_>, words: &[Word<'_>], index: usize) -> bool {
    let Some(word) = words.get(index) else { return false };
    let count = word.text.chars().count();
    if !word.text.chars().next().is_some_and(char::is_uppercase) || count < MIN_STRONG {
        return false;
    }
    // "Ruby" the skill is not the person, however it is written.
    // "Lan" may be, though LAN is a skill.
    let known = Lexicon::builtin().knows_phrase(&word.folded, |phrase| {
        let meaning = phrase.meaning;
        let exact = meaning.skill().is_some() && phrase.surface == word.text;
        exact || matches!(meaning, Meaning::Place { .. } | Meaning::Language(_) | Meaning::Employer)
    });
    if known {
        return false;
    }
    let capital = |word: Option<&Word<'_>>| {
        word.is_some_and(|word| word.text.chars().next().is_some_and(char::is_uppercase))
    };
    let next = words.get(index + 1);
    let starts = index.checked_sub(1).and_then(|before| words.get(before)).is_none_or(|before| {
        view.slice(Span::new(before.span.end, word.span.start)).contains(['.', '!', '?', ':', '\t', '|', '•'])
    });
    let verb = next.is_some_and(|next| VERBS.contains(&next.folded.as_str()) || next.folded == "s");
    if starts {
        return verb;
    }
    let before = index.checked_sub(1).and_then(|before| words.get(before));
    !capital(next) && !capital(before)
}
