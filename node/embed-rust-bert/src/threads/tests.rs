use std::num::NonZeroUsize;

use tandem_embedding::{EngineName, ModelFiles, Scratch, SentenceModel};

use super::*;
use crate::{Device, bert};

/// [CLS], a word, [SEP].
const TEXT: [u32; 3] = [101, 6821, 102];

fn compute(threads: usize) -> Box<Compute> {
    let dir = ModelFiles::default_dir().expect("deploy/model.sh has brought the model");
    let engine = EngineName { name: "rust-bert-f32".to_owned(), arithmetic: 1 };
    let model = SentenceModel::open(&dir, 64, true, &engine).unwrap();
    start(bert::load(&model, Device::Cpu, NonZeroUsize::new(threads).unwrap()).unwrap()).unwrap()
}

#[test]
fn a_panic_is_an_answer_and_its_thread_goes_on() {
    let (compute, mut scratch) = (compute(1), Scratch::new());
    let vectors = compute(&[TEXT.to_vec()], &mut scratch).unwrap();
    for _ in 0..3 {
        let unknown = compute(&[TEXT.to_vec(), vec![101, 1 << 30, 102]], &mut scratch).unwrap_err();
        assert!(matches!(unknown, EmbeddingError::Panicked), "{unknown}");
    }
    assert_eq!(compute(&[TEXT.to_vec()], &mut scratch).unwrap(), vectors);
    assert!(compute(&[], &mut scratch).unwrap().is_empty());
}

#[test]
fn threads_share_the_weights_and_give_the_same() {
    let compute = compute(3);
    let vectors: Vec<_> = thread::scope(|scope| {
        let ask = || compute(&[TEXT.to_vec()], &mut Scratch::new()).unwrap();
        let asking: Vec<_> = (0..12).map(|_| scope.spawn(ask)).collect();
        asking.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(vectors[0][0].len(), 384);
    assert!(vectors.iter().all(|other| *other == vectors[0]));
}
