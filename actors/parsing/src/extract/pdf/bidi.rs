//! From the order of the paper to the order of reading: the Unicode bidirectional algorithm (UAX #9) backwards.
//!
//! Exact inversion is impossible, because several texts look the same. The rules here are those that held on
//! real documents: reverse a right-to-left line, then put Latin runs and groups of digits back.

use super::super::clean::is_rtl_letter;

/// A piece of a line in the order of the paper; its own text is in reading order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub text: String,
    /// A space, or the tab between two segments, stands before it on its left.
    pub gap: Option<char>,
}

/// How many items around a number or word are looked at; keeps hostile lines linear.
const REACH: usize = 400;
/// Digits of a count of years; longer numbers behind a plus are telephone numbers.
const SHORT_NUMBER: usize = 2;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Class {
    Rtl,
    Latin,
    Digit,
    /// `.`, `,`, `:`, `/`, `-`: joins digits.
    Joiner,
    /// `%` and currency signs: stay with their number.
    Sign,
    Space,
    Other,
}

/// The text of one line. `rtl` is the base direction of the line.
pub(super) fn reading_order(pieces: &[Piece], rtl: bool) -> String {
    let mut items: Vec<(String, Class)> = Vec::with_capacity(pieces.len() * 2);
    for (at, piece) in pieces.iter().enumerate() {
        if let Some(gap) = piece.gap.filter(|_| at > 0) {
            items.push((gap.to_string(), Class::Space));
        }
        items.push((piece.text.clone(), classify(&piece.text)));
    }
    if !items.iter().any(|(_, class)| *class == Class::Rtl) && !rtl {
        return items.into_iter().map(|(text, _)| text).collect();
    }
    if rtl { invert(items) } else { invert_runs(items) }
}

/// In a left-to-right line only the right-to-left runs are turned.
fn invert_runs(items: Vec<(String, Class)>) -> String {
    let mut out = String::new();
    let mut rest = items.as_slice();
    while let Some(start) = rest.iter().position(|(_, class)| *class == Class::Rtl) {
        let (before, tail) = rest.split_at(start);
        out.extend(before.iter().map(|(text, _)| text.as_str()));
        // The run reaches to its last right-to-left letter before a Latin one.
        let stop = tail.iter().position(|(_, class)| *class == Class::Latin).unwrap_or(tail.len());
        let (run, _) = tail.split_at(stop);
        let last = run.iter().rposition(|(_, class)| *class == Class::Rtl).map_or(0, |at| at + 1);
        let (run, after) = tail.split_at(last);
        out.push_str(&invert(run.to_vec()));
        rest = after;
    }
    out.extend(rest.iter().map(|(text, _)| text.as_str()));
    out
}

fn invert(items: Vec<(String, Class)>) -> String {
    let mut out: Vec<(String, bool)> = Vec::with_capacity(items.len());
    let mut end = items.len();
    // From the right end of the paper to the left, taking left-to-right runs as a whole.
    while end > 0 {
        let start = run_start(&items, end);
        let run = items.get(start..end).unwrap_or_default();
        let ltr = run.len() > 1 || run.iter().any(|(_, class)| matches!(class, Class::Latin | Class::Digit));
        out.extend(run.iter().map(|(text, _)| (text.clone(), ltr)));
        end = start;
    }
    mirror(&mut out);
    out.into_iter().map(|(text, _)| text).collect()
}

/// Where the left-to-right run that ends before `end` begins; `end - 1` for anything else.
fn run_start(items: &[(String, Class)], end: usize) -> usize {
    let class = |at: usize| items.get(at).map(|(_, class)| *class);
    let single = end - 1;
    let Some(first) = class(single) else { return single };
    if first == Class::Sign {
        // "50%" keeps its sign on the right.
        let digit = single.checked_sub(1).filter(|at| class(*at) == Some(Class::Digit));
        return digit.map_or(single, |at| number_start(items, at));
    }
    if first == Class::Digit {
        let start = number_start(items, single);
        // UAX #9, W7: a number behind a Latin word is part of its run ("Vue 3", "PMP - 2022"). A range of years
        // that falls is the other case: it was written in front of the word.
        let latin = latin_start(items, end);
        let is_tail = |at: &usize| !matches!(class(*at), None | Some(Class::Rtl | Class::Latin));
        let tail = (end..end + REACH).take_while(is_tail).last().map_or(end, |at| at + 1);
        let joined = latin < start && !years_fall(items.get(latin..tail).unwrap_or_default());
        return if joined { latin } else { start };
    }
    if first == Class::Latin {
        return latin_start(items, end);
    }
    // "5+" drawn from left to right keeps its plus behind a short number.
    if is_short_with_plus(items, single) {
        return number_start(items, single - 1);
    }
    // "C#" and "C++" drawn from left to right: a hash or plus behind a Latin letter is part of the word.
    let glued = |at: usize| items.get(at).is_some_and(|(text, _)| matches!(text.as_str(), "#" | "+"));
    let word = (0..end).rev().take(3).find(|at| !glued(*at)).filter(|_| glued(single));
    word.filter(|at| class(*at) == Some(Class::Latin)).map_or(single, |at| latin_start(items, at + 1))
}

fn is_short_with_plus(items: &[(String, Class)], plus: usize) -> bool {
    let is_digit = |at: &usize| items.get(*at).is_some_and(|(_, class)| *class == Class::Digit);
    let digits = (0..plus).rev().take(SHORT_NUMBER + 1).take_while(is_digit).count();
    items.get(plus).is_some_and(|(text, _)| text == "+") && (1..=SHORT_NUMBER).contains(&digits)
}

/// Whether a run shows a later year on the left of an earlier one.
fn years_fall(run: &[(String, Class)]) -> bool {
    let text: String = run.iter().map(|(text, _)| text.as_str()).collect();
    let years: Vec<u32> = text
        .split(|c: char| !c.is_ascii_digit())
        .filter(|n| n.len() == 4)
        .filter_map(|n| n.parse().ok())
        .collect();
    years.is_sorted_by(|a, b| a > b) && years.len() > 1
}

/// Digits joined by single joiners, with a sign or plus in front.
fn number_start(items: &[(String, Class)], last: usize) -> usize {
    let class = |at: usize| items.get(at).map(|(_, class)| *class);
    let mut start = last;
    while let Some(before) = start.checked_sub(1) {
        let joined = class(before) == Some(Class::Joiner)
            && before.checked_sub(1).is_some_and(|at| class(at) == Some(Class::Digit));
        if class(before) == Some(Class::Digit) || joined {
            start = before;
        } else {
            break;
        }
    }
    // Behind Arabic text a percent sign and the plus of "5+" are drawn on the left and read on the right.
    let digits = last + 1 - start;
    let leads = |at: &usize| {
        items.get(*at).is_some_and(|(text, class)| match text.as_str() {
            "+" => digits > SHORT_NUMBER,
            "%" | "٪" => false,
            _ => *class == Class::Sign,
        })
    };
    let mut start = start.checked_sub(1).filter(leads).unwrap_or(start);
    // A telephone number that begins with a plus on its left was written from left to right.
    let mut probe = start;
    let mut groups = 0;
    while let Some(before) = probe.checked_sub(1).filter(|_| start - probe < REACH) {
        match class(before) {
            Some(Class::Space | Class::Digit | Class::Joiner) => groups += 1,
            Some(Class::Other)
                if items.get(before).is_some_and(|(text, _)| text == "+" || text == "(" || text == ")") =>
            {
                if items.get(before).is_some_and(|(text, _)| text == "+") && groups > 0 {
                    start = before;
                    break;
                }
            }
            _ => break,
        }
        probe = before;
    }
    start
}

/// The first item of the Latin run that ends before `end`: words, and what stands between them.
fn latin_start(items: &[(String, Class)], end: usize) -> usize {
    let mut start = end;
    let mut probe = end;
    while let Some(before) = probe.checked_sub(1).filter(|_| start - probe < REACH) {
        match items.get(before) {
            Some((_, Class::Latin)) => start = before,
            Some((_, Class::Rtl)) | None => break,
            Some((text, Class::Space)) if text == "\t" => break,
            // A number belongs to the run only when a Latin word stands further left and touches or follows.
            Some((_, Class::Digit | Class::Joiner | Class::Sign | Class::Space | Class::Other)) => {}
        }
        probe = before;
    }
    // A number glued to the left of the run ("3D") belongs to it.
    while start
        .checked_sub(1)
        .is_some_and(|at| items.get(at).is_some_and(|(_, class)| *class == Class::Digit))
    {
        start -= 1;
    }
    start
}

/// Brackets in right-to-left text are drawn mirrored, and some files store what was drawn: if they close before
/// they open, they are turned.
fn mirror(items: &mut [(String, bool)]) {
    let (mut depth, mut swapped, mut proper) = (0_i32, 0, 0);
    for (text, ltr) in items.iter() {
        match text.chars().next().filter(|_| !ltr) {
            Some('(' | '[' | '{' | '«') => depth += 1,
            Some(')' | ']' | '}' | '»') => {
                if depth > 0 {
                    proper += 1;
                } else {
                    swapped += 1;
                }
                depth -= 1;
            }
            _ => {}
        }
    }
    if swapped <= proper {
        return;
    }
    for (text, ltr) in items.iter_mut().filter(|(_, ltr)| !ltr) {
        debug_assert!(!*ltr);
        *text = text.chars().map(mirrored).collect();
    }
}

fn mirrored(c: char) -> char {
    match c {
        '(' => ')',
        ')' => '(',
        '[' => ']',
        ']' => '[',
        '{' => '}',
        '}' => '{',
        '«' => '»',
        '»' => '«',
        c => c,
    }
}

fn classify(text: &str) -> Class {
    let Some(first) = text.chars().next() else { return Class::Other };
    // The Arabic comma is a neutral separator (UAX #9, CS); semicolon and question mark are letters to it.
    if text.chars().any(is_rtl_letter) || matches!(first, '؛' | '؟') {
        return Class::Rtl;
    }
    match first {
        c if text.chars().any(char::is_alphabetic) && !is_rtl_letter(c) => Class::Latin,
        c if c.is_numeric() => Class::Digit,
        '.' | ',' | ':' | '/' | '-' => Class::Joiner,
        '%' | '$' | '€' | '£' | '٪' => Class::Sign,
        c if c.is_whitespace() => Class::Space,
        '@' | '_' | '#' | '&' => Class::Other,
        _ => Class::Other,
    }
}

#[cfg(test)]
mod tests;
