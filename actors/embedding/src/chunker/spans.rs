use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use super::ChunkOptions;

/// The byte ranges of the chunks of `text`, in order. Each holds at most `chars` characters, begins and ends with one
/// that is not white space, and begins at most `overlap` characters before the end of the one before it. No other
/// white space apart, together they cover the text.
pub(super) fn spans(text: &str, options: &ChunkOptions) -> Vec<Range<usize>> {
    // Unicode Standard Annex 29, section 5. A line's end is a sentence's end there. Finding them takes longer than
    // finding word pieces, and what is one chunk anyway is not cut.
    let sentences = if text.len() <= options.chars {
        Vec::new()
    } else {
        text.split_sentence_bound_indices().map(|(at, _)| at).collect()
    };
    let cutter = Cutter { text, sentences };
    let mut spans = Vec::new();
    let mut from = 0;
    loop {
        let start = text.len() - cutter.part(from..text.len()).trim_start().len();
        if start == text.len() {
            return spans;
        }
        let end = cutter.end(start, options.chars);
        spans.push(start..start + cutter.part(start..end).trim_end().len());
        if cutter.part(end..text.len()).trim_start().is_empty() {
            return spans;
        }
        from = cutter.resume(start, end, options.overlap);
    }
}

struct Cutter<'t> {
    text: &'t str,
    /// Byte offsets at which sentences begin, ascending.
    sentences: Vec<usize>,
}

impl Cutter<'_> {
    /// Where the chunk that begins at `start` ends: at the end of a paragraph if there is one in its last two sevenths,
    /// or else of a sentence, a word or a character.
    fn end(&self, start: usize, chars: usize) -> usize {
        let rest = self.part(start..self.text.len());
        let mut offsets = rest.char_indices().map(|(at, _)| start + at);
        let min_chars = chars - chars * 2 / 7;
        let Some(earliest) = offsets.nth(min_chars) else { return self.text.len() };
        let Some(latest) = offsets.nth(chars - min_chars - 1) else { return self.text.len() };
        let ends = self.sentences_in(earliest..latest + 1);
        let paragraph = ends.iter().rev().find(|&&at| self.ends_paragraph(start, at));
        if let Some(&at) = paragraph.or(ends.last()) {
            return at;
        }
        let tail = self.part(earliest..latest);
        if let Some(at) = tail.rfind(char::is_whitespace) {
            return earliest + at;
        }
        // The last cluster of characters seen as one may go on behind the limit: it stays whole if others are before it.
        match tail.grapheme_indices(true).next_back() {
            Some((at, _)) if at > 0 => earliest + at,
            _ => latest,
        }
    }

    /// Where the next chunk begins after one of `start..end`: `overlap` characters before its end or, from there on,
    /// with the next sentence if half of the overlap remains, else with the next word.
    fn resume(&self, start: usize, end: usize, overlap: usize) -> usize {
        let Some(back) = overlap.checked_sub(1) else { return end };
        let chunk = self.part(start..end);
        // An overlap of at most a quarter of a chunk never reaches back to its start.
        let from = chunk.char_indices().nth_back(back).map_or(end, |(at, _)| start + at);
        let half = from + (end - from) / 2;
        if let Some(&at) = self.sentences_in(from..half + 1).first() {
            return at;
        }
        self.part(from..end).find(char::is_whitespace).map_or(from, |at| from + at)
    }

    fn sentences_in(&self, range: Range<usize>) -> &[usize] {
        let first = self.sentences.partition_point(|&at| at < range.start);
        let last = self.sentences.partition_point(|&at| at < range.end);
        &self.sentences[first..last.max(first)]
    }

    /// Whether an empty line lies before the sentence that begins at `at`.
    fn ends_paragraph(&self, start: usize, at: usize) -> bool {
        let spaces = self.part(start..at).chars().rev().take_while(|c| c.is_whitespace());
        spaces.filter(|&c| c == '\n').count() > 1
    }

    /// The text in `range`, whose ends are always between two characters.
    fn part(&self, range: Range<usize>) -> &str {
        self.text.get(range).unwrap_or_default()
    }
}
