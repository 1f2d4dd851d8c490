//! The engines of fewer bits: how near they are to f32, and that they give the same vectors everywhere.

use super::golden::{golden_texts, real};
use super::{TEXT, options, scratch, workers};
use crate::testing::TinyModel;
use crate::{Cpu, Encoder, EncoderOptions, Precision};
use std::fs;
use std::path::{Path, PathBuf};

/// As vectors.f32, of the int8 engine, whose vectors are the same bits on every processor.
const GOLDEN: &[u8] = include_bytes!("../../../tests/golden/vectors.int8");

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

/// The golden texts, and as many again of 20 to 200 word pieces in the words of the sample's documents.
fn many() -> Vec<String> {
    let mut texts = golden_texts();
    for kind in ["jobs", "resumes"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/sample").join(kind);
        let mut files: Vec<PathBuf> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        let words =
            files.iter().filter_map(|file| fs::read_to_string(file).ok()).collect::<Vec<_>>().join("\n");
        let words: Vec<&str> = words.split_whitespace().collect();
        let sizes = (0..).map(|n| 12 + n * 37 % 90);
        let mut rest = words.as_slice();
        for size in sizes.take(90) {
            let Some((text, others)) = rest.split_at_checked(size) else { break };
            texts.push(text.join(" "));
            rest = others;
        }
    }
    texts
}

fn strange() -> Vec<String> {
    ["", " ", "\u{0}\u{7}\u{1b}[2J\u{fffd}", "👩‍👩‍👧‍👦🏴‍☠️ 🇩🇪", "مهندس برمجيات في القاهرة", "日本語", TEXT]
        .map(str::to_owned)
        .into_iter()
        .chain(["a".repeat(100_000), "senior nurse, night shift. ".repeat(4_000), "🚀".repeat(25_000)])
        .collect()
}

/// Mean and least cosine of pairs of vectors.
fn cosines(some: &[Vec<f32>], others: &[Vec<f32>]) -> (f64, f64) {
    assert_eq!(some.len(), others.len());
    let cosines: Vec<f64> = some.iter().zip(others).map(|(a, b)| cosine(a, b)).collect();
    (cosines.iter().sum::<f64>() / cosines.len() as f64, cosines.iter().copied().fold(1.0, f64::min))
}

#[test]
fn vectors_are_near_those_of_f32() {
    let Some(full) = real(Precision::F32, None) else { return };
    let texts = many();
    assert!(texts.len() >= 200, "only {} texts", texts.len());
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let full = full.encode_batch(&texts, &mut workers(2)).unwrap();
    for (precision, on_average, at_least) in
        [(Precision::Int8, 0.995, 0.985), (Precision::Bf16, 0.9995, 0.999)]
    {
        let small = real(precision, None).unwrap();
        let (mean, least) = cosines(&small.encode_batch(&texts, &mut workers(2)).unwrap(), &full);
        println!(
            "{} texts, {precision} to f32: cosine {mean:.5} on average, {least:.5} at least",
            texts.len()
        );
        assert!(mean >= on_average && least >= at_least, "{precision}: {mean} on average, {least} at least");
    }
}

/// In any company the same bits; on another path nearly the same vector, of the same model.
#[test]
fn bfloat16_depends_on_the_processor_alone() {
    let dir = TinyModel::new().write();
    let load = |cpu| {
        let precision = Precision::Bf16;
        Encoder::load(&EncoderOptions { precision, cpu: Some(cpu), ..options(&dir) }).ok()
    };
    let texts: Vec<String> =
        (0..40).map(|n| TEXT.repeat(n % 7) + &"rust data ".repeat(n % 5)).chain(strange()).collect();
    let portable = load(Cpu::Portable).unwrap();
    let reference = portable.encode_pack(&texts, &mut scratch()).unwrap();
    for encoder in Cpu::ALL.into_iter().filter_map(load) {
        let cpu = encoder.cpu();
        assert_eq!(encoder.identity(), portable.identity());
        let alone: Vec<_> = texts.iter().map(|text| encoder.encode(text, &mut scratch()).unwrap()).collect();
        assert!(encoder.encode_pack(&texts, &mut scratch()).unwrap() == alone, "{cpu} differs in company");
        let (_, least) = cosines(&alone, &reference);
        assert!(least > 0.99999, "{cpu}: {least}");
    }
}

#[test]
fn bfloat16_of_the_real_model_is_nearly_the_same_on_every_path() {
    let texts = &golden_texts()[..2];
    let of = |cpu| Some(real(Precision::Bf16, Some(cpu))?.encode_pack(texts, &mut scratch()).unwrap());
    let Some(reference) = of(Cpu::Portable) else { return };
    for cpu in Cpu::available() {
        let (_, least) = cosines(&of(cpu).unwrap(), &reference);
        println!("bf16, {cpu} to portable: cosine {least} at least");
        assert!(least > 0.9999, "{cpu}: {least}");
    }
}

#[test]
fn vectors_are_the_golden_bits() {
    let Some(encoder) = real(Precision::Int8, None) else { return };
    let texts = golden_texts();
    let vectors = encoder.encode_pack(&texts, &mut scratch()).unwrap();
    let bytes: Vec<u8> = vectors.iter().flatten().flat_map(|value| value.to_le_bytes()).collect();
    assert!(bytes == GOLDEN, "the int8 engine gives other bits: raise ARITHMETIC, run write_golden");
}

#[test]
#[ignore = "writes the golden vectors anew"]
fn write_golden() {
    let encoder = real(Precision::Int8, Some(Cpu::Portable)).unwrap();
    let vectors = encoder.encode_pack(&golden_texts(), &mut scratch()).unwrap();
    let bytes: Vec<u8> = vectors.iter().flatten().flat_map(|value| value.to_le_bytes()).collect();
    fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/vectors.int8"), bytes).unwrap();
}

/// Alone, in batches of many sizes and on every path, AMX in software where there is none: one vector.
fn same_everywhere(load: impl Fn(Cpu) -> Option<Encoder>, texts: &[String]) {
    let Some(first) = load(Cpu::available()[0]) else { return };
    let alone: Vec<_> = texts.iter().map(|text| first.encode(text, &mut scratch()).unwrap()).collect();
    assert!(alone.iter().flatten().all(|value| value.is_finite()));
    let backwards: Vec<&str> = texts.iter().rev().map(String::as_str).collect();
    let encoders: Vec<Encoder> = Cpu::ALL.into_iter().filter_map(load).collect();
    assert!(encoders.len() >= Cpu::available().len());
    for encoder in encoders {
        let cpu = encoder.cpu();
        assert_eq!(encoder.identity(), first.identity());
        assert!(encoder.encode_pack(texts, &mut scratch()).unwrap() == alone, "{cpu} differs");
        let mut others = encoder.encode_batch(&backwards, &mut workers(3)).unwrap();
        others.reverse();
        assert!(others == alone, "{cpu} differs in another order");
    }
}

#[test]
fn a_small_model_gives_the_same_bits_everywhere() {
    let dir = TinyModel::new().write();
    for precision in [Precision::Int8, Precision::F32] {
        let load = |cpu| Encoder::load(&EncoderOptions { precision, cpu: Some(cpu), ..options(&dir) }).ok();
        let texts: Vec<String> =
            (0..40).map(|n| TEXT.repeat(n % 7) + &"rust data ".repeat(n % 5)).chain(strange()).collect();
        same_everywhere(load, &texts);
    }
}

#[test]
fn the_real_model_gives_the_same_bits_everywhere() {
    // The long ones but one are left to the small model: without fused multiply-add in hardware a text takes half a second.
    let load = |cpu| real(Precision::Int8, Some(cpu));
    same_everywhere(|cpu| load(cpu).filter(|_| Cpu::available().contains(&cpu)), &strange()[..8]);
    // Software takes a second for a long one.
    same_everywhere(load, &strange()[..3]);
}

#[test]
fn precisions_are_different_models() {
    let dir = TinyModel::new().write();
    let of = |precision| Encoder::load(&EncoderOptions { precision, ..options(&dir) }).unwrap();
    let [small, half, full] = Precision::ALL.map(of);
    assert!(small.identity().id.starts_with("native-int8-"), "{}", small.identity().id);
    assert!(half.identity().id.starts_with("native-bf16-"), "{}", half.identity().id);
    assert!(full.identity().id.starts_with("native-f32-"), "{}", full.identity().id);
    assert_eq!(small.identity().weights_digest, full.identity().weights_digest);
    for precision in Precision::ALL {
        assert_eq!(precision.to_string().parse::<Precision>().unwrap(), precision);
    }
    assert!("fp8".parse::<Precision>().unwrap_err().to_string().contains("int8, bf16 or f32"));
}
