//! Pay: amounts with their currency and period.

use std::sync::LazyLock;

use regex::Regex;
use tandem_domain::profile::{Salary, SalaryPeriod, Sourced};

use super::contact::pattern;
use super::view::View;
use crate::extract::JobPostingLd;

/// A yearly amount is never lower, so a lower one without a period is paid more often.
const YEARLY_FROM: u64 = 12_000;
/// Hourly amounts are lower.
const HOURLY_BELOW: u64 = 300;

static AMOUNT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"(?P<c1>(?:us|ca|a|s)?\$|€|£|₹|\b(?:usd|eur|gbp|cad|aud|sar|aed|egp|jod|kwd|qar|bhd|omr|inr|chf|sek|nok|dkk|pln|try|sgd|zar|mad)\b)?\s?",
        r"(?P<n1>\d{1,3}(?:[,. ']\d{3})+|\d{2,7})(?:\.\d{2})?\s?(?P<k1>k\b)?\s?(?P<c2>€|£|\$)?",
        r"(?:\s?(?:–|-|to|and|الي|حتي)\s?(?:(?:us|ca|a|s)?\$|€|£|₹|(?:usd|eur|gbp|cad|aud|sar|aed|egp|jod|kwd|qar|bhd|omr|inr|chf|sek|nok|dkk|pln|try|sgd|zar|mad)\s?)?\s?(?P<n2>\d{1,3}(?:[,. ']\d{3})+|\d{2,7})(?:\.\d{2})?\s?(?P<k2>k\b)?)?",
        r"\s?(?P<c3>€|£|\$|\b(?:usd|eur|euros?|gbp|pounds|dollars|cad|aud|sar|aed|dhs|egp|le|jod|kwd|qar|bhd|omr|inr|chf|sek|nok|dkk|pln|try|sgd|zar|mad)\b|ريال(?: سعودي| قطري| عماني)?|جنيه(?: مصري)?|درهم(?: اماراتي)?|دينار(?: اردني| كويتي| بحريني)?|دولار|يورو)?",
    ))
});

/// The pay that a posting names: on a line that speaks of pay, or with a currency and a period.
pub(crate) fn read(view: &View<'_>) -> Option<Sourced<Salary>> {
    const CUES: [&str; 13] = [
        "salary",
        "compensation",
        "pay",
        "wage",
        "remuneration",
        "gross",
        "per annum",
        "a year",
        "الراتب",
        "راتب",
        "اجر",
        "per hour",
        "an hour",
    ];
    let mut best: Option<(bool, Sourced<Salary>)> = None;
    for row in 0..view.rows.len() {
        let folded = view.fold_of(row);
        if !folded.bytes().any(|byte| byte.is_ascii_digit()) {
            continue;
        }
        let cue = CUES.iter().any(|cue| folded.contains(cue));
        for found in AMOUNT.captures_iter(folded) {
            let Some(whole) = found.get(0) else { continue };
            let currency = ["c1", "c2", "c3"]
                .iter()
                .find_map(|name| found.name(name))
                .and_then(|text| currency(text.as_str()));
            let (Some(currency), Some(min)) =
                (currency, amount(&found, "n1", "k1", found.name("k2").is_some()))
            else {
                continue;
            };
            let max = amount(&found, "n2", "k2", false).unwrap_or(min);
            let behind = folded.get(whole.end()..).unwrap_or_default();
            let stated = period(behind).or_else(|| period(folded).filter(|_| cue));
            let range = max > min;
            let large = (range || is_base(behind)) && min >= YEARLY_FROM;
            if min == 0
                || max < min
                || !(cue && (range || stated.is_some()) || range && stated.is_some() || large)
            {
                continue;
            }
            let period = stated.unwrap_or(if max < HOURLY_BELOW {
                SalaryPeriod::Hour
            } else if max < YEARLY_FROM {
                SalaryPeriod::Month
            } else {
                SalaryPeriod::Year
            });
            let span = view.span_in(row, whole.start(), whole.end());
            let value = Salary { min, max, currency: currency.to_owned(), period };
            if best.as_ref().is_none_or(|(known, _)| range && !known) {
                best = Some((range, Sourced { value, confidence: if cue { 90 } else { 75 }, span }));
            }
        }
    }
    best.map(|(_, salary)| salary)
}

/// "$85,000 base": a single amount that the word behind it calls pay.
fn is_base(behind: &str) -> bool {
    const WORDS: [&str; 6] = ["base", "basic", "ote", "on target", "on-target", "gross"];
    let behind = behind.trim_start();
    WORDS
        .iter()
        .filter_map(|word| behind.strip_prefix(word))
        .any(|rest| !rest.starts_with(char::is_alphanumeric))
}

fn amount(found: &regex::Captures<'_>, number: &str, thousands: &str, also: bool) -> Option<u64> {
    let digits: String = found.name(number)?.as_str().chars().filter(char::is_ascii_digit).collect();
    let value: u64 = digits.parse().ok()?;
    let thousands = found.name(thousands).is_some() || also && value < 1000;
    value.checked_mul(if thousands { 1000 } else { 1 })
}

fn currency(text: &str) -> Option<&'static str> {
    Some(match text.trim() {
        "$" | "us$" | "usd" | "dollars" | "دولار" => "USD",
        "€" | "eur" | "euro" | "euros" | "يورو" => "EUR",
        "£" | "gbp" | "pounds" => "GBP",
        "ca$" | "cad" => "CAD",
        "a$" | "aud" => "AUD",
        "s$" | "sgd" => "SGD",
        "₹" | "inr" => "INR",
        "sar" | "ريال" | "ريال سعودي" => "SAR",
        "aed" | "dhs" | "درهم" | "درهم اماراتي" => "AED",
        "egp" | "le" | "جنيه" | "جنيه مصري" => "EGP",
        "jod" | "دينار" | "دينار اردني" => "JOD",
        "kwd" | "دينار كويتي" => "KWD",
        "qar" | "ريال قطري" => "QAR",
        "bhd" | "دينار بحريني" => "BHD",
        "omr" | "ريال عماني" => "OMR",
        "chf" => "CHF",
        "sek" => "SEK",
        "nok" => "NOK",
        "dkk" => "DKK",
        "pln" => "PLN",
        "try" => "TRY",
        "zar" => "ZAR",
        "mad" => "MAD",
        _ => return None,
    })
}

fn period(text: &str) -> Option<SalaryPeriod> {
    const WORDS: [(SalaryPeriod, &[&str]); 4] = [
        (
            SalaryPeriod::Hour,
            &["per hour", "an hour", "/hour", "/hr", "/h ", "hourly", "في الساعه", "بالساعه", "p.h."],
        ),
        (SalaryPeriod::Day, &["per day", "a day", "/day", "daily rate", "يوميا", "في اليوم"]),
        (
            SalaryPeriod::Month,
            &["per month", "a month", "/month", "monthly", "شهريا", "في الشهر", "الشهري", "p.m."],
        ),
        (
            SalaryPeriod::Year,
            &[
                "per year",
                "a year",
                "/year",
                "/yr",
                "annual",
                "per annum",
                "yearly",
                "p.a",
                "سنويا",
                "في السنه",
            ],
        ),
    ];
    WORDS
        .iter()
        .filter_map(|(period, words)| {
            words.iter().filter_map(|word| text.find(word)).min().map(|at| (at, *period))
        })
        .min_by_key(|(at, _)| *at)
        .map(|(_, period)| period)
}

/// The pay of a schema.org posting.
pub(crate) fn from_ld(posting: &JobPostingLd) -> Option<Salary> {
    let whole = |text: &Option<String>| {
        let text = text.as_deref()?.replace([',', ' '], "");
        text.split('.').next()?.parse::<u64>().ok().filter(|amount| *amount > 0)
    };
    let single = whole(&posting.salary_value);
    let min = whole(&posting.salary_min).or(single).or_else(|| whole(&posting.salary_max))?;
    let max = whole(&posting.salary_max).or(single).unwrap_or(min).max(min);
    let currency = posting.salary_currency.as_deref()?.trim().to_ascii_uppercase();
    let period = match posting.salary_unit.as_deref().map(str::to_ascii_uppercase).as_deref() {
        Some("HOUR") => SalaryPeriod::Hour,
        Some("DAY") => SalaryPeriod::Day,
        Some("MONTH") => SalaryPeriod::Month,
        Some("YEAR") => SalaryPeriod::Year,
        // A week has no period of its own.
        Some("WEEK") => {
            return Some(Salary { min: min * 52, max: max * 52, currency, period: SalaryPeriod::Year });
        }
        _ if max < HOURLY_BELOW => SalaryPeriod::Hour,
        _ if max < YEARLY_FROM => SalaryPeriod::Month,
        _ => SalaryPeriod::Year,
    };
    (currency.len() == 3).then_some(Salary { min, max, currency, period })
}
