//! Names and titles that a layout sets in capitals, as one would write them in a sentence.

use tandem_domain::profile::Sourced;

#[cfg(test)]
mod tests;

/// Words of up to so many letters in a title may be abbreviations, such as ICU.
const ABBREVIATION: usize = 3;

/// A person's name in usual case. Words all in capitals, or that end in a capital as small capitals do ("NguyeN"), get
/// one capital at the start and after each hyphen or apostrophe; every other word stays as it is.
pub(super) fn name(mut name: Sourced<String>) -> Sourced<String> {
    name.value = each_word(&name.value, |word| shouted(word, 1) || ends_in_capital(word));
    name
}

/// A title in usual case, if it has no small letter at all; short words stay, because they may be abbreviations.
pub(super) fn title(mut title: Sourced<String>) -> Sourced<String> {
    if !title.value.chars().any(char::is_lowercase) {
        title.value = each_word(&title.value, |word| shouted(word, ABBREVIATION));
    }
    title
}

fn each_word(text: &str, which: impl Fn(&str) -> bool) -> String {
    let words = text.split(' ').map(|word| if which(word) { capitalized(word) } else { word.to_owned() });
    words.collect::<Vec<_>>().join(" ")
}

/// More than `most` letters, none of them small. Scripts without case have no capitals.
fn shouted(word: &str, most: usize) -> bool {
    let letters = || word.chars().filter(|c| c.is_alphabetic());
    letters().count() > most && letters().all(char::is_uppercase)
}

fn ends_in_capital(word: &str) -> bool {
    let mut letters = word.chars().filter(|c| c.is_alphabetic());
    let begins = letters.next().is_some_and(char::is_uppercase);
    begins && word.chars().any(char::is_lowercase) && letters.next_back().is_some_and(char::is_uppercase)
}

fn capitalized(word: &str) -> String {
    let mut start = true;
    let mut out = String::with_capacity(word.len());
    for c in word.chars() {
        if start {
            out.push(c);
        } else {
            out.extend(c.to_lowercase());
        }
        start = !c.is_alphabetic();
    }
    out
}
