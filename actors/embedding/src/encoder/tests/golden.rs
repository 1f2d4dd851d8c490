//! The encoder against sentence-transformers, on the vectors that tests/golden/make_golden.py wrote.

use std::env;

use super::{apart, workers};
use crate::{Cpu, EmbeddingError, Encoder, EncoderOptions, ModelFiles, Precision};

const TEXTS: &str = include_str!("../../../tests/golden/texts.json");
const VECTORS: &[u8] = include_bytes!("../../../tests/golden/vectors.f32");
const TOLERANCE: f32 = 1e-4;

/// None when the model is not on this machine and the run does not insist on it, or when the processor cannot do `cpu`.
pub(super) fn real(precision: Precision, cpu: Option<Cpu>) -> Option<Encoder> {
    let dir = ModelFiles::default_dir().filter(|dir| ModelFiles::locate(dir).is_ok());
    let Some(dir) = dir else {
        let required = env::var_os("TANDEM_REQUIRE_MODEL").is_some_and(|value| value == "1");
        assert!(!required, "TANDEM_REQUIRE_MODEL=1, but there is no sentence model: run deploy/model.sh");
        eprintln!("SKIPPED: there is no sentence model on this machine; run deploy/model.sh");
        return None;
    };
    match Encoder::load(&EncoderOptions { precision, cpu, ..EncoderOptions::new(dir) }) {
        Err(EmbeddingError::Cpu { .. }) => None,
        loaded => Some(loaded.unwrap()),
    }
}

/// The texts that the golden vectors are of.
pub(super) fn golden_texts() -> Vec<String> {
    serde_json::from_str(TEXTS).unwrap()
}

#[test]
fn vectors_equal_those_of_sentence_transformers() {
    let Some(encoder) = real(Precision::F32, None) else { return };
    let texts = golden_texts();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let golden: Vec<f32> = VECTORS.as_chunks().0.iter().map(|&word| f32::from_le_bytes(word)).collect();
    let dimensions = encoder.identity().dimensions as usize;
    assert_eq!(texts.len() * dimensions, golden.len());

    let vectors = encoder.encode_batch(&texts, &mut workers(2)).unwrap();
    let off: Vec<f32> = vectors
        .iter()
        .zip(golden.chunks_exact(dimensions))
        .map(|(ours, theirs)| apart(ours, theirs))
        .collect();
    let worst = off.iter().copied().fold(0.0, f32::max);
    println!("100 texts against sentence-transformers: at most {worst:e} apart in a coordinate");
    for (at, off) in off.iter().enumerate() {
        assert!(*off <= TOLERANCE, "text {at} is {off} apart");
    }
}

#[test]
fn the_model_is_the_one_that_the_script_fetches() {
    let Some(encoder) = real(Precision::F32, None) else { return };
    let script = include_str!("../../../../../deploy/model.sh");
    assert!(script.contains(&encoder.identity().weights_digest), "{:?}", encoder.identity());
    assert_eq!(encoder.identity().dimensions, 384);
}
