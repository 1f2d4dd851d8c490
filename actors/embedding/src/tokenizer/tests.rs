//! The tokenizer of multilingual models: `tests/golden/make_unigram.py` made what is compared with.

mod fast;

use serde_json::{Value, json};
use std::fs;

use super::*;
use crate::chunker::{ChunkOptions, Chunker};
use crate::testing::{HIDDEN, TinyModel};
use crate::{Encoder, EncoderOptions, Scratch};

/// A small tokenizer as SentencePiece trains it, and what the Python package makes of texts with it.
fn golden() -> Value {
    serde_json::from_str(include_str!("../../tests/golden/unigram.json")).unwrap()
}

fn size(golden: &Value) -> usize {
    golden["tokenizer"]["model"]["vocab"].as_array().unwrap().len()
}

fn pieces_of(tokenizer: &Value, vocabulary: usize) -> Result<WordPieces, EmbeddingError> {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), tokenizer.to_string()).unwrap();
    WordPieces::load(file.path(), vocabulary).map(|(pieces, _)| pieces)
}

#[test]
fn it_reads_texts_as_the_reference_does() {
    let golden = golden();
    let pieces = pieces_of(&golden["tokenizer"], size(&golden)).unwrap();
    assert_eq!(pieces.frame(), (0, 2));
    let cases = golden["cases"].as_array().unwrap();
    assert!(cases.len() > 10);
    for case in cases {
        let text = case["text"].as_str().unwrap();
        let found = pieces.pieces(text).unwrap();
        let ids: Vec<u32> = found.iter().map(|piece| piece.id).collect();
        let spans: Vec<[usize; 2]> = found.iter().map(|piece| [piece.start, piece.end]).collect();
        assert_eq!((json!(ids), json!(spans)), (case["ids"].clone(), case["spans"].clone()), "{text:?}");
        assert_eq!(pieces.ids(text).unwrap(), ids);
        assert!(found.iter().all(|piece| text.get(piece.start..piece.end).is_some()), "{text:?}");
    }
}

#[test]
fn a_special_token_spelled_in_a_text_is_not_one() {
    let golden = golden();
    let pieces = pieces_of(&golden["tokenizer"], size(&golden)).unwrap();
    let unknown = pieces.ids("\u{1F642}").unwrap().last().copied();
    assert_eq!(unknown, Some(3));
    for text in ["</s>", "the <s> nurse", "<pad>", "</s></s>the"] {
        let ids = pieces.ids(text).unwrap();
        assert!(ids.contains(&3) && !ids.iter().any(|id| [0, 1, 2].contains(id)), "{text} {ids:?}");
        assert_eq!(pieces.pieces(text).unwrap().iter().map(|piece| piece.id).collect::<Vec<_>>(), ids);
    }
}

#[test]
fn a_vocabulary_that_the_model_does_not_have_is_refused() {
    let golden = golden();
    assert!(matches!(
        pieces_of(&golden["tokenizer"], size(&golden) - 1),
        Err(EmbeddingError::Malformed { .. })
    ));
}

#[test]
fn a_model_with_it_encodes_texts_of_every_script() {
    let golden = golden();
    let (mut model, words) = (TinyModel::new(), size(&golden));
    model.tokenizer = golden["tokenizer"].clone();
    model.config["vocab_size"] = json!(words);
    let row = |word: usize| (0..HIDDEN).map(move |at| ((word * 31 + at * 17) % 97) as f32 / 97.0 - 0.5);
    let table = (vec![words, HIDDEN], (0..words).flat_map(row).collect());
    model.tensors.insert("embeddings.word_embeddings.weight".to_owned(), table);
    let folder = model.write();
    let options = EncoderOptions { max_tokens: 24, ..EncoderOptions::new(folder.path()) };
    let encoder = Encoder::load(&options).unwrap();
    let chunker = Chunker::new(ChunkOptions { chars: 120, overlap: 20, window_tokens: 24 }).unwrap();
    let texts: Vec<&str> =
        golden["cases"].as_array().unwrap().iter().map(|case| case["text"].as_str().unwrap()).collect();
    let together = encoder.encode_pack(&texts, &mut Scratch::new()).unwrap();
    for (text, vector) in texts.iter().zip(together) {
        assert_eq!(encoder.encode(text, &mut Scratch::new()).unwrap(), vector, "{text:?}");
        assert!((vector.iter().map(|value| value * value).sum::<f32>() - 1.0).abs() < 1e-5, "{text:?}");
        for chunk in chunker.chunks(text, encoder.tokenizer()).unwrap() {
            let mut at = chunk.range.start;
            for window in &chunk.windows {
                assert_eq!(window.range.start, at, "{text:?}");
                assert!(window.tokens() <= 24 && text.get(window.range.clone()).is_some(), "{text:?}");
                at = window.range.end;
            }
            assert_eq!(at, chunk.range.end, "{text:?}");
        }
    }
}
