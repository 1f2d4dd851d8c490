//! Texts folded for comparison, with the way back to the bytes they came from.
//!
//! Two steps. [`fold`] removes what writers vary without meaning it: case, accents, alef and ya forms, digits of other
//! scripts, kinds of quotes and dashes. [`plain`] goes further for phrase look-up: hyphens and the Arabic article go.

use tandem_domain::profile::Span;
use unicode_normalization::char::{decompose_canonical, is_combining_mark};

#[cfg(test)]
mod tests;

/// A folded text; each of its bytes knows the source bytes it stands for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Folded {
    /// The folded text.
    pub(crate) text: String,
    /// By byte of `text`: the source character's first byte and the byte after it.
    origin: Vec<(u32, u32)>,
}

impl Folded {
    /// The source bytes of the folded bytes `start..end`; empty at 0 when the range is empty or outside.
    pub(crate) fn source(&self, start: usize, end: usize) -> Span {
        match (self.origin.get(start), end.checked_sub(1).and_then(|last| self.origin.get(last))) {
            (Some(first), Some(last)) if start < end => Span::new(first.0, last.1),
            _ => Span::default(),
        }
    }

    /// The folded bytes whose source lies in `span`. Binary search: origins only grow.
    pub(crate) fn range(&self, span: Span) -> std::ops::Range<usize> {
        let start = self.origin.partition_point(|origin| origin.0 < span.start);
        let end = self.origin.partition_point(|origin| origin.0 < span.end);
        start..end.max(start)
    }

    /// The folded text of a source span.
    pub(crate) fn of(&self, span: Span) -> &str {
        self.text.get(self.range(span)).unwrap_or_default()
    }

    fn push(&mut self, c: char, origin: (u32, u32)) {
        self.text.push(c);
        self.origin.resize(self.text.len(), origin);
    }
}

/// Folds case, accents, Arabic letter forms, digits, quotes, dashes and spaces; drops marks and invisible characters.
/// Line breaks and tabs stay.
pub(crate) fn fold(text: &str) -> Folded {
    let mut folded =
        Folded { text: String::with_capacity(text.len()), origin: Vec::with_capacity(text.len()) };
    for (at, c) in text.char_indices() {
        let origin = (at as u32, (at + c.len_utf8()) as u32);
        if c.is_ascii() {
            folded.push(c.to_ascii_lowercase(), origin);
        } else {
            fold_char(c, &mut |out| folded.push(out, origin));
        }
    }
    folded
}

/// [`fold`] without the way back.
pub(crate) fn fold_str(text: &str) -> String {
    fold(text).text
}

fn fold_char(c: char, push: &mut impl FnMut(char)) {
    match c {
        'أ' | 'إ' | 'آ' | 'ٱ' => push('ا'),
        'ى' | 'ئ' | 'ی' => push('ي'),
        'ة' => push('ه'),
        'ؤ' => push('و'),
        'ک' => push('ك'),
        '\u{0640}' | '\u{064B}'..='\u{065F}' | '\u{0670}' => {}
        '\u{0660}'..='\u{0669}' => push(digit(c, 0x0660)),
        '\u{06F0}'..='\u{06F9}' => push(digit(c, 0x06F0)),
        '،' => push(','),
        '؛' => push(';'),
        '؟' => push('?'),
        '٪' => push('%'),
        '٫' => push('.'),
        '’' | '‘' | 'ʼ' | '′' | '´' => push('\''),
        '“' | '”' | '„' | '«' | '»' => push('"'),
        '‐' | '‑' => push('-'),
        '–' | '—' | '―' | '−' | '‒' => push('–'),
        '•' | '·' | '∙' | '▪' | '●' | '◦' | '‣' | '■' | '⋅' | '◆' | '○' => push('•'),
        '│' | '｜' | '¦' | '┃' => push('|'),
        '\u{200B}'..='\u{200F}'
        | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{2069}'
        | '\u{FEFF}'
        | '\u{AD}' => {}
        _ if c.is_whitespace() => push(' '),
        _ if is_combining_mark(c) => {}
        _ => c.to_lowercase().for_each(|lower| {
            decompose_canonical(lower, |part| {
                if !is_combining_mark(part) {
                    push(part);
                }
            });
        }),
    }
}

fn digit(c: char, zero: u32) -> char {
    char::from_digit(c as u32 - zero, 10).unwrap_or('0')
}

/// Whether the character is an Arabic letter.
pub(crate) fn is_arabic(c: char) -> bool {
    matches!(c, '\u{0620}'..='\u{064A}' | '\u{066E}'..='\u{06D3}')
}

/// Prefixes that carry the Arabic article, longest first.
const ARTICLES: [&str; 8] = ["ولل", "وال", "فال", "بال", "كال", "لل", "ال", "ﻻ"];
/// Letters that must remain when an article is taken off.
const MIN_STEM: usize = 2;

/// Makes phrases comparable: hyphens and underscores inside words become spaces, runs of spaces one, the Arabic article
/// goes. `joins` says of a line break at a byte of `folded` whether the line goes on behind it: then it is a space.
pub(crate) fn plain(folded: &Folded, joins: impl Fn(usize) -> bool) -> Folded {
    let mut out = Folded {
        text: String::with_capacity(folded.text.len()),
        origin: Vec::with_capacity(folded.origin.len()),
    };
    let mut previous = '\n';
    let mut skip_to = 0;
    let mut article_at = None;
    for (at, c) in folded.text.char_indices() {
        if at < skip_to {
            continue;
        }
        if is_arabic(c) && !is_arabic(previous) {
            let length = article(folded.text.get(at..).unwrap_or_default());
            if length > 0 {
                skip_to = at + length;
                article_at = folded.origin.get(at).map(|origin| origin.0);
                // The letter behind the article must not be taken for the start of a word again.
                previous = 'ا';
                continue;
            }
        }
        let next = match c {
            '-' | '_' if previous.is_alphanumeric() => ' ',
            '\n' if joins(at) => ' ',
            _ => c,
        };
        let mut source = folded.origin.get(at).copied().unwrap_or_default();
        // The article belongs to the word it was taken from.
        if let Some(start) = article_at.take() {
            source.0 = start;
        }
        if !(next == ' ' && previous == ' ') {
            out.push(next, source);
        }
        previous = next;
    }
    out
}

/// Bytes of the article at the start of an Arabic word, 0 when there is none.
fn article(word: &str) -> usize {
    let letters = word.chars().take_while(|c| is_arabic(*c)).count();
    ARTICLES
        .iter()
        .find(|article| word.starts_with(**article) && letters >= article.chars().count() + MIN_STEM)
        .map_or(0, |article| article.len())
}

/// [`fold`] and [`plain`] of one line, without the way back and without outer spaces.
pub(crate) fn plain_str(text: &str) -> String {
    plain(&fold(text), |_| true).text.trim().to_owned()
}
