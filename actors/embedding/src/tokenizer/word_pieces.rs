use std::collections::HashMap;

use rustc_hash::FxBuildHasher;
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::NormalizerWrapper;
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::{Model, ModelWrapper, Tokenizer};

use super::Piece;
use super::letters::{Letter, Letters, Part};

/// The numbers of pieces by their letters.
type Vocabulary = HashMap<Box<[u8]>, u32, FxBuildHasher>;

/// WordPiece as BERT does it (Devlin et al. 2018): the same pieces as the crate `tokenizers` finds, but in one pass
/// without a copy of the text after each step, which is some twenty times as fast.
pub(super) struct Fast {
    letters: Letters,
    /// What a word begins with.
    first: Vocabulary,
    /// What follows in a word.
    following: Vocabulary,
    /// Bytes of the longest piece.
    longest: usize,
    /// Characters of a word that is looked at.
    most_chars: usize,
    unknown: u32,
}

/// A word of a text.
#[derive(Default)]
struct Word {
    bytes: Vec<u8>,
    chars: usize,
    /// For each byte, where the character that became it begins and ends in the text.
    spans: Vec<(usize, usize)>,
    /// Its pieces: number, first byte, byte behind.
    pieces: Vec<(u32, usize, usize)>,
}

impl Fast {
    /// None when `tokenizer` is of another kind. `plain` gives the number that stands for that of a piece in texts.
    pub(super) fn new(tokenizer: &Tokenizer, plain: impl Fn(u32) -> u32) -> Option<Self> {
        let Some(NormalizerWrapper::BertNormalizer(normalizer)) = tokenizer.get_normalizer() else {
            return None;
        };
        let Some(PreTokenizerWrapper::BertPreTokenizer(_)) = tokenizer.get_pre_tokenizer() else {
            return None;
        };
        let ModelWrapper::WordPiece(model) = tokenizer.get_model() else { return None };
        // Others are looked for in texts before anything else.
        if !tokenizer.get_added_tokens_decoder().values().all(|token| token.special) {
            return None;
        }
        let unknown = plain(model.token_to_id(&model.unk_token)?);
        let (first, following) = vocabularies(model, plain);
        let longest = first.keys().chain(following.keys()).map(|piece| piece.len()).max()?;
        let most_chars = model.max_input_chars_per_word;
        Some(Self { letters: Letters::new(*normalizer), first, following, longest, most_chars, unknown })
    }

    /// Gives the pieces of `text` to `take`, in order; false when the text holds a character that only the crate
    /// `tokenizers` can place.
    pub(super) fn read(&self, text: &str, mut take: impl FnMut(Piece)) -> bool {
        let mut word = Word::default();
        for (at, c) in text.char_indices() {
            let letter = self.letters.of(c);
            match letter.part {
                Part::Inner => word.push(letter, at, c),
                Part::Gone => {}
                Part::Break => self.end(&mut word, &mut take),
                Part::Alone => {
                    self.end(&mut word, &mut take);
                    word.push(letter, at, c);
                    self.end(&mut word, &mut take);
                }
                Part::Other => return false,
            }
        }
        self.end(&mut word, &mut take);
        true
    }

    /// Gives the pieces of `word` and empties it.
    #[inline]
    fn end(&self, word: &mut Word, take: &mut impl FnMut(Piece)) {
        if word.bytes.is_empty() {
            return;
        }
        let bytes = word.bytes.as_slice();
        if word.chars > self.most_chars || !self.split(bytes, &mut word.pieces) {
            word.pieces.clear();
            word.pieces.push((self.unknown, 0, bytes.len()));
        }
        for (id, from, to) in word.pieces.drain(..) {
            take(Piece { id, start: word.spans[from].0, end: word.spans[to - 1].1 });
        }
        word.bytes.clear();
        word.spans.clear();
        word.chars = 0;
    }

    /// The longest piece that `word` begins with, then the longest one that follows, and so on to its end; false when
    /// there is none.
    fn split(&self, word: &[u8], pieces: &mut Vec<(u32, usize, usize)>) -> bool {
        let mut from = 0;
        while from < word.len() {
            let vocabulary = if from == 0 { &self.first } else { &self.following };
            let most = word.len().min(from + self.longest);
            let found = (from + 1..=most).rev().find_map(|to| Some((*vocabulary.get(&word[from..to])?, to)));
            let Some((id, to)) = found else { return false };
            pieces.push((id, from, to));
            from = to;
        }
        true
    }
}

impl Word {
    #[inline]
    fn push(&mut self, letter: &Letter, at: usize, c: char) {
        self.bytes.extend_from_slice(letter.bytes());
        self.spans.resize(self.bytes.len(), (at, at + c.len_utf8()));
        self.chars += usize::from(letter.chars);
    }
}

fn vocabularies(model: &WordPiece, plain: impl Fn(u32) -> u32) -> (Vocabulary, Vocabulary) {
    let (mut first, mut following) = (Vocabulary::default(), Vocabulary::default());
    for (piece, id) in model.get_vocab() {
        let id = plain(id);
        if let Some(rest) = piece.strip_prefix(&model.continuing_subword_prefix) {
            following.insert(rest.as_bytes().into(), id);
        }
        first.insert(piece.into_bytes().into(), id);
    }
    (first, following)
}
