use proptest::prelude::*;

use super::*;

#[test]
fn timestamps_print_as_rfc_3339() {
    assert_eq!(Timestamp::from_millis(0).to_string(), "1970-01-01T00:00:00.000Z");
    assert_eq!(Timestamp::from_millis(951_782_400_123).to_string(), "2000-02-29T00:00:00.123Z");
    assert_eq!(Timestamp::from_millis(-1).to_string(), "1969-12-31T23:59:59.999Z");
    assert_eq!(Timestamp::from_millis(1_793_491_200_000).month().to_string(), "2026-11");
}

#[test]
fn months_read_and_refuse() {
    assert_eq!("2026-11".parse(), Ok(Month::new(2026, 11).unwrap()));
    assert_eq!("2026-11-21".parse(), Ok(Month::new(2026, 11).unwrap()));
    for bad in ["", "2026", "2026-13", "2026-00", "x-1", "2026-11-40", "2026-11-1-1"] {
        assert!(bad.parse::<Month>().is_err(), "{bad}");
    }
}

proptest! {
    #[test]
    fn month_arithmetic_is_inverse(year in 2..9000i32, month in 1..=12u8, by in -11..=600i32) {
        let start = Month::new(year, month).unwrap();
        let end = start.plus_months(by);
        prop_assert_eq!(end.months_since(start), by);
        prop_assert_eq!(end.to_string().parse::<Month>(), Ok(end));
    }
}
