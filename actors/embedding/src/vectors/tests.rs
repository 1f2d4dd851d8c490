use super::{normalize, weighted_mean};

#[test]
fn a_vector_is_scaled_to_length_one_and_a_zero_one_stays() {
    let mut vector = [3.0, -4.0];
    normalize(&mut vector);
    assert_eq!(vector, [0.6, -0.8]);
    let mut zero = [0.0; 3];
    normalize(&mut zero);
    assert_eq!(zero, [0.0; 3]);
}

#[test]
fn the_mean_weighs_by_tokens() {
    let mean = weighted_mean([(&[1.0, 0.0][..], 3), (&[0.0, 1.0][..], 4)], 2);
    assert_eq!(mean, Some(vec![0.6, 0.8]));
    assert_eq!(weighted_mean([], 2), None);
}

#[test]
fn one_part_is_its_own_mean() {
    assert_eq!(weighted_mean([(&[0.6, 0.8][..], 17)], 2), Some(vec![0.6, 0.8]));
}
