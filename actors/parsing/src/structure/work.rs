//! Positions held: entries anchored on dates.
//!
//! The first entry of a section shows the document's habit: how many head lines stand above the line with the dates.
//! The others follow it. An entry without an employer of its own, below one that has one, is a further position there.

use std::ops::Range;

use tandem_domain::profile::{SectionKind, Seniority, Sourced, Span, Work};
use tandem_domain::time::Month;

use super::dates::{self, DateMatch};
use super::pieces::{self, Head, Piece};
use super::sections::Part;
use super::titles;
use super::view::{View, word_count};

/// At most so many lines above the dates belong to an entry's head.
const MAX_ABOVE: usize = 3;
/// At most so many positions are read.
const MAX_ENTRIES: usize = 100;

/// A position with what counts of it.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) work: Work,
    /// First month and the month after the last, where both are known.
    pub(crate) interval: Option<(Month, Month)>,
}

/// A dated line.
struct Anchor {
    row: usize,
    date: DateMatch,
    dates: Vec<DateMatch>,
    /// The row that the rest of the entry starts at: the next one, or the one behind that where the date goes over.
    next: usize,
}

/// Reads the positions of all work sections, most recent first.
pub(crate) fn read(view: &View<'_>, parts: &[Part], as_of: Month) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for part in parts.iter().filter(|part| part.kind == SectionKind::Work) {
        section(view, part, as_of, &mut entries);
    }
    if entries.is_empty() {
        // Without a work section the dated lines of the unnamed parts are taken.
        let unnamed = |kind| matches!(kind, SectionKind::Other | SectionKind::Summary);
        for part in parts.iter().filter(|part| unnamed(part.kind) && part.heading.is_none()) {
            section(view, part, as_of, &mut entries);
        }
        entries.retain(|entry| entry.work.title.is_some() && entry.work.occupation.is_some());
    }
    entries.truncate(MAX_ENTRIES);
    entries.sort_by_key(|entry| std::cmp::Reverse((entry.work.current, entry.work.end, entry.work.start)));
    entries
}

fn section(view: &View<'_>, part: &Part, as_of: Month, entries: &mut Vec<Entry>) {
    let anchors = anchors(view, part.body.clone());
    let Some(first) = anchors.first() else { return };
    let above = lines_above(view, part.body.start, first.row, MAX_ABOVE);
    let starts: Vec<usize> = anchors
        .iter()
        .enumerate()
        .map(|(index, anchor)| {
            let floor = match index.checked_sub(1).and_then(|before| anchors.get(before)) {
                Some(before) => before.next,
                None => part.body.start,
            };
            // Dates alone on their line have their head above or below, whatever the habit.
            let alone = pieces::cut(view, anchor.row, &anchor.dates).is_empty();
            anchor.row - lines_above(view, floor, anchor.row, if alone { above.max(1) } else { above })
        })
        .collect();
    let internship_part = part.heading.map(|row| view.fold_of(row)).is_some_and(|heading| {
        heading.contains("intern") || heading.contains("placement") || heading.contains("تدريب")
    });
    let mut employer: Option<Sourced<String>> = None;
    for (index, anchor) in anchors.iter().enumerate() {
        let start = starts.get(index).copied().unwrap_or(anchor.row);
        let end = starts.get(index + 1).copied().unwrap_or(part.body.end).max(anchor.next);
        let mut entry = entry(view, anchor, start..end, as_of);
        match (&entry.work.organization, &employer) {
            (None, Some(known)) if !is_own_business(entry.work.title.as_ref()) => {
                entry.work.organization = Some(known.clone())
            }
            (own, _) => employer.clone_from(own),
        }
        entry.work.internship |= internship_part;
        entries.push(entry);
    }
}

/// The lines of a section that carry an entry's dates.
fn anchors(view: &View<'_>, rows: Range<usize>) -> Vec<Anchor> {
    let mut anchors: Vec<Anchor> = Vec::new();
    let mut row = rows.start;
    while row < rows.end {
        let found = anchor(view, row, rows.end);
        row = found.as_ref().map_or(row + 1, |anchor| anchor.next);
        anchors.extend(found);
    }
    // Lone dates beside ranges are details ("2019: promoted"), unless they are all there is.
    let ranges = anchors.iter().filter(|anchor| anchor.date.is_range()).count();
    if ranges > 0 {
        anchors.retain(|anchor| anchor.date.is_range() || is_titled(view, anchor));
    }
    anchors
}

fn anchor(view: &View<'_>, row: usize, end: usize) -> Option<Anchor> {
    let line = view.rows.get(row)?.line;
    let folded = view.fold_of(row);
    let own = pieces::dates_of(view, row);
    let over = (row + 1 < end).then(|| carried_over(folded, view.fold_of(row + 1))).flatten();
    let next = if over.is_some() { row + 2 } else { row + 1 };
    let mut dates = own;
    if let Some(date) = over {
        dates.retain(|known| known.end <= date.start);
        dates.push(date);
    }
    let date = dates.iter().find(|date| date.is_range()).or(dates.first()).copied()?;
    let dated = folded.get(date.start..date.end.min(folded.len())).unwrap_or_default();
    let rest = word_count(folded).saturating_sub(word_count(dated));
    let sentence = folded.trim_end().ends_with('.') && rest > 2;
    let edge = date.start < 3 || date.end + 3 >= folded.trim_end().len() || folded.contains(['\t', '|', '•']);
    let goes_on = date.start > 0 && line.text.trim_start().starts_with(char::is_lowercase);
    let good = if date.is_range() {
        !sentence && if line.bullet { rest <= 8 && edge } else { rest <= 14 }
    } else {
        // A lone date is an anchor only where it stands apart.
        !line.bullet && !sentence && edge && rest <= 10 && lone_is_anchor(folded, &date)
    };
    (good && !goes_on).then_some(Anchor { row, date, dates, next })
}

/// A range that begins at the end of a line and ends with the whole of the next ("August 2018 -" over "May 2021").
fn carried_over(line: &str, next: &str) -> Option<DateMatch> {
    const MAX_NEXT_WORDS: usize = 4;
    if next.trim().is_empty() || word_count(next) > MAX_NEXT_WORDS {
        return None;
    }
    let joined = format!("{line} {}", next.trim());
    let date = dates::find(&joined).into_iter().find(|date| date.end > line.len() + 1)?;
    (date.is_range() && date.start < line.len() && date.end == joined.trim_end().len()).then_some(date)
}

fn lone_is_anchor(folded: &str, date: &DateMatch) -> bool {
    let behind = folded.get(date.end..).unwrap_or_default().trim_start();
    // "Winter 2020: Audit Intern, Acme" is an entry, "2019: promoted" a detail.
    (!behind.starts_with(':') || date.start == 0 && behind.contains(','))
        && !folded.get(..date.start).is_some_and(|before| before.trim_end().ends_with(" in"))
}

/// A lone date beside a title ("Engineering Intern, Summer 2019").
fn is_titled(view: &View<'_>, anchor: &Anchor) -> bool {
    let near = pieces::cut(view, anchor.row, &anchor.dates);
    let above = anchor.row.checked_sub(1).filter(|row| pieces::is_head_line(view, *row));
    let below = Some(anchor.next).filter(|row| pieces::is_head_line(view, *row));
    let is_title = |row: Option<usize>| {
        row.and_then(|row| view.rows.get(row)).is_some_and(|row| titles::title_score(view, row.span) >= 6)
    };
    near.iter().any(|piece| titles::title_score(view, piece.span) >= 6)
        || is_title(if near.is_empty() { above } else { below })
}

/// Lines directly above `row`, down to `floor`, that belong to its head, at most `limit`.
fn lines_above(view: &View<'_>, floor: usize, row: usize, limit: usize) -> usize {
    let mut count = 0;
    while count < limit
        && row > floor + count
        && pieces::is_head_line(view, row - count - 1)
        && !continues_text(view, floor, row - count - 1)
    {
        count += 1;
    }
    count
}

/// Whether a line is the wrapped end of a bullet or paragraph above it rather than a head.
fn continues_text(view: &View<'_>, floor: usize, row: usize) -> bool {
    let (Some(line), true) = (view.rows.get(row).map(|row| row.line), row > floor) else { return false };
    let Some(before) = view.rows.get(row - 1).map(|row| row.line) else { return false };
    let looks_alike = before.bold == line.bold && before.size == line.size && line.heading == 0;
    let long = before.text.len() > 60 && !before.text.trim_end().ends_with('.');
    looks_alike
        && line.space_above < 3
        && long
        && !line.bold
        && (before.bullet || word_count(&before.text) > 8)
}

fn entry(view: &View<'_>, anchor: &Anchor, rows: Range<usize>, as_of: Month) -> Entry {
    let mut pieces: Vec<Piece> = Vec::new();
    for row in rows.start..anchor.row {
        pieces.extend(pieces::cut(view, row, &[]));
    }
    pieces.extend(pieces::cut(view, anchor.row, &anchor.dates));
    let mut body = anchor.next;
    // A line of its own below a lone title is its employer: seen before the title is taken apart at its commas.
    if pieces.len() <= 1 && body < rows.end && is_employer_line(view, body) {
        pieces.extend(pieces::cut(view, body, &[]));
        body += 1;
    }
    let mut head = pieces::assign(view, &pieces);
    while body < rows.end
        && body <= anchor.next + 1
        && (head.title.is_none() || head.organization.is_none() || head.location.is_none())
        && pieces::is_head_line(view, body)
        && pieces::dates_of(view, body).is_empty()
        && takes(view, body, &head)
    {
        pieces.extend(pieces::cut(view, body, &[]));
        head = pieces::assign(view, &pieces);
        body += 1;
    }
    finish(view, anchor, rows, body, head, as_of)
}

fn is_employer_line(view: &View<'_>, row: usize) -> bool {
    const MAX_WORDS: usize = 9;
    pieces::is_head_line(view, row)
        && pieces::dates_of(view, row).is_empty()
        && view.rows.get(row).is_some_and(|line| {
            let text = line.text();
            word_count(text) <= MAX_WORDS && !text.contains(':') && !text.trim_end().ends_with(['.', ';'])
        })
}

/// Whether a line below the dates still belongs to the head.
fn takes(view: &View<'_>, row: usize, head: &Head) -> bool {
    let Some(line) = view.rows.get(row) else { return false };
    let pieces = pieces::cut(view, row, &[]);
    let place = pieces.iter().any(|piece| titles::is_place(view, piece.span));
    match (&head.title, &head.organization) {
        (Some(_), Some(_)) => {
            head.location.is_none() && place && pieces.len() <= 2 && word_count(line.text()) <= 5
        }
        (Some(_), None) => {
            titles::employer_score(view, line.span) >= 4
                || place
                || line.line.bold
                || word_count(line.text()) <= 6
        }
        (None, _) => titles::title_score(view, line.span) >= 4 || word_count(line.text()) <= 6,
    }
}

fn finish(
    view: &View<'_>,
    anchor: &Anchor,
    rows: Range<usize>,
    body: usize,
    head: Head,
    as_of: Month,
) -> Entry {
    let date = &anchor.date;
    let span = view.span_of_rows(rows.clone());
    let title_span = head.title.as_ref().map_or(Span::default(), |title| title.span);
    let occupation = head.title.as_ref().and_then(|_| titles::occupation(view, title_span));
    let internship = head.title.is_some() && titles::seniority(view, title_span) == Seniority::Intern
        || head.title.as_ref().is_some_and(|title| is_student_job(&title.value));
    let start = date.first_month();
    let interval = start.zip(date.after_month(as_of)).filter(|(start, after)| start < after);
    let known = [head.title.is_some(), head.organization.is_some(), interval.is_some(), occupation.is_some()];
    let work = Work {
        title: head.title,
        occupation,
        organization: head.organization,
        location: head.location,
        start,
        end: if date.present { None } else { date.last_month(as_of) },
        current: date.present,
        internship,
        highlights: highlights(view, body..rows.end),
        skills: Vec::new(),
        span,
        confidence: 20 + 20 * known.iter().filter(|known| **known).count() as u8,
    };
    Entry { work, interval }
}

/// Freelance work has no employer, so none is carried down.
fn is_own_business(title: Option<&Sourced<String>>) -> bool {
    title.is_some_and(|title| {
        let title = title.value.to_lowercase();
        ["freelance", "self-employed", "self employed", "independent", "عمل حر", "مستقل"]
            .iter()
            .any(|word| title.contains(word))
    })
}

fn is_student_job(title: &str) -> bool {
    let title = title.to_lowercase();
    ["working student", "work placement", "werkstudent", "praktikant", "student teacher", "practicum"]
        .iter()
        .any(|word| title.contains(word))
}

/// The lines below the head, wrapped lines joined.
fn highlights(view: &View<'_>, rows: Range<usize>) -> Vec<String> {
    let mut highlights: Vec<String> = Vec::new();
    for row in rows {
        let Some(line) = view.rows.get(row).map(|row| row.line) else { continue };
        let text = line.text.split_whitespace().collect::<Vec<_>>().join(" ");
        match highlights.last_mut() {
            Some(last) if !line.bullet && line.space_above < 5 && !last.ends_with(['.', ':']) => {
                last.push(' ');
                last.push_str(&text);
            }
            _ => highlights.push(text),
        }
    }
    highlights.retain(|text| text.chars().any(char::is_alphanumeric));
    highlights
}
