//! Points in time and calendar months, as plain numbers: domain code never reads a clock.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since the epoch.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// This time moved by `duration` into the future; saturates.
    #[must_use]
    pub fn plus(self, duration: std::time::Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// The calendar month (UTC) of this time.
    #[must_use]
    pub fn month(self) -> Month {
        let (year, month, _) = civil_from_days(self.0.div_euclid(86_400_000));
        Month::new(year, month).unwrap_or(Month::EPOCH)
    }
}

/// RFC 3339 with milliseconds, such as `2026-11-01T12:30:00.000Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil_from_days(self.0.div_euclid(86_400_000));
        let ms = self.0.rem_euclid(86_400_000);
        let (s, ms) = (ms / 1000, ms % 1000);
        write!(f, "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{ms:03}Z", s / 3600, s / 60 % 60, s % 60)
    }
}

/// Year, month and day of a count of days since 1970-01-01 in the proleptic Gregorian calendar
/// (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`).
fn civil_from_days(days: i64) -> (i32, u8, u8) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + i64::from(month <= 2);
    (i32::try_from(year).unwrap_or(i32::MAX), month as u8, day as u8)
}

/// A calendar month. Experience is counted in months, so no finer date is ever kept of a career.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Month(i32);

impl Month {
    /// January 1970.
    pub const EPOCH: Self = Self(1970 * 12);

    /// The given month; `None` unless the year is 1..=9999 and the month 1..=12.
    #[must_use]
    pub fn new(year: i32, month: u8) -> Option<Self> {
        ((1..=9999).contains(&year) && (1..=12).contains(&month))
            .then(|| Self(year * 12 + i32::from(month) - 1))
    }

    /// The year, 1..=9999.
    #[must_use]
    pub const fn year(self) -> i32 {
        self.0.div_euclid(12)
    }

    /// The month in its year, 1..=12.
    #[must_use]
    pub const fn month(self) -> u8 {
        (self.0.rem_euclid(12) + 1) as u8
    }

    /// Whole months from `earlier` to this one; negative when `earlier` is later.
    #[must_use]
    pub const fn months_since(self, earlier: Self) -> i32 {
        self.0 - earlier.0
    }

    /// This month moved by `months`, kept inside the years 1..=9999.
    #[must_use]
    pub fn plus_months(self, months: i32) -> Self {
        Self(self.0.saturating_add(months).clamp(12, 9999 * 12 + 11))
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year(), self.month())
    }
}

impl fmt::Debug for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Why a text is not a month.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a month such as 2026-11")]
pub struct MonthError;

impl FromStr for Month {
    type Err = MonthError;

    /// Reads `YYYY-MM`; a day behind it (`YYYY-MM-DD`) is accepted and dropped.
    fn from_str(text: &str) -> Result<Self, MonthError> {
        let mut parts = text.splitn(3, '-');
        let (Some(year), Some(month)) = (parts.next(), parts.next()) else { return Err(MonthError) };
        let year = year.parse().map_err(|_| MonthError)?;
        let month = month.parse().map_err(|_| MonthError)?;
        if parts.next().is_some_and(|day| day.parse::<u8>().map_or(true, |d| !(1..=31).contains(&d))) {
            return Err(MonthError);
        }
        Self::new(year, month).ok_or(MonthError)
    }
}

impl TryFrom<String> for Month {
    type Error = MonthError;

    fn try_from(text: String) -> Result<Self, MonthError> {
        text.parse()
    }
}

impl From<Month> for String {
    fn from(month: Month) -> Self {
        month.to_string()
    }
}
