//! Labels that stand before protected facts, and words that are names as well.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use tandem_domain::profile::ProtectedFact;

use super::fold::fold_str;
use super::lexicon::{lines, rows};

const PROTECTED: &str = include_str!("../../data/protected.tsv");
const COMMON: &str = include_str!("../../data/common_words.txt");
const GENDERED: &str = include_str!("../../data/gendered.tsv");

/// What a label announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Label {
    /// A protected fact.
    Fact(ProtectedFact),
    /// A way to reach somebody.
    Contact,
    /// A name.
    Name,
}

/// What a folded label without its colon announces.
pub(crate) fn label(folded: &str) -> Option<Label> {
    static LABELS: LazyLock<HashMap<String, Label>> = LazyLock::new(|| {
        rows(PROTECTED)
            .filter_map(|(kind, names)| Some((label_of(kind)?, names)))
            .flat_map(|(label, names)| names.split('|').map(move |name| (fold_str(name), label)))
            .collect()
    });
    LABELS.get(folded.trim().trim_end_matches(['.', ':', ' '])).copied()
}

fn label_of(kind: &str) -> Option<Label> {
    Some(match kind {
        "birth" => Label::Fact(ProtectedFact::Birth),
        "age" => Label::Fact(ProtectedFact::Age),
        "gender" => Label::Fact(ProtectedFact::Gender),
        "family" => Label::Fact(ProtectedFact::Family),
        "religion" => Label::Fact(ProtectedFact::Religion),
        "nationality" => Label::Fact(ProtectedFact::Nationality),
        "photo" => Label::Fact(ProtectedFact::Photo),
        "identity_number" => Label::Fact(ProtectedFact::IdentityNumber),
        "address" => Label::Fact(ProtectedFact::Address),
        "postcode" => Label::Fact(ProtectedFact::Postcode),
        "contact" => Label::Contact,
        "name" => Label::Name,
        _ => return None,
    })
}

/// Whether a folded word stands before telephone numbers.
pub(crate) fn is_phone_label(folded: &str) -> bool {
    const WORDS: [&str; 22] = [
        "phone",
        "tel",
        "telephone",
        "mobile",
        "cell",
        "whatsapp",
        "fax",
        "t",
        "m",
        "p",
        "هاتف",
        "الهاتف",
        "جوال",
        "الجوال",
        "موبايل",
        "المحمول",
        "تلفون",
        "واتساب",
        "number",
        "no",
        "call",
        "ph",
    ];
    WORDS.contains(&folded)
}

/// Whether a folded word is an ordinary word beside being a name.
pub(crate) fn is_common(folded: &str) -> bool {
    static WORDS: LazyLock<HashSet<String>> =
        LazyLock::new(|| lines(COMMON).flat_map(str::split_whitespace).map(fold_str).collect());
    WORDS.contains(folded)
}

/// The neutral form of a folded gendered word; empty when the word is dropped.
pub(crate) fn neutral(folded: &str) -> Option<&'static str> {
    static FORMS: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
        GENDERED
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split_once('\t'))
            .flat_map(|(neutral, words)| words.split('|').map(move |word| (fold_str(word), neutral)))
            .collect()
    });
    FORMS.get(folded).copied()
}
