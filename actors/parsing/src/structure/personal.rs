//! Protected facts: recognized so that they stay out of every ranking (invariant 8).

use std::sync::LazyLock;

use regex::Regex;
use tandem_domain::profile::{Education, ProtectedFact, SectionKind, Sourced, Span};

use super::contact::pattern;
use super::sections::{self, Part};
use super::view::View;
use super::words::{self, Label};

/// A fact that shows itself without a label: words of which one must stand in the line, and the pattern.
struct Sign {
    fact: ProtectedFact,
    cues: &'static [&'static str],
    pattern: Regex,
}

static UNLABELED: LazyLock<Vec<Sign>> = LazyLock::new(|| {
    let sign = |fact, cues, text: &str| Sign { fact, cues, pattern: pattern(text) };
    vec![
        sign(
            ProtectedFact::Age,
            &["aged", "age ", "old", "y/o", "عمر"],
            r"\b(?:aged? \d{2}\b|\d{2}[ -]years?[ -]old|\d{2} y/o\b)|عمري \d{2}(?: سنه| عاما)?|\d{2} (?:سنه|عاما) من العمر",
        ),
        sign(
            ProtectedFact::Birth,
            &["born", "مواليد"],
            r"\bborn (?:on |in )?(?:the )?[^.;|•\t\n]{0,30}(?:19|20)\d{2}|(?:من )?مواليد [^.;|•\t\n]{0,24}\d{4}",
        ),
        sign(
            ProtectedFact::Gender,
            &["he/", "they/", "he /", "they /"],
            r"\(?\b(?:she|he|they) ?/ ?(?:her|him|them|they)(?: ?/ ?(?:hers|his|theirs))?\b\)?",
        ),
        sign(
            ProtectedFact::Family,
            &[
                "married",
                "divorced",
                "widow",
                "mother of",
                "father of",
                "متزوج",
                "عزب",
                "عازب",
                "مطلق",
                "ارمل",
            ],
            concat!(
                r"\b(?:(?:i am |happily )?(?:un)?married(?: with [^.;|•\t\n]{0,24}(?:children|kids|child))?|divorced|widowed|(?:mother|father) of [a-z]+)\b",
                r"|(?:متزوجه?|عزباء|اعزب|عازب|مطلقه?|ارمله?)(?: ولدي [^.;|•\t\n]{0,20}| ويعول| وتعول)?(?:$|[ ,.|])",
            ),
        ),
        sign(
            ProtectedFact::Address,
            &STREETS,
            concat!(
                r"\b\d{1,5}[a-z]?,? (?:[a-z'.\-]+ ){1,4}(?:street|st|road|rd|avenue|ave|lane|ln|drive|dr|boulevard|blvd|court|ct|square|sq|terrace|crescent|close|way|place|pl|gardens|grove|parkway|pkwy|highway|hwy)\b\.?(?:,? (?:apt|apartment|unit|suite|flat|floor)\.? ?#?[a-z0-9]{1,5})?",
                r"|\b[a-z]+(?:strasse|straße|str\.|weg|platz|allee|gasse) \d{1,4}[a-z]?\b",
                r"|\b(?:flat|apt|apartment|building|villa|block) (?:no\.? ?)?\d{1,5}[a-z]?\b",
                r"|شارع [\u{0620}-\u{064A} ]{2,30}\d{0,4}",
            ),
        ),
        sign(
            ProtectedFact::Postcode,
            &[" "],
            r"\b(?:[a-z]{1,2}\d[a-z\d]? \d[a-z]{2}|[a-z]\d[a-z] \d[a-z]\d)\b",
        ),
    ]
});
/// What an address has in it.
const STREETS: [&str; 34] = [
    "street",
    " st",
    "road",
    " rd",
    "ave",
    "lane",
    " ln",
    "drive",
    " dr",
    "boulevard",
    "blvd",
    "court",
    " ct",
    "square",
    " sq",
    "terrace",
    "crescent",
    "close",
    "way",
    "place",
    " pl",
    "gardens",
    "grove",
    "pkwy",
    "hwy",
    "str",
    "weg",
    "platz",
    "allee",
    "gasse",
    "flat",
    "apt",
    "villa",
    "شارع",
];
static BARE_POSTCODE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\b(?:\d{5}(?:-\d{4})?|\d{4} ?[a-z]{2}|\d{6})\b"));

/// Every protected fact of a résumé; the value says which kind, never what.
pub(crate) fn read(view: &View<'_>, parts: &[Part], education: &[Education]) -> Vec<Sourced<ProtectedFact>> {
    let mut facts = Vec::new();
    for row in 0..view.rows.len() {
        facts.extend(labeled(view, row).into_iter().filter_map(|(label, span)| match label {
            Label::Fact(value) => Some(Sourced { value, confidence: 90, span }),
            Label::Contact | Label::Name => None,
        }));
        facts.extend(unlabeled(view, row).map(|(value, span)| Sourced { value, confidence: 75, span }));
        let contact_block = view.rows.get(row).is_some_and(|row| {
            matches!(
                sections::kind_at(view, parts, row.span.start),
                SectionKind::Header | SectionKind::Personal
            )
        });
        if contact_block && has_place(view, row) {
            facts.extend(BARE_POSTCODE.find_iter(view.fold_of(row)).map(|found| Sourced {
                value: ProtectedFact::Postcode,
                confidence: 70,
                span: view.span_in(row, found.start(), found.end()),
            }));
        }
    }
    let graduations = education.iter().filter(|entry| entry.start.is_some() || entry.end.is_some());
    facts.extend(graduations.map(|entry| Sourced {
        value: ProtectedFact::GraduationYear,
        confidence: 90,
        span: entry.span,
    }));
    facts.sort_by_key(|fact| (fact.span.start, fact.value));
    facts.dedup();
    facts
}

fn has_place(view: &View<'_>, row: usize) -> bool {
    view.rows.get(row).is_some_and(|row| {
        view.hits_in(row.span)
            .iter()
            .any(|hit| matches!(hit.meaning(), super::lexicon::Meaning::Place { .. }))
    })
}

/// Labeled facts of a line with the bytes of label and value. The value ends at a tab, bar or bullet behind it.
pub(crate) fn labeled(view: &View<'_>, row: usize) -> Vec<(Label, Span)> {
    let folded = view.fold_of(row);
    let mut found = Vec::new();
    if !folded.contains([':', '\t']) && folded.len() > 60 {
        return found;
    }
    let mut pieces: Vec<(usize, &str)> = Vec::new();
    let mut start = 0;
    for (at, c) in folded.char_indices().chain(std::iter::once((folded.len(), '|'))) {
        if matches!(c, '\t' | '|' | '•') {
            pieces.push((start, folded.get(start..at).unwrap_or_default()));
            start = at + c.len_utf8();
        }
    }
    let mut index = 0;
    while let Some((start, piece)) = pieces.get(index).copied() {
        index += 1;
        let (label, value) = piece.split_once(':').unwrap_or((piece, ""));
        let Some(kind) = words::label(label) else { continue };
        let mut end = start + piece.len();
        // "Date of birth<tab>1 May 1990": the value is the next piece.
        if value.trim().is_empty() {
            match pieces.get(index) {
                Some((next, value)) if !value.trim().is_empty() => {
                    end = next + value.len();
                    index += 1;
                }
                _ if piece.contains(':') || pieces.len() > 1 => {}
                // A bare word of the list without any value is no label.
                _ => continue,
            }
        }
        found.push((kind, view.span_in(row, start, end)));
    }
    found
}

/// Facts of a line that show themselves without a label.
pub(crate) fn unlabeled(view: &View<'_>, row: usize) -> impl Iterator<Item = (ProtectedFact, Span)> {
    let folded = view.fold_of(row);
    let digits = folded.bytes().any(|byte| byte.is_ascii_digit());
    let wanted = move |sign: &&Sign| {
        let needs_digits =
            matches!(sign.fact, ProtectedFact::Age | ProtectedFact::Birth | ProtectedFact::Postcode);
        (digits || !needs_digits) && sign.cues.iter().any(|cue| folded.contains(cue))
    };
    UNLABELED
        .iter()
        .filter(wanted)
        .flat_map(move |sign| {
            let found = sign.pattern.find_iter(folded);
            found.map(move |found| (sign.fact, view.span_in(row, found.start(), found.end())))
        })
        .filter(|(fact, span)| *fact != ProtectedFact::Address || is_written_as_name(view.slice(*span)))
        .collect::<Vec<_>>()
        .into_iter()
}

/// "12 High Street" and not "10 people to drive": every word has its capital.
fn is_written_as_name(text: &str) -> bool {
    text.split([' ', ','])
        .filter(|word| !matches!(*word, "of" | "the" | "de" | "la" | ""))
        .all(|word| word.chars().next().is_some_and(|c| !c.is_lowercase()))
}
