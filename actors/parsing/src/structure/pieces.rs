//! The pieces of an entry's head lines: title, employer, place and what else stands between bars, tabs and dashes.

use tandem_domain::profile::{Sourced, Span};

use super::dates::{self, DateMatch};
use super::headings;
use super::titles::{employer_score, is_place, title_score};
use super::view::{View, word_count};

/// A piece and how it was cut off.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Piece {
    pub(crate) span: Span,
    /// "at" or "@" stood before it: it is an employer.
    pub(crate) behind_at: bool,
    /// It stood where places stand: behind a name and a comma.
    pub(crate) place: bool,
}

/// Words between a title and its employer.
const AT: [&str; 5] = [" at ", " @ ", " لدي ", " bei ", " chez "];

/// Cuts a line into pieces, without its dates.
pub(crate) fn cut(view: &View<'_>, row: usize, dates: &[DateMatch]) -> Vec<Piece> {
    let folded = view.fold_of(row);
    let mut pieces = Vec::new();
    let mut start = 0;
    for date in dates.iter().chain(std::iter::once(&END)) {
        let end = date.start.min(folded.len());
        cut_range(view, row, start..end.max(start), &mut pieces);
        start = date.end.min(folded.len());
    }
    pieces
}

/// Stands behind the last date.
const END: DateMatch = DateMatch { start: usize::MAX, end: usize::MAX, from: None, to: None, present: false };

fn cut_range(view: &View<'_>, row: usize, range: std::ops::Range<usize>, pieces: &mut Vec<Piece>) {
    let folded = view.fold_of(row);
    let Some(text) = folded.get(range.clone()) else { return };
    let mut start = 0;
    let mut behind_at = false;
    let mut at = 0;
    while at <= text.len() {
        let rest = text.get(at..).unwrap_or_default();
        let (width, is_at) = separator(text, at, rest);
        if width > 0 || at == text.len() {
            let piece = text.get(start..at).unwrap_or_default();
            if piece.chars().any(char::is_alphanumeric) {
                let span = view.trim(view.span_in(row, range.start + start, range.start + at));
                // A heading in its own column stands before a tab.
                let first = start == 0 && range.start == 0;
                let heading = first && rest.starts_with('\t') && headings::is_known(piece);
                if !is_filler(piece) && !heading {
                    pieces.push(Piece { span, behind_at, place: false });
                }
                behind_at = false;
            }
            behind_at |= is_at;
            start = at + width;
            at = start.max(at + 1);
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
}

/// Bytes of the separator at `at`, 0 when there is none, and whether it says "at".
fn separator(text: &str, at: usize, rest: &str) -> (usize, bool) {
    if let Some(word) = AT.iter().find(|word| rest.starts_with(**word)) {
        return (word.len(), true);
    }
    let Some(c) = rest.chars().next() else { return (0, false) };
    let spaced = text.get(..at).is_some_and(|before| before.ends_with(' ') || before.is_empty())
        && rest.get(c.len_utf8()..).is_some_and(|after| after.starts_with(' ') || after.is_empty());
    match c {
        '\t' | '|' | '•' | ';' => (c.len_utf8(), false),
        '–' => (c.len_utf8(), false),
        '-' | '/' | '~' if spaced => (1, false),
        _ if rest.starts_with("   ") => (3, false),
        _ => (0, false),
    }
}

/// Durations, labels and brackets that say nothing of title or employer.
fn is_filler(piece: &str) -> bool {
    let words: Vec<&str> =
        piece.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let numbers = words.iter().all(|word| word.chars().all(|c| c.is_ascii_digit()));
    let duration = words.iter().all(|word| {
        word.chars().all(|c| c.is_ascii_digit())
            || matches!(
                *word,
                "years"
                    | "year"
                    | "yrs"
                    | "yr"
                    | "months"
                    | "month"
                    | "mos"
                    | "mo"
                    | "and"
                    | "full"
                    | "part"
                    | "time"
                    | "contract"
                    | "permanent"
                    | "freelance"
                    | "سنوات"
                    | "سنه"
                    | "اشهر"
                    | "شهر"
                    | "دوام"
                    | "كامل"
                    | "جزيي"
            )
    });
    let label = words.len() <= 2
        && matches!(
            words.first().copied(),
            Some("dates" | "date" | "duration" | "period" | "الفتره" | "المده" | "التاريخ")
        );
    numbers || duration || label
}

/// Title, employer and place.
#[derive(Debug, Default)]
pub(crate) struct Head {
    pub(crate) title: Option<Sourced<String>>,
    pub(crate) organization: Option<Sourced<String>>,
    pub(crate) location: Option<Sourced<String>>,
}

/// Gives the pieces of an entry's head their parts.
pub(crate) fn assign(view: &View<'_>, pieces: &[Piece]) -> Head {
    let mut pieces = split_commas(view, pieces);
    let mut head = Head::default();
    if let Some(index) =
        pieces.iter().rposition(|piece| !piece.behind_at && (piece.place || is_place(view, piece.span)))
    {
        head.location = view.sourced(pieces.remove(index).span, 80);
    }
    pieces.retain(|piece| !(piece.place || is_place(view, piece.span)) || piece.behind_at);
    let title = pieces
        .iter()
        .enumerate()
        .filter(|(_, piece)| !piece.behind_at)
        .map(|(index, piece)| (title_score(view, piece.span) * 2 - employer_score(view, piece.span), index))
        .max_by_key(|(score, index)| (*score, usize::MAX - index));
    if let Some((score, index)) = title.filter(|(score, _)| *score > 0 || pieces.len() > 1) {
        // With no word that decides, the first piece is the title.
        let index = if score <= 1 { first_unless_employer(view, &pieces) } else { index };
        head.title = view.sourced(pieces.remove(index).span, if score > 8 { 90 } else { 60 });
    }
    let employer = pieces
        .iter()
        .enumerate()
        .map(|(index, piece)| {
            (
                employer_score(view, piece.span) + if piece.behind_at { 20 } else { 0 },
                usize::MAX - index,
                index,
            )
        })
        .max();
    if let Some((score, _, index)) = employer {
        let piece = pieces.remove(index);
        head.organization = view.sourced(piece.span, if score > 5 { 90 } else { 70 });
    }
    head
}

fn first_unless_employer(view: &View<'_>, pieces: &[Piece]) -> usize {
    usize::from(pieces.len() > 1 && pieces.first().is_some_and(|piece| employer_score(view, piece.span) > 3))
}

/// Splits at commas and brackets where a piece is title and employer, or name and place, in one.
fn split_commas(view: &View<'_>, pieces: &[Piece]) -> Vec<Piece> {
    let mut all = Vec::new();
    for piece in pieces {
        let parts = comma_parts(view, piece.span);
        if parts.len() < 2 || pieces.len() > 5 {
            all.push(*piece);
            continue;
        }
        let others =
            pieces.iter().filter(|other| other.span != piece.span && !is_place(view, other.span)).count();
        split_piece(view, *piece, &parts, others == 0, &mut all);
    }
    all
}

fn split_piece(view: &View<'_>, piece: Piece, parts: &[Span], alone: bool, all: &mut Vec<Piece>) {
    // From behind: places.
    let mut end = parts.len();
    while end > 1 && is_place_part(view, parts, end - 1) {
        end -= 1;
    }
    // "Battle Ground, WA", "Jebel Ali, Dubai": between the name and a place stands its town.
    let only_title = end == 2 && parts.first().is_some_and(|part| title_score(view, *part) >= 6);
    if end > 1 && end + 1 == parts.len() && !only_title && is_unknown_town(view, parts, end - 1) {
        end -= 1;
    }
    let joined = |from: usize, to: usize| match (parts.get(from), parts.get(to.wrapping_sub(1))) {
        (Some(first), Some(last)) if from < to => Some(Span::new(first.start, last.end)),
        _ => None,
    };
    let names = parts.get(..end).unwrap_or_default();
    let first_is_title = names.first().is_some_and(|part| title_score(view, *part) >= 6);
    let later_title =
        names.iter().skip(1).position(|part| title_score(view, *part) >= 6).map(|index| index + 1);
    // "Software Engineer, Acme": title first; "Acme, Software Engineer": employer first; "Manager, Operations": whole.
    if end == parts.len()
        && end > 1
        && !first_is_title
        && later_title.is_none()
        && is_unknown_town(view, parts, end - 1)
    {
        end -= 1;
    }
    let names = parts.get(..end).unwrap_or_default();
    let cut = if first_is_title && names.len() > 1 && alone {
        Some(if names.len() > 2 && !later_employer_at(view, names, 1) { names.len() - 1 } else { 1 })
    } else if !first_is_title {
        later_title.filter(|_| alone)
    } else {
        None
    };
    let from = cut.unwrap_or(0);
    let mut until = end;
    if cut.is_some() && until > from + 1 && is_unknown_town(view, parts, until - 1) {
        until -= 1;
    }
    let piece_of = |from, to, behind_at, place| joined(from, to).map(|span| Piece { span, behind_at, place });
    all.extend(piece_of(0, from, piece.behind_at, false));
    all.extend(piece_of(from, until, piece.behind_at && cut.is_none(), false));
    all.extend(piece_of(until, parts.len(), false, true));
}

/// A place, or the letters of a state behind a town ("Fresno, CA").
fn is_place_part(view: &View<'_>, parts: &[Span], index: usize) -> bool {
    let Some(part) = parts.get(index) else { return false };
    let text = view.slice(*part);
    is_place(view, *part) || is_state(text) && index > 0
}

/// The letters of a state or province.
fn is_state(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// One or two capitalized words behind a name that say neither a title nor an employer: a town no gazetteer has.
fn is_unknown_town(view: &View<'_>, parts: &[Span], index: usize) -> bool {
    let Some(part) = parts.get(index) else { return false };
    let text = view.slice(*part);
    word_count(text) <= 2
        && text
            .split_whitespace()
            .all(|word| word.chars().next().is_some_and(|c| c.is_alphabetic() && !c.is_lowercase()))
        && title_score(view, *part) == 0
        && employer_score(view, *part) <= 1
        && !text.contains(['&', '('])
}

fn later_employer_at(view: &View<'_>, names: &[Span], index: usize) -> bool {
    names.get(index).is_some_and(|part| employer_score(view, *part) >= 5 && title_score(view, *part) < 6)
}

fn comma_parts(view: &View<'_>, span: Span) -> Vec<Span> {
    let text = view.slice(span);
    let mut parts = Vec::new();
    let mut start = 0;
    let mut depth = 0_i32;
    for (at, c) in text.char_indices().chain(std::iter::once((text.len(), ','))) {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' | '،' if depth <= 0 || at == text.len() => {
                let part = view.trim(Span::new(span.start + start as u32, span.start + at as u32));
                // "Acme, Inc." is one name.
                let suffix = matches!(
                    view.slice(part).to_lowercase().trim_end_matches('.'),
                    "inc" | "ltd" | "llc" | "llp" | "plc" | "gmbh" | "corp" | "co" | "s.a" | "phd" | "rn"
                );
                match parts.last_mut() {
                    Some(Span { end, .. }) if suffix => *end = part.end,
                    _ if part.start < part.end => parts.push(part),
                    _ => {}
                }
                start = at + c.len_utf8();
            }
            _ => {}
        }
    }
    parts
}

/// Whether a line can stand in an entry's head: short, no bullet, no sentence.
pub(crate) fn is_head_line(view: &View<'_>, row: usize) -> bool {
    let Some(line) = view.rows.get(row).map(|row| row.line) else { return false };
    let text = line.text.trim();
    let words = word_count(text);
    let sentence = text.ends_with(['.', ';', ':', '!'])
        && !text.ends_with("Inc.")
        && !text.ends_with("Ltd.")
        && !text.ends_with("o.o.")
        && words > 3;
    let lower = text.chars().next().is_some_and(char::is_lowercase);
    let separated = text.contains(['|', '\t', '•', '·', '–', '—']);
    let most = if separated || line.heading > 0 { 18 } else { 12 };
    !line.bullet && (1..=most).contains(&words) && !sentence && !lower && text.len() <= 140
}

/// The dates of a line.
pub(crate) fn dates_of(view: &View<'_>, row: usize) -> Vec<DateMatch> {
    dates::find(view.fold_of(row))
}
