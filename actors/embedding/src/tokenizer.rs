use std::path::Path;

use sha2::{Digest, Sha256};
use tokenizers::Tokenizer;

use crate::EmbeddingError;
use crate::files::read_bounded;
use word_pieces::Fast;

mod letters;
mod word_pieces;

/// What models call the token for all that they do not know.
const UNKNOWN: [&str; 2] = ["[UNK]", "<unk>"];

/// Of a usual text; what is found gets room for so many pieces at once.
const BYTES_OF_A_PIECE: usize = 4;

/// One word piece and where in the text it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// The piece's number in the vocabulary.
    pub id: u32,
    /// Byte offset of its first character.
    pub start: usize,
    /// Byte offset behind its last character.
    pub end: usize,
}

/// Cuts texts into the word pieces that the model knows: WordPiece, as BERT does, or the unigrams of SentencePiece, as
/// multilingual models do (Kudo 2018). Truncation and padding set in tokenizer.json do not apply, and
/// a special token spelled in a text, such as `[SEP]`, is ordinary text.
pub struct WordPieces {
    inner: Tokenizer,
    fast: Option<Fast>,
    first: u32,
    last: u32,
    /// Special tokens, and what stands for them where a text spells one.
    special: Vec<u32>,
    unknown: u32,
}

impl WordPieces {
    /// Reads tokenizer.json for a model that knows `vocabulary` pieces; also gives the file's SHA-256 in hexadecimal.
    pub(crate) fn load(path: &Path, vocabulary: usize) -> Result<(Self, String), EmbeddingError> {
        let refuse = |reason: String| EmbeddingError::Malformed { path: path.to_owned(), reason };
        let bytes = read_bounded(path)?;
        let mut inner = Tokenizer::from_bytes(&bytes).map_err(|error| refuse(error.to_string()))?;
        inner.with_padding(None);
        inner.with_truncation(None).map_err(|error| refuse(error.to_string()))?;
        inner.set_encode_special_tokens(true);
        // Not their count: numbers may be left out.
        let last = inner.get_vocab(true).into_values().max().unwrap_or(0);
        if last as usize >= vocabulary {
            return Err(refuse(format!(
                "it has word pieces up to number {last}, the model only {vocabulary}"
            )));
        }
        let unknown = UNKNOWN.iter().find_map(|token| inner.token_to_id(token));
        let unknown = unknown.ok_or_else(|| refuse(format!("it has none of the tokens {UNKNOWN:?}")))?;
        let special = inner.get_added_tokens_decoder().into_iter();
        let special: Vec<u32> =
            special.filter(|(id, token)| token.special && *id != unknown).map(|(id, _)| id).collect();
        let frame = inner.encode_fast("", true).map_err(|error| refuse(error.to_string()))?;
        let &[first, last] = frame.get_ids() else {
            return Err(refuse("it does not put one token before a text and one behind it".to_owned()));
        };
        let fast = Fast::new(&inner, |id| plain(&special, unknown, id));
        Ok((Self { inner, fast, first, last, special, unknown }, hex::encode(Sha256::digest(&bytes))))
    }

    /// The pieces of `text` in order, without the special tokens around it, with byte offsets into `text`.
    ///
    /// # Errors
    /// [`EmbeddingError::Tokenize`] when the tokenizer refuses, which takes a tokenizer.json without an unknown token.
    pub fn pieces(&self, text: &str) -> Result<Vec<Piece>, EmbeddingError> {
        self.read(text, |piece| piece).map_or_else(|| self.pieces_of_any(text), Ok)
    }

    /// As [`WordPieces::pieces`], but the numbers alone, which is faster.
    ///
    /// # Errors
    /// As [`WordPieces::pieces`].
    pub fn ids(&self, text: &str) -> Result<Vec<u32>, EmbeddingError> {
        self.read(text, |piece| piece.id).map_or_else(|| self.ids_of_any(text), Ok)
    }

    /// How many pieces `text` has, without the special tokens around it.
    ///
    /// # Errors
    /// As [`WordPieces::pieces`].
    pub fn count(&self, text: &str) -> Result<usize, EmbeddingError> {
        Ok(self.ids(text)?.len())
    }

    /// What is wanted of the pieces of `text`; None where the fast way does not do.
    fn read<T>(&self, text: &str, want: impl Fn(Piece) -> T) -> Option<Vec<T>> {
        let fast = self.fast.as_ref()?;
        let mut found = Vec::with_capacity(text.len() / BYTES_OF_A_PIECE);
        fast.read(text, |piece| found.push(want(piece))).then_some(found)
    }

    /// The pieces of a text, by a tokenizer of whatever kind.
    fn pieces_of_any(&self, text: &str) -> Result<Vec<Piece>, EmbeddingError> {
        let encoding =
            self.inner.encode(text, false).map_err(|_| EmbeddingError::Tokenize { bytes: text.len() })?;
        let ids = encoding.get_ids().iter();
        Ok(ids
            .zip(encoding.get_offsets())
            .map(|(&id, &(start, end))| Piece { id: plain(&self.special, self.unknown, id), start, end })
            .collect())
    }

    fn ids_of_any(&self, text: &str) -> Result<Vec<u32>, EmbeddingError> {
        let encoding = self
            .inner
            .encode_fast(text, false)
            .map_err(|_| EmbeddingError::Tokenize { bytes: text.len() })?;
        Ok(encoding.get_ids().iter().map(|&id| plain(&self.special, self.unknown, id)).collect())
    }

    /// The token before and the token behind every text: [CLS] and [SEP].
    pub(crate) fn frame(&self) -> (u32, u32) {
        (self.first, self.last)
    }
}

/// Special tokens are none in a text. Unigram models, in whose vocabulary they stand, find them there as well.
fn plain(special: &[u32], unknown: u32, id: u32) -> u32 {
    if special.contains(&id) { unknown } else { id }
}

#[cfg(test)]
mod tests;
