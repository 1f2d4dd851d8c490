//! The way of bytes from a stranger to vectors, and what holds of it whatever the bytes are.

use tempfile::TempDir;
use tokenizers::Tokenizer;

use super::{HIDDEN, TinyModel};
use crate::{Chunk, ChunkOptions, Chunker, Cpu, Encoder, EncoderOptions, Piece, Precision, Scratch};

/// Small, so that short texts already have many chunks of several windows.
const OPTIONS: ChunkOptions = ChunkOptions { chars: 60, overlap: 12, window_tokens: 14 };

/// Bytes of a text that the portable path takes part in, which multiplies and adds in software.
const SHORT: usize = 48;

/// A tiny model: in int8 on every instruction set of this processor, and in f32.
pub(crate) struct Journey {
    int8: Vec<Encoder>,
    f32: Encoder,
    chunker: Chunker,
    /// The same tokenizer by the crate alone.
    reference: Tokenizer,
    _folder: TempDir,
}

impl Journey {
    pub(crate) fn new() -> Self {
        let model = TinyModel::new();
        let folder = model.write();
        let load = |precision, cpu| {
            let options =
                EncoderOptions { max_tokens: OPTIONS.window_tokens, ..EncoderOptions::new(folder.path()) };
            Encoder::load(&EncoderOptions { precision, cpu: Some(cpu), ..options }).unwrap()
        };
        let cpus = Cpu::available();
        let f32 = load(Precision::F32, cpus[0]);
        let int8 = cpus.into_iter().map(|cpu| load(Precision::Int8, cpu)).collect();
        let mut reference = Tokenizer::from_bytes(model.tokenizer.to_string()).unwrap();
        reference.with_padding(None).with_truncation(None).unwrap();
        reference.set_encode_special_tokens(true);
        Self { int8, f32, chunker: Chunker::new(OPTIONS).unwrap(), reference, _folder: folder }
    }

    /// Takes `bytes` all the way.
    ///
    /// # Panics
    /// When something does not hold.
    pub(crate) fn take(&self, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        self.tokenize(&text);
        let chunks = self.cut(&text);
        let all = text.len() <= SHORT || self.int8.len() == 1;
        let int8 = self.int8.iter().filter(|encoder| all || encoder.cpu() != Cpu::Portable);
        encode(&int8.collect::<Vec<_>>(), &text, &chunks);
        encode(&[&self.f32], &text, &chunks);
    }

    fn tokenize(&self, text: &str) {
        let encoding = self.reference.encode(text, false).unwrap();
        let wanted = encoding.get_ids().iter().zip(encoding.get_offsets());
        let wanted: Vec<Piece> = wanted.map(|(&id, &(start, end))| Piece { id, start, end }).collect();
        assert_eq!(self.f32.tokenizer().pieces(text).unwrap(), wanted);
        assert!(wanted.iter().all(|piece| text.get(piece.start..piece.end).is_some()));
    }

    fn cut(&self, text: &str) -> Vec<Chunk> {
        let tokenizer = self.f32.tokenizer();
        let chunks = self.chunker.chunks(text, tokenizer).unwrap();
        assert_eq!(chunks.is_empty(), text.trim().is_empty());
        for chunk in &chunks {
            let inside = text.get(chunk.range.clone()).unwrap();
            assert!((1..=OPTIONS.chars).contains(&inside.chars().count()));
            let mut at = chunk.range.start;
            for window in &chunk.windows {
                assert_eq!(window.range.start, at);
                assert!(text.is_char_boundary(window.range.end) && window.tokens() <= OPTIONS.window_tokens);
                at = window.range.end;
            }
            assert_eq!(at, chunk.range.end);
        }
        chunks
    }
}

/// The first encoder gives the lines of the text the same vectors alone and together, and all encoders give the windows
/// and the document the same ones.
fn encode(encoders: &[&Encoder], text: &str, chunks: &[Chunk]) {
    let (first, mut scratch) = (encoders[0], Scratch::new());
    let windows = || chunks.iter().flat_map(|chunk| &chunk.windows);
    let lines: Vec<&str> = text.split('\n').take(40).collect();
    let of_lines: Vec<Vec<f32>> =
        lines.iter().map(|line| first.encode(line, &mut scratch).unwrap()).collect();
    assert!(first.encode_pack(&lines, &mut scratch).unwrap() == of_lines, "{} differs", first.cpu());
    let mut alone = Vec::new();
    for window in windows() {
        alone.push(first.encode_pieces(&window.pieces, &mut scratch).unwrap());
    }
    for vector in alone.iter().chain(&of_lines) {
        let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
        assert!(vector.len() == HIDDEN && (length - 1.0).abs() < 1e-5, "a vector of length {length}");
    }
    let mut workers = [scratch];
    let document = first.encode_documents(&[chunks.to_vec()], &mut workers).unwrap();
    assert_eq!(document[0].chunks.len(), chunks.len());
    assert_eq!(document[0].document.is_some(), !chunks.is_empty());
    let mut at = 0;
    for (chunk, vector) in chunks.iter().zip(&document[0].chunks) {
        assert!(chunk.windows.len() > 1 || near(vector, &alone[at]), "a chunk of one window is that window");
        at += chunk.windows.len();
    }
    for other in &encoders[1..] {
        let again = other.encode_documents(&[chunks.to_vec()], &mut workers).unwrap();
        assert!(again == document, "{} differs", other.cpu());
        for (window, vector) in windows().zip(&alone) {
            assert!(
                other.encode_pieces(&window.pieces, &mut workers[0]).unwrap() == *vector,
                "{} differs",
                other.cpu()
            );
        }
    }
}

/// Scaling to length 1 twice may change the last bit.
fn near(a: &[f32], b: &[f32]) -> bool {
    a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-6)
}

#[cfg(test)]
mod tests;
