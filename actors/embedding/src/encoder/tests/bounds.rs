//! Whatever the text and however many of them: a vector of length 1, and the same one in any company.

use proptest::prelude::*;

use super::*;

/// Texts at the edges of what there is.
fn extremes() -> Vec<String> {
    let every_control: String = (0..0x20).chain(0x7f..0xa0).filter_map(char::from_u32).collect();
    [
        "",
        " \t\r\n\u{a0}\u{2003}",
        "\u{0}",
        &every_control,
        "🙂👩‍👩‍👧‍👦🏳️‍🌈🇩🇪",
        "مهندس برمجيات في القاهرة ١٢٣",
        "e\u{301}\u{301}\u{301} \u{202e}abc\u{202c} \u{feff}\u{ffff}\u{10ffff}",
        "[CLS] [SEP] ##s [PAD]",
    ]
    .map(str::to_owned)
    .to_vec()
}

/// Of 100,000 characters each.
fn long() -> Vec<String> {
    let long = |part: &str| part.chars().cycle().take(100_000).collect();
    ["a", "data nurse. ", "🙂", "م ", "\u{1}", "e\u{301}"].map(long).to_vec()
}

fn length(vector: &[f32]) -> f32 {
    vector.iter().map(|value| value * value).sum::<f32>().sqrt()
}

/// Encodes `texts` alone and together; gives their vectors.
fn in_company(encoder: &Encoder, texts: &[String]) -> Vec<Vec<f32>> {
    let mut scratch = scratch();
    let together = encoder.encode_pack(texts, &mut scratch).unwrap();
    assert_eq!(together.len(), texts.len());
    for (text, vector) in texts.iter().zip(&together) {
        assert_eq!(vector.len(), HIDDEN);
        assert!((length(vector) - 1.0).abs() < 1e-5, "{} bytes", text.len());
        assert_eq!(encoder.encode(text, &mut scratch).unwrap(), *vector, "{} bytes", text.len());
    }
    together
}

fn of(precision: Precision) -> Encoder {
    let dir = TinyModel::new().write();
    Encoder::load(&EncoderOptions { precision, ..options(&dir) }).unwrap()
}

fn int8() -> Encoder {
    of(Precision::Int8)
}

#[test]
fn texts_at_the_edges_have_vectors() {
    for encoder in Precision::ALL.map(of) {
        in_company(&encoder, &extremes());
        let vectors = in_company(&encoder, &long());
        let beginning: String = "data nurse. ".chars().cycle().take(1_000).collect();
        assert_eq!(encoder.encode(&beginning, &mut scratch()).unwrap(), vectors[1], "the rest is left out");
    }
}

#[test]
fn a_batch_is_of_any_size() {
    let encoder = int8();
    let some: Vec<String> = (0..16).map(|n| "data 7 nurse. ".chars().skip(n % 9).take(n).collect()).collect();
    let alone = in_company(&encoder, &some);
    for size in [1, 2, 15, 16, 17, 63, 255, 511, 512] {
        let texts: Vec<&str> = some.iter().map(String::as_str).cycle().take(size).collect();
        for threads in [1, 3] {
            let vectors = encoder.encode_batch(&texts, &mut workers(threads)).unwrap();
            assert_eq!(vectors.len(), size);
            assert!(
                vectors.iter().zip(alone.iter().cycle()).all(|(vector, alone)| vector == alone),
                "{size}"
            );
        }
    }
    assert!(encoder.encode_batch(&[], &mut workers(1)).unwrap().is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_has_its_vector_in_any_company(texts in prop::collection::vec(any::<String>(), 1..12)) {
        in_company(&int8(), &texts);
        in_company(&of(Precision::Bf16), &texts);
    }
}
