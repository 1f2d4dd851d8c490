use proptest::prelude::*;
use proptest::test_runner::{TestRng, TestRunner};

use super::Journey;
use crate::Scratch;

/// Kernels that are not optimized take a hundred times as long.
const CASES: u32 = if cfg!(debug_assertions) { 100 } else { 2_000 };

/// Bytes as a fuzzer would come to them: some text, some of it damaged, some none at all.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        6 => "[a-zA-Z0-9]{1,10}".prop_map(String::into_bytes),
        4 => "[ .,;!?\n\t#\\[\\]]{1,3}".prop_map(String::into_bytes),
        2 => "\\PC{1,6}".prop_map(String::into_bytes),
        1 => any::<String>().prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 1..8),
        1 => "[e\u{301}\u{323}\u{302e}\u{1d165}]{1,6}".prop_map(String::into_bytes),
        1 => "[\u{0}-\u{1f}\u{600}-\u{620}\u{4e00}\u{200d}🚀🇩🇪]{1,6}".prop_map(String::into_bytes),
        1 => prop::sample::select(&["[SEP]", "[CLS]", "##s", "engineer", "İ", "\n\n"][..])
            .prop_map(|word| word.as_bytes().to_vec()),
    ];
    prop::collection::vec(part, 0..24).prop_map(|parts| parts.concat())
}

/// The cases of `make fuzz` are endless; these are the same ones each time.
#[test]
fn bytes_of_any_kind_become_vectors() {
    let journey = Journey::new();
    let config = ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() };
    let generator = TestRng::deterministic_rng(config.rng_algorithm);
    TestRunner::new_with_rng(config, generator)
        .run(&bytes(), |bytes| {
            journey.take(&bytes);
            Ok(())
        })
        .unwrap();
}

/// What is at the edge of what texts are: nothing, much, other scripts, what is not to be seen.
fn edges() -> Vec<String> {
    let controls: String = (0..0x20).chain(0x7f..0xa0).filter_map(char::from_u32).collect();
    let short = [
        "",
        " \n\u{a0}",
        &controls,
        "🙂👩\u{200d}👧🇩🇪",
        "مهندس في القاهرة ١٢٣",
        "日本語",
        "the nurse leads.",
    ];
    let long =
        ["a", "🙂", "م ", "\u{1}", "e\u{301}"].map(|part| part.chars().cycle().take(100_000).collect());
    short.map(str::to_owned).into_iter().chain(long).collect()
}

#[test]
fn batches_of_any_size_give_the_same_vectors_on_every_path() {
    let journey = Journey::new();
    let texts = edges();
    let mut scratch = Scratch::new();
    let alone: Vec<Vec<f32>> =
        texts.iter().map(|text| journey.int8[0].encode(text, &mut scratch).unwrap()).collect();
    assert!(alone.iter().all(|vector| vector.iter().all(|value| value.is_finite())));
    for encoder in &journey.int8 {
        let vectors: Vec<Vec<f32>> =
            texts.iter().map(|text| encoder.encode(text, &mut scratch).unwrap()).collect();
        assert!(vectors == alone, "{} differs", encoder.cpu());
        let pieces: Vec<Vec<u32>> = texts.iter().map(|text| encoder.model().framed(text).unwrap()).collect();
        for size in [0, 1, 2, 15, 16, 17, 255, 512] {
            let batch: Vec<Vec<u32>> = pieces.iter().cycle().take(size).cloned().collect();
            let vectors = encoder.run(&batch, &mut scratch).unwrap();
            assert_eq!(vectors.len(), size);
            let wanted = alone.iter().cycle().take(size);
            assert!(vectors.iter().eq(wanted), "{} differs in a batch of {size}", encoder.cpu());
        }
    }
}
