//! Degrees: level, field, school, grade, dates.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;
use tandem_domain::profile::{Education, EducationLevel, SectionKind, Sourced, Span};
use tandem_domain::time::Month;

use super::contact::pattern;
use super::dates::{self, DateMatch};
use super::lexicon::Meaning;
use super::pieces;
use super::scan::Hit;
use super::sections::Part;
use super::titles::is_place;
use super::view::View;

/// At most so many entries are read.
const MAX_ENTRIES: usize = 40;

/// What one line says.
struct Facts {
    level: Option<(EducationLevel, Span)>,
    school: Option<Span>,
    dates: Vec<DateMatch>,
}

/// Reads the education sections, or, where there is none, the degrees named elsewhere.
pub(crate) fn read(view: &View<'_>, parts: &[Part], as_of: Month) -> Vec<Education> {
    let mut all = Vec::new();
    for part in parts.iter().filter(|part| part.kind == SectionKind::Education) {
        for rows in entries(view, part.body.clone()) {
            all.extend(entry(view, rows, as_of));
        }
    }
    if all.is_empty() {
        let elsewhere = |kind| {
            matches!(
                kind,
                SectionKind::Header | SectionKind::Summary | SectionKind::Other | SectionKind::Certificates
            )
        };
        for part in parts.iter().filter(|part| elsewhere(part.kind)) {
            let rows = part.body.clone().filter(|row| facts(view, *row).level.is_some());
            all.extend(
                rows.filter_map(|row| entry(view, row..row + 1, as_of)).filter(|entry| entry.level.is_some()),
            );
        }
    }
    all.truncate(MAX_ENTRIES);
    all
}

/// The rows of each entry: a new one begins where a line says what the entry has already.
fn entries(view: &View<'_>, rows: Range<usize>) -> Vec<Range<usize>> {
    let mut entries: Vec<Range<usize>> = Vec::new();
    let mut seen = (false, false, false);
    for row in rows.clone() {
        let facts = facts(view, row);
        let says = (facts.level.is_some(), facts.school.is_some(), !facts.dates.is_empty());
        let bullet = view.rows.get(row).is_some_and(|row| row.line.bullet);
        let same_degree = says.0 && seen.0;
        let same_school = says.1 && seen.1 && (seen.0 || !says.0);
        let same_date = says.2 && seen.2 && (says.0 || says.1 || !bullet);
        let repeats = same_degree || same_school || same_date;
        // Bullets tell of the entry above them unless they name a degree and a school or date themselves.
        // One or two words alone are the end of the line above ("Cedars Polytechnic | University").
        let words = view.rows.get(row).map_or(0, |row| row.text().split_whitespace().count());
        let long_before =
            row.checked_sub(1).and_then(|row| view.rows.get(row)).is_some_and(|row| row.text().len() >= 50);
        let short = words <= 2 || words <= 4 && long_before;
        let tail = short && !says.0 && !says.2;
        let detail = tail || bullet && !(says.0 && (says.1 || says.2));
        match entries.last_mut() {
            Some(last) if !repeats || detail => {
                last.end = row + 1;
                seen = (seen.0 || says.0, seen.1 || says.1, seen.2 || says.2);
            }
            _ => {
                entries.push(row..row + 1);
                seen = says;
            }
        }
    }
    entries
}

fn facts(view: &View<'_>, row: usize) -> Facts {
    let span = view.rows.get(row).map_or_else(Span::default, |row| row.span);
    let hits = view.hits_in(span);
    let level = degree(view, hits);
    // "High school diploma" and "Master of ... school" name a degree; the word alone a school.
    let school = hits
        .iter()
        .find(|hit| {
            matches!(hit.meaning(), Meaning::School) && level.is_none_or(|(_, span)| !inside(hit.span, span))
        })
        .map(|hit| hit.span);
    Facts { level, school, dates: dates::find(view.fold_of(row)) }
}

fn inside(inner: Span, outer: Span) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

/// The highest degree that some phrases name.
pub(crate) fn degree(view: &View<'_>, hits: &[Hit]) -> Option<(EducationLevel, Span)> {
    hits.iter()
        .filter(|hit| is_degree(view, hit))
        .filter_map(|hit| hit.meaning().degree().map(|level| (level, hit.span)))
        .max_by_key(|(level, span)| (*level, std::cmp::Reverse(span.start)))
}

/// `march`, `iti` and the like are degrees only in capitals; "master" not as a verb or in "scrum master".
fn is_degree(view: &View<'_>, hit: &Hit) -> bool {
    let text = view.slice(hit.span);
    let row = view.row_at(hit.span.start);
    let before = view.rows.get(row).map_or("", |row| view.slice(Span::new(row.span.start, hit.span.start)));
    let lower = before.trim_end().to_lowercase();
    match hit.phrase.surface {
        "march" => text == "MArch",
        "iti" | "ged" | "dba" | "ssc" | "hsc" | "edd" | "dsc" => {
            text.chars().all(char::is_uppercase) || text == "DSc" || text == "EdD"
        }
        "master" | "masters" => {
            text.chars().next().is_some_and(char::is_uppercase)
                && !["scrum", "web", "head", "toast", "quarter", "data"]
                    .iter()
                    .any(|word| lower.ends_with(word))
        }
        "ba" | "bs" | "ma" | "ms" | "be" | "me" | "md" | "bed" | "med" => is_short_degree(view, hit, text),
        _ => !view.folded.of(Span::new(hit.span.end, hit.span.end + 16)).trim_start().starts_with("thesis"),
    }
}

/// `BA`, `MS` and the like: in capitals, with a field, a bracket or "in" behind them (`Boston, MA` and `MS Office` are
/// none).
fn is_short_degree(view: &View<'_>, hit: &Hit, text: &str) -> bool {
    let capitals = text.chars().filter(|c| c.is_uppercase()).count() >= 2;
    let row = view.rows.get(view.row_at(hit.span.start)).map_or(hit.span, |row| row.span);
    let behind = view.folded.of(Span::new(hit.span.end, row.end));
    let field = view.hits_in(row).iter().any(|other| {
        matches!(other.meaning(), Meaning::Field)
            && other.span.start >= hit.span.end
            && other.span.start - hit.span.end <= 3
    });
    let degree_words = ["in ", "(hons", "hons", "degree", "of ", "/"];
    capitals && (field || degree_words.iter().any(|word| behind.trim_start().starts_with(word)))
}

static GRADE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"(?:c?gpa|grade|final grade|average|score|المعدل|معدل|تقدير|التقدير|بتقدير)\s*(?:of|:|=|-)?\s*(?P<a>\d[\d.,]*\s*%?(?:\s*(?:/|out of|من)\s*\d+(?:\.\d+)?)?|ممتاز|جيد جدا|جيد|مقبول|امتياز)",
        r"|(?P<b>\d\.\d{1,2}\s*/\s*(?:4|5|10)(?:\.0+)?)",
        r"|(?P<c>\d{2}(?:\.\d+)?\s?%)",
        r"|(?P<d>first[- ]class(?: honou?rs)?|upper second(?:[- ]class)?|2:1|2:2|magna cum laude|summa cum laude|cum laude|with distinction|with honou?rs|ممتاز مع مرتبه الشرف|مرتبه الشرف)",
    ))
});

fn entry(view: &View<'_>, rows: Range<usize>, as_of: Month) -> Option<Education> {
    let span = view.span_of_rows(rows.clone());
    let hits = view.hits_in(span);
    let level = degree(view, hits);
    let all: Vec<Facts> = rows.clone().map(|row| facts(view, row)).collect();
    let date = all.iter().flat_map(|facts| &facts.dates).find(|date| date.is_range());
    let date = date.or_else(|| all.iter().find_map(|facts| facts.dates.first())).copied();
    let school_row = all.iter().position(|facts| facts.school.is_some()).map(|index| rows.start + index);
    let institution = school_row.and_then(|row| school_piece(view, row));
    let degree_text = level.and_then(|(_, at)| {
        piece_with(view, view.row_at(at.start), |hit| matches!(hit, Meaning::Degree(_)))
            .or_else(|| view.sourced(at, 70))
    });
    let institution = institution.or_else(|| other_piece(view, rows.clone(), degree_text.as_ref()));
    if level.is_none() && institution.is_none() {
        return None;
    }
    let field = field(view, hits, level.map(|(_, span)| span));
    let folded = view.folded.of(span);
    let grade = GRADE.captures(folded).and_then(|found| {
        ["a", "b", "c", "d"]
            .iter()
            .find_map(|name| found.name(name))
            .map(|grade| grade.as_str().trim().to_owned())
    });
    let known = [level.is_some(), institution.is_some(), date.is_some(), field.is_some()];
    // A lone date is the end: the year of the degree.
    let (start, end) = match date {
        Some(date) if date.is_range() => {
            (date.first_month(), if date.present { None } else { date.last_month(as_of) })
        }
        Some(date) => (None, date.last_month(as_of)),
        None => (None, None),
    };
    Some(Education {
        level: level.map(|(level, _)| level),
        degree: degree_text,
        field,
        institution,
        grade,
        start,
        end,
        span,
        confidence: 20 + 20 * known.iter().filter(|known| **known).count() as u8,
    })
}

/// The field of study: the first named behind the degree, else any.
fn field(view: &View<'_>, hits: &[Hit], degree: Option<Span>) -> Option<Sourced<String>> {
    let fields = || hits.iter().filter(|hit| matches!(hit.meaning(), Meaning::Field));
    let behind = degree.and_then(|degree| fields().find(|hit| hit.span.start >= degree.start));
    let best = behind.or_else(|| fields().next())?;
    view.sourced(best.span, 85)
}

/// The piece of a line, between commas, bars and dashes, in which a phrase of a kind stands.
fn piece_with(view: &View<'_>, row: usize, wanted: impl Fn(Meaning) -> bool) -> Option<Sourced<String>> {
    let dates = dates::find(view.fold_of(row));
    pieces::cut(view, row, &dates)
        .into_iter()
        .flat_map(|piece| commas(view, piece.span))
        .find(|span| view.hits_in(*span).iter().any(|hit| wanted(hit.meaning())))
        .and_then(|span| view.sourced(span, 85))
}

/// The piece that names the school: one without a degree in it, if there is one.
fn school_piece(view: &View<'_>, row: usize) -> Option<Sourced<String>> {
    let dates = dates::find(view.fold_of(row));
    let named: Vec<Span> = pieces::cut(view, row, &dates)
        .into_iter()
        .flat_map(|piece| commas(view, piece.span))
        .filter(|span| view.hits_in(*span).iter().any(|hit| matches!(hit.meaning(), Meaning::School)))
        .collect();
    let plain = named.iter().find(|span| degree(view, view.hits_in(**span)).is_none());
    plain.or_else(|| named.first()).and_then(|span| view.sourced(*span, 85))
}

/// The first piece that is neither the degree nor a place nor a date: a school without the word.
fn other_piece(
    view: &View<'_>,
    rows: Range<usize>,
    degree: Option<&Sourced<String>>,
) -> Option<Sourced<String>> {
    rows.filter(|row| view.rows.get(*row).is_some_and(|row| !row.line.bullet))
        .take(3)
        .flat_map(|row| pieces::cut(view, row, &dates::find(view.fold_of(row))))
        .filter(|piece| {
            degree.is_none_or(|degree| {
                piece.span.end <= degree.span.start || piece.span.start >= degree.span.end
            })
        })
        .find(|piece| {
            !is_place(view, piece.span)
                && view.slice(piece.span).chars().next().is_some_and(|c| !c.is_lowercase())
                && view.slice(piece.span).split_whitespace().count() <= 8
        })
        .and_then(|piece| view.sourced(piece.span, 50))
}

/// The parts of a span between commas.
fn commas(view: &View<'_>, span: Span) -> Vec<Span> {
    let text = view.slice(span);
    let mut start = 0;
    let mut parts = Vec::new();
    for (at, c) in text.char_indices().chain(std::iter::once((text.len(), ','))) {
        if matches!(c, ',' | '،') {
            let part = view.trim(Span::new(span.start + start as u32, span.start + at as u32));
            if part.start < part.end {
                parts.push(part);
            }
            start = at + c.len_utf8();
        }
    }
    parts
}
