use proptest::prelude::*;

use super::*;

#[test]
fn a_vector_is_similar_to_itself_and_opposed_to_its_negative() {
    let vector: Vec<f32> = (0..384u16).map(|i| f32::from(i % 13) - 6.0).collect();
    let negative: Vec<f32> = vector.iter().map(|x| -x).collect();
    let (a, b) = (Embedding::quantize(&vector), Embedding::quantize(&negative));
    assert_eq!(a.similarity(&a), 10_000);
    assert_eq!(a.similarity(&b), -10_000);
    assert_eq!(a.coordinates().iter().map(|c| c.unsigned_abs()).max(), Some(127));
}

#[test]
fn zero_and_broken_vectors_are_similar_to_nothing() {
    let good = Embedding::quantize(&[1.0, 0.5]);
    for bad in [vec![0.0, 0.0], vec![f32::NAN, 1.0], vec![f32::INFINITY, 1.0], vec![]] {
        assert_eq!(Embedding::quantize(&bad).similarity(&good), 0);
    }
}

#[test]
fn survives_both_encodings() {
    let embedding = Embedding::quantize(&[0.5, -1.0, 0.25]);
    let json = serde_json::to_string(&embedding).unwrap();
    assert_eq!(serde_json::from_str::<Embedding>(&json).unwrap(), embedding);
    let packed = postcard::to_allocvec(&embedding).unwrap();
    assert_eq!(packed.len(), 4);
    assert_eq!(postcard::from_bytes::<Embedding>(&packed).unwrap(), embedding);
}

proptest! {
    #[test]
    fn integer_cosine_is_close_to_the_real_one(pairs in prop::collection::vec((-1.0f32..1.0, -1.0f32..1.0), 64..400)) {
        let (a, b): (Vec<f32>, Vec<f32>) = pairs.into_iter().unzip();
        let real: f32 = a.iter().zip(&b).map(|(x, y)| x * y).sum::<f32>()
            / (a.iter().map(|x| x * x).sum::<f32>().sqrt() * b.iter().map(|x| x * x).sum::<f32>().sqrt());
        let points = Embedding::quantize(&a).similarity(&Embedding::quantize(&b));
        prop_assert!((points as f32 / 10_000.0 - real).abs() < 0.01, "{} {}", points, real);
    }
}
