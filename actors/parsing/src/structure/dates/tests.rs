use super::*;
use crate::structure::fold::fold_str;

fn as_of() -> Month {
    Month::new(2026, 11).expect("month")
}

/// First and last month of the first date, or `present`.
fn read(text: &str) -> String {
    let Some(date) = find(&fold_str(text)).into_iter().next() else { return "none".to_owned() };
    let first = date.first_month().map_or("?".to_owned(), |month| month.to_string());
    if date.present {
        return format!("{first}..present");
    }
    match date.last_month(as_of()) {
        Some(last) if date.is_range() => format!("{first}..{last}"),
        Some(_) => first,
        None => format!("{first}..?"),
    }
}

#[test]
fn ranges_in_english() {
    for (text, expected) in [
        ("Mar 2019 – Jun 2021", "2019-03..2021-06"),
        ("March 2019 to present", "2019-03..present"),
        ("Sept. 2018 - Now", "2018-09..present"),
        ("03/2019 - 05/2021", "2019-03..2021-05"),
        ("05/2022–present", "2022-05..present"),
        ("2019-03 – 2021-05", "2019-03..2021-05"),
        ("12 March 2019 until 4 May 2020", "2019-03..2020-05"),
        ("Mar – Jun 2019", "2019-03..2019-06"),
        ("Nov – Feb 2020", "2019-11..2020-02"),
        ("Jan '18 – Feb '20", "2018-01..2020-02"),
        ("03/19 - 05/21", "2019-03..2021-05"),
        ("since 2020", "2020-01..present"),
        ("2015 - 2018", "2015-01..2018-01"),
        ("2014-18", "2014-01..2018-01"),
        ("Summer 2019", "2019-07"),
        ("July 2023 Present", "2023-07..present"),
        ("June 2021 June 2023", "2021-06..2023-06"),
        ("from Q1 2020 to Q3 2021", "2020-01..2021-09"),
    ] {
        assert_eq!(read(text), expected, "{text}");
    }
}

#[test]
fn ranges_in_arabic() {
    for (text, expected) in [
        ("يناير 2020 – حتى الآن", "2020-01..present"),
        ("أيار ٢٠٢٠ – تشرين الأول ٢٠٢٣", "2020-05..2023-10"),
        ("من مارس 2018 إلى أبريل 2020", "2018-03..2020-04"),
        ("كانون الثاني 2019 - آذار 2021", "2019-01..2021-03"),
        ("2017 - الآن", "2017-01..present"),
    ] {
        assert_eq!(read(text), expected, "{text}");
    }
}

#[test]
fn figures_are_no_dates() {
    for text in ["2,019 units", "v2019a", "ISO 9001", "1999999", "24/7", "3-5 years", "+49 30 1234"] {
        assert_eq!(read(text), "none", "{text}");
    }
}

#[test]
fn hijri_years_are_flagged_and_not_counted() {
    let date = find(&fold_str("1440 هـ – 1443 هـ"));
    assert!(date.first().is_some_and(DateMatch::has_hijri));
    assert_eq!(read("1440 هـ – 1443 هـ"), "?..?");
}

#[test]
fn bare_years_count_their_difference_and_months_count_both_ends() {
    let months = |text: &str| {
        let date = find(text).into_iter().next().expect("date");
        date.after_month(as_of()).zip(date.first_month()).map(|(after, first)| after.months_since(first))
    };
    assert_eq!(months("2015 - 2018"), Some(36));
    assert_eq!(months("jan 2019 - mar 2020"), Some(15));
    assert_eq!(months("nov 2026 - present"), Some(1));
    assert_eq!(months("summer 2019"), Some(3));
}

#[test]
fn many_openers_do_not_nest() {
    let text = "since ".repeat(50_000) + "2019";
    assert!(find(&text).len() <= 1);
}
