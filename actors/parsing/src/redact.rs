//! The text that may be ranked: what a document says of work, skills and learning, without who says it (invariant 8).
//!
//! Contact block, personal data and referees go as a whole; in the rest the person's name, addresses, numbers, dates
//! and protected facts are cut out and gendered words made neutral. What is cut leaves no trace of its length, so two
//! documents that differ only in such facts give the same bytes.

use tandem_domain::document::DocumentKind;
use tandem_domain::profile::{Profile, SectionKind, Sourced, Span};

use crate::structure::contact::{self, Contact};
use crate::structure::dates;
use crate::structure::lexicon::Meaning;
use crate::structure::personal;
use crate::structure::sections::Part;
use crate::structure::view::View;

mod neutral;
mod person;
mod profile;
mod tidy;

pub use profile::redacted;

#[cfg(test)]
mod tests;

/// Where the person stands in the text: occurrences of the name, e-mail and web addresses.
#[derive(Debug, Default)]
pub(crate) struct Redaction {
    /// Ordered; nothing in these bytes names a skill or a place.
    pub(crate) person: Vec<Span>,
}

impl Redaction {
    /// Finds every occurrence of the name and every address.
    pub(crate) fn of(view: &View<'_>, name: Option<&Sourced<String>>, contact: &Contact) -> Self {
        let mut person = name.map(|name| person::occurrences(view, name)).unwrap_or_default();
        person.extend(
            contact
                .emails
                .iter()
                .map(|email| email.span)
                .filter(|span| span.start < span.end && is_short(*span)),
        );
        for row in 0..view.rows.len() {
            let folded = view.fold_of(row);
            person
                .extend(contact::addresses_in(folded).map(|range| view.span_in(row, range.start, range.end)));
        }
        person.sort_unstable();
        Self { person }
    }
}

/// The span of a link is the whole line that carries it; only what an address can fill is cut.
const MAX_ADDRESS_BYTES: u32 = 100;

const fn is_short(span: Span) -> bool {
    span.end - span.start <= MAX_ADDRESS_BYTES
}

/// Makes the ranked text: one line per bullet, dated line or paragraph.
pub(crate) fn ranked_text(
    view: &View<'_>,
    parts: &[Part],
    profile: &Profile,
    redaction: &Redaction,
) -> String {
    let mut writer = tidy::Writer::default();
    let masks = Masks::of(view, profile, redaction);
    // The headline or title first: it stands in the dropped contact block.
    if let Some(label) = &profile.basics.label {
        if label.span.start < label.span.end {
            emit(view, label.span, &masks, true, &mut writer);
        } else {
            writer.line(&label.value);
        }
    }
    for part in parts.iter().filter(|part| is_kept(profile.kind, part.kind)) {
        let mut first = true;
        for row in part.body.clone() {
            let Some(line) = view.rows.get(row) else { continue };
            let span = Span::new(line.span.start.max(part.start), line.span.end);
            if is_dropped_line(view, profile, row, span) {
                continue;
            }
            let starts =
                first || line.line.bullet || line.line.heading > 0 || masks.dated.binary_search(&row).is_ok();
            emit(view, span, &masks, starts, &mut writer);
            first = false;
        }
    }
    writer.finish()
}

/// Which parts may be ranked.
const fn is_kept(kind: DocumentKind, section: SectionKind) -> bool {
    match kind {
        DocumentKind::Resume => !matches!(
            section,
            SectionKind::Header | SectionKind::Personal | SectionKind::References | SectionKind::Interests
        ),
        DocumentKind::Job => {
            !matches!(section, SectionKind::Header | SectionKind::About | SectionKind::Benefits)
        }
    }
}

/// Lines of a posting that speak of equal opportunity, of applying or of pay, and the title that was written already.
fn is_dropped_line(view: &View<'_>, profile: &Profile, row: usize, span: Span) -> bool {
    const BOILERPLATE: [&str; 22] = [
        "equal opportunit",
        "without regard to",
        "regardless of race",
        "regardless of gender",
        "race, color",
        "race, colour",
        "sexual orientation",
        "protected veteran",
        "reasonable accommodation",
        "diversity and inclusion",
        "to apply",
        "send your cv",
        "send your resume",
        "apply by",
        "closing date",
        "تكافو الفرص",
        "بغض النظر",
        "للتقديم",
        "ارسال السيره",
        "we celebrate diversity",
        "apply at",
        "background check",
    ];
    if profile.kind == DocumentKind::Resume {
        return false;
    }
    let label = profile.basics.label.as_ref().map_or(Span::default(), |label| label.span);
    let folded = view.fold_of(row);
    let title = label.start < label.end && span.start <= label.start && label.end <= span.end;
    title || BOILERPLATE.iter().any(|cue| folded.contains(cue)) || is_pay_line(profile, span)
}

fn is_pay_line(profile: &Profile, span: Span) -> bool {
    let salary = profile.requirements.as_ref().and_then(|asked| asked.salary.as_ref());
    salary.is_some_and(|salary| {
        salary.span.start < salary.span.end && span.start <= salary.span.start && salary.span.end <= span.end
    })
}

/// What is cut out of the kept lines.
struct Masks {
    /// Ordered by start.
    spans: Vec<Span>,
    /// Rows with a date, ordered.
    dated: Vec<usize>,
}

impl Masks {
    fn of(view: &View<'_>, profile: &Profile, redaction: &Redaction) -> Self {
        let mut spans = redaction.person.clone();
        let mut dated = Vec::new();
        for row in 0..view.rows.len() {
            let folded = view.fold_of(row);
            spans.extend(contact::phones_in(folded).map(|range| view.span_in(row, range.start, range.end)));
            if profile.kind == DocumentKind::Resume {
                spans.extend(personal::labeled(view, row).into_iter().map(|(_, span)| span));
                spans.extend(personal::unlabeled(view, row).map(|(_, span)| span));
                let before = spans.len();
                dates_of(view, row, &mut spans);
                if spans.len() > before {
                    dated.push(row);
                }
            }
        }
        if let Some(asked) = &profile.requirements {
            let head = [&asked.organization, &asked.location];
            for value in head.into_iter().flatten() {
                spans.extend(occurrences(view, &value.value));
            }
        }
        spans.retain(|span| span.start < span.end);
        spans.sort_unstable();
        Self { spans, dated }
    }
}

/// Dates of a line, but not those that belong to a skill's name or a standard's ("SQL Server 2019", "ISO 9001:2015").
fn dates_of(view: &View<'_>, row: usize, spans: &mut Vec<Span>) {
    let folded = view.fold_of(row);
    for date in dates::find(folded) {
        let span = view.span_in(row, date.start, date.end);
        let of_skill = view.hits_in(view.rows.get(row).map_or(span, |row| row.span)).iter().any(|hit| {
            matches!(hit.meaning(), Meaning::Skill(_))
                && hit.span.start <= span.start
                && span.end <= hit.span.end
        });
        let of_standard =
            folded.get(..date.start).is_some_and(|before| before.ends_with(':')) && !date.is_range();
        if !of_skill && !of_standard {
            spans.push(span);
        }
    }
}

/// Every place where a value of some length stands literally.
fn occurrences(view: &View<'_>, value: &str) -> Vec<Span> {
    /// Shorter values are too likely to be something else.
    const MIN_BYTES: usize = 4;
    if value.len() < MIN_BYTES {
        return Vec::new();
    }
    view.text
        .match_indices(value)
        .map(|(at, found)| Span::new(at as u32, (at + found.len()) as u32))
        .collect()
}

fn emit(view: &View<'_>, span: Span, masks: &Masks, starts: bool, writer: &mut tidy::Writer) {
    if starts {
        writer.begin();
    }
    // Masks are ordered by start, not by end: those that start far before may still reach in, so all earlier are asked.
    let until = masks.spans.partition_point(|mask| mask.start < span.end);
    let mut at = span.start;
    let reach = masks.spans.get(..until).unwrap_or_default();
    let from = masks.spans.partition_point(|mask| mask.start + MAX_MASK_BYTES < span.start);
    for mask in reach.get(from..).unwrap_or_default() {
        if mask.end <= at {
            continue;
        }
        let start = mask.start.max(at);
        writer.text(neutral::words(view.slice(Span::new(at, start))));
        writer.cut();
        at = mask.end.min(span.end);
    }
    writer.text(neutral::words(view.slice(Span::new(at, span.end))));
    writer.end_of_row();
}

/// No mask is longer than a line may be.
const MAX_MASK_BYTES: u32 = crate::structure::MAX_LINE_BYTES as u32;
