mod spans;
mod windows;

use std::ops::Range;

use crate::sentence::FRAME_TOKENS;
use crate::{EmbeddingError, WordPieces};

/// Below this a chunk holds hardly a sentence.
const MIN_CHARS: usize = 16;

/// How long chunks and windows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChunkOptions {
    /// Characters of a chunk at most, at least 16.
    pub chars: usize,
    /// Characters that a chunk shares with the one before it at most, up to a quarter of `chars`.
    pub overlap: usize,
    /// Tokens of a window at most, [CLS] and [SEP] included: what the encoder reads at once. At least 3.
    pub window_tokens: usize,
}

impl Default for ChunkOptions {
    fn default() -> Self {
        Self { chars: 3_500, overlap: 400, window_tokens: 256 }
    }
}

/// A part of a text that gets a vector of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// Its place among the text's chunks, from 0.
    pub index: usize,
    /// Where it lies in the text, in bytes; it begins and ends with a character that is not white space.
    pub range: Range<usize>,
    /// What the encoder reads one by one, at least one; together they cover the chunk without overlap.
    pub windows: Vec<Window>,
}

/// A part of a chunk that the encoder reads at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// Where it lies in the text, in bytes.
    pub range: Range<usize>,
    /// Its word pieces, without special tokens. Empty only where the tokenizer sees nothing, as in control characters.
    pub pieces: Vec<u32>,
}

impl Chunk {
    /// The chunk's weight in its document: the tokens of its windows.
    pub fn tokens(&self) -> usize {
        self.windows.iter().map(Window::tokens).sum()
    }
}

impl Window {
    /// The window's weight in its chunk: its tokens, [CLS] and [SEP] included, so never 0.
    pub fn tokens(&self) -> usize {
        self.pieces.len() + FRAME_TOKENS
    }
}

/// Cuts texts into chunks and chunks into windows: at the ends of paragraphs or sentences where there are any, else
/// between words, else between characters. The same text is always cut alike.
#[derive(Debug, Clone, Copy)]
pub struct Chunker {
    options: ChunkOptions,
}

impl Chunker {
    /// A chunker with `options`.
    ///
    /// # Errors
    /// [`EmbeddingError::Options`] names the option that is out of its bounds.
    pub fn new(options: ChunkOptions) -> Result<Self, EmbeddingError> {
        let refuse = |reason: String| Err(EmbeddingError::Options { reason });
        if options.chars < MIN_CHARS {
            return refuse(format!(
                "a chunk of {} characters is too short; at least {MIN_CHARS}",
                options.chars
            ));
        }
        if options.overlap > options.chars / 4 {
            return refuse(format!(
                "an overlap of {} characters is more than a quarter of a chunk of {}",
                options.overlap, options.chars
            ));
        }
        if options.window_tokens <= FRAME_TOKENS {
            return refuse(format!("a window of {} tokens holds no word", options.window_tokens));
        }
        Ok(Self { options })
    }

    /// The chunks of `text` in order; none when it is empty or all white space.
    ///
    /// # Errors
    /// [`EmbeddingError::Tokenize`] when the tokenizer refuses.
    pub fn chunks(&self, text: &str, tokenizer: &WordPieces) -> Result<Vec<Chunk>, EmbeddingError> {
        let spans = spans::spans(text, &self.options).into_iter().enumerate();
        spans.map(|(index, range)| self.chunk(index, range, text, tokenizer)).collect()
    }

    fn chunk(
        &self,
        index: usize,
        range: Range<usize>,
        text: &str,
        tokenizer: &WordPieces,
    ) -> Result<Chunk, EmbeddingError> {
        let part = text.get(range.clone()).unwrap_or_default();
        let pieces = tokenizer.pieces(part)?;
        let cuts = windows::cuts(part, &pieces, self.options.window_tokens - FRAME_TOKENS);
        // A window reaches up to the next one, so that no character falls between two.
        let start =
            |at: usize| if at == 0 { 0 } else { pieces.get(at).map_or(part.len(), |piece| piece.start) };
        let windows = cuts
            .into_iter()
            .map(|cut| Window {
                range: range.start + start(cut.start)..range.start + start(cut.end.max(1)),
                pieces: pieces[cut].iter().map(|piece| piece.id).collect(),
            })
            .collect();
        Ok(Chunk { index, range, windows })
    }
}

#[cfg(test)]
mod tests;
