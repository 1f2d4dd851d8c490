use super::*;

#[test]
fn the_manual_clock_keeps_the_contract() {
    contract(&ManualClock::new(1));
}

#[test]
fn ids_follow_from_the_seed_and_stay_sorted_when_the_clock_is_set_back() {
    let (left, right, other) = (ManualClock::new(1), ManualClock::new(1), ManualClock::new(2));
    let first = left.new_id();
    assert_eq!(first, right.new_id());
    assert_ne!(first, other.new_id());

    left.set(Timestamp::from_millis(5));
    assert_eq!(left.now(), Timestamp::from_millis(5));
    let second = left.new_id();
    left.advance(Duration::from_secs(1));
    assert_eq!(left.now(), Timestamp::from_millis(1_005));
    assert!(first < second && second < left.new_id());
}
