//! The parts of a document: what stands under which heading.

use std::ops::Range;

use tandem_domain::document::DocumentKind;
use tandem_domain::profile::{Section, SectionKind, Span};

use super::headings::{self, Heading};
use super::view::{View, word_count};
use super::{contact, dates};

/// A line before the first heading with so many words is prose, not contact.
const PROSE_WORDS: usize = 12;
/// Without any heading the contact block has at most so many lines.
const MAX_HEADER_ROWS: usize = 14;

/// A part of the document.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    /// What it is about.
    pub(crate) kind: SectionKind,
    /// Its heading's row, if it has one.
    pub(crate) heading: Option<usize>,
    /// Its body; the first row is the heading's own when content stands behind the heading's label.
    pub(crate) body: Range<usize>,
    /// First byte of the body.
    pub(crate) start: u32,
}

impl Part {
    /// The bytes of the body.
    pub(crate) fn span(&self, view: &View<'_>) -> Span {
        let rows = view.span_of_rows(self.body.clone());
        Span::new(self.start.max(rows.start), rows.end.max(self.start))
    }
}

/// The document's parts in order; together they hold every line.
pub(crate) fn split(view: &View<'_>, kind: DocumentKind) -> Vec<Part> {
    let headings = headings::find(view, kind);
    let first = headings.first().map_or(view.rows.len(), |heading| heading.row);
    let header_end = header_end(view, kind, first, headings.is_empty());
    let mut parts = Vec::with_capacity(headings.len() + 2);
    if header_end > 0 {
        parts.push(part(view, SectionKind::Header, None, 0..header_end));
    }
    if header_end < first {
        let between = if headings.is_empty() { SectionKind::Other } else { SectionKind::Summary };
        parts.push(part(view, between, None, header_end..first));
    }
    for (index, heading) in headings.iter().enumerate() {
        let end = headings.get(index + 1).map_or(view.rows.len(), |next| next.row);
        parts.push(headed(view, heading, end));
    }
    parts
}

fn part(view: &View<'_>, kind: SectionKind, heading: Option<usize>, body: Range<usize>) -> Part {
    let start = view.span_of_rows(body.clone()).start;
    Part { kind, heading, body, start }
}

fn headed(view: &View<'_>, heading: &Heading, end: usize) -> Part {
    match heading.content {
        None => part(view, heading.kind, Some(heading.row), heading.row + 1..end.max(heading.row + 1)),
        Some(label) => {
            let length = view.fold_of(heading.row).len();
            Part {
                kind: heading.kind,
                heading: Some(heading.row),
                body: heading.row..end,
                start: view.span_in(heading.row, label, length).start,
            }
        }
    }
}

/// Where name and contact end: at the first heading, or before the first prose or dated line.
fn header_end(view: &View<'_>, kind: DocumentKind, first: usize, no_headings: bool) -> usize {
    let limit = if no_headings { first.min(MAX_HEADER_ROWS) } else { first };
    for row in 0..limit {
        let folded = view.fold_of(row);
        let has_contact = contact::is_contact(folded);
        let prose = word_count(folded) > PROSE_WORDS && !folded.contains(['|', '•', '\t']);
        // A short sentence is prose too; in a résumé's head it may be a motto or a line of contact.
        let sentence =
            kind == DocumentKind::Job && folded.trim_end().ends_with('.') && word_count(folded) >= 4;
        if (prose || sentence) && !has_contact {
            return row;
        }
        if kind == DocumentKind::Resume
            && !has_contact
            && dates::find(folded).iter().any(dates::DateMatch::is_range)
        {
            return row;
        }
    }
    limit
}

/// The parts as the Profile shows them.
pub(crate) fn shown(view: &View<'_>, parts: &[Part]) -> Vec<Section> {
    parts
        .iter()
        .map(|part| {
            let start = part.heading.unwrap_or(part.body.start);
            Section { kind: part.kind, span: view.span_of_rows(start..part.body.end.max(start + 1)) }
        })
        .collect()
}

/// The kind of the part a byte lies in.
pub(crate) fn kind_at(view: &View<'_>, parts: &[Part], byte: u32) -> SectionKind {
    let row = view.row_at(byte);
    let behind = parts.partition_point(|part| part.heading.unwrap_or(part.body.start) <= row);
    behind.checked_sub(1).and_then(|index| parts.get(index)).map_or(SectionKind::Other, |part| part.kind)
}
