//! A document as the rules look at it: its lines, folded texts and the phrases found in them, made once.

use tandem_domain::profile::{Sourced, Span};

use super::fold::{Folded, fold, is_arabic, plain};
use super::scan::{Hit, scan};
use crate::extract::Line;

/// A line longer than this (bytes) may go on in the next one.
const WRAP_BYTES: usize = 30;

/// One line and where it lies in the text.
#[derive(Debug)]
pub(crate) struct Row<'a> {
    /// The line with its looks.
    pub(crate) line: &'a Line,
    /// Its bytes.
    pub(crate) span: Span,
    /// Its folded bytes.
    folded: std::ops::Range<usize>,
}

impl<'a> Row<'a> {
    /// The line's text.
    pub(crate) fn text(&self) -> &'a str {
        &self.line.text
    }
}

/// The document.
#[derive(Debug)]
pub(crate) struct View<'a> {
    /// The lines joined by line breaks: what spans point into.
    pub(crate) text: String,
    /// The lines.
    pub(crate) rows: Vec<Row<'a>>,
    /// The folded text.
    pub(crate) folded: Folded,
    /// All phrases, ordered by place.
    pub(crate) hits: Vec<Hit>,
    /// The usual letter size, tenths of a point; 0 when unknown.
    pub(crate) body_size: u16,
}

impl<'a> View<'a> {
    pub(crate) fn new(lines: &'a [Line]) -> Self {
        let mut text = String::new();
        let mut spans = Vec::with_capacity(lines.len());
        for (index, line) in lines.iter().enumerate() {
            if index > 0 {
                text.push('\n');
            }
            let start = text.len();
            text.push_str(&line.text);
            spans.push(Span::new(start as u32, text.len() as u32));
        }
        let folded = fold(&text);
        let rows: Vec<Row<'a>> = lines
            .iter()
            .zip(spans)
            .map(|(line, span)| Row { line, span, folded: folded.range(span) })
            .collect();
        let joins = |at: usize| {
            let next = rows.partition_point(|row| row.folded.start <= at);
            next.checked_sub(1)
                .and_then(|index| rows.get(index))
                .zip(rows.get(next))
                .is_some_and(|(row, next)| goes_on(row.line, next.line))
        };
        let hits = scan(&plain(&folded, joins));
        let body_size = body_size(lines);
        Self { text, rows, folded, hits, body_size }
    }

    /// The folded text of a line.
    pub(crate) fn fold_of(&self, row: usize) -> &str {
        self.rows.get(row).and_then(|row| self.folded.text.get(row.folded.clone())).unwrap_or_default()
    }

    /// The source bytes of `start..end` of a line's folded text.
    pub(crate) fn span_in(&self, row: usize, start: usize, end: usize) -> Span {
        self.rows.get(row).map_or_else(Span::default, |row| {
            self.folded.source(row.folded.start + start, row.folded.start + end)
        })
    }

    /// The text of a span.
    pub(crate) fn slice(&self, span: Span) -> &str {
        span.of(&self.text).unwrap_or_default()
    }

    /// The phrases that start inside a span. Binary search.
    pub(crate) fn hits_in(&self, span: Span) -> &[Hit] {
        let start = self.hits.partition_point(|hit| hit.span.start < span.start);
        let end = self.hits.partition_point(|hit| hit.span.start < span.end);
        self.hits.get(start..end).unwrap_or_default()
    }

    /// The span without spaces and punctuation at its ends.
    pub(crate) fn trim(&self, span: Span) -> Span {
        let text = self.slice(span);
        let outer = |c: char| c.is_whitespace() || "|,;:•·–—-/*_،()[]".contains(c);
        let without_start = text.trim_start_matches(|c: char| outer(c) && c != '(');
        let start = span.start + (text.len() - without_start.len()) as u32;
        let mut kept = without_start.trim_end_matches(|c: char| outer(c) && c != ')');
        // A bracket stays only with its partner.
        if kept.starts_with('(') && !kept.contains(')') {
            let inner = kept.trim_start_matches(outer);
            let end = start + kept.len() as u32;
            return Span::new(end - inner.len() as u32, end);
        }
        if kept.ends_with(')') && !kept.contains('(') {
            kept = kept.trim_end_matches(')').trim_end();
        }
        Span::new(start, start + kept.len() as u32)
    }

    /// The trimmed text of a span with its place; `None` when nothing is left.
    pub(crate) fn sourced(&self, span: Span, confidence: u8) -> Option<Sourced<String>> {
        let span = self.trim(span);
        let value = self.slice(span).split_whitespace().collect::<Vec<_>>().join(" ");
        (!value.is_empty()).then_some(Sourced { value, confidence, span })
    }

    /// The bytes from the first to the last of some rows.
    pub(crate) fn span_of_rows(&self, rows: std::ops::Range<usize>) -> Span {
        match (self.rows.get(rows.start), rows.end.checked_sub(1).and_then(|last| self.rows.get(last))) {
            (Some(first), Some(last)) => Span::new(first.span.start, last.span.end),
            _ => Span::default(),
        }
    }

    /// The row a byte lies in.
    pub(crate) fn row_at(&self, byte: u32) -> usize {
        self.rows.partition_point(|row| row.span.start <= byte).saturating_sub(1)
    }
}

/// Whether a line is the continuation of the one before it.
pub(crate) fn goes_on(line: &Line, next: &Line) -> bool {
    !next.bullet
        && next.heading == 0
        && line.heading == 0
        && next.block == line.block
        && next.bold == line.bold
        && line.text.len() >= WRAP_BYTES
        && !line.text.contains('\t')
        && !next.text.contains('\t')
        && !line.text.ends_with(['.', ':', ';', '!', '?'])
}

/// The size that most characters have.
fn body_size(lines: &[Line]) -> u16 {
    let mut weights = std::collections::BTreeMap::<u16, usize>::new();
    for line in lines.iter().filter(|line| line.size > 0) {
        *weights.entry(line.size).or_default() += line.text.len();
    }
    weights.into_iter().max_by_key(|(_, weight)| *weight).map_or(0, |(size, _)| size)
}

/// Whether a span shares a byte with one of some others, which are ordered by start and short: those that start more
/// than a line before are not asked.
pub(crate) fn touches(ordered: &[Span], span: Span) -> bool {
    const REACH: u32 = crate::structure::MAX_LINE_BYTES as u32;
    let from = ordered.partition_point(|other| other.start.saturating_add(REACH) < span.start);
    let until = ordered.partition_point(|other| other.start < span.end);
    ordered.get(from..until).unwrap_or_default().iter().any(|other| span.start < other.end)
}

/// Words in a text.
pub(crate) fn word_count(text: &str) -> usize {
    text.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric)).count()
}

/// Arabic and Latin letters in a text.
pub(crate) fn script_counts(text: &str) -> (usize, usize) {
    text.chars().fold((0, 0), |(arabic, latin), c| {
        (arabic + usize::from(is_arabic(c)), latin + usize::from(c.is_alphabetic() && (c as u32) < 0x0250))
    })
}
