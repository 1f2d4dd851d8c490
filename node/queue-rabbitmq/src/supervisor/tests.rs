use super::*;

#[test]
fn waits_double_up_to_the_longest() {
    for (failures, most) in [(0, 200), (1, 400), (3, 1_600), (7, 15_000), (31, 15_000), (40, 15_000)] {
        let most = Duration::from_millis(most);
        assert_eq!(back_off(failures, 0), most / 2);
        assert_eq!(back_off(failures, 1_000), most);
        for random in [1, 77, 500, u64::MAX] {
            let wait = back_off(failures, random);
            assert!(wait >= most / 2 && wait <= most, "{failures} failures: {wait:?}");
        }
    }
}
