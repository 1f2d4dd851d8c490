use super::*;

#[test]
fn default_weights_sum_to_the_basis() {
    let sum: u32 = Category::ALL.iter().map(|c| u32::from(Weights::default().of(*c))).sum();
    assert_eq!(sum, 10_000);
}

#[test]
fn weights_that_do_not_sum_are_refused_also_in_json() {
    assert_eq!(Weights::new([1, 2, 3, 4, 5, 6]), Err(WeightsError(21)));
    let json = serde_json::to_string(&Weights::default()).unwrap();
    assert_eq!(serde_json::from_str::<Weights>(&json).unwrap(), Weights::default());
    let error = serde_json::from_str::<Weights>(
        r#"{"skills":1,"title":0,"semantic":0,"experience":0,"education":0,"languages":0}"#,
    )
    .unwrap_err();
    assert!(error.to_string().contains("sum to 10000"));
}

#[test]
fn scores_stay_in_their_range() {
    assert_eq!(Score::clamped(-5), Score::ZERO);
    assert_eq!(Score::clamped(10_001), Score::FULL);
    assert_eq!(Score::ratio(1, 3).points(), 3333);
    assert_eq!(Score::ratio(1, 0), Score::FULL);
    assert!(serde_json::from_str::<Score>("10001").is_err());
    assert!(serde_json::from_str::<Score>("-1").is_err());
    assert_eq!(Score::clamped(8725).to_string(), "87.25");
}
