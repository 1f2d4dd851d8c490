//! The tokens of a line and the grammar over them.

use super::{DateMatch, Point, month_names};

/// Years of a career in the Gregorian calendar.
const YEARS: std::ops::RangeInclusive<i32> = 1940..=2049;
/// Years of a career in the Hijri calendar.
const HIJRI_YEARS: std::ops::RangeInclusive<i32> = 1360..=1470;
/// Words that mean "until today".
const PRESENT: &[&str] = &[
    "present",
    "current",
    "currently",
    "now",
    "ongoing",
    "today",
    "date",
    "heute",
    "actuel",
    "الان",
    "حاليا",
    "الحاضر",
    "الحالي",
    "اليوم",
    "تاريخه",
    "حتينه",
    "الوقت",
];
/// Words between the ends of a range.
const UNTIL: &[&str] =
    &["to", "until", "till", "til", "through", "thru", "bis", "and", "حتي", "الي", "لغايه", "ل"];
/// Words that open a range without an end.
const SINCE: &[&str] = &["since", "from", "seit", "منذ", "من", "starting", "started"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    /// Value and count of digits.
    Number(i32, usize),
    /// The month, and whether it opens a season.
    Month(u8, bool),
    Present,
    Until,
    Since,
    Dash,
    Slash,
    Dot,
    Apostrophe,
    Space,
    Hijri,
    Word,
    Other,
}

#[derive(Debug, Clone, Copy)]
struct Placed {
    token: Token,
    start: usize,
    end: usize,
}

/// Every date and range of a folded line, from left to right, without overlap.
pub(crate) fn find(line: &str) -> Vec<DateMatch> {
    // Without a digit there is no date; this spares most lines the rest.
    if !line.bytes().any(|byte| byte.is_ascii_digit()) {
        return Vec::new();
    }
    let tokens = tokens(line);
    let parser = Parser { tokens: &tokens, arabic: line.chars().any(super::super::fold::is_arabic) };
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        match parser.range(at) {
            Some((date, next)) => {
                found.push(date);
                at = next.max(at + 1);
            }
            None => at += 1,
        }
    }
    found
}

fn tokens(line: &str) -> Vec<Placed> {
    let mut tokens: Vec<Placed> = Vec::new();
    let mut chars = line.char_indices().peekable();
    while let Some((start, c)) = chars.next() {
        let mut end = start + c.len_utf8();
        let same: Option<fn(char) -> bool> = if c.is_ascii_digit() {
            Some(|c| c.is_ascii_digit())
        } else if c.is_alphabetic() {
            Some(char::is_alphabetic)
        } else if c.is_whitespace() {
            Some(char::is_whitespace)
        } else {
            None
        };
        while let Some((at, next)) = chars.next_if(|(_, next)| same.is_some_and(|same| same(*next))) {
            end = at + next.len_utf8();
        }
        let text = line.get(start..end).unwrap_or_default();
        let token = match c {
            _ if c.is_ascii_digit() => Token::Number(text.parse().unwrap_or(i32::MAX), text.len()),
            _ if c.is_alphabetic() => word(text),
            _ if c.is_whitespace() => Token::Space,
            '–' | '-' | '~' | '→' | '»' => Token::Dash,
            '/' | '\\' => Token::Slash,
            '.' | ',' => Token::Dot,
            '\'' | '`' => Token::Apostrophe,
            _ => Token::Other,
        };
        tokens.push(Placed { token, start, end });
    }
    join_two_word_months(line, tokens)
}

fn word(text: &str) -> Token {
    if let Some(month) = month_names().get(text) {
        return Token::Month(month.0, month.1);
    }
    match text {
        "ه" | "هجري" | "هجريه" | "ah" => Token::Hijri,
        _ if PRESENT.contains(&text) => Token::Present,
        _ if UNTIL.contains(&text) => Token::Until,
        _ if SINCE.contains(&text) => Token::Since,
        _ => Token::Word,
    }
}

/// Joins `كانون` + space + `الثاني` and the like.
fn join_two_word_months(line: &str, tokens: Vec<Placed>) -> Vec<Placed> {
    let mut joined: Vec<Placed> = Vec::with_capacity(tokens.len());
    for placed in tokens {
        // `Q3` is the month its quarter opens with.
        if let (Token::Number(quarter @ 1..=4, 1), Some(last)) = (placed.token, joined.last_mut())
            && last.end == placed.start
            && line.get(last.start..last.end) == Some("q")
        {
            *last = Placed {
                token: Token::Month(quarter as u8 * 3 - 2, true),
                start: last.start,
                end: placed.end,
            };
            continue;
        }
        let two_back = joined.len().checked_sub(2).and_then(|index| joined.get(index)).copied();
        if let (Token::Word, Some(first)) = (placed.token, two_back)
            && first.token == Token::Word
            && let Some(month) = line.get(first.start..placed.end).and_then(|name| month_names().get(name))
        {
            joined.truncate(joined.len() - 2);
            joined.push(Placed {
                token: Token::Month(month.0, month.1),
                start: first.start,
                end: placed.end,
            });
            continue;
        }
        joined.push(placed);
    }
    joined
}

struct Parser<'a> {
    tokens: &'a [Placed],
    arabic: bool,
}

impl Parser<'_> {
    fn token(&self, at: usize) -> Option<Token> {
        self.tokens.get(at).map(|placed| placed.token)
    }

    fn skip_spaces(&self, mut at: usize) -> usize {
        while self.token(at) == Some(Token::Space) {
            at += 1;
        }
        at
    }

    /// A range, or a point alone, that starts exactly at `at`.
    fn range(&self, at: usize) -> Option<(DateMatch, usize)> {
        if self.token(at) == Some(Token::Since) {
            return self.since(at);
        }
        let start = self.tokens.get(at)?.start;
        if let Some((from, next)) = self.point(at) {
            let made = |to, present, next: usize| {
                let end = self.tokens.get(next.saturating_sub(1)).map_or(start, |placed| placed.end);
                (DateMatch { start, end, from: Some(from), to, present }, next)
            };
            if let Some(behind) = self.separator(next) {
                if self.token(behind) == Some(Token::Present) {
                    return Some(made(None, true, behind + 1));
                }
                if let Some((to, next)) = self.point(behind).or_else(|| self.short_year(from, behind))
                    && (to.year, to.month.unwrap_or(12)) >= (from.year, from.month.unwrap_or(1))
                {
                    return Some(made(Some(to), false, next));
                }
            }
            // A dash that the encoding lost: "July 2023 Present", "2017 2021".
            let behind = self.skip_spaces(next);
            if behind > next && self.token(behind) == Some(Token::Present) {
                return Some(made(None, true, behind + 1));
            }
            if behind > next
                && let Some((to, next)) = self.point(behind)
                && to.month.is_some() == from.month.is_some()
                && (to.year, to.month) > (from.year, from.month)
            {
                return Some(made(Some(to), false, next));
            }
            return Some(made(None, false, next));
        }
        self.year_from_behind(at, start)
    }

    /// `Mar – Jun 2019`.
    fn year_from_behind(&self, at: usize, start: usize) -> Option<(DateMatch, usize)> {
        let Some(Token::Month(month, season)) = self.token(at) else { return None };
        let behind = self.separator(at + 1)?;
        let (to, next) = self.point(behind)?;
        let year = if to.month.is_some_and(|last| last < month) { to.year - 1 } else { to.year };
        let from = Point { year, month: Some(month), hijri: to.hijri, season };
        let end = self.tokens.get(next.saturating_sub(1)).map_or(start, |placed| placed.end);
        Some((DateMatch { start, end, from: Some(from), to: Some(to), present: false }, next))
    }

    /// `since 2019`, `from 2015 to 2018`.
    fn since(&self, at: usize) -> Option<(DateMatch, usize)> {
        let start = self.tokens.get(at)?.start;
        let open =
            !matches!(self.tokens.get(at), Some(placed) if placed.end - placed.start == 4 && !self.arabic);
        let ahead = self.skip_spaces(at + 1);
        if self.token(ahead) == Some(Token::Since) {
            return None;
        }
        let (mut date, next) = self.range(ahead).filter(|(date, _)| date.from.is_some())?;
        date.start = start;
        // `since` and `منذ` say that it goes on; a bare `from` or `من` says it only with an end behind it.
        date.present = date.present || (date.to.is_none() && open && !self.arabic);
        Some((date, next))
    }

    /// The token behind a separator that stands at `at`, spaces around it skipped.
    fn separator(&self, at: usize) -> Option<usize> {
        let mut at = self.skip_spaces(at);
        let mut seen = 0;
        while seen < 3 && matches!(self.token(at), Some(Token::Dash | Token::Until | Token::Slash)) {
            at = self.skip_spaces(at + 1);
            seen += 1;
        }
        (seen > 0).then_some(at)
    }

    /// `18` in `2014-18` or `'18`.
    fn short_year(&self, from: Point, at: usize) -> Option<(Point, usize)> {
        let at = if self.token(at) == Some(Token::Apostrophe) { at + 1 } else { at };
        let Some(Token::Number(value, 2)) = self.token(at) else { return None };
        let year = from.year / 100 * 100 + value;
        let ends = !matches!(self.token(at + 1), Some(Token::Number(..) | Token::Word));
        (ends && (from.year..=from.year + 60).contains(&year))
            .then_some((Point { year, month: None, hijri: from.hijri, season: false }, at + 1))
    }

    /// One point that starts exactly at `at`.
    fn point(&self, at: usize) -> Option<(Point, usize)> {
        // A number inside a word or a longer figure (`v2019`, `1,2019`, `ISO-9001`) is no date.
        if let Some(before) = at.checked_sub(1).and_then(|before| self.token(before))
            && matches!(before, Token::Word | Token::Month(..))
            && matches!(self.token(at), Some(Token::Number(..)))
        {
            return None;
        }
        match self.token(at)? {
            Token::Month(month, season) => {
                self.after_month(month, at + 1).map(|(point, next)| (Point { season, ..point }, next))
            }
            Token::Number(value, digits) => self.number(value, digits, at),
            Token::Apostrophe => {
                let (year, next) = self.year(at)?;
                Some((Point { year, month: None, hijri: false, season: false }, next))
            }
            Token::Present
            | Token::Until
            | Token::Since
            | Token::Dash
            | Token::Slash
            | Token::Dot
            | Token::Space
            | Token::Hijri
            | Token::Word
            | Token::Other => None,
        }
    }

    /// What follows a month's name: `2019`, `. 2019`, `'19`, `12, 2019`, ` of 2019`.
    fn after_month(&self, month: u8, mut at: usize) -> Option<(Point, usize)> {
        for _ in 0..3 {
            if matches!(self.token(at), Some(Token::Space | Token::Dot | Token::Dash | Token::Slash)) {
                at += 1;
            }
        }
        if let (Some(Token::Number(day, 1 | 2)), Some(Token::Dot)) = (self.token(at), self.token(at + 1))
            && (1..=31).contains(&day)
            && let Some((year, next)) = self.long_year(self.skip_spaces(at + 2))
        {
            return Some((self.dated(year, Some(month), next), self.past_era(next)));
        }
        let (year, next) = self.year(at).or_else(|| match self.token(at) {
            Some(Token::Number(value, 2)) if self.token(at + 1) != Some(Token::Word) => {
                Some((expand(value), at + 1))
            }
            _ => None,
        })?;
        Some((self.dated(year, Some(month), next), self.past_era(next)))
    }

    /// A point that starts with a number.
    fn number(&self, value: i32, digits: usize, at: usize) -> Option<(Point, usize)> {
        if digits == 4 {
            let (year, next) = self.long_year(at)?;
            return Some(self.after_year(year, next));
        }
        if digits > 2 || !(1..=31).contains(&value) {
            return None;
        }
        // 12 March 2019
        let spaced = self.skip_spaces(at + 1);
        let spaced =
            if self.token(spaced) == Some(Token::Dot) { self.skip_spaces(spaced + 1) } else { spaced };
        if let Some(Token::Month(month, false)) = self.token(spaced) {
            return self.after_month(month, spaced + 1);
        }
        let divider =
            self.token(at + 1).filter(|token| matches!(token, Token::Slash | Token::Dot | Token::Dash))?;
        // 03/2019
        if let Some((year, next)) = self.long_year(at + 2) {
            let month = u8::try_from(value).ok().filter(|month| *month <= 12)?;
            return Some((self.dated(year, Some(month), next), self.past_era(next)));
        }
        // 12/03/2019 and, where the middle cannot be a month, 03/25/2019
        let Some(Token::Number(second, 1 | 2)) = self.token(at + 2) else { return None };
        if self.token(at + 3) == Some(divider) {
            let (year, next) = self.long_year(at + 4)?;
            let month = if second <= 12 { second } else { value };
            let month = u8::try_from(month).ok().filter(|month| (1..=12).contains(month))?;
            return Some((self.dated(year, Some(month), next), self.past_era(next)));
        }
        // 03/19: a month with a short year, only with a slash
        (divider == Token::Slash && value <= 12 && second > 12
            || divider == Token::Slash && second <= 26 && value <= 12 && self.is_short_pair(at))
        .then(|| {
            (
                Point { year: expand(second), month: u8::try_from(value).ok(), hijri: false, season: false },
                at + 3,
            )
        })
    }

    /// `03/19 - 05/21` or `03/19 - present`: a pair whose partner shows that it is a date.
    fn is_short_pair(&self, at: usize) -> bool {
        let ahead = self
            .separator(at + 3)
            .is_some_and(|behind| self.token(behind) == Some(Token::Present) || self.is_two_by_two(behind));
        let dashes_back = (1..=3).filter_map(|back| at.checked_sub(back));
        ahead || dashes_back.into_iter().any(|at| self.token(at) == Some(Token::Dash))
    }

    fn is_two_by_two(&self, at: usize) -> bool {
        matches!(
            (self.token(at), self.token(at + 1), self.token(at + 2)),
            (Some(Token::Number(..)), Some(Token::Slash), Some(Token::Number(_, 2)))
        )
    }

    /// What follows a four-digit year: `-03`, `/03`, `.03-12`, ` March`, or nothing.
    fn after_year(&self, year: i32, next: usize) -> (Point, usize) {
        let bare = (self.dated(year, None, next), self.past_era(next));
        if let (Some(Token::Dash | Token::Slash | Token::Dot), Some(Token::Number(month, 2))) =
            (self.token(next), self.token(next + 1))
            && (1..=12).contains(&month)
            && self.token(next + 2) != Some(Token::Word)
        {
            let day = matches!(
                (self.token(next + 2), self.token(next + 3)),
                (Some(Token::Dash | Token::Slash | Token::Dot), Some(Token::Number(_, 2)))
            );
            let end = if day { next + 4 } else { next + 2 };
            return (self.dated(year, u8::try_from(month).ok(), end), end);
        }
        bare
    }

    /// A year of four digits.
    fn long_year(&self, at: usize) -> Option<(i32, usize)> {
        let Token::Number(value, 4) = self.token(at)? else { return None };
        let hijri = HIJRI_YEARS.contains(&value) && (self.arabic || self.is_era(at + 1));
        (YEARS.contains(&value) || hijri).then_some((value, at + 1))
    }

    /// A year of four digits, or of two behind an apostrophe.
    fn year(&self, at: usize) -> Option<(i32, usize)> {
        if let (Some(Token::Apostrophe), Some(Token::Number(value, 2))) = (self.token(at), self.token(at + 1))
        {
            return Some((expand(value), at + 2));
        }
        self.long_year(at)
    }

    fn is_era(&self, at: usize) -> bool {
        self.token(self.skip_spaces(at)) == Some(Token::Hijri)
    }

    fn past_era(&self, at: usize) -> usize {
        if self.is_era(at) { self.skip_spaces(at) + 1 } else { at }
    }

    fn dated(&self, year: i32, month: Option<u8>, next: usize) -> Point {
        Point { year, month, hijri: HIJRI_YEARS.contains(&year) || self.is_era(next), season: false }
    }
}

/// The year that two digits mean: 50..=99 lie in the last century.
const fn expand(short: i32) -> i32 {
    if short >= 50 { 1900 + short } else { 2000 + short }
}
