//! E-mail addresses, telephone numbers, web addresses and the place in the header.

use std::sync::LazyLock;

use regex::Regex;
use tandem_domain::profile::{SectionKind, Sourced, Span};

use super::lexicon::Meaning;
use super::sections::Part;
use super::view::{View, touches};
use super::{dates, words};
use crate::extract::Link;

#[cfg(test)]
mod tests;

/// Digits of a telephone number (ITU-T E.164 allows 15).
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 7..=15;
/// At most so many addresses or numbers of a kind are kept.
const MAX_EACH: usize = 16;

/// Compiles a constant pattern for folded text, where digits and spaces are ASCII: so the classes may be, which keeps the
/// automata small. `\b` sees ASCII words only.
pub(crate) fn pattern(text: &str) -> Regex {
    let ascii = text.replace(r"\d", "[0-9]").replace(r"\s", r"[ \t\n]").replace(r"\b", r"(?-u:\b)");
    Regex::new(&ascii).expect("a constant pattern that the unit tests run")
}

/// Also with spaces around `@` and dots, as some extractors and some careful people write it.
static EMAIL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"[a-z0-9][a-z0-9._%+\-]{0,63} ?(?:@|\[at\]|\(at\)) ?[a-z0-9](?:[a-z0-9\-]*[a-z0-9])?(?:(?:\.| ?\[dot\] ?)[a-z0-9\-]{2,})+",
    )
});
static URL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"(?:https?://|www\.)[^\s|<>()•,;]+",
        r"|(?:[a-z0-9\-]+\.)*(?:linkedin\.com|github\.com|github\.io|gitlab\.com|bitbucket\.org|behance\.net|dribbble\.com|medium\.com|twitter\.com|x\.com|facebook\.com|instagram\.com|t\.me|wa\.me|stackoverflow\.com|kaggle\.com|orcid\.org|xing\.com)(?:/[^\s|<>()•,;]*)?",
        r"|\b[a-z0-9][a-z0-9\-]*(?:\.[a-z0-9\-]+)*\.(?:com|org|net|io|dev|me|eu|co\.uk|de|fr|ai|app|info|example)(?:/[^\s|<>()•,;]*)?\b",
    ))
});
static PHONE: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?:\+|00|\(\+?)?\d[\d\s().\-–/]{5,24}\d"));

/// Whether a folded line holds an address or number by which somebody is reached.
pub(crate) fn is_contact(folded: &str) -> bool {
    folded.contains('@') && EMAIL.is_match(folded)
        || folded.contains('.') && URL.find_iter(folded).any(|found| is_web_address(found.as_str()))
        || folded.bytes().filter(u8::is_ascii_digit).count() >= 7 && phones_in(folded).next().is_some()
}

/// Where e-mail and web addresses stand in a folded text.
pub(crate) fn addresses_in(folded: &str) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
    let emails = folded.contains('@').then(|| EMAIL.find_iter(folded)).into_iter().flatten();
    let urls = folded.contains('.').then(|| URL.find_iter(folded)).into_iter().flatten();
    emails.chain(urls.filter(|found| is_web_address(found.as_str()))).map(|found| found.range())
}

/// Where telephone numbers stand in a folded text: enough digits, and no date or plain figure.
pub(crate) fn phones_in(folded: &str) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
    PHONE.find_iter(folded).filter_map(move |found| {
        let text = found.as_str();
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        let before = folded.get(..found.start()).unwrap_or_default();
        let international = text.starts_with('+')
            || text.starts_with("00")
            || text.starts_with("(+")
            || before.ends_with('+');
        let grouped = text.contains([' ', '-', '.', '(', '–']);
        let labeled = before
            .trim_end()
            .trim_end_matches([':', '.', ')', '-'])
            .trim_end()
            .rsplit([' ', '(', '|', '\t', '•'])
            .next()
            .is_some_and(words::is_phone_label);
        let good = PHONE_DIGITS.contains(&digits)
            && (international || labeled || (grouped || text.starts_with('0')) && digits >= 8)
            && (international || labeled || !is_dates(text))
            && !before
                .ends_with(|c: char| c.is_alphanumeric() || matches!(c, '$' | '€' | '£' | '#' | '.' | '/'))
            && !folded.get(found.end()..).unwrap_or_default().starts_with(['%', '@']);
        good.then(|| found.range())
    })
}

fn is_dates(text: &str) -> bool {
    dates::find(text).iter().any(|date| date.is_range() || date.end - date.start > 4)
        || text.split(|c: char| !c.is_ascii_digit()).filter(|group| !group.is_empty()).all(|group| {
            group.len() == 4 && group.parse().is_ok_and(|year: u32| (1940..2050).contains(&year))
        })
        // Thousands: 1.500.000 or 2 400 000
        || text.contains(['.', ' ']) && text.split(['.', ' ']).skip(1).all(|group| group.len() == 3)
}

/// What was read.
#[derive(Debug, Default)]
pub(crate) struct Contact {
    pub(crate) emails: Vec<Sourced<String>>,
    pub(crate) phones: Vec<Sourced<String>>,
    pub(crate) urls: Vec<Sourced<String>>,
}

/// Reads the addresses and numbers of the whole document.
pub(crate) fn read(view: &View<'_>, links: &[Link]) -> Contact {
    let mut contact = Contact::default();
    for row in 0..view.rows.len() {
        let folded = view.fold_of(row);
        if folded.contains('@') {
            for found in EMAIL.find_iter(folded) {
                let value = found
                    .as_str()
                    .replace("[at]", "@")
                    .replace("(at)", "@")
                    .replace("[dot]", ".")
                    .replace(' ', "");
                push(&mut contact.emails, value, view.span_in(row, found.start(), found.end()), 95);
            }
        }
        if folded.contains('.') {
            for found in URL.find_iter(folded) {
                let inside_email =
                    folded.get(..found.start()).is_some_and(|before| before.trim_end().ends_with('@'))
                        || folded.get(found.end()..).is_some_and(|after| after.starts_with('@'));
                if !inside_email && is_web_address(found.as_str()) {
                    let span = view.span_in(row, found.start(), found.end());
                    push(&mut contact.urls, view.slice(span).trim_end_matches('.').to_owned(), span, 85);
                }
            }
        }
        let labeled_row = view.rows.get(row).is_some_and(|row| row.line.icon_before);
        for found in phones_in(folded) {
            let span = view.span_in(row, found.start, found.end);
            push(
                &mut contact.phones,
                view.slice(span).trim().to_owned(),
                span,
                if labeled_row { 95 } else { 85 },
            );
        }
    }
    for link in links {
        let span = link
            .line
            .and_then(|line| view.rows.get(line as usize))
            .map_or_else(Span::default, |row| row.span);
        if let Some(address) = link.uri.strip_prefix("mailto:") {
            let address = address.split('?').next().unwrap_or_default().to_ascii_lowercase();
            push(&mut contact.emails, address, span, 95);
        } else if let Some(number) = link.uri.strip_prefix("tel:") {
            // The same number usually stands in the text with other spaces.
            let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
            if !contact.phones.iter().any(|known| digits(&known.value) == digits(number)) {
                push(&mut contact.phones, number.to_owned(), span, 95);
            }
        } else if link.uri.starts_with("http") {
            push(&mut contact.urls, link.uri.clone(), span, 95);
        }
    }
    contact
}

/// `Node.js` and `ASP.NET` are no addresses; a bare domain must have a path or a usual ending.
fn is_web_address(text: &str) -> bool {
    !matches!(
        text,
        "asp.net"
            | "node.js"
            | "vb.net"
            | "ado.net"
            | "socket.io"
            | "draw.io"
            | "monday.com"
            | "salesforce.com"
            | "booking.com"
    ) && (!text.ends_with(".net") || text.contains('/'))
}

fn push(list: &mut Vec<Sourced<String>>, value: String, span: Span, confidence: u8) {
    let key = |text: &str| {
        text.trim_start_matches("https://")
            .trim_start_matches("http://")
            .trim_start_matches("www.")
            .trim_end_matches('/')
            .to_ascii_lowercase()
    };
    if !value.is_empty()
        && list.len() < MAX_EACH
        && !list.iter().any(|known| key(&known.value) == key(&value))
    {
        list.push(Sourced { value, confidence, span });
    }
}

/// The end of a place with the letters of its state ("Austin, TX").
fn with_state(view: &View<'_>, end: u32) -> u32 {
    let behind = view.slice(Span::new(end, view.rows.get(view.row_at(end)).map_or(end, |row| row.span.end)));
    let code = behind.strip_prefix(", ").map(|rest| rest.chars().take(3).collect::<String>());
    match code {
        Some(code)
            if code.chars().take(2).filter(char::is_ascii_uppercase).count() == 2
                && code.chars().nth(2).is_none_or(|c| !c.is_alphanumeric()) =>
        {
            end + 4
        }
        _ => end,
    }
}

/// The town, region or country in the header, or behind an address label.
pub(crate) fn location(view: &View<'_>, parts: &[Part], without: &[Span]) -> Option<Sourced<String>> {
    let rows = parts
        .iter()
        .filter(|part| matches!(part.kind, SectionKind::Header | SectionKind::Personal))
        .flat_map(|part| part.body.clone());
    let known = rows.clone().find_map(|row| known_place(view, row, without));
    known.or_else(|| rows.into_iter().find_map(|row| town_of_state(view, row, without)))
}

/// `Elk Grove, CA`: a town no gazetteer has shows itself by the letters of its state.
fn town_of_state(view: &View<'_>, row: usize, without: &[Span]) -> Option<Sourced<String>> {
    static TOWN: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b[A-Z][a-z]+(?: [A-Z][a-z]+)?, [A-Z]{2}\b"));
    let line = view.rows.get(row)?;
    let found = TOWN.find(line.text())?;
    let start = line.span.start + found.start() as u32;
    let span = Span::new(start, start + found.len() as u32);
    (!touches(without, span)).then(|| view.sourced(span, 70)).flatten()
}

/// The places of the gazetteer on a line, where they stand together.
fn known_place(view: &View<'_>, row: usize, without: &[Span]) -> Option<Sourced<String>> {
    let span = view.rows.get(row)?.span;
    let nationality = view.fold_of(row).contains("nationalit") || view.fold_of(row).contains("الجنسي");
    if nationality {
        return None;
    }
    let hits: Vec<Span> = view
        .hits_in(span)
        .iter()
        .filter(|hit| matches!(hit.meaning(), Meaning::Place { .. }))
        .filter(|hit| !touches(without, hit.span))
        .map(|hit| hit.span)
        .collect();
    let first = hits.first()?;
    // Places that follow each other with a comma belong together.
    let end = hits.iter().fold(first.end, |end, hit| {
        let between = view.slice(Span::new(end, hit.start));
        let beside = between.trim_matches([' ', ',', '،', '-', '–', '.', '(', ')', '/']).is_empty();
        if hit.start >= end && beside { hit.end } else { end }
    });
    view.sourced(Span::new(first.start, with_state(view, end)), 80)
}
