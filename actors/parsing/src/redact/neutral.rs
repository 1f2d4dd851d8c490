//! Pronouns, forms of address and gendered titles made neutral.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use tandem_domain::taxonomy::Taxonomy;

use crate::structure::fold::{fold_str, is_arabic};
use crate::structure::words;

/// Stands for a dropped word.
pub(super) const CUT: char = '\u{0}';

/// A text with gendered words in their neutral form; dropped ones leave [`CUT`].
pub(super) fn words(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut start = None;
    for (at, c) in text.char_indices().chain(std::iter::once((text.len(), ' '))) {
        let inside = at < text.len()
            && (c.is_alphabetic() || ('\u{064B}'..='\u{0652}').contains(&c) || c == '\u{0640}');
        match (inside, start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                push_word(text.get(from..at).unwrap_or_default(), &mut out);
                start = None;
            }
            _ => {}
        }
        if !inside && at < text.len() {
            out.push(if c == CUT { ' ' } else { c });
        }
    }
    out
}

fn push_word(word: &str, out: &mut String) {
    let folded = fold_str(word);
    match neutral(&folded) {
        Some("") => out.push(CUT),
        Some(neutral) => out.push_str(neutral),
        None => match folded.strip_prefix("ال").and_then(neutral).filter(|stem| !stem.is_empty()) {
            Some(stem) => {
                out.push_str("ال");
                out.push_str(stem);
            }
            None => out.push_str(word),
        },
    }
}

fn neutral(folded: &str) -> Option<&'static str> {
    words::neutral(folded)
        .or_else(|| folded.starts_with(is_arabic).then(|| FEMININE.get(folded).map(String::as_str)).flatten())
}

/// Feminine words of Arabic titles whose masculine stands in the taxonomy too («مهندسة» beside «مهندس»), folded.
static FEMININE: LazyLock<HashMap<String, String>> = LazyLock::new(|| {
    let known: HashSet<String> = Taxonomy::builtin()
        .occupations()
        .iter()
        .flat_map(|occupation| occupation.aliases_ar.iter())
        .flat_map(|alias| alias.split_whitespace())
        .filter(|word| !word.starts_with("ال"))
        .map(str::to_owned)
        .collect();
    known
        .iter()
        .filter_map(|word| {
            let masculine = word.strip_suffix('ة')?;
            known.contains(masculine).then(|| (fold_str(word), masculine.to_owned()))
        })
        .collect()
});
