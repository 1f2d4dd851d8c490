//! Certificates and licenses, as they are written.

use tandem_domain::profile::{SectionKind, Sourced, Span};
use tandem_domain::taxonomy::{SkillKind, Taxonomy};

use super::dates;
use super::lexicon::Meaning;
use super::scan::Hit;
use super::sections::Part;
use super::view::{View, word_count};

/// At most so many are kept.
const MAX: usize = 60;
/// Longer lines are prose.
const MAX_WORDS: usize = 16;

/// The lines of certificate sections, and short lines elsewhere that name a known certificate.
pub(crate) fn read(view: &View<'_>, parts: &[Part]) -> Vec<Sourced<String>> {
    let mut all: Vec<Sourced<String>> = Vec::new();
    for part in parts {
        let own = part.kind == SectionKind::Certificates;
        let other = matches!(part.kind, SectionKind::Skills | SectionKind::Education | SectionKind::Other);
        if !own && !other {
            continue;
        }
        for row in part.body.clone() {
            if all.len() >= MAX {
                break;
            }
            let Some(span) = view.rows.get(row).map(|row| row.span) else { continue };
            // Content behind an inline label starts later.
            let span = Span::new(span.start.max(part.start), span.end);
            let named = names_certificate(view, span);
            let words = word_count(view.slice(span));
            if words == 0
                || is_footer(view.folded.of(span))
                || words > MAX_WORDS
                || !(own || named && words <= 12 && part.kind != SectionKind::Education)
            {
                continue;
            }
            for piece in items(view, row, span, own) {
                if let Some(certificate) = without_dates(view, piece, if named { 90 } else { 60 })
                    && !all.iter().any(|known| known.value == certificate.value)
                {
                    all.push(certificate);
                }
            }
        }
    }
    all.truncate(MAX);
    all
}

/// A page's running line: "Jane Doe – Curriculum Vitae", "Page 2 of 3".
fn is_footer(folded: &str) -> bool {
    let folded = folded.trim();
    let of_pages =
        folded.strip_prefix("page ").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    of_pages || ["curriculum vitae", "resume", "السيره الذاتيه"].iter().any(|word| folded.ends_with(word))
}

/// Whether the words around a certificate's name, up to the next name or a separator, say that it is still to come:
/// "CCRN: examination booked", "studying for the CPA".
pub(crate) fn is_ahead(view: &View<'_>, name: Span) -> bool {
    /// Bytes on each side that may speak of it.
    const REACH: u32 = 80;
    const SEPARATORS: [char; 7] = [';', '؛', '|', '•', '·', '.', '\t'];
    const BEFORE: [&str; 8] = [
        "studying for",
        "preparing for",
        "preparation for",
        "working toward",
        "pursuing",
        "candidate for",
        "enrolled in",
        "sitting for",
    ];
    const BEHIND: [&str; 19] = [
        "booked",
        "in progress",
        "in process",
        "planned",
        "pending",
        "expected",
        "scheduled",
        "preparation",
        "under way",
        "underway",
        "candidate",
        "not yet",
        "applied for",
        "part 1",
        "part one",
        "قيد",
        "الجزء الاول",
        "مقرر",
        "مخطط",
    ];
    let Some(line) = view.rows.get(view.row_at(name.start)).map(|row| row.span) else { return false };
    let near = Span::new(
        line.start.max(name.start.saturating_sub(REACH)),
        line.end.min(name.end.saturating_add(REACH)).max(name.end),
    );
    let is_name = |hit: &&Hit| {
        let known = |id| Taxonomy::builtin().skill(id).kind == SkillKind::Certificate;
        hit.meaning().skill().is_some_and(known)
    };
    let hits = view.hits_in(near);
    let from = hits.iter().filter(is_name).map(|hit| hit.span.end).filter(|end| *end <= name.start).max();
    let until = hits.iter().filter(is_name).map(|hit| hit.span.start).find(|start| *start >= name.end);
    let before = view.folded.of(Span::new(from.unwrap_or(near.start), name.start));
    let behind = view.folded.of(Span::new(name.end, until.unwrap_or(near.end)));
    let before = before.rsplit(SEPARATORS).next().unwrap_or_default();
    let behind = behind.split(SEPARATORS).next().unwrap_or_default();
    BEFORE.iter().any(|cue| before.contains(cue)) || BEHIND.iter().any(|cue| behind.contains(cue))
}

/// Whether a span holds a known certificate or a word that makes one.
pub(crate) fn names_certificate(view: &View<'_>, span: Span) -> bool {
    view.hits_in(span)
        .iter()
        .any(|hit| matches!(hit.meaning(), Meaning::Certificate) && hit.span.end <= span.end)
}

/// A line of several certificates is cut at semicolons, bars and bullets, and at commas where every piece is one.
fn items(view: &View<'_>, row: usize, span: Span, own: bool) -> Vec<Span> {
    let Some(start) = view.rows.get(row).map(|row| row.span.start) else { return Vec::new() };
    let text = view.slice(Span::new(start, span.end));
    let skip = (span.start - start) as usize;
    let cut = |separators: &[char]| {
        let mut pieces = Vec::new();
        let mut from = skip;
        for (at, c) in text.char_indices().chain(std::iter::once((text.len(), '\n'))) {
            if at >= skip && (separators.contains(&c) || at == text.len()) {
                let piece = view.trim(Span::new(start + from as u32, start + at as u32));
                if piece.start < piece.end {
                    pieces.push(piece);
                }
                from = at + c.len_utf8();
            }
        }
        pieces
    };
    let commas = cut(&[';', '|', '•', '·', ',', '،', '؛']);
    if commas.len() > 1 && own && commas.iter().all(|piece| names_certificate(view, *piece)) {
        return commas;
    }
    cut(&[';', '|', '•', '·', '؛'])
        .into_iter()
        .filter(|piece| own || names_certificate(view, *piece))
        .collect()
}

/// A certificate's year says how old somebody is; it is cut off at the end.
fn without_dates(view: &View<'_>, span: Span, confidence: u8) -> Option<Sourced<String>> {
    let folded = view.folded.of(span);
    let first = dates::find(folded).first().map(|date| date.start);
    let text = view.slice(span);
    let is_dated = |text: &str| !dates::find(&super::fold::fold_str(text)).is_empty();
    let inner = |at: usize| text.get(at..).and_then(|rest| rest.split(')').next()).unwrap_or_default();
    let bracket = text.rfind('(').filter(|at| *at > 0 && is_dated(inner(*at)));
    if let Some(at) = bracket {
        return view.sourced(Span::new(span.start, span.start + at as u32), confidence);
    }
    let end = match first {
        Some(0) => span.end,
        Some(at) => {
            let range = view.folded.range(span);
            view.folded.source(range.start, range.start + at).end
        }
        None => span.end,
    };
    view.sourced(Span::new(span.start, end), confidence)
        .filter(|found| found.value.chars().any(char::is_alphabetic))
}
