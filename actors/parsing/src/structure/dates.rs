//! Dates of careers: points and ranges, in the ways that people write them in English and Arabic.
//!
//! A hand-written grammar over the tokens of a folded line, because one pattern cannot say what depends on what:
//! `Mar – Jun 2019` takes its year from behind, `2014-18` is a range and `2014-08` a month.

use std::collections::HashMap;
use std::sync::LazyLock;

use tandem_domain::time::Month;

use super::fold::fold_str;
use super::lexicon::rows;
pub(crate) use token::find;

mod token;

#[cfg(test)]
mod tests;

const MONTHS: &str = include_str!("../../data/months.tsv");

/// A point in time as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Point {
    /// Year as written, Gregorian unless `hijri`.
    pub(crate) year: i32,
    /// 1..=12 where one is given.
    pub(crate) month: Option<u8>,
    /// A year of the Hijri calendar, which is not converted.
    pub(crate) hijri: bool,
    /// The month is the first of a season or quarter.
    pub(crate) season: bool,
}

impl Point {
    /// The last month of what is named.
    fn last(self) -> Option<u8> {
        self.month.map(|month| if self.season { (month + 2).min(12) } else { month })
    }
}

/// A date or range in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DateMatch {
    /// First byte in the folded line.
    pub(crate) start: usize,
    /// One past the last byte in the folded line.
    pub(crate) end: usize,
    /// The first or only point.
    pub(crate) from: Option<Point>,
    /// The last point of a range.
    pub(crate) to: Option<Point>,
    /// A range that is still open.
    pub(crate) present: bool,
}

impl DateMatch {
    /// It has two ends.
    pub(crate) const fn is_range(&self) -> bool {
        self.to.is_some() || self.present
    }

    /// A year of another calendar stands in it.
    pub(crate) fn has_hijri(&self) -> bool {
        self.from.into_iter().chain(self.to).any(|point| point.hijri)
    }

    /// The first month; January where only a year is given.
    pub(crate) fn first_month(&self) -> Option<Month> {
        let point = self.from.filter(|point| !point.hijri)?;
        Month::new(point.year, point.month.unwrap_or(1))
    }

    /// The last month as it is shown; December for a lone year.
    pub(crate) fn last_month(&self, as_of: Month) -> Option<Month> {
        self.after_month(as_of).map(|after| match self.to {
            // `2015 - 2018` ends in 2018, though only three years are counted.
            Some(to) if to.month.is_none() && Some(to.year) != self.from.map(|from| from.year) => after,
            _ => after.plus_months(-1),
        })
    }

    /// The month after the last that counts. A range between two bare years counts their difference.
    pub(crate) fn after_month(&self, as_of: Month) -> Option<Month> {
        if self.present {
            return Some(as_of.plus_months(1));
        }
        let from = self.from.filter(|point| !point.hijri)?;
        let to = self.to.unwrap_or(from);
        if to.hijri {
            return None;
        }
        match to.last() {
            Some(month) => Month::new(to.year, month).map(|end| end.plus_months(1)),
            None if to.year == from.year => Month::new(to.year, 12).map(|end| end.plus_months(1)),
            // "Mar 2015 - 2018" runs to some month of 2018; the middle errs least.
            None if from.month.is_some() => Month::new(to.year, 7),
            None => Month::new(to.year, 1),
        }
    }
}

/// Names of months and seasons, folded, to their first month and whether they are seasons. Two words are joined by a
/// space.
pub(super) fn month_names() -> &'static HashMap<String, (u8, bool)> {
    static NAMES: LazyLock<HashMap<String, (u8, bool)>> = LazyLock::new(|| {
        rows(MONTHS)
            .filter_map(|(month, names)| {
                let season = month.starts_with('s');
                Some((month.trim_start_matches('s').parse::<u8>().ok()?, season, names))
            })
            .flat_map(|(month, season, names)| {
                names.split('|').map(move |name| (fold_str(name), (month, season)))
            })
            .collect()
    });
    &NAMES
}
