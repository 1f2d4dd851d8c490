//! Which lines are headings, and of what.
//!
//! A line scores by what it says (a table of English and Arabic phrases) and by how it looks; see [`find`].

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use tandem_domain::document::DocumentKind;
use tandem_domain::profile::SectionKind;

use super::fold::plain_str;
use super::lexicon::lines;
use super::view::{View, word_count};

mod cues;

#[cfg(test)]
mod tests;

const HEADINGS: &str = include_str!("../../data/headings.tsv");
/// Longer lines (bytes) are no headings.
const MAX_BYTES: usize = 90;
/// More words are no heading.
const MAX_WORDS: usize = 8;
/// Phrases of this many characters and more are found with one wrong letter.
const FUZZY_FROM: usize = 8;
/// The score from which a line is a heading.
const ACCEPT: i32 = 7;

/// A heading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Heading {
    /// Its line.
    pub(crate) row: usize,
    /// What the lines below it are about.
    pub(crate) kind: SectionKind,
    /// Content follows on the same line from this byte of its folded text: `Skills: Rust, Go`.
    pub(crate) content: Option<usize>,
}

struct Table {
    resume: HashMap<String, SectionKind>,
    job: HashMap<String, SectionKind>,
}

impl Table {
    fn of(kind: DocumentKind) -> &'static HashMap<String, SectionKind> {
        static TABLE: LazyLock<Table> = LazyLock::new(Table::parse);
        match kind {
            DocumentKind::Resume => &TABLE.resume,
            DocumentKind::Job => &TABLE.job,
        }
    }

    fn parse() -> Self {
        let mut table = Self { resume: HashMap::new(), job: HashMap::new() };
        for line in lines(HEADINGS) {
            let mut columns = line.split('\t');
            let (Some(side), Some(kind), Some(phrases)) = (columns.next(), columns.next(), columns.next())
            else {
                continue;
            };
            let kind = section_kind(kind);
            for phrase in phrases.split('|').map(normal) {
                // A job's own meaning of a phrase ("profile", "experience") outranks the common one.
                if side != "r" && (side == "j" || !table.job.contains_key(&phrase)) {
                    table.job.insert(phrase.clone(), kind);
                }
                if side != "j" {
                    table.resume.entry(phrase).or_insert(kind);
                }
            }
        }
        table
    }
}

fn section_kind(name: &str) -> SectionKind {
    match name {
        "summary" => SectionKind::Summary,
        "work" => SectionKind::Work,
        "volunteer" => SectionKind::Volunteer,
        "education" => SectionKind::Education,
        "skills" => SectionKind::Skills,
        "projects" => SectionKind::Projects,
        "certificates" => SectionKind::Certificates,
        "languages" => SectionKind::Languages,
        "awards" => SectionKind::Awards,
        "publications" => SectionKind::Publications,
        "interests" => SectionKind::Interests,
        "references" => SectionKind::References,
        "personal" => SectionKind::Personal,
        "responsibilities" => SectionKind::Responsibilities,
        "requirements" => SectionKind::Requirements,
        "preferred" => SectionKind::Preferred,
        "benefits" => SectionKind::Benefits,
        "about" => SectionKind::About,
        _ => SectionKind::Other,
    }
}

/// A heading's text as it stands in the table: plain, without numbers and punctuation, letter-spacing closed.
fn normal(text: &str) -> String {
    let text = close_spacing(text);
    let plain = plain_str(&text).replace(['&', '/', '+', '|', ','], " and ");
    let words: Vec<&str> = plain
        .split(|c: char| !(c.is_alphanumeric() || c == '\''))
        .filter(|word| !word.is_empty() && !word.chars().all(|c| c.is_ascii_digit()) && !is_roman(word))
        .collect();
    words.join(" ")
}

fn is_roman(word: &str) -> bool {
    matches!(word, "ii" | "iii" | "iv" | "v" | "vi" | "vii" | "viii" | "ix")
}

/// `E X P E R I E N C E` to `EXPERIENCE`; two or more spaces separate words.
fn close_spacing(text: &str) -> String {
    let letters = text.split_whitespace().filter(|word| word.chars().count() == 1).count();
    if letters < 4 || letters * 10 < text.split_whitespace().count() * 9 {
        return text.to_owned();
    }
    text.split("  ").map(|word| word.split_whitespace().collect::<String>()).collect::<Vec<_>>().join(" ")
}

/// What a phrase heads: itself, with one wrong letter, or by its parts ("Education & Languages" is the first part).
fn look_up(text: &str, kind: DocumentKind) -> Option<SectionKind> {
    let table = Table::of(kind);
    let phrase = normal(text);
    if let Some(found) = table.get(&phrase) {
        return Some(*found);
    }
    let parts: Vec<Option<&SectionKind>> = phrase
        .split(" and ")
        .map(|part| table.get(part.trim_start_matches("my ").trim_start_matches("the ")))
        .collect();
    if !parts.is_empty() && parts.iter().all(Option::is_some) {
        return parts.into_iter().flatten().next().copied();
    }
    let length = phrase.chars().count();
    if length < FUZZY_FROM {
        return None;
    }
    // The smallest phrase of the table wins, so that the answer does not depend on the map's order.
    table
        .iter()
        .filter(|(known, _)| known.len().abs_diff(phrase.len()) <= 2 && known.chars().count() >= FUZZY_FROM)
        .filter(|(known, _)| is_one_off(known, &phrase))
        .min_by_key(|(known, _)| known.as_str())
        .map(|(_, found)| *found)
}

/// Whether two different texts differ by one letter wrong, missing, added or swapped with its neighbor (optimal string
/// alignment distance 1). Linear, and mostly over at the first letters.
fn is_one_off(a: &str, b: &str) -> bool {
    let same = a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count();
    let a: Vec<char> = a.chars().skip(same).collect();
    let b: Vec<char> = b.chars().skip(same).collect();
    match (a.as_slice(), b.as_slice()) {
        ([_, a @ ..], []) | ([], [_, a @ ..]) => a.is_empty(),
        ([a0, a @ ..], [b0, b @ ..]) => {
            let swapped = matches!((a, b), ([a1, a @ ..], [b1, b @ ..]) if a1 == b0 && b1 == a0 && a == b);
            let (longer_a, longer_b) = (
                a.strip_suffix(b).is_some_and(|rest| rest == [*b0]),
                b.strip_suffix(a).is_some_and(|rest| rest == [*a0]),
            );
            a == b || swapped || longer_a || longer_b
        }
        ([], []) => false,
    }
}

/// The headings of a document, in order.
pub(crate) fn find(view: &View<'_>, kind: DocumentKind) -> Vec<Heading> {
    let mut found: Vec<Heading> = Vec::new();
    let columns = has_label_column(view, kind);
    for row in 0..view.rows.len() {
        let inside = found.last().map(|heading| heading.kind);
        let beside = || if columns { beside_tab(view, row, kind) } else { None };
        if let Some(heading) =
            whole(view, row, kind, inside).or_else(beside).or_else(|| inline(view, row, kind, inside))
        {
            found.push(heading);
        }
    }
    with_unknown(view, kind, found)
}

/// A heading in a column of its own: `Experience<tab>Mathematics Teacher …`.
fn beside_tab(view: &View<'_>, row: usize, kind: DocumentKind) -> Option<Heading> {
    let line = view.rows.get(row)?.line;
    let (label, rest) = view.fold_of(row).split_once('\t')?;
    let fits =
        !line.bullet && word_count(label) <= MAX_WORDS && label.len() <= MAX_BYTES && !rest.trim().is_empty();
    let found = fits.then(|| look_up(label, kind).or_else(|| cues::resume_kind_of(label))).flatten()?;
    Some(Heading { row, kind: found, content: Some(label.len() + 1) })
}

/// Whether the document has its headings in a column of their own: several, and of several kinds.
fn has_label_column(view: &View<'_>, kind: DocumentKind) -> bool {
    const ENOUGH: usize = 3;
    let mut kinds: Vec<SectionKind> = Vec::new();
    let labels = (0..view.rows.len()).filter(|row| view.fold_of(*row).contains('\t'));
    for heading in labels.filter_map(|row| beside_tab(view, row, kind)) {
        let core = matches!(
            heading.kind,
            SectionKind::Work
                | SectionKind::Education
                | SectionKind::Skills
                | SectionKind::Requirements
                | SectionKind::Responsibilities
        );
        if core && !kinds.contains(&heading.kind) {
            kinds.push(heading.kind);
        }
    }
    kinds.len() >= ENOUGH - 1
}

/// A line that is a heading and nothing else.
fn whole(view: &View<'_>, row: usize, kind: DocumentKind, inside: Option<SectionKind>) -> Option<Heading> {
    let line = view.rows.get(row)?.line;
    let text = line.text.trim();
    if text.len() > MAX_BYTES || word_count(&close_spacing(text)) > MAX_WORDS || text.contains('\t') {
        return None;
    }
    let looks = looks(view, row);
    let by_table = look_up(text, kind);
    let by_cue = || match kind {
        DocumentKind::Job if looks + i32::from(text.ends_with([':', '?', '؟'])) * 2 >= 2 => {
            cues::kind_of(view.fold_of(row))
        }
        DocumentKind::Resume if looks >= 2 || text.ends_with(':') => cues::resume_kind_of(view.fold_of(row)),
        DocumentKind::Job | DocumentKind::Resume => None,
    };
    let (found, known) = by_table.map(|found| (found, 7)).or_else(|| by_cue().map(|found| (found, 6)))?;
    // Labels inside an entry ("Achievements:", "Projects:", "Tools") do not end the section they stand in.
    if text.ends_with(':') && looks < 1 && is_entry_label(found, inside) {
        return None;
    }
    (known + looks >= ACCEPT).then_some(Heading { row, kind: found, content: None })
}

fn is_entry_label(found: SectionKind, inside: Option<SectionKind>) -> bool {
    matches!(inside, Some(SectionKind::Work | SectionKind::Projects | SectionKind::Volunteer))
        && matches!(
            found,
            SectionKind::Skills
                | SectionKind::Awards
                | SectionKind::Projects
                | SectionKind::Summary
                | SectionKind::Other
        )
}

/// What a line's looks say for (positive) or against (negative) its being a heading.
fn looks(view: &View<'_>, row: usize) -> i32 {
    let Some(line) = view.rows.get(row).map(|row| row.line) else { return 0 };
    let text = line.text.trim();
    let mut score = 0;
    if line.heading > 0 {
        score += 4;
    }
    if line.bold || (view.body_size > 0 && line.size > view.body_size + view.body_size / 12) {
        score += 2;
    }
    if text.chars().any(char::is_alphabetic) && !text.chars().any(char::is_lowercase) && text.is_ascii() {
        score += 1;
    }
    if line.space_above >= 5 {
        score += 1;
    }
    if text.ends_with(['.', ',', ';', '!']) {
        score -= 3;
    }
    if text.chars().any(|c| c.is_ascii_digit()) {
        score -= 2;
    }
    if line.bullet {
        score -= 3;
    }
    score
}

/// `Skills: Rust, Go`: a label of the table with its content behind it, outside of entries.
fn inline(view: &View<'_>, row: usize, kind: DocumentKind, inside: Option<SectionKind>) -> Option<Heading> {
    let line = view.rows.get(row)?.line;
    let folded = view.fold_of(row);
    let (label, rest) = folded.split_once([':', '\t'])?;
    if line.bullet || label.len() > 40 || rest.trim().is_empty() || word_count(label) > 4 {
        return None;
    }
    let found = look_up(label, kind)?;
    let own = matches!(
        found,
        SectionKind::Skills | SectionKind::Languages | SectionKind::Summary | SectionKind::Certificates
    ) || (kind == DocumentKind::Job
        && matches!(found, SectionKind::Requirements | SectionKind::Preferred | SectionKind::Benefits))
        || (kind == DocumentKind::Resume && matches!(found, SectionKind::Interests | SectionKind::Education));
    // Inside a section of the same kind the label is a sub-heading; inside entries it belongs to the entry.
    let blocked = inside.is_some_and(|inside| {
        inside == found
            || matches!(
                inside,
                SectionKind::Work
                    | SectionKind::Projects
                    | SectionKind::Volunteer
                    | SectionKind::Education
                    | SectionKind::Personal
                    | SectionKind::Skills
            ) && line.space_above < 5
    });
    (own && !blocked).then_some(Heading { row, kind: found, content: Some(label.len() + 1) })
}

/// Adds lines that look exactly as the accepted headings do, though the table does not know them.
fn with_unknown(view: &View<'_>, kind: DocumentKind, found: Vec<Heading>) -> Vec<Heading> {
    let looks_of = |row: usize| {
        view.rows.get(row).map(|row| {
            let caps = !row.text().chars().any(char::is_lowercase);
            (row.line.size, row.line.bold, row.line.heading, caps && row.text().is_ascii())
        })
    };
    let mut styles: Vec<_> = found
        .iter()
        .filter(|heading| heading.content.is_none())
        .filter_map(|heading| looks_of(heading.row))
        .collect();
    let (Some(first), true) = (found.first().map(|heading| heading.row), styles.len() >= 2) else {
        return found;
    };
    styles.sort_unstable();
    // The look of more than half of the headings, if there is one.
    let usual = styles
        .get(styles.len() / 2)
        .copied()
        .filter(|middle| styles.iter().filter(|other| *other == middle).count() * 2 > styles.len());
    let known: BTreeSet<usize> = found.iter().map(|heading| heading.row).collect();
    let mut all = found;
    for row in first..view.rows.len() {
        if known.contains(&row) {
            continue;
        }
        let (Some(style), Some(line)) = (looks_of(row), view.rows.get(row).map(|row| row.line)) else {
            continue;
        };
        // Text files have one style only: there, and where entries look like headings, nothing is guessed.
        let told_apart =
            style.2 > 0 || (style.1 && style.0 > view.body_size) || (style.0 > view.body_size && style.0 > 0);
        let words = word_count(&line.text);
        if told_apart
            && usual == Some(style)
            && (1..=5).contains(&words)
            && !line.bullet
            && !line.text.contains(['\t', '|', ','])
            && !line.text.chars().any(|c| c.is_ascii_digit())
        {
            let guessed = match kind {
                DocumentKind::Job => cues::kind_of(view.fold_of(row)).unwrap_or(SectionKind::Other),
                DocumentKind::Resume => cues::resume_kind_of(view.fold_of(row)).unwrap_or(SectionKind::Other),
            };
            all.push(Heading { row, kind: guessed, content: None });
        }
    }
    all.sort_by_key(|heading| heading.row);
    all
}

/// Whether a text is a phrase of the table for résumés.
pub(crate) fn is_known(text: &str) -> bool {
    Table::of(DocumentKind::Resume).contains_key(&normal(text))
}
