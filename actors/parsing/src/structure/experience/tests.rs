use super::*;

fn month(text: &str) -> Month {
    text.parse().expect("month")
}

#[test]
fn overlapping_positions_count_once() {
    let intervals = vec![
        (month("2018-01"), month("2020-01")),
        (month("2019-01"), month("2021-01")),
        (month("2019-03"), month("2019-06")),
        (month("2022-01"), month("2022-07")),
    ];
    assert_eq!(union(intervals), 36 + 6);
    assert_eq!(union(Vec::new()), 0);
}

#[test]
fn a_working_life_is_the_bound() {
    assert_eq!(union(vec![(month("1900-01"), month("2026-01"))]), 720);
}

#[test]
fn numbers_in_words() {
    assert_eq!(number("nine"), Some(9));
    assert_eq!(number("12"), Some(12));
    assert_eq!(number("many"), None);
}
