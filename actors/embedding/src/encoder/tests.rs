mod bounds;
mod golden;
mod int8;
mod loading;

use super::{Encoder, EncoderOptions, Scratch};
use crate::chunker::{ChunkOptions, Chunker};
use crate::sentence::FRAME_TOKENS;
use crate::testing::{HIDDEN, TinyModel, reference};
use crate::{EmbeddingError, Pooling, Precision};
use safetensors::Dtype;
use serde_json::json;
use std::fs;
use std::num::NonZeroUsize;
use tempfile::TempDir;

const TEXT: &str = "The engineer leads the data nurses, rust 42.";

fn load(dir: &TempDir) -> Result<Encoder, EmbeddingError> {
    Encoder::load(&options(dir))
}

fn options(dir: &TempDir) -> EncoderOptions {
    EncoderOptions { max_tokens: 40, precision: Precision::F32, ..EncoderOptions::new(dir.path()) }
}

fn tiny() -> Encoder {
    load(&TinyModel::new().write()).unwrap()
}

fn scratch() -> Scratch {
    Scratch::new()
}

fn workers(count: usize) -> Vec<Scratch> {
    Scratch::many(NonZeroUsize::new(count).unwrap())
}

fn error(dir: &TempDir) -> EmbeddingError {
    load(dir).err().expect("the model is broken, so it must not load")
}

fn apart(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// What the encoder must give for the tokens of `text`, from the plain loops.
fn expected(model: &TinyModel, encoder: &Encoder, text: &str, pooling: Pooling) -> Vec<f32> {
    let (first, last) = encoder.tokenizer().frame();
    let pieces = encoder.tokenizer().ids(text).unwrap();
    let read = pieces.into_iter().take(encoder.max_tokens() - FRAME_TOKENS);
    let tokens: Vec<u32> = [first].into_iter().chain(read).chain([last]).collect();
    let states = reference(&model.tensors, &tokens);
    let rows = if pooling == Pooling::Cls { 1 } else { states.len() };
    let mut mean: Vec<f32> = (0..HIDDEN)
        .map(|at| (states.iter().take(rows).map(|row| row[at]).sum::<f64>() / rows as f64) as f32)
        .collect();
    crate::vectors::normalize(&mut mean);
    mean
}

#[test]
fn a_vector_equals_the_one_computed_by_the_definition() {
    let model = TinyModel::new();
    let encoder = load(&model.write()).unwrap();
    let long = "data engineer. ".repeat(30);
    for text in ["", "rust", TEXT, "日本 🚀 \u{7}", &long] {
        let vector = encoder.encode(text, &mut scratch()).unwrap();
        let wanted = expected(&model, &encoder, text, Pooling::Mean);
        assert!(apart(&vector, &wanted) < 1e-5, "{text:?} is off by {}", apart(&vector, &wanted));
    }
}

#[test]
fn pooling_follows_its_file() {
    let model = TinyModel::new();
    let dir = model.write();
    fs::create_dir(dir.path().join("1_Pooling")).unwrap();
    let file = dir.path().join("1_Pooling/config.json");
    fs::write(&file, json!({"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false}).to_string())
        .unwrap();
    let encoder = load(&dir).unwrap();
    let vector = encoder.encode(TEXT, &mut scratch()).unwrap();
    assert!(apart(&vector, &expected(&model, &encoder, TEXT, Pooling::Cls)) < 1e-5);
    assert_ne!(encoder.identity().id, tiny().identity().id);

    fs::write(&file, json!({"pooling_mode_max_tokens": true}).to_string()).unwrap();
    assert!(error(&dir).to_string().contains("pooling mode"));
}

#[test]
fn without_normalization_the_direction_is_the_same() {
    let dir = TinyModel::new().write();
    let options = EncoderOptions { normalize: false, ..options(&dir) };
    let mut raw = Encoder::load(&options).unwrap().encode(TEXT, &mut scratch()).unwrap();
    let scaled = load(&dir).unwrap().encode(TEXT, &mut scratch()).unwrap();
    assert!(apart(&raw, &scaled) > 1e-3);
    crate::vectors::normalize(&mut raw);
    assert_eq!(raw, scaled);
}

#[test]
fn half_precision_weights_and_prefixed_names_load() {
    let mut model = TinyModel::new();
    let full = tiny().encode(TEXT, &mut scratch()).unwrap();
    for (dtype, tolerance) in [(Dtype::F16, 2e-3), (Dtype::BF16, 3e-2)] {
        model.dtype = dtype;
        let vector = load(&model.write()).unwrap().encode(TEXT, &mut scratch()).unwrap();
        let off = apart(&vector, &full);
        assert!(off > 0.0 && off < tolerance, "{dtype:?} is off by {off}");
    }
    model.dtype = Dtype::F32;
    model.tensors =
        model.tensors.into_iter().map(|(name, tensor)| (format!("bert.{name}"), tensor)).collect();
    assert_eq!(load(&model.write()).unwrap().encode(TEXT, &mut scratch()).unwrap(), full);
}

#[test]
fn a_vector_is_the_same_bits_alone_in_a_batch_and_on_any_number_of_threads() {
    let encoder = tiny();
    let texts: Vec<String> = (0..60).map(|n| TEXT.repeat(n % 7) + &"rust data ".repeat(n % 5)).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let alone: Vec<_> = texts.iter().map(|text| encoder.encode(text, &mut scratch()).unwrap()).collect();
    for count in [1, 2, 5] {
        let mut workers = workers(count);
        // Twice, so that the second time the workers' memory is full of old numbers.
        for _ in 0..2 {
            assert_eq!(encoder.encode_batch(&texts, &mut workers).unwrap(), alone);
        }
    }
    assert_eq!(encoder.encode_batch(&[], &mut workers(2)).unwrap(), Vec::<Vec<f32>>::new());
    assert!(matches!(encoder.encode_batch(&texts, &mut []), Err(EmbeddingError::Options { .. })));
}

#[test]
fn an_encoder_is_shared_between_threads_and_a_scratch_is_handed_over() {
    fn shared<T: Send + Sync>() {}
    fn handed_over<T: Send>() {}
    shared::<Encoder>();
    handed_over::<Scratch>();
}

#[test]
fn a_text_is_read_up_to_the_limit() {
    let encoder = tiny();
    let words = encoder.max_tokens() - FRAME_TOKENS;
    let mut scratch = scratch();
    let full = encoder.encode(&"data ".repeat(words), &mut scratch).unwrap();
    assert_eq!(encoder.encode(&("data ".repeat(words) + "nurse rust"), &mut scratch).unwrap(), full);
    assert_ne!(encoder.encode(&"data ".repeat(words - 1), &mut scratch).unwrap(), full);
}

#[test]
fn a_piece_outside_the_vocabulary_is_refused_in_any_batch() {
    let encoder = tiny();
    let refused = encoder.encode_pieces(&[5, 9_999], &mut scratch());
    assert!(matches!(refused, Err(EmbeddingError::UnknownPiece { id: 9_999, .. })));
}

#[test]
fn documents_get_the_weighted_means_of_their_windows() {
    let encoder = tiny();
    let chunker = Chunker::new(ChunkOptions { chars: 120, overlap: 20, window_tokens: 12 }).unwrap();
    let texts = [TEXT.repeat(9), String::new(), "rust".to_owned()];
    let documents: Vec<_> =
        texts.iter().map(|text| chunker.chunks(text, encoder.tokenizer()).unwrap()).collect();
    let vectors = encoder.encode_documents(&documents, &mut workers(2)).unwrap();
    assert_eq!(vectors.len(), 3);
    assert!(documents[0].len() > 2 && documents[0][0].windows.len() > 2);

    assert_eq!(vectors[1].chunks, Vec::<Vec<f32>>::new());
    assert_eq!(vectors[1].document, None);

    let alone = encoder.encode("rust", &mut scratch()).unwrap();
    assert!(apart(vectors[2].document.as_ref().unwrap(), &alone) < 1e-6);

    let mut total = [0.0_f32; HIDDEN];
    for (chunk, vector) in documents[0].iter().zip(&vectors[0].chunks) {
        let mut sum = [0.0_f32; HIDDEN];
        for window in &chunk.windows {
            let one = encoder.encode_pieces(&window.pieces, &mut scratch()).unwrap();
            sum.iter_mut().zip(one).for_each(|(sum, value)| *sum += value * window.tokens() as f32);
        }
        crate::vectors::normalize(&mut sum);
        assert!(apart(vector, &sum) < 1e-6);
        total.iter_mut().zip(sum).for_each(|(total, value)| *total += value * chunk.tokens() as f32);
    }
    crate::vectors::normalize(&mut total);
    assert!(apart(vectors[0].document.as_ref().unwrap(), &total) < 1e-6);
}

#[test]
fn a_special_token_in_a_text_is_ordinary_text() {
    let encoder = tiny();
    let (_, last) = encoder.tokenizer().frame();
    assert!(!encoder.tokenizer().ids("rust [SEP] data").unwrap().contains(&last));
    assert_eq!(encoder.tokenizer().count("rust data.").unwrap(), 3);
}
