//! rust-bert beside the native engine, on the real model of deploy/model.sh.
#![allow(clippy::unwrap_used, reason = "tests may")]

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use futures::future::try_join_all;
use tandem_domain::task::Urgency;
use tandem_embed_rust_bert::{Device, RustBertError, RustBertOptions, load, open};
use tandem_embedding::{
    BatchedEmbedder, EmbeddingError, Encoder, EncoderOptions, ModelFiles, Precision, Scratch,
};
use tandem_ports::Embedder;

const MAX_TOKENS: usize = 256;

fn model() -> PathBuf {
    let dir = ModelFiles::default_dir().expect("there is a home folder");
    ModelFiles::locate(&dir).expect("deploy/model.sh has brought the model");
    dir
}

fn options(threads: usize) -> RustBertOptions {
    let threads = NonZeroUsize::new(threads).unwrap();
    RustBertOptions { dir: model(), max_tokens: MAX_TOKENS, device: Device::Cpu, threads }
}

fn native() -> BatchedEmbedder {
    let options = EncoderOptions { precision: Precision::F32, ..EncoderOptions::new(model()) };
    BatchedEmbedder::new(Arc::new(Encoder::load(&options).unwrap()), NonZeroUsize::new(2).unwrap())
}

/// Texts of 0 to some 300 tokens, of several scripts, and what no person writes.
fn texts() -> Vec<String> {
    let words = "Registered nurse in intensive care; led a team of eight, cut handover errors by 23% within six months.";
    let word = |n: usize| words.split(' ').cycle().skip(n).take(n * n / 4).collect::<Vec<_>>().join(" ");
    let odd = [
        "",
        " \n\t",
        "🙂",
        "👩🏽‍⚕️ nurse 🏥🏥🏥",
        "ممرضة في العناية المركزة",
        "\u{0}\u{1}\u{7f} control \u{200d}\u{feff} characters",
        "[CLS] spelled [SEP] out [PAD]",
        "漢字 and e\u{301}e\u{301}",
    ];
    let long = ["a".repeat(100_000), "nurse, ".repeat(15_000)];
    (0..36).map(word).chain(odd.map(str::to_owned)).chain(long).collect()
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn its_vectors_are_those_of_the_native_engine() {
    let engine = open(&options(2)).unwrap();
    let vectors = engine.embed(texts(), Urgency::Bulk).await.unwrap();
    let expected = native().embed(texts(), Urgency::Bulk).await.unwrap();
    assert_eq!(vectors.len(), texts().len());
    for (n, (vector, expected)) in vectors.iter().zip(&expected).enumerate() {
        assert_eq!(vector.len(), expected.len());
        assert!(
            (cosine(vector, vector) - 1.0).abs() < 1e-5,
            "text {n} has length {}",
            cosine(vector, vector)
        );
        assert!(cosine(vector, expected) >= 0.9999, "text {n}: {}", cosine(vector, expected));
    }
    // Not all the same: texts that have nothing in common are far apart.
    assert!(cosine(&vectors[30], &vectors[38]) < 0.5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_has_its_vector_in_any_company_and_place() {
    let engine = open(&options(2)).unwrap();
    let texts = texts();
    let alone = texts.iter().map(|text| engine.embed(vec![text.clone()], Urgency::Interactive));
    let alone = try_join_all(alone).await.unwrap().concat();
    let mut backwards = texts.clone();
    backwards.reverse();
    let together = engine.embed(texts, Urgency::Bulk);
    let backwards = engine.embed(backwards, Urgency::Interactive);
    let (together, mut backwards) = futures::future::try_join(together, backwards).await.unwrap();
    backwards.reverse();
    for (n, alone) in alone.iter().enumerate() {
        for other in [&together[n], &backwards[n]] {
            let apart = alone.iter().zip(other).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(apart <= 1e-5, "text {n} is {apart} apart");
        }
    }
}

#[test]
fn its_model_is_another_with_the_same_files() {
    let (native, engine) = (native(), open(&options(1)).unwrap());
    let (native, identity) = (native.identity(), engine.identity());
    assert!(identity.id.starts_with("rust-bert-f32-bert-6x384-"), "{}", identity.id);
    assert!(native.id.starts_with("native-f32-bert-6x384-"), "{}", native.id);
    assert_eq!(identity.weights_digest, native.weights_digest);
    assert_eq!(identity.tokenizer_digest, native.tokenizer_digest);
    assert_eq!(identity.dimensions, native.dimensions);
    let fewer = open(&RustBertOptions { max_tokens: MAX_TOKENS - 1, ..options(1) }).unwrap();
    assert_ne!(fewer.identity().id, identity.id);
}

#[test]
fn a_device_that_is_not_there_is_named() {
    let error =
        open(&RustBertOptions { device: Device::Cuda(200), ..options(1) }).err().expect("no such card");
    assert!(matches!(error, RustBertError::NoDevice { device: Device::Cuda(200), .. }), "{error}");
    assert!(error.to_string().starts_with("cuda:200 is not there"), "{error}");
}

#[test]
fn options_and_files_that_do_not_fit_are_refused() {
    let refused = |options: RustBertOptions| open(&options).err().expect("it must be refused").to_string();
    let missing = refused(RustBertOptions { dir: PathBuf::from("/nonexistent/model"), ..options(1) });
    assert!(missing.contains("deploy/model.sh"), "{missing}");
    let many = refused(RustBertOptions { max_tokens: 513, ..options(1) });
    assert!(many.contains("513"), "{many}");
}

/// [CLS], a word, [SEP].
const WORD: [u32; 3] = [101, 6821, 102];

#[test]
fn a_panic_is_an_answer_and_its_thread_goes_on() {
    let ((_, compute), mut scratch) = (load(&options(1)).unwrap(), Scratch::new());
    let vectors = compute(&[WORD.to_vec()], &mut scratch).unwrap();
    for _ in 0..3 {
        let unknown = compute(&[WORD.to_vec(), vec![101, 1 << 30, 102]], &mut scratch).unwrap_err();
        assert!(matches!(unknown, EmbeddingError::Panicked), "{unknown}");
    }
    assert_eq!(compute(&[WORD.to_vec()], &mut scratch).unwrap(), vectors);
    assert!(compute(&[], &mut scratch).unwrap().is_empty());
}

#[test]
fn threads_share_the_weights_and_give_the_same() {
    let (_, compute) = load(&options(3)).unwrap();
    let vectors: Vec<_> = thread::scope(|scope| {
        let ask = || compute(&[WORD.to_vec()], &mut Scratch::new()).unwrap();
        let asking: Vec<_> = (0..12).map(|_| scope.spawn(ask)).collect();
        asking.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(vectors[0][0].len(), 384);
    assert!(vectors.iter().all(|other| *other == vectors[0]));
}
