//! How text is cut into words: the same for documents and queries.

use std::vec::IntoIter;

use tantivy::tokenizer::{Token, TokenStream, Tokenizer};

#[cfg(test)]
mod tests;

/// Longer runs, in bytes, are no words but encoded data: they are left out.
const MAX_WORD: usize = 64;
/// What may follow a dot inside a name: `node.js`, `asp.net`.
const DOTTED: [&str; 2] = ["js", "net"];
/// Shorter English words keep their `s`: `aws`, `gas`.
const MIN_PLURAL: usize = 4;
/// The Arabic article.
const ARTICLE: &str = "ال";
/// Letters that a word keeps at least when its article goes.
const MIN_AFTER_ARTICLE: usize = 3;

/// The words of `text` in order: lower case, runs of letters and digits. `c++`, `c#`, `.net` and `node.js` stay whole;
/// Arabic letters are brought to one form and lose marks, tatweel and the article; English plurals lose their ending
/// by Harman's S-stemmer (1991). Nothing else is stemmed and no word is left out for being common: BM25 sees to that.
pub(crate) fn cut(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        let next = rest.as_str();
        if is_mark(c) {
            continue;
        }
        if c.is_alphanumeric() {
            word.extend(fold(c).to_lowercase());
        } else if belongs(c, &word, next) {
            word.push(c);
        } else {
            finish(&mut word, &mut words);
        }
    }
    finish(&mut word, &mut words);
    words
}

fn finish(word: &mut String, words: &mut Vec<String>) {
    if !word.is_empty() && word.len() <= MAX_WORD {
        words.push(stem(word));
    }
    word.clear();
}

/// The name of [`DOTTED`] that `next` begins with as a whole word.
fn dotted(next: &str) -> Option<&'static str> {
    let end = next.find(|c: char| !c.is_alphanumeric()).unwrap_or(next.len());
    let run = next.get(..end)?;
    DOTTED.into_iter().find(|name| run.eq_ignore_ascii_case(name))
}

/// Whether a sign is part of a word: `c#`, `f#`, `c++`, `notepad++`, `node.js`, `.net`.
fn belongs(c: char, word: &str, next: &str) -> bool {
    let closes = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '+' || c == '#');
    let letter = word.ends_with(char::is_alphabetic);
    match c {
        '.' => dotted(next).is_some_and(|name| !word.is_empty() || name == "net"),
        '#' => letter && closes(next),
        '+' if word.ends_with('+') => closes(next),
        '+' => letter && next.strip_prefix('+').is_some_and(closes),
        _ => false,
    }
}

/// Vowel marks and the lengthening stroke of Arabic.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{640}')
}

/// One form for letters that are written in several: alef, ya, ta marbuta, digits.
fn fold(c: char) -> char {
    match c {
        'أ' | 'إ' | 'آ' | 'ٱ' => 'ا',
        'ى' => 'ي',
        'ة' => 'ه',
        '\u{660}'..='\u{669}' => digit(c, '\u{660}'),
        '\u{6f0}'..='\u{6f9}' => digit(c, '\u{6f0}'),
        other => other,
    }
}

fn digit(c: char, zero: char) -> char {
    char::from_digit(u32::from(c) - u32::from(zero), 10).unwrap_or(c)
}

fn stem(word: &str) -> String {
    if let Some(bare) = word.strip_prefix(ARTICLE).filter(|bare| bare.chars().count() >= MIN_AFTER_ARTICLE) {
        return bare.to_owned();
    }
    let plural = word.len() >= MIN_PLURAL && word.bytes().all(|b| b.is_ascii_alphabetic());
    let ends = |endings: &[&str]| endings.iter().any(|ending| word.ends_with(ending));
    match word.strip_suffix("ies").filter(|_| plural && !ends(&["eies", "aies"])) {
        Some(root) => format!("{root}y"),
        None if plural && ends(&["s"]) && !ends(&["aes", "ees", "oes", "us", "ss"]) => {
            word.strip_suffix('s').unwrap_or(word).to_owned()
        }
        None => word.to_owned(),
    }
}

/// [`cut`] as Tantivy calls it.
#[derive(Clone)]
pub(crate) struct Words;

impl Tokenizer for Words {
    type TokenStream<'a> = WordStream;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> WordStream {
        WordStream { words: cut(text).into_iter(), token: Token::default() }
    }
}

pub(crate) struct WordStream {
    words: IntoIter<String>,
    token: Token,
}

impl TokenStream for WordStream {
    fn advance(&mut self) -> bool {
        let Some(word) = self.words.next() else { return false };
        self.token.position = self.token.position.wrapping_add(1);
        self.token.text = word;
        true
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}
