use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use crate::Piece;

/// How well a text may be cut before a piece; better is greater.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Seam {
    InWord,
    Word,
    Sentence,
}

/// Groups `pieces`, the word pieces of `text`, into windows of at most `limit` pieces (at least 1), as ranges of their
/// indices: in order, without gaps or overlap. A window ends with a sentence if that fills at least a quarter of it,
/// else with a word, else where it is full. Always at least one window, which is empty if there are no pieces.
pub(super) fn cuts(text: &str, pieces: &[Piece], limit: usize) -> Vec<Range<usize>> {
    let seams = if pieces.len() > limit { seams(text, pieces) } else { Vec::new() };
    let mut cuts = Vec::new();
    let mut from = 0;
    while pieces.len() - from > limit {
        // A cut at `from` would make an empty window.
        let candidates = from + 1..=from + limit;
        let last = |least: Seam| candidates.clone().rev().find(|&at| seams[at] >= least);
        let sentence = last(Seam::Sentence).filter(|&at| at - from >= limit / 4);
        let to = sentence.or_else(|| last(Seam::Word)).unwrap_or(from + limit);
        cuts.push(from..to);
        from = to;
    }
    cuts.push(from..pieces.len());
    cuts
}

fn seams(text: &str, pieces: &[Piece]) -> Vec<Seam> {
    let mut sentences = text.split_sentence_bound_indices().map(|(at, _)| at).peekable();
    let mut end = 0;
    let mut seams = Vec::with_capacity(pieces.len());
    for piece in pieces {
        let mut seam = if piece.start > end { Seam::Word } else { Seam::InWord };
        while sentences.next_if(|&at| at <= piece.start).is_some() {
            seam = Seam::Sentence;
        }
        seams.push(seam);
        end = piece.end;
    }
    seams
}
